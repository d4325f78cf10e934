/**
 * Fetches the partitions of one task: while the task folds what it was given, the next records are on their way. What
 * waits in memory is bounded; beyond the bound a partition is not asked for.
 */
import { ScorefoldError } from "../errors.js";
import type { FetchLimits, Offset, Offsets, Topic } from "../stream/log.js";
import type { Broker, Cluster } from "./cluster.js";
import { loadCodecs } from "./compression.js";
import { kafkaError } from "./errors.js";
import { FETCH_VERSION, type FetchedPartition, type FetchedRecord, readFetchResponse } from "./fetch-response.js";
import { kafkajs } from "./kafkajs.js";

/** Of one answer, and of one partition in it. */
const ANSWER_BYTES = 4 * 1024 * 1024;
const PARTITION_BYTES = 1024 * 1024;
/** A partition of which so much waits is not asked for. */
const WAITING_BYTES_MAX = 2 * 1024 * 1024;
/** How long the broker waits for the first record. */
const POLL_MS = 500;
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 2_000;
const OFFSET_OUT_OF_RANGE = 1;
/**
 * Answers that pass: UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT,
 * REPLICA_NOT_AVAILABLE, KAFKA_STORAGE_ERROR, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, OFFSET_NOT_AVAILABLE.
 */
const PASSING = new Set([3, 5, 6, 7, 9, 56, 74, 75, 78]);
const REQUEST_FILE = `src/protocol/requests/fetch/v${FETCH_VERSION}/request.js`;

interface Waiting {
  records: FetchedRecord[];
  /** The first of them that was not given. */
  at: number;
  bytes: number;
  /** Where the next record given comes from, and the next one fetched. */
  next: Offset;
  fetched: Offset;
  /** Of what can be read; null: not known yet. */
  end: Offset | null;
  /** Of all that is there, also of transactions that are open. */
  high: Offset;
}

/** What was found in one topic. */
export interface Taken {
  readonly topic: Topic;
  readonly records: readonly FetchedRecord[];
  readonly next: Offset;
  readonly end: Offset;
  /** The end of what is there, as of the last answer: behind `end` are transactions that are open. */
  readonly high: Offset;
}

export class Fetcher {
  readonly #cluster: Cluster;
  /** Makes a request of `FETCH_VERSION`. */
  readonly #request: (options: object) => unknown;
  readonly #topics: readonly Topic[];
  readonly #partition: number;
  readonly #waiting = new Map<Topic, Waiting>();
  /** By the broker that is asked. */
  readonly #polls = new Map<number, Promise<void>>();
  readonly #onRecords: (records: readonly FetchedRecord[]) => void;
  #error: unknown = null;
  #isClosed = false;
  #wake: () => void = () => undefined;
  #retryMs = RETRY_MS_MIN;

  /**
   * @param onRecords told of all that has come
   */
  constructor(
    cluster: Cluster,
    topics: readonly Topic[],
    partition: number,
    onRecords: (records: readonly FetchedRecord[]) => void,
  ) {
    this.#cluster = cluster;
    this.#request = kafkajs().load(REQUEST_FILE) as (options: object) => unknown;
    this.#topics = topics;
    this.#partition = partition;
    this.#onRecords = onRecords;
  }

