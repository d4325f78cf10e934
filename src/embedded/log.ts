/**
 * The log without a broker: durable topics in one process, on one database. It holds the truth, so everything that is
 * acknowledged is on disk, rows carry checksums, and a damaged one stops whoever reads it.
 *
 * - One partition a topic, one input topic, one task. The database allows one process at a time.
 * - Appends and transactions are written independently of each other: a transaction names only inputs that were
 *   fetched, and only what is durable can be fetched.
 * - Nothing is ever dropped from the beginning; `scrub` takes content out and leaves the offsets.
 */
import type { Database } from "../database/database.js";
import { ScorefoldError } from "../errors.js";
import type { Original } from "../events/dead-letter.js";
import type { EpochMs } from "../events/types.js";
import type { Bounds, Log, Offset, TaskLog, Topic } from "../stream/log.js";
import { type Appended, Appends, endOf, lastRow, type Source } from "./appends.js";
import { Clock } from "./clock.js";
import { type End, Ends, noEnd } from "./ends.js";
import { openFormat, TASK } from "./meta.js";
import { OUTPUT_TOPICS, Publisher } from "./publisher.js";
import { type ReadLimits, type Rewrites, RowReader } from "./row-reader.js";
import { type Content, cutRows, decodeContent, encodeRow, REMOVED, rowKey, textOf } from "./rows.js";
import { type Keep, removeRecords, type Scrubbed, scrubTopic } from "./scrub.js";
import { Tail } from "./tail.js";
import { EmbeddedTaskLog, type TaskParts } from "./task.js";
import { Turns } from "./turns.js";

export const INPUTS: Topic = "inputs";
const TOPICS: readonly Topic[] = [INPUTS, ...OUTPUT_TOPICS];

export interface EmbeddedLogOptions {
  readonly now: () => EpochMs;
  /** Of inputs kept in memory until they are fetched, by the length of their lines. */
  readonly memoryBytesMax: number;
}

/** What a consumer is given: the line of an input, or an output or dead letter as JSON. */
export interface ReadRecord {
  readonly offset: Offset;
  readonly timestamp: EpochMs;
  readonly value: string;
}

export interface ReadResult extends Bounds {
  readonly records: readonly ReadRecord[];
  /** Where to read on. */
  readonly next: Offset;
}

export class EmbeddedLog implements Log {
  readonly clusterId: string;
  readonly name = "the disk of the log";
  readonly origin = null;
  readonly taskOf = null;
  readonly models = null;
  readonly inputTopics: readonly Topic[] = [INPUTS];
  readonly #database: Database;
  readonly #rewrites: Rewrites = { count: 0 };
  readonly #reader: RowReader;
  readonly #appends: Appends;
  readonly #parts: TaskParts;
  readonly #scrubs = new Turns();
  readonly #closing = new AbortController();

  private constructor(
    database: Database,
    clusterId: string,
    ends: ReadonlyMap<Topic, End>,
    latest: EpochMs,
    options: EmbeddedLogOptions,
  ) {
    this.clusterId = clusterId;
    this.#database = database;
    this.#reader = new RowReader(database, this.#rewrites);
    const clock = new Clock(options.now, latest);
    const topicEnds = new Ends(ends);
    const tail = new Tail(INPUTS, options.memoryBytesMax, topicEnds.of(INPUTS));
    this.#appends = new Appends(INPUTS, database, clock, topicEnds, tail);
    const publisher = new Publisher(database, clock, topicEnds);
    const newest = Number.isFinite(latest) ? latest : null;
    this.#parts = { topic: INPUTS, clock, ends: topicEnds, tail, publisher, closing: this.#closing.signal, newest };
  }

  /**
   * Opens the log in a database, or makes one where it is empty. The database stays the caller's to close, after the log.
   *
   * @throws ScorefoldError `format-unknown`, `log-corrupt` and what the database throws
   */
  static async open(database: Database, options: EmbeddedLogOptions): Promise<EmbeddedLog> {
    const clusterId = await openFormat(database);
    const ends = new Map<Topic, End>();
    let latest = Number.NEGATIVE_INFINITY;
    for (const topic of TOPICS) {
      const last = await lastRow(database, topic);
      ends.set(topic, last === null ? noEnd : { offset: last.end, link: last.link });
      if (last !== null) latest = Math.max(latest, last.timestamp);
    }
    return new EmbeddedLog(database, clusterId, ends, latest, options);
  }

