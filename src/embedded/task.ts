/** The embedded log as one owner of its task sees it. */
import type { Database } from "../database/database.js";
import { ScorefoldError } from "../errors.js";
import { decodeOriginal } from "../events/dead-letter.js";
import { encodeOutput } from "../events/encode.js";
import type { EpochMs, Output } from "../events/types.js";
import type {
  Bounds,
  Committed,
  EncodedOutput,
  Fetched,
  FetchLimits,
  LogRecord,
  Mark,
  Marks,
  Offset,
  Offsets,
  TaskLog,
  Topic,
  Transaction,
} from "../stream/log.js";
import type { Clock } from "./clock.js";
import type { Ends } from "./ends.js";
import { TASK } from "./meta.js";
import { OUTPUT_TOPICS, type Publisher } from "./publisher.js";
import type { RowReader } from "./row-reader.js";
import { type Content, decodeContent, PARTITION } from "./rows.js";
import type { Tail } from "./tail.js";

/** What the owners of the task share. */
export interface TaskParts {
  readonly topic: Topic;
  readonly clock: Clock;
  readonly ends: Ends;
  readonly tail: Tail;
  readonly publisher: Publisher;
  /** Aborted when the log closes. */
  readonly closing: AbortSignal;
  /** The newest instant of a record that was there when the log was opened; null: there was none. */
  readonly newest: EpochMs | null;
}

export class EmbeddedTaskLog implements TaskLog {
  readonly task = TASK;
  readonly topicIds = null;
  readonly #parts: TaskParts;
  readonly #database: Pick<Database, "checkPlace">;
  readonly #reader: RowReader;
  readonly #epoch: number;
  readonly #closing = new AbortController();
  #hasFailed = false;

  constructor(parts: TaskParts, database: Pick<Database, "checkPlace">, reader: RowReader, epoch: number) {
    this.#parts = parts;
    this.#database = database;
    this.#reader = reader;
    this.#epoch = epoch;
  }

  async committed(): Promise<Committed | null> {
    this.#checkOpen();
    return await this.#parts.publisher.committed();
  }

  async bounds(topics: readonly Topic[] = [this.#parts.topic]): Promise<ReadonlyMap<Topic, Bounds>> {
    this.#checkOpen();
    return this.#parts.ends.bounds(topics);
  }

  async fetch(from: Offsets, limits: FetchLimits, signal?: AbortSignal): Promise<Fetched[]> {
    this.#checkOpen();
    const { topic, ends, tail, closing } = this.#parts;
    const offset = this.#offsetOf(from);
    const isOwner = this.#parts.publisher.isOwner(this.#epoch);
    if (isOwner) tail.fetchedUpTo(offset);
    const stops = [closing, this.#closing.signal, ...(signal === undefined ? [] : [signal])];
    await ends.whenBehind(topic, offset, stops, limits.waitMs);
    this.#checkOpen();
    const end = ends.of(topic);
    if (end <= offset) return [{ topic, records: [], next: offset, marks: [], end }];
    // Kept until the next fetch: whoever takes only a part of them comes again for the others.
    const found = await this.#records(offset, end, limits);
    return [{ topic, ...found, end }];
  }

  async look(offsets: Offsets): Promise<ReadonlyMap<Topic, Mark | null>> {
    this.#checkOpen();
    const found = new Map<Topic, Mark | null>();
    for (const [topic, offset] of offsets) found.set(topic, await this.#reader.markAt(topic, offset));
    return found;
  }

  encode(output: Output): EncodedOutput {
    return { kind: output.kind, contactId: output.contactId, encoded: encodeOutput(output) };
  }

  async publish(transaction: Transaction): Promise<Marks> {
    this.#checkOpen();
    if (this.#hasFailed) {
      throw new ScorefoldError(
        "log-failed",
        "an earlier transaction of this owner failed, and may be published or not; open the task again and read what is committed",
      );
    }
    try {
      return await this.#parts.publisher.publish(this.#epoch, transaction);
    } catch (error) {
      this.#hasFailed = !(error instanceof ScorefoldError && (error.code === "internal" || error.code === "fenced"));
      throw error;
    }
  }

  async hasPublished(): Promise<boolean> {
    this.#checkOpen();
    const bounds = this.#parts.ends.bounds(OUTPUT_TOPICS);
    return [...bounds.values()].some(({ end }) => end > 0);
  }

  async checkPlace(): Promise<void> {
    await this.#database.checkPlace();
  }

  async time(): Promise<EpochMs> {
    this.#checkOpen();
    return this.#parts.clock.read();
  }

  async newest(): Promise<EpochMs | null> {
    this.#checkOpen();
    return this.#parts.newest;
  }

  async close(): Promise<void> {
    this.#closing.abort();
  }

  async #records(from: Offset, end: Offset, limits: FetchLimits): Promise<Pick<Fetched, "records" | "marks" | "next">> {
    const { topic, tail } = this.#parts;
    const kept = tail.take(from, limits);
    if (kept !== null) return { ...kept, next: from + kept.records.length };
    const until = Math.min(end, tail.nextKept(from));
    const read = await this.#reader.read(topic, from, until, limits, (offset, timestamp, text) =>
      recordOf(topic, offset, timestamp, text),
    );
    return { records: read.found, marks: read.marks, next: read.next };
  }

  #offsetOf(from: Offsets): Offset {
    const { topic, ends } = this.#parts;
    const offset = from.get(topic);
    if (offset === undefined) throw new ScorefoldError("internal", `a fetch names no offset of the topic ${topic}`);
    const end = ends.of(topic);
    if (offset >= 0 && offset <= end) return offset;
    throw new ScorefoldError(
      "log-failed",
      `offset ${offset} of topic ${topic} is not in the log, which ends at ${end}: it is not the log that was read before`,
    );
  }

  #checkOpen(): void {
    if (!this.#parts.closing.aborted && !this.#closing.signal.aborted) return;
    throw new ScorefoldError("stopping", "the log is closed; start the engine again");
  }
}

function recordOf(topic: Topic, offset: Offset, timestamp: EpochMs, text: string): LogRecord {
  // The reader leaves out what has no content.
  const { original, source } = decodeContent(text) as Content;
  const decoded = decodeOriginal(original);
  const isBroken = !decoded.ok;
  return {
    topic,
    partition: PARTITION,
    offset,
    timestamp,
    bytes: text.length,
    decoded,
    original: isBroken ? original : null,
    source: isBroken ? source : null,
  };
}
