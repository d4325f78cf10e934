/** The broker model as one owner of a task sees it. */
import { ScorefoldError } from "../../src/errors.js";
import { decodeOriginal, type Original } from "../../src/events/dead-letter.js";
import type { EpochMs } from "../../src/events/types.js";
import {
  type Bounds,
  type Committed,
  type Fetched,
  type FetchLimits,
  type LogRecord,
  type Mark,
  type Marks,
  METADATA_BYTES_MAX,
  type Offset,
  type Offsets,
  type TaskLog,
  type Topic,
  type Transaction,
} from "../../src/stream/log.js";
import { findingOf } from "../../src/stream/marks.js";
import type { BrokerClient } from "./broker-client.js";
import type { Entry, Partition } from "./broker-partition.js";

export class BrokerTaskLog implements TaskLog {
  readonly task: number;
  readonly topicIds: ReadonlyMap<Topic, string> | null;
  readonly #client: BrokerClient;
  readonly #epoch: number;
  #isClosed = false;
  #hasFailed = false;
  /** What this owner has committed: a broker answers before it tells everybody of it. */
  #committed: Committed | null = null;
  /** One transaction at a time, as a producer has it. */
  #last: Promise<unknown> = Promise.resolve();
  /** The topic that a fetch begins with moves on, so that a full one does not starve the others. */
  #turn = 0;
  /** Of whose leaders it has seen what it has read. */
  readonly #elections = new Map<Topic, number>();

  constructor(client: BrokerClient, task: number, epoch: number) {
    this.#client = client;
    this.task = task;
    this.topicIds = client.origin === null ? null : new Map(client.broker.topicIds);
    this.#epoch = epoch;
  }

  async committed(): Promise<Committed | null> {
    await this.#gate("committed");
    const { broker } = this.#client;
    const committed = this.#committed ?? broker.committed(this.task);
    if (committed === null || broker.taskOf === null) return committed;
    if (committed.offsets.has(broker.inputTopics.at(-1) as Topic)) return committed;
    throw new ScorefoldError("history-lost", `nothing is committed for ${broker.inputTopics.at(-1)}-${this.task}`);
  }

  async bounds(topics = this.#client.broker.inputTopics): Promise<ReadonlyMap<Topic, Bounds>> {
    await this.#gate("bounds");
    const { broker } = this.#client;
    return new Map(topics.map((topic) => [topic, broker.partition(topic, this.task).bounds]));
  }

  async fetch(from: Offsets, limits: FetchLimits, signal?: AbortSignal, marks?: Marks): Promise<Fetched[]> {
    await this.#gate("fetch");
    const { broker } = this.#client;
    const partitions = this.#partitions();
    this.#checkLeaders(partitions, marks);
    const offsets = partitions.map(({ topic }) => from.get(topic) ?? missingOffset(topic));
    for (const [i, partition] of partitions.entries()) partition.check(offsets[i] as Offset);
    const deadline = broker.now + limits.waitMs;
    const wake = (): void => broker.changed();
    signal?.addEventListener("abort", wake);
    await broker.until(
      () =>
        partitions.some((partition, i) => partition.stable > (offsets[i] as Offset)) ||
        broker.now >= deadline ||
        signal?.aborted === true ||
        this.#isClosed ||
        this.#client.isClosed,
    );
    signal?.removeEventListener("abort", wake);
    this.#checkLeaders(partitions, marks);
    for (const [i, partition] of partitions.entries()) partition.check(offsets[i] as Offset);
    const found = this.#collect(partitions, offsets, limits);
    await this.#gate("fetched");
    return found;
  }

  async look(offsets: Offsets): Promise<ReadonlyMap<Topic, Mark | null>> {
    await this.#gate("look");
    const { broker } = this.#client;
    return new Map([...offsets].map(([topic, offset]) => [topic, broker.partition(topic, this.task).look(offset)]));
  }

  async publish(transaction: Transaction): Promise<Marks> {
    const publishing = this.#last.then(async () => await this.#publish(transaction));
    this.#last = publishing.catch(() => undefined);
    return await publishing;
  }

  async hasPublished(): Promise<boolean> {
    await this.#gate("hasPublished");
    return this.#client.broker.read("score-changed", this.task).length > 0;
  }

  async time(): Promise<EpochMs> {
    await this.#gate("time");
    return this.#client.broker.now;
  }

  async newest(): Promise<EpochMs> {
    return await this.time();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#client.broker.changed();
  }

