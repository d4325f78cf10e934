/**
 * Group commit: appends that come while a write is under way are gathered into the next one, so that a synced write,
 * which costs milliseconds, is shared by all who wait for it.
 */
import { toUSVString } from "node:util";
import type { Database } from "../database/database.js";
import { decodeOriginal, type Original } from "../events/dead-letter.js";
import type { Decoded } from "../events/decode.js";
import type { Offset, Topic } from "../stream/log.js";
import type { Clock } from "./clock.js";
import { type End, type Ends, noEnd } from "./ends.js";
import {
  type Content,
  cutRows,
  decodeRow,
  encodeContent,
  encodeRow,
  markOf,
  type Row,
  rowKey,
  topicKeysEnd,
  topicPrefix,
} from "./rows.js";
import type { Batch, Tail } from "./tail.js";

/** Of one write, about; a larger append is written alone. */
const WRITE_BYTES_MAX = 4 * 1024 * 1024;

/** Where lines came from: `name:firstLine`, and on by one a line. */
export interface Source {
  readonly name: string;
  readonly firstLine: number;
}

export interface Appended {
  /** The offset of the first line. */
  readonly base: Offset;
  /** Of each line, in order. */
  readonly decoded: readonly Decoded[];
}

interface Append {
  /** Of each line, as it is written. */
  readonly texts: readonly string[];
  readonly bytes: number;
  readonly batch: Batch;
  readonly resolve: (base: Offset) => void;
  readonly reject: (error: unknown) => void;
}

export class Appends {
  readonly #topic: Topic;
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #ends: Ends;
  readonly #tail: Tail;
  #waiting: Append[] = [];
  #running: Promise<void> | undefined;
  /** After a write that failed: it may be there or not. */
  #endUnknown = false;

  constructor(topic: Topic, database: Database, clock: Clock, ends: Ends, tail: Tail) {
    this.#topic = topic;
    this.#database = database;
    this.#clock = clock;
    this.#ends = ends;
    this.#tail = tail;
  }

  async append(lines: readonly Original[], source: Source | null): Promise<Appended> {
    if (lines.length === 0) return { base: this.#ends.of(this.#topic), decoded: [] };
    const { texts, batch } = batchOf(lines, source);
    let bytes = 0;
    for (const text of texts) bytes += text.length;
    const base = await new Promise<Offset>((resolve, reject) => {
      this.#waiting.push({ texts, bytes, batch, resolve, reject });
      this.#running ??= this.#run();
    });
    return { base, decoded: batch.decoded };
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup();
      try {
        let offset = await this.#write(group);
        for (const { texts, resolve } of group) {
          resolve(offset);
          offset += texts.length;
        }
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#running = undefined;
  }

  #nextGroup(): Append[] {
    let count = 0;
    let bytes = 0;
    for (const append of this.#waiting) {
      bytes += append.bytes;
      if (count > 0 && bytes > WRITE_BYTES_MAX) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(group: readonly Append[]): Promise<Offset> {
    if (this.#endUnknown) await this.#findEnd();
    const { offset: base, link } = this.#ends.last(this.#topic);
    const timestamp = this.#clock.stamp();
    const texts = group.length === 1 ? (group[0] as Append).texts : group.flatMap((append) => append.texts);
    const rows = cutRows(base, timestamp, texts, link);
    try {
      await this.#database.write(
        rows.map((row) => ({ type: "put", key: rowKey(this.#topic, row.end - 1), value: encodeRow(row) })),
      );
    } catch (error) {
      this.#endUnknown = true;
      throw error;
    }
    let offset = base;
    for (const { batch } of group) {
      const end = offset + batch.decoded.length;
      const own = rows.filter((row) => row.base < end && row.end > offset);
      this.#tail.push(offset, timestamp, batch, own.map(markOf));
      offset = end;
    }
    this.#ends.move(this.#topic, endOf(rows, link));
    return base;
  }

  async #findEnd(): Promise<void> {
    this.#ends.move(this.#topic, await findEnd(this.#database, this.#topic));
    this.#endUnknown = false;
  }
}

/** The last row of a topic on disk; null: it is empty. @throws ScorefoldError `log-corrupt` */
export async function lastRow(database: Database, topic: Topic): Promise<Row | null> {
  const range = { gte: topicPrefix(topic), lt: topicKeysEnd(topic), reverse: true };
  const [last] = await database.range(range, 1);
  return last === undefined ? null : decodeRow(topic, last[0], last[1]);
}

/** Where a topic ends on disk. @throws ScorefoldError `log-corrupt` */
export async function findEnd(database: Database, topic: Topic): Promise<End> {
  const last = await lastRow(database, topic);
  return last === null ? noEnd : { offset: last.end, link: last.link };
}

/** Where a topic ends behind these rows. */
export function endOf(rows: readonly Row[], before: number): End {
  const { end, link } = rows.at(-1) ?? { end: 0, link: before };
  return { offset: end, link };
}

/** Columns, not an object a line: they lie in memory while they wait to be written and fetched. */
function batchOf(lines: readonly Original[], from: Source | null): { texts: string[]; batch: Batch } {
  const texts: string[] = [];
  const decoded: Decoded[] = [];
  const sizes: number[] = [];
  const broken = new Map<number, Content>();
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as Original;
    // Half a surrogate pair can't be written; with it the line would mean one thing in memory and another on disk.
    const original = typeof line === "string" ? toUSVString(line) : line;
    const one = decodeOriginal(original);
    let source: string | null = null;
    if (!one.ok) {
      if (from !== null) source = `${from.name}:${from.firstLine + i}`;
      broken.set(i, { original, source });
    }
    const text = encodeContent(original, source);
    texts.push(text);
    decoded.push(one);
    sizes.push(text.length);
  }
  return { texts, batch: { decoded, sizes, broken } };
}
