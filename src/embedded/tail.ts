/**
 * The newest inputs in memory, decoded, until the task has fetched them: it follows the end closely most of the time,
 * and then neither reads nor decodes anything a second time. Bounded: beyond the bound the newest are not kept, since
 * those are the last whose turn comes; they are read from the database.
 */
import type { Decoded } from "../events/decode.js";
import type { EpochMs } from "../events/types.js";
import type { FetchLimits, LogRecord, Mark, Offset, Topic } from "../stream/log.js";
import { type Content, PARTITION } from "./rows.js";

/** Inputs that follow each other, as columns. */
export interface Batch {
  readonly decoded: readonly Decoded[];
  /** What each takes in the log. */
  readonly sizes: readonly number[];
  /** By their index, those that could not be decoded. */
  readonly broken: ReadonlyMap<number, Content>;
}

interface Stretch {
  readonly base: Offset;
  end: Offset;
  bytes: number;
  /** Of what is not fetched. */
  bytesUnread: number;
  readonly timestamp: EpochMs;
  /** Null where they are not kept. */
  readonly batch: Batch | null;
  /** Of the rows that it is in. */
  readonly marks: readonly Mark[];
}

export class Tail {
  readonly #topic: Topic;
  readonly #bytesMax: number;
  /** In order, without overlaps. */
  #stretches: Stretch[] = [];
  #bytesKept = 0;
  #bytesUnread = 0;
  /** All before it has been fetched. */
  #fetched: Offset;
  readonly #waiting = new Set<{ readonly bytesMax: number; readonly wake: () => void }>();

  constructor(topic: Topic, bytesMax: number, end: Offset) {
    this.#topic = topic;
    this.#bytesMax = bytesMax;
    this.#fetched = end;
  }

  /** Bytes appended since the log was opened and not yet fetched. */
  get bytesUnread(): number {
    return this.#bytesUnread;
  }

  /** Takes inputs that have just been made durable, the first at `base`. */
  push(base: Offset, timestamp: EpochMs, batch: Batch, marks: readonly Mark[]): void {
    const bytes = sum(batch.sizes);
    const end = base + batch.sizes.length;
    this.#bytesUnread += bytes;
    const last = this.#stretches.at(-1);
    if (this.#bytesKept + bytes <= this.#bytesMax) {
      this.#bytesKept += bytes;
      this.#stretches.push({ base, end, bytes, bytesUnread: bytes, timestamp, batch, marks });
    } else if (last?.batch === null && last.end === base) {
      last.end = end;
      last.bytes += bytes;
      last.bytesUnread += bytes;
    } else this.#stretches.push({ base, end, bytes, bytesUnread: bytes, timestamp, batch: null, marks: [] });
  }

  /** What is kept from this offset on; null where that has to be read from the database. */
  take(from: Offset, limits: FetchLimits): { records: LogRecord[]; marks: Mark[] } | null {
    const taken: LogRecord[] = [];
    const passed: Mark[] = [];
    let bytes = 0;
    let next = from;
    for (const { base, end, timestamp, batch, marks } of this.#stretches) {
      if (end <= next) continue;
      if (batch === null || base > next) break;
      for (const mark of marks) if (passed.at(-1)?.base !== mark.base) passed.push(mark);
      for (; next < end; next++) {
        bytes += batch.sizes[next - base] as number;
        if (taken.length > 0 && (taken.length >= limits.recordsMax || bytes > limits.bytesMax))
          return { records: taken, marks: passed };
        taken.push(this.#record(next, timestamp, batch, next - base));
      }
    }
    return taken.length > 0 ? { records: taken, marks: passed } : null;
  }

  /** The first offset behind this one that is kept: up to there the database has to be read. */
  nextKept(from: Offset): Offset {
    return this.#stretches.find(({ base, batch }) => batch !== null && base > from)?.base ?? Number.POSITIVE_INFINITY;
  }

  /** The task has fetched all before this offset. */
  fetchedUpTo(offset: Offset): void {
    if (offset <= this.#fetched) return;
    let gone = 0;
    for (const stretch of this.#stretches) {
      if (stretch.base >= offset) break;
      const bytes = stretch.end <= offset ? stretch.bytesUnread : this.#readOf(stretch, offset);
      stretch.bytesUnread -= bytes;
      this.#bytesUnread -= bytes;
      if (stretch.end > offset) break;
      if (stretch.batch !== null) this.#bytesKept -= stretch.bytes;
      gone += 1;
    }
    if (gone > 0) this.#stretches.splice(0, gone);
    this.#fetched = offset;
    this.#wake();
  }

  /** Keeps nothing of what it has: the database holds something else now. */
  forget(): void {
    this.#stretches = this.#stretches.map((stretch) => ({ ...stretch, batch: null }));
    this.#bytesKept = 0;
  }

  /** Resolves when at most so many bytes are unread, or when `stop` aborts. */
  async drained(bytesMax: number, stop: AbortSignal): Promise<void> {
    if (this.#bytesUnread <= bytesMax || stop.aborted) return;
    await new Promise<void>((resolve) => {
      const waiting = { bytesMax, wake };
      const all = this.#waiting;
      function wake(): void {
        all.delete(waiting);
        stop.removeEventListener("abort", wake);
        resolve();
      }
      all.add(waiting);
      stop.addEventListener("abort", wake);
    });
  }

  #record(offset: Offset, timestamp: EpochMs, { decoded, sizes, broken }: Batch, index: number): LogRecord {
    const { original, source } = broken.get(index) ?? { original: null, source: null };
    return {
      topic: this.#topic,
      partition: PARTITION,
      offset,
      timestamp,
      bytes: sizes[index] as number,
      decoded: decoded[index] as Decoded,
      original,
      source,
    };
  }

  #readOf(stretch: Stretch, offset: Offset): number {
    const from = Math.max(stretch.base, this.#fetched);
    if (stretch.batch !== null) return sum(stretch.batch.sizes.slice(from - stretch.base, offset - stretch.base));
    return Math.floor((stretch.bytesUnread * (offset - from)) / (stretch.end - from));
  }

  #wake(): void {
    for (const { bytesMax, wake } of this.#waiting) {
      if (this.#bytesUnread <= bytesMax) wake();
    }
  }
}

function sum(sizes: readonly number[]): number {
  let bytes = 0;
  for (const size of sizes) bytes += size;
  return bytes;
}
