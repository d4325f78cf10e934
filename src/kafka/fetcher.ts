/**
 * Fetches the partitions of one task: while the task folds what it was given, the next records are on their way. What
 * waits in memory is bounded; beyond the bound a partition is not asked for.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ScorefoldError } from "../errors.js";
import type { FetchLimits, Offset, Offsets, Topic } from "../stream/log.js";
import type { Broker, Cluster } from "./cluster.js";
import { loadCodecs } from "./compression.js";
import { isRefusal, kafkaError } from "./errors.js";
import { FETCH_VERSION, type FetchedPartition, type FetchedRecord, readFetchResponse } from "./fetch-response.js";
import { kafkajs } from "./kafkajs.js";

/** Of one answer, at most. */
const ANSWER_BYTES = 4 * 1024 * 1024;
/** Of one partition in an answer: half of what may wait of it. */
const PARTITION_BYTES_MIN = 64 * 1024;
const PARTITION_BYTES_MAX = 2 * 1024 * 1024;
/** Of all partitions of a task, where nobody says more or less. */
const MEMORY_BYTES = 64 * 1024 * 1024;
/** Of a record in memory, beside its key and value, about. */
const RECORD_BYTES = 200;
/** How long the broker waits for the first record. */
const POLL_MS = 500;
/** The same while another partition has enough: it must not wait for that one when it is asked for again. */
const POLL_BESIDE_MS = 20;
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 2_000;
/** In a row, of one partition: five seconds and what the broker takes for its answers. */
const TRIES_MAX = 8;
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
  /** Since the last answer that could be used. */
  tries: number;
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
  readonly #partitionBytes: number;
  readonly #waiting = new Map<Topic, Waiting>();
  /** By the broker that is asked. */
  readonly #polls = new Map<number, Promise<void>>();
  readonly #onRecords: (records: readonly FetchedRecord[]) => void;
  readonly #closing = new AbortController();
  #error: unknown = null;
  #wake: () => void = () => undefined;
  /** So many topics further on a request begins: who comes first is given first. */
  #turn = 0;

  /**
   * @param onRecords told of all that has come
   * @param memoryBytes what may wait, of all partitions together: a partition of which its share waits is not asked for.
   *   At least 128 kB of each may
   */
  constructor(
    cluster: Cluster,
    topics: readonly Topic[],
    partition: number,
    onRecords: (records: readonly FetchedRecord[]) => void,
    memoryBytes = MEMORY_BYTES,
  ) {
    const share = Math.floor(memoryBytes / topics.length / 2);
    this.#partitionBytes = Math.min(PARTITION_BYTES_MAX, Math.max(PARTITION_BYTES_MIN, share));
    this.#cluster = cluster;
    this.#request = kafkajs().load(REQUEST_FILE) as (options: object) => unknown;
    this.#topics = topics;
    this.#partition = partition;
    this.#onRecords = onRecords;
  }

  /**
   * One at a time. Where `signal` aborts before a broker has told an end, the end is one beyond what is given.
   *
   * @throws ScorefoldError `history-lost` where an offset is not in the log; `log-failed`, `config-invalid` where the
   *   brokers can't be asked; `stopping` when it is closed
   */
  async fetch(from: Offsets, limits: FetchLimits, signal?: AbortSignal): Promise<Taken[]> {
    for (const topic of this.#topics) this.#seek(topic, from.get(topic) ?? 0);
    const deadline = performance.now() + limits.waitMs;
    const wantsMore = this.#isThere ? !this.#isEnough(limits) : limits.waitMs === 0;
    if (wantsMore && !this.#isBehind) await this.#lookAgain(signal);
    for (;;) {
      if (this.#closing.signal.aborted)
        throw new ScorefoldError("stopping", "the log is closed; start the engine again");
      if (this.#error !== null) {
        const error = this.#error;
        this.#error = null;
        throw error;
      }
      const isKnown = [...this.#waiting.values()].every(({ end }) => end !== null);
      const left = deadline - performance.now();
      if (signal?.aborted === true || (isKnown && (this.#isThere || left <= 0))) {
        // Ahead only of what is known to be there: at the end the next call asks, and so for all that has come by then.
        if (this.#isBehind) this.#poll();
        return this.#take(limits);
      }
      this.#poll();
      await this.#changed(isKnown ? left : POLL_MS, signal);
    }
  }

  /** Ends what waits for records. Resolves when no broker is asked any more, for which the cluster has to disconnect. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await Promise.all(this.#polls.values());
  }

  get #isThere(): boolean {
    return [...this.#waiting.values()].some(({ records, at, next, fetched }) => at < records.length || fetched > next);
  }

  /** Whether brokers have more, as of their last answers. */
  get #isBehind(): boolean {
    return [...this.#waiting.values()].some(({ end, fetched }) => end === null || fetched < end);
  }

  #isEnough({ recordsMax, bytesMax }: FetchLimits): boolean {
    let [count, bytes] = [0, 0];
    for (const waiting of this.#waiting.values()) {
      count += waiting.records.length - waiting.at;
      bytes += waiting.bytes;
    }
    return count >= recordsMax || bytes >= bytesMax;
  }

  /**
   * Asks for what has come since the last answers. Of several brokers one answers first; what the others have told since
   * then is old, and would be a batch of a few records.
   */
  async #lookAgain(signal?: AbortSignal): Promise<void> {
    const before = new Set(this.#polls.keys());
    this.#poll(0);
    const asked = [...this.#polls.keys()].filter((leader) => !before.has(leader));
    const deadline = performance.now() + POLL_BESIDE_MS;
    const stops = [this.#closing.signal, signal];
    while (asked.some((leader) => this.#polls.has(leader)) && !stops.some((stop) => stop?.aborted === true)) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      await this.#changed(left, signal);
    }
  }

  #seek(topic: Topic, offset: Offset): void {
    const waiting = this.#waiting.get(topic);
    if (waiting?.next === offset) return;
    const empty = { records: [], at: 0, bytes: 0, next: offset, fetched: offset, end: null, high: 0, tries: 0 };
    this.#waiting.set(topic, empty);
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
      waiting.bytes -= bytes + (end - at) * RECORD_BYTES;
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
        end: Math.max(waiting.end ?? waiting.next + 1, waiting.next),
        high: waiting.high,
      };
    });
  }

  /** Asks every broker that is not being asked for what may come. @param waitMs how long it may wait for that */
  #poll(waitMs = POLL_MS): void {
    const hungry = new Map<number, Topic[]>();
    const full = new Set<number>();
    this.#turn = (this.#turn + 1) % this.#topics.length;
    for (const topic of [...this.#topics.slice(this.#turn), ...this.#topics.slice(0, this.#turn)]) {
      const leader = this.#leaderOf(topic);
      if (this.#waiting.get(topic)!.bytes >= 2 * this.#partitionBytes) full.add(leader);
      else hungry.set(leader, [...(hungry.get(leader) ?? []), topic]);
    }
    for (const [leader, topics] of hungry) {
      if (this.#polls.has(leader)) continue;
      const poll = this.#ask(leader, topics, full.has(leader) ? Math.min(waitMs, POLL_BESIDE_MS) : waitMs).catch(
        (error: unknown) => {
          this.#error = kafkaError(error, "a fetch");
        },
      );
      const done = poll.then(() => {
        this.#polls.delete(leader);
        this.#wake();
      });
      this.#polls.set(leader, done);
    }
  }

  #leaderOf(topic: Topic): number {
    const what = `topic ${topic}, partition ${this.#partition}`;
    let found: { readonly leader: number } | undefined;
    try {
      const all = this.#cluster.findTopicPartitionMetadata(topic);
      found = all.find(({ partitionId }) => partitionId === this.#partition);
    } catch (error) {
      throw kafkaError(error, what);
    }
    if (found !== undefined) return found.leader;
    throw new ScorefoldError("log-failed", `${what}: there is no such partition, or none with a leader`);
  }

  async #ask(leader: number, topics: readonly Topic[], waitMs: number): Promise<void> {
    const from = new Map(topics.map((topic) => [topic, this.#waiting.get(topic)!.fetched]));
    let broker: Broker | null = null;
    let answer: Buffer;
    try {
      await loadCodecs();
      broker = await this.#cluster.findBroker({ nodeId: leader });
      answer = await this.#send(broker, from, waitMs);
    } catch (error) {
      if (!this.#closing.signal.aborted) await this.#recover(topics, error, broker);
      return;
    }
    try {
      const partitions = readFetchResponse(answer, (topic) => from.get(topic) ?? 0);
      const passing = partitions.filter(({ errorCode }) => PASSING.has(errorCode));
      for (const partition of partitions)
        if (!PASSING.has(partition.errorCode)) this.#put(partition, from.get(partition.topic)!);
      if (passing.length === 0) return;
      const error = new Error(`the broker answers with error ${passing[0]!.errorCode} again and again`);
      await this.#recover(
        passing.map(({ topic }) => topic),
        error,
        null,
      );
    } catch (error) {
      // What was answered can't be used, and asking again would bring the same: whoever fetches has to know.
      this.#error = kafkaError(error, "a fetch");
    }
  }

  async #send(broker: Broker, from: ReadonlyMap<Topic, Offset>, maxWaitTime: number): Promise<Buffer> {
    const topics = [...from].map(([topic, offset]) => ({
      topic,
      partitions: [{ partition: this.#partition, fetchOffset: String(offset), maxBytes: this.#partitionBytes }],
    }));
    const limits = { replicaId: -1, maxWaitTime, minBytes: 1, maxBytes: ANSWER_BYTES, isolationLevel: 1 };
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
    waiting.tries = 0;
    this.#onRecords(records);
    // What was given must not stay for as long as something comes faster than it is taken.
    if (waiting.at > 0) waiting.records = waiting.records.slice(waiting.at);
    waiting.at = 0;
    for (const record of records) {
      waiting.records.push(record);
      waiting.bytes += record.bytes + RECORD_BYTES;
    }
    waiting.fetched = Math.max(from, next ?? from);
    waiting.end = lastStableOffset;
    waiting.high = highWatermark;
  }

  /**
   * A leader that moved, a broker that is away: asked again, in a while; whoever fetches knows of it when it has been so for
   * long, or will stay so.
   *
   * @param broker that was asked; null where it was not reached, or has answered
   */
  async #recover(topics: readonly Topic[], error: unknown, broker: Broker | null): Promise<void> {
    const waits = topics.map((topic) => this.#waiting.get(topic)!);
    for (const waiting of waits) waiting.tries += 1;
    const tries = Math.max(...waits.map((waiting) => waiting.tries));
    if (tries > TRIES_MAX || isRefusal(error)) {
      for (const waiting of waits) waiting.tries = 0;
      this.#error = kafkaError(error, `a fetch of topic ${topics.join(", ")}, partition ${this.#partition}`);
      return;
    }
    const { signal } = this.#closing;
    await sleep(Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** (tries - 1)), undefined, { signal, ref: false }).catch(
      () => undefined,
    );
    if (signal.aborted) return;
    const { name, host, port } = error as { name?: string; host?: string; port?: number };
    if (name === "KafkaJSConnectionClosedError" && host !== undefined && port !== undefined)
      this.#cluster.removeBroker({ host, port });
    // A connection that nothing comes from is taken for whole by the client, and would be asked again and again.
    if (name === "KafkaJSRequestTimeoutError") await broker?.disconnect().catch(() => undefined);
    await this.#cluster.refreshMetadata().catch((again: unknown) => {
      if (isRefusal(again)) this.#error = kafkaError(again, "a fetch");
    });
  }

  /** Resolves when an answer has come, after `ms`, or when `signal` aborts. */
  async #changed(ms: number, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        this.#wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, ms));
      signal?.addEventListener("abort", done);
      this.#wake = done;
    });
  }
}
