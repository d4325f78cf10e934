/**
 * Fetches the partitions of one task: while the task folds what it was given, the next records are on their way. What
 * waits in memory is bounded; beyond the bound a partition is not asked for.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ScorefoldError } from "../errors.js";
import type { FetchLimits, Mark, Marks, Offset, Offsets, Topic, Waits } from "../stream/log.js";
import { findingOf } from "../stream/marks.js";
import type { Broker, Cluster } from "./cluster.js";
import { loadCodecs } from "./compression.js";
import { answeredError, fromBroker, isRefusal, kafkaError } from "./errors.js";
import { isolation, sendFetch } from "./fetch-request.js";
import { type FetchedPartition, type FetchedRecord, readFetchResponse } from "./fetch-response.js";

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
/** Who was not asked for so long may have lost its end meanwhile, and nobody would have told. */
const DOUBT_MS = 500;

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
  /** Of the batches that have come and were not given. */
  marks: Mark[];
  /** The last batch before `fetched`; null: not known. */
  below: Mark | null;
  /** Whether `below` is to be seen again before anything behind it is taken. */
  isDoubted: boolean;
  /** When the last answer came that could be used. */
  answeredAt: number;
  /** That was asked last. */
  leader: number | null;
}

const untold: Waits = { during: async (_, work) => await work };

/** What was found in one topic. */
export interface Taken {
  readonly topic: Topic;
  readonly records: readonly FetchedRecord[];
  readonly next: Offset;
  readonly marks: readonly Mark[];
  readonly end: Offset;
  /** The end of what is there, as of the last answer: behind `end` are transactions that are open. */
  readonly high: Offset;
}

export class Fetcher {
  readonly #cluster: Cluster;
  readonly #topics: readonly Topic[];
  readonly #partition: number;
  readonly #partitionBytes: number;
  readonly #waiting = new Map<Topic, Waiting>();
  /** By the broker that is asked. */
  readonly #polls = new Map<number, Promise<void>>();
  readonly #onRecords: (records: readonly FetchedRecord[]) => void;
  /** Throws where topics are not those any more that they were. */
  readonly #checkTopics: () => Promise<void>;
  readonly #waits: Waits;
  readonly #closing = new AbortController();
  #error: unknown = null;
  #wake: () => void = () => undefined;
  /** So many topics further on a request begins: who comes first is given first. */
  #turn = 0;

  /**
   * @param onRecords told of all that has come
   * @param memoryBytes what may wait, of all partitions together: a partition of which its share waits is not asked for.
   *   At least 128 kB of each may
   * @param waits told of the brokers that are asked
   * @param checkTopics asked after anything that went wrong; rejects where topics are not those any more that they were
   */
  constructor(
    cluster: Cluster,
    topics: readonly Topic[],
    partition: number,
    onRecords: (records: readonly FetchedRecord[]) => void,
    memoryBytes = MEMORY_BYTES,
    checkTopics: () => Promise<void> = async () => undefined,
    waits: Waits = untold,
  ) {
    this.#waits = waits;
    const share = Math.floor(memoryBytes / topics.length / 2);
    this.#partitionBytes = Math.min(PARTITION_BYTES_MAX, Math.max(PARTITION_BYTES_MIN, share));
    this.#cluster = cluster;
    this.#topics = topics;
    this.#partition = partition;
    this.#onRecords = onRecords;
    this.#checkTopics = checkTopics;
  }