  /** @throws ScorefoldError `history-lost` where an offset is not in the log; `log-failed` */
  async fetch(from: Offsets, limits: FetchLimits, signal: AbortSignal): Promise<Taken[]> {
    for (const topic of this.#topics) this.#seek(topic, from.get(topic) ?? 0);
    const deadline = performance.now() + limits.waitMs;
    for (;;) {
      if (this.#error !== null) {
        const error = this.#error;
        this.#error = null;
        throw error;
      }
      this.#poll();
      const waits = [...this.#waiting.values()];
      const isKnown = waits.every(({ end }) => end !== null);
      const isThere = waits.some(({ records, at, next, fetched }) => at < records.length || fetched > next);
      const left = deadline - performance.now();
      if (isKnown && (isThere || left <= 0 || signal.aborted)) return this.#take(limits);
      await this.#changed(isKnown ? left : POLL_MS, signal);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  #seek(topic: Topic, offset: Offset): void {
    const waiting = this.#waiting.get(topic);
    if (waiting?.next === offset) return;
    this.#waiting.set(topic, { records: [], at: 0, bytes: 0, next: offset, fetched: offset, end: null, high: 0 });
  }

  #take({ recordsMax, bytesMax }: FetchLimits): Taken[] {
    const active = [...this.#waiting.values()].filter(({ records, at }) => at < records.length).length;
    const share = { records: Math.max(1, Math.floor(recordsMax / active)), bytes: bytesMax / active };
    return this.#topics.map((topic) => {
      const waiting = this.#waiting.get(topic)!;
      const { records, at } = waiting;
      let end = at;
      let bytes = 0;
      while (
        end < records.length &&
        end - at < share.records &&
        (end === at || bytes + records[end]!.bytes <= share.bytes)
      )
        bytes += records[end++]!.bytes;
      const some = records.slice(at, end);
      waiting.at = end;
      waiting.bytes -= bytes;
      // Behind the last record there may be marks and what was aborted.
      waiting.next = end === records.length ? waiting.fetched : records[end]!.offset;
      if (end === records.length) {
        waiting.records = [];
        waiting.at = 0;
      }
      return {
        topic,
        records: some,
        next: waiting.next,
        end: Math.max(waiting.end ?? 0, waiting.next),
        high: waiting.high,
      };
    });
  }

  /** Asks every broker that is not being asked for what may come. */
  #poll(): void {
    const byLeader = new Map<number, Topic[]>();
    for (const topic of this.#topics) {
      if (this.#waiting.get(topic)!.bytes >= WAITING_BYTES_MAX) continue;
      const found = this.#cluster
        .findTopicPartitionMetadata(topic)
        .find(({ partitionId }) => partitionId === this.#partition);
      if (found === undefined)
        throw new ScorefoldError(
          "log-failed",
          `topic ${topic} has no partition ${this.#partition}, or none with a leader`,
        );
      byLeader.set(found.leader, [...(byLeader.get(found.leader) ?? []), topic]);
    }
    for (const [leader, topics] of byLeader) {
      if (this.#polls.has(leader)) continue;
      const poll = this.#ask(leader, topics).finally(() => {
        this.#polls.delete(leader);
        this.#wake();
      });
      this.#polls.set(leader, poll);
    }
  }

  async #ask(leader: number, topics: readonly Topic[]): Promise<void> {
    const from = new Map(topics.map((topic) => [topic, this.#waiting.get(topic)!.fetched]));
    let answer: Buffer;
    try {
      await loadCodecs();
      answer = await this.#send(await this.#cluster.findBroker({ nodeId: leader }), from);
    } catch (error) {
      if (!this.#isClosed) await this.#recover(error);
      return;
    }
    try {
      const partitions = readFetchResponse(answer, (topic) => from.get(topic) ?? 0);
      const passing = partitions.filter(({ errorCode }) => PASSING.has(errorCode));
      for (const partition of partitions)
        if (!PASSING.has(partition.errorCode)) this.#put(partition, from.get(partition.topic)!);
      if (passing.length > 0) await this.#recover(null);
      else this.#retryMs = RETRY_MS_MIN;
    } catch (error) {
      // What was answered can't be used, and asking again would bring the same: whoever fetches has to know.
      this.#error = kafkaError(error, "a fetch");
    }
  }

  async #send(broker: Broker, from: ReadonlyMap<Topic, Offset>): Promise<Buffer> {
    const topics = [...from].map(([topic, offset]) => ({
      topic,
      partitions: [{ partition: this.#partition, fetchOffset: String(offset), maxBytes: PARTITION_BYTES }],
    }));
    const limits = { replicaId: -1, maxWaitTime: POLL_MS, minBytes: 1, maxBytes: ANSWER_BYTES, isolationLevel: 1 };
    const bytes = await broker.connectionPool.send({
      request: this.#request({ ...limits, topics }),
      response: { decode: async (own) => own, parse: async (own) => own },
    });
    return bytes as Buffer;
  }

  #put(partition: FetchedPartition, from: Offset): void {
    const { topic, errorCode, records, next, lastStableOffset, highWatermark } = partition;
    const waiting = this.#waiting.get(topic)!;
    // The task has gone elsewhere meanwhile.
    if (waiting.fetched !== from) return;
    if (errorCode === OFFSET_OUT_OF_RANGE)
      throw new ScorefoldError(
        "history-lost",
        `offset ${from} of topic ${topic}, partition ${this.#partition}, is not in the log any more, or not yet`,
      );
    if (errorCode !== 0)
      throw new ScorefoldError("log-failed", `topic ${topic}: the broker answers a fetch with error ${errorCode}`);
    this.#onRecords(records);
    for (const record of records) {
      waiting.records.push(record);
      waiting.bytes += record.bytes;
    }
    waiting.fetched = Math.max(from, next ?? from);
    waiting.end = lastStableOffset;
    waiting.high = highWatermark;
  }

  /** A leader that moved, a broker that is away: asked again, in a while. @param error null: the broker has answered */
  async #recover(error: unknown): Promise<void> {
    const { name, host, port } = (error ?? {}) as { name?: string; host?: string; port?: number };
    if (name === "KafkaJSConnectionClosedError" && host !== undefined && port !== undefined)
      this.#cluster.removeBroker({ host, port });
    await new Promise((resolve) => setTimeout(resolve, this.#retryMs).unref());
    this.#retryMs = Math.min(RETRY_MS_MAX, 2 * this.#retryMs);
    if (this.#isClosed) return;
    await this.#cluster.refreshMetadata().catch((again: unknown) => {
      if (this.#retryMs >= RETRY_MS_MAX) this.#error = kafkaError(again, "fetch");
    });
  }

  /** Resolves when an answer has come, after `ms`, or when `signal` aborts. */
  async #changed(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, ms));
      signal.addEventListener("abort", done);
      this.#wake = done;
    });
  }
}
