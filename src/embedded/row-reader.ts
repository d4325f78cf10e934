/** Reads records of a topic from the database, from an offset on. */

import type { Database } from "../database/database.js";
import type { EpochMs } from "../events/types.js";
import type { Mark, Offset, Topic } from "../stream/log.js";
import { decodeRow, markOf, missing, REMOVED, type Row, rowKey, topicKeysEnd } from "./rows.js";

export interface ReadLimits {
  /** All records of one read together, about; at least one record comes if there is any. */
  readonly bytesMax: number;
  readonly recordsMax: number;
}

/** Counts how often rows were written anew, so that who keeps one knows that it is old. */
export interface Rewrites {
  count: number;
}

export type MakeRecord<T> = (offset: Offset, timestamp: EpochMs, text: string) => T;

export class RowReader {
  readonly #database: Database;
  readonly #rewrites: Rewrites;
  /** The last row read, which is often read on in the next call. */
  #held: { readonly topic: Topic; readonly row: Row; readonly rewrites: number } | undefined;

  constructor(database: Database, rewrites: Rewrites) {
    this.#database = database;
    this.#rewrites = rewrites;
  }

  /**
   * The records of `[from, until)` that have content, as many as the limits allow, the rows that they are of, and where to
   * read on.
   *
   * @throws ScorefoldError `log-corrupt`
   */
  async read<T>(
    topic: Topic,
    from: Offset,
    until: Offset,
    limits: ReadLimits,
    make: MakeRecord<T>,
  ): Promise<{ found: T[]; marks: Mark[]; next: Offset }> {
    const found: T[] = [];
    const marks: Mark[] = [];
    let bytes = 0;
    let next = from;
    for await (const row of this.#rows(topic, from, until)) {
      const { base, end, timestamp, texts } = row;
      if (base > next) break;
      marks.push(markOf(row));
      for (; next < Math.min(end, until); next++) {
        const text = texts[next - base] as string;
        if (text === REMOVED) continue;
        bytes += text.length;
        if (found.length > 0 && (found.length >= limits.recordsMax || bytes > limits.bytesMax))
          return { found, marks, next };
        found.push(make(next, timestamp, text));
      }
      if (found.length >= limits.recordsMax || bytes >= limits.bytesMax) return { found, marks, next };
    }
    if (next < until) throw missing(topic, next);
    return { found, marks, next };
  }

  /** The row that has an offset, or the first behind it; null: there is none. @throws ScorefoldError `log-corrupt` */
  async markAt(topic: Topic, offset: Offset): Promise<Mark | null> {
    const [first] = await this.#database.range({ gte: rowKey(topic, offset), lt: topicKeysEnd(topic) }, 1);
    return first === undefined ? null : markOf(decodeRow(topic, first[0], first[1]));
  }

  /** When the row was taken that has this offset. @throws ScorefoldError `log-corrupt` */
  async timestampAt(topic: Topic, offset: Offset): Promise<EpochMs> {
    for await (const { timestamp } of this.#rows(topic, offset, offset + 1)) return timestamp;
    throw missing(topic, offset);
  }

  async *#rows(topic: Topic, from: Offset, until: Offset): AsyncGenerator<Row> {
    let next = from;
    const held = this.#held;
    if (
      held?.topic === topic &&
      held.rewrites === this.#rewrites.count &&
      held.row.base <= from &&
      from < held.row.end
    ) {
      yield held.row;
      next = held.row.end;
    }
    if (next >= until) return;
    const rewrites = this.#rewrites.count;
    for await (const chunk of this.#database.scan({ gte: rowKey(topic, next), lt: topicKeysEnd(topic) })) {
      for (const [key, value] of chunk) {
        const row = decodeRow(topic, key, value);
        this.#held = { topic, row, rewrites };
        yield row;
        if (row.end >= until) return;
      }
    }
  }
}