  /**
   * One at a time. Where `signal` aborts before a broker has told an end, the end is one beyond what is given.
   *
   * @param marks of the batches below `from`: seen again at the beginning, and after anything that went wrong
   * @throws ScorefoldError `log-failed` where an offset is not in the log, or a mark, or the brokers can't be asked;
   *   `config-invalid`; `stopping` when it is closed
   */
  async fetch(from: Offsets, limits: FetchLimits, signal?: AbortSignal, marks?: Marks): Promise<Taken[]> {
    for (const topic of this.#topics) this.#seek(topic, from.get(topic) ?? 0, marks?.get(topic) ?? null);
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

  /** Whether something went wrong since what is below was seen. */
  get isDoubted(): boolean {
    return [...this.#waiting.values()].some(({ isDoubted, tries }) => isDoubted || tries > 0);
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

  #seek(topic: Topic, offset: Offset, below: Mark | null): void {
    const before = this.#waiting.get(topic);
    if (before?.next === offset) return;
    const { isDoubted = true, answeredAt = 0, leader = null } = before ?? {};
    const empty = { records: [], at: 0, bytes: 0, next: offset, fetched: offset, end: null, high: 0, tries: 0 };
    this.#waiting.set(topic, { ...empty, marks: [], below, isDoubted, answeredAt, leader });
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
      const behind = waiting.marks.findIndex(({ base }) => base >= waiting.next);
      return {
        topic,
        records: some,
        next: waiting.next,
        marks: waiting.marks.splice(0, behind < 0 ? waiting.marks.length : behind),
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
    if (found !== undefined) {
      const waiting = this.#waiting.get(topic)!;
      if (waiting.leader !== null && waiting.leader !== found.leader) waiting.isDoubted = true;
      waiting.leader = found.leader;
      return found.leader;
    }
    throw new ScorefoldError("log-failed", `${what}: there is no such partition, or none with a leader`);
  }

  async #ask(leader: number, topics: readonly Topic[], waitMs: number): Promise<void> {
    const from = new Map(topics.map((topic) => [topic, this.#waiting.get(topic)!.fetched]));
    const proofs = new Map(topics.map((topic) => [topic, this.#proofOf(topic)]));
    const first = new Map(topics.map((topic) => [topic, proofs.get(topic)?.base ?? from.get(topic)!]));
    let broker: Broker | null = null;
    let answer: Buffer;
    try {
      await loadCodecs();
      broker = await this.#cluster.findBroker({ nodeId: leader });
      if (topics.some((topic) => this.#waiting.get(topic)!.isDoubted)) await this.#checkTopics();
      const { host, port } = broker.connectionPool;
      const asked = sendFetch(broker, {
        partition: this.#partition,
        from: first,
        maxWaitTime: waitMs,
        partitionBytes: this.#partitionBytes,
        maxBytes: ANSWER_BYTES,
        isolationLevel: isolation.committed,
      });
      answer = await this.#waits.during(`broker ${leader} at ${host}:${port}`, asked);
    } catch (error) {
      if (!this.#closing.signal.aborted) await this.#recover(topics, error, broker);
      return;
    }
    try {
      const partitions = readFetchResponse(answer, (topic) => from.get(topic) ?? 0);
      const isPassing = (one: FetchedPartition): boolean =>
        PASSING.has(one.errorCode) || isShort(one, proofs.get(one.topic) ?? null);
      const passing = partitions.filter(isPassing);
      for (const partition of partitions) {
        if (isPassing(partition)) continue;
        this.#put(partition, from.get(partition.topic)!, proofs.get(partition.topic) ?? null);
      }
      if (passing.length === 0) return;
      const { topic, errorCode, highWatermark } = passing[0]!;
      const short = `topic ${topic}: the broker answers that it ends at ${highWatermark}, again and again`;
      const error =
        errorCode === 0
          ? new Error(short)
          : answeredError(errorCode, { topic, partition: this.#partition }, ", again and again");
      await this.#recover(
        passing.map((one) => one.topic),
        fromBroker(error, broker.connectionPool),
        null,
      );
    } catch (error) {
      // What was answered can't be used, and asking again would bring the same: whoever fetches has to know.
      this.#error = kafkaError(fromBroker(error, broker.connectionPool), "a fetch");
    }
  }

  /** The batch that the next request is to begin with; null: none is needed, or none is known. */
  #proofOf(topic: Topic): Mark | null {
    const { isDoubted, answeredAt, below } = this.#waiting.get(topic)!;
    return isDoubted || performance.now() - answeredAt > DOUBT_MS ? below : null;
  }

  /** @param proof the batch that the answer is to begin with */
  #put(partition: FetchedPartition, from: Offset, proof: Mark | null): void {
    const { topic, errorCode, records, marks, next, lastStableOffset, highWatermark } = partition;
    const waiting = this.#waiting.get(topic)!;
    // The task has gone elsewhere meanwhile.
    if (waiting.fetched !== from) return;
    if (errorCode === OFFSET_OUT_OF_RANGE)
      throw new ScorefoldError(
        "log-failed",
        `offset ${proof?.base ?? from} of topic ${topic}, partition ${this.#partition}, is not in the log any more, or not yet`,
      );
    if (errorCode !== 0) throw answeredError(errorCode, { topic, partition: this.#partition });
    waiting.answeredAt = performance.now();
    if (proof !== null) {
      // Nothing of it where other partitions had the room of the answer: asked again, of another order.
      if (marks.length === 0) return;
      if (findingOf(proof, marks[0]!) !== "same")
        throw new ScorefoldError(
          "log-failed",
          `topic ${topic}, partition ${this.#partition}: at offset ${proof.base} there is something else than was read from it`,
        );
    }
    waiting.tries = 0;
    waiting.isDoubted = false;
    this.#onRecords(records);
    for (const mark of proof === null ? marks : marks.slice(1)) waiting.marks.push(mark);
    waiting.below = marks.at(-1) ?? waiting.below;
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
    for (const waiting of waits) {
      waiting.tries += 1;
      waiting.isDoubted = true;
    }
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

/**
 * Whether a partition ends before a batch that was read from it. For a moment it may: a new leader tells less than there
 * is until it knows how far the others are.
 */
function isShort({ errorCode, marks, highWatermark }: FetchedPartition, proof: Mark | null): boolean {
  return proof !== null && errorCode === 0 && marks.length === 0 && highWatermark <= proof.base;
}