  async #publish(transaction: Transaction): Promise<Marks> {
    this.#checkOpen();
    const bytes = Buffer.byteLength(transaction.metadata);
    if (bytes > METADATA_BYTES_MAX) throw new ScorefoldError("internal", `metadata has ${bytes} bytes`);
    if (this.#hasFailed) {
      throw new ScorefoldError("log-failed", "an earlier transaction of this owner failed; open the task again");
    }
    const { broker } = this.#client;
    const { offsets, marks = new Map(), metadata } = transaction;
    const taken = { ...transaction, offsets: new Map(offsets), marks: new Map(marks) };
    try {
      await this.#gate("publish");
      const outputs = await broker.produce(this.task, this.#epoch, taken);
      await this.#gate("publish written");
      broker.sendOffsets(this.task, this.#epoch, taken);
      await this.#gate("publish with offsets");
      broker.commit(this.task, this.#epoch, taken);
      await this.#gate("publish committed");
      this.#committed = { offsets: taken.offsets, marks: taken.marks, metadata };
      return outputs;
    } catch (error) {
      this.#hasFailed = !(error instanceof ScorefoldError && error.code === "fenced");
      throw error;
    }
  }

  #collect(partitions: readonly Partition[], offsets: readonly Offset[], limits: FetchLimits): Fetched[] {
    const budget = { bytes: limits.bytesMax, records: limits.recordsMax, isFirst: true };
    const found: Fetched[] = partitions.map(({ topic, stable }, i) => {
      return { topic, records: [], next: offsets[i] as Offset, marks: [], end: stable };
    });
    for (let k = 0; k < partitions.length; k++) {
      const i = (this.#turn + k) % partitions.length;
      const partition = partitions[i] as Partition;
      found[i] = this.#take(partition, offsets[i] as Offset, budget);
    }
    this.#turn += 1;
    return found;
  }

  #take(partition: Partition, from: Offset, budget: { bytes: number; records: number; isFirst: boolean }): Fetched {
    const { topic, number, stable } = partition;
    const some: LogRecord[] = [];
    let next = stable;
    for (const entry of partition.readable(from)) {
      const record = recordOf(topic, number, entry);
      if (!budget.isFirst && (budget.records < 1 || budget.bytes < record.bytes)) {
        next = entry.offset;
        break;
      }
      budget.isFirst = false;
      budget.records -= 1;
      budget.bytes -= record.bytes;
      some.push(record);
    }
    const count = some.length === 0 ? 0 : Math.max(1, Math.min(some.length, this.#client.broker.cut(some.length)));
    const isCut = count < some.length;
    const records = some.slice(0, count);
    const upTo = isCut ? (records.at(-1) as LogRecord).offset + 1 : next;
    return { topic, records, next: upTo, marks: partition.marks(from, upTo), end: stable };
  }

  /** After a change of leader nothing is read on from what another one has. */
  #checkLeaders(partitions: readonly Partition[], marks: Marks = new Map()): void {
    for (const partition of partitions) {
      const { topic, elections } = partition;
      const mark = marks.get(topic);
      if (mark === undefined || this.#elections.get(topic) === elections) continue;
      if (findingOf(mark, partition.look(mark.base)) !== "same")
        throw new ScorefoldError("log-failed", `${topic}-${this.task} is not what was read at ${mark.base}`);
      this.#elections.set(topic, elections);
    }
  }

  #partitions(): Partition[] {
    const { broker } = this.#client;
    return broker.inputTopics.map((topic) => broker.partition(topic, this.task));
  }

  async #gate(name: string): Promise<void> {
    this.#checkOpen();
    await this.#client.gate(name);
    this.#checkOpen();
  }

  #checkOpen(): void {
    this.#client.checkOpen();
    if (this.#isClosed) throw new ScorefoldError("stopping", `task ${this.task} is closed; open it again`);
  }
}

function missingOffset(topic: Topic): never {
  throw new ScorefoldError("internal", `a fetch names no offset of the topic ${topic}`);
}

function recordOf(topic: Topic, partition: number, entry: Entry & { readonly content: Original }): LogRecord {
  const { offset, timestamp, content } = entry;
  const decoded = decodeOriginal(content);
  const bytes = (typeof content === "string" ? content : content.head).length;
  return { topic, partition, offset, timestamp, bytes, decoded, original: decoded.ok ? null : content, source: null };
}