  async open(task: number): Promise<TaskLog> {
    this.#checkOpen();
    if (task !== TASK) {
      throw new ScorefoldError("internal", `the embedded log has one task, ${TASK}; there is no task ${task}`);
    }
    const epoch = await this.#parts.publisher.open();
    return new EmbeddedTaskLog(this.#parts, this.#database, new RowReader(this.#database, this.#rewrites), epoch);
  }

  /** Where each topic begins and ends. */
  get topics(): ReadonlyMap<Topic, Bounds> {
    return this.#parts.ends.bounds();
  }

  /** Bytes of inputs appended since the log was opened that the task has not fetched yet. */
  get unreadBytes(): number {
    return this.#parts.tail.bytesUnread;
  }

  /**
   * Appends inputs, durable when it resolves; all of them or none. The order of calls is the order of offsets.
   *
   * @param lines without line ends; none of them blank
   * @throws ScorefoldError what the database throws: whether the lines are in the log is then not known, and they may be
   *   sent again, since an input that comes twice counts once
   */
  async append(lines: readonly Original[], source: Source | null = null): Promise<Appended> {
    this.#checkOpen();
    return await this.#appends.append(lines, source);
  }

  /** Resolves when at most so many bytes are unread: whoever appends waits for it, so that the task is not left behind. */
  async drained(bytesMax: number): Promise<void> {
    this.#checkOpen();
    await this.#parts.tail.drained(bytesMax, this.#closing.signal);
    this.#checkOpen();
  }

  /**
   * Records of any topic from an offset on. Records whose content was removed are left out; `next` goes past them.
   *
   * @throws ScorefoldError `usage` for an unknown topic; `log-corrupt`
   */
  async read(topic: Topic, from: Offset, limits: ReadLimits): Promise<ReadResult> {
    this.#checkOpen();
    const end = this.#parts.ends.of(topic);
    const offset = Math.max(0, from);
    if (offset >= end) return { records: [], next: offset, start: 0, end };
    const { found, next } = await this.#reader.read(topic, offset, end, limits, (at, timestamp, text): ReadRecord => {
      return { offset: at, timestamp, value: textOf((decodeContent(text) as Content).original) };
    });
    return { records: found, next, start: 0, end };
  }

  /** When the log took an input that is there. @throws ScorefoldError `log-corrupt` */
  async timestampAt(offset: Offset): Promise<EpochMs> {
    this.#checkOpen();
    return await this.#reader.timestampAt(INPUTS, offset);
  }

  /** Resolves when the topic has a record at `after` or behind it, or when `signal` aborts. */
  async whenMore(topic: Topic, after: Offset, signal: AbortSignal): Promise<void> {
    this.#checkOpen();
    await this.#parts.ends.whenBehind(topic, after, [signal, this.#closing.signal]);
    this.#checkOpen();
  }

  /**
   * Shows every record that is there now to `keep`, and writes what it gives in its place. What was replaced is gone
   * from the log's answers; the database frees its bytes on disk in its own time. Closing the log stops it half-way.
   */
  async scrub(keep: Keep, onProgress: (scrubbed: Scrubbed) => void = () => undefined): Promise<Scrubbed> {
    this.#checkOpen();
    return await this.#scrubs.take(async () => {
      let [records, changed] = [0, 0];
      for (const [topic, { end }] of this.topics) {
        const before = { records, changed };
        const done = await scrubTopic(
          this.#database,
          topic,
          end,
          keep,
          () => this.#forget(topic),
          (now) => {
            this.#checkOpen();
            onProgress({ records: before.records + now.records, changed: before.changed + now.changed });
          },
        );
        records += done.records;
        changed += done.changed;
      }
      return { records, changed };
    });
  }

  /** @throws ScorefoldError `directory-unusable` where the log's directory was removed, moved or replaced */
  async checkPlace(): Promise<void> {
    await this.#database.checkPlace();
  }

  /**
   * Takes records out that have been fetched or published, as `scrub` does.
   *
   * @param offsets rising
   * @returns how many had content
   */
  async remove(topic: Topic, offsets: readonly Offset[]): Promise<number> {
    this.#checkOpen();
    return await this.#scrubs.take(
      async () => await removeRecords(this.#database, topic, offsets, () => this.#forget(topic)),
    );
  }

  /** What a record would be dated that the log took now. */
  get time(): EpochMs {
    return this.#parts.clock.read();
  }

  /** Gives a topic records without content up to an offset: what was there is lost, and the offsets are not used again. */
  async leaveOut(topic: Topic, end: Offset): Promise<void> {
    this.#checkOpen();
    const last = this.#parts.ends.last(topic);
    if (last.offset >= end) return;
    const texts = Array.from({ length: end - last.offset }, () => REMOVED);
    const rows = cutRows(last.offset, this.#parts.clock.read(), texts, last.link);
    await this.#database.write(
      rows.map((row) => ({ type: "put", key: rowKey(topic, row.end - 1), value: encodeRow(row) })),
    );
    this.#parts.ends.move(topic, endOf(rows, last.link));
  }

  /** Bytes on disk, about. */
  async size(): Promise<number> {
    this.#checkOpen();
    return await this.#database.size();
  }

  /** Waits for what is under way; everything asked later is refused. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#appends.idle(), this.#parts.publisher.idle(), this.#scrubs.idle()]);
  }

  #forget(topic: Topic): void {
    this.#rewrites.count += 1;
    if (topic === INPUTS) this.#parts.tail.forget();
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new ScorefoldError("stopping", "the log is closed; start the engine again");
  }
}
