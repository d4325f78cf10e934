/** The log as one owner of a task sees it, on Kafka: a transactional producer, and fetches of its own. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Transaction as KafkaTransaction, Producer, TopicMessages } from "kafkajs";
import { ScorefoldError } from "../errors.js";
import { encodeInput } from "../events/encode.js";
import type { EpochMs, Output } from "../events/types.js";
import {
  type Bounds,
  type Committed,
  type EncodedOutput,
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
  type Waits,
} from "../stream/log.js";
import type { RecordMapper } from "../topics/record.js";
import type { AppendClock } from "./append-clock.js";
import type { Cluster } from "./cluster.js";
import { decodeCommitted, encodeCommitted } from "./committed.js";
import { kafkaError } from "./errors.js";
import type { FetchedRecord } from "./fetch-response.js";
import { Fetcher } from "./fetcher.js";
import { lookAtBatches } from "./look.js";
import { type OutputTopics, topicOfOutput } from "./output-topics.js";
import { recordOf } from "./record.js";
import type { ValueWriter } from "./value-writer.js";
import type { ValueReader } from "./values.js";

/** Of one send; a broker refuses a batch above a megabyte as a whole. */
const SEND_RECORDS_MAX = 2000;
const SEND_BYTES_MAX = 900_000;
/** Of a record beside its key and value, at most. */
const RECORD_BYTES = 30;
const RETRY_MS_MIN = 20;
const CONCURRENT_TRANSACTIONS = 51;
const BUSY_TRIES = 250;
/** How long the first record of an output topic is waited for before its end is believed. */
const LOOK_MS = 500;
/** Two of them, all tries together. */
const RETRY_MS_MAX = 10_000;

interface Message {
  readonly partition: number;
  readonly key: string;
  readonly value: string | Buffer;
}

export interface TaskLogParts {
  readonly groupId: string;
  /** The last carries the metadata of what is committed. */
  readonly topics: readonly Topic[];
  readonly outputTopics: OutputTopics;
  /** One of the input topics; null: no input is passed on to another task. */
  readonly rekeyedTopic: Topic | null;
  readonly cluster: Cluster;
  readonly producer: Producer;
  readonly fetcher: Fetcher;
  readonly clock: AppendClock;
  readonly values: ValueReader;
  /** Told of what is waited for. */
  readonly waits: Waits | undefined;
  /** By topic; values of the others are inputs as they are. */
  readonly mappers: ReadonlyMap<Topic, RecordMapper>;
  readonly onSkipped: (topic: Topic, reason: string) => void;
  readonly writer: ValueWriter;
  /** Aborts when the log is closed. */
  readonly closing: AbortSignal;
  /** As of now; null where brokers do not tell. */
  readonly topicIds: ReadonlyMap<Topic, string> | null;
  /** Rejects where a topic has another id than when the task was opened. */
  readonly checkTopics: () => Promise<void>;
  readonly onClosed: (log: KafkaTaskLog) => void;
}

export class KafkaTaskLog implements TaskLog {
  readonly task: number;
  readonly topicIds: ReadonlyMap<Topic, string> | null;
  readonly #parts: TaskLogParts;
  /** Begun and not used yet: beginning it is what takes the task over. */
  #begun: KafkaTransaction | null;
  readonly #closing = new AbortController();
  #hasFailed = false;
  /** What this owner has committed: a broker answers a commit before it tells everybody of it. */
  #committed: Committed | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | null = null;

  constructor(task: number, parts: TaskLogParts, begun: KafkaTransaction) {
    this.task = task;
    this.topicIds = parts.topicIds;
    this.#parts = parts;
    this.#begun = begun;
  }

  async committed(): Promise<Committed | null> {
    this.#checkOpen();
    if (this.#committed !== null) return this.#committed;
    const { cluster, groupId, topics } = this.#parts;
    return await this.#asked("the committed offsets", async () => {
      const coordinator = await cluster.findGroupCoordinator({ groupId });
      const partitions = [{ partition: this.task }];
      const { responses } = await coordinator.offsetFetch({
        groupId,
        topics: topics.map((topic) => ({ topic, partitions })),
      });
      const offsets = new Map<Topic, Offset>();
      const marks = new Map<Topic, Mark>();
      const owned = new Map<Topic, boolean | null>();
      let metadata: string | null = null;
      for (const topic of topics) {
        const found = responses.find((one) => one.topic === topic)?.partitions[0];
        if (found === undefined || Number(found.offset) < 0) continue;
        offsets.set(topic, Number(found.offset));
        const known = decodeCommitted(found.metadata ?? "", Number(found.offset));
        owned.set(topic, known.isOwn);
        if (known.mark !== null) marks.set(topic, known.mark);
        if (topic === topics.at(-1)) metadata = known.metadata;
      }
      if (offsets.size === 0) return null;
      if (metadata !== null) {
        // A version that did not say so always had something to say itself.
        const isSilent = metadata !== "" && owned.get(topics.at(-1) as Topic) === null;
        const set = [...owned].filter(([, isOwn]) => isOwn !== true && !(isSilent && isOwn === null));
        if (owned.get(topics.at(-1) as Topic) === false) metadata = "";
        const known = { offsets, marks, metadata };
        return set.length === 0 ? known : { ...known, set: new Set(set.map(([topic]) => topic)) };
      }
      throw new ScorefoldError(
        "history-lost",
        `nothing is committed for ${topics.at(-1)}, partition ${this.task}, nor how far timers were: the topic has been ` +
          "deleted, and with it the inputs that it had. Stop all processes, and say up to where outputs were published, " +
          "with the options of `run` but --models: `scorefold recover --published-until store`",
      );
    });
  }

  async bounds(topics?: readonly Topic[]): Promise<ReadonlyMap<Topic, Bounds>> {
    this.#checkOpen();
    return await this.#asked("the bounds of topics", async () => {
      if (topics !== undefined) await this.#parts.cluster.addMultipleTargetTopics(topics);
      return await this.#boundsOf(topics ?? this.#parts.topics);
    });
  }

  async look(offsets: Offsets): Promise<ReadonlyMap<Topic, Mark | null>> {
    this.#checkOpen();
    const { cluster } = this.#parts;
    return await this.#asked("a look at what was read", async () => {
      await cluster.addMultipleTargetTopics([...offsets.keys()]);
      const boundsOf = async (topics: readonly Topic[]) => await this.#boundsOf(topics);
      return await lookAtBatches({ cluster, partition: this.task, boundsOf }, offsets);
    });
  }

  async fetch(from: Offsets, limits: FetchLimits, signal?: AbortSignal, known?: Marks): Promise<Fetched[]> {
    this.#checkOpen();
    const { fetcher, values } = this.#parts;
    const taken = await fetcher.fetch(from, limits, signal, known);
    this.#checkOpen();
    for (const { records } of taken) {
      // Not by the caller's signal: it ends a wait for records, and here they are. One made of two for each fetch would
      // be kept by the two for as long as they live.
      await values.prepare(valuesOf(records), this.#closing.signal, this.#parts.waits);
    }
    this.#checkOpen();
    return taken.map(({ topic, records, next, marks, end }) => ({
      topic,
      records: this.#decoded(topic, records),
      next,
      marks,
      end,
    }));
  }

  #decoded(topic: Topic, records: readonly FetchedRecord[]): LogRecord[] {
    const { values, mappers, onSkipped } = this.#parts;
    const reading = { values, mapper: mappers.get(topic) ?? null };
    const decoded: LogRecord[] = [];
    for (const record of records) {
      const found = recordOf(topic, this.task, record, reading);
      if ("ok" in found) onSkipped(topic, found.reason);
      else decoded.push(found);
    }
    return decoded;
  }

  async publish(transaction: Transaction): Promise<Marks> {
    this.#checkOpen();
    const bytes = Buffer.byteLength(transaction.metadata);
    if (bytes > METADATA_BYTES_MAX)
      throw new ScorefoldError(
        "internal",
        `the metadata of a transaction has ${bytes} bytes; at most ${METADATA_BYTES_MAX} are allowed`,
      );
    const turn = this.#last.then(async () => await this.#publish(transaction));
    this.#last = turn.catch(() => undefined);
    return await turn;
  }

  encode(output: Output): EncodedOutput {
    return { kind: output.kind, contactId: output.contactId, encoded: this.#parts.writer.output(output) };
  }

  async hasPublished(): Promise<boolean> {
    this.#checkOpen();
    const { cluster, outputTopics } = this.#parts;
    const topics = [outputTopics.scoreChanged, outputTopics.thresholdCrossed];
    const bounds = await this.#asked("the bounds of output topics", async () => {
      await cluster.addMultipleTargetTopics(topics);
      return [...(await this.#boundsOf(topics)).values()];
    });
    if (bounds.every(({ end }) => end === 0)) return false;
    return bounds.some(({ start }) => start > 0) || (await this.#hasRecords(topics));
  }

  async time(): Promise<EpochMs> {
    this.#checkOpen();
    return await this.#asked("the broker's clock", async () => await this.#parts.clock.time());
  }

  /** The brokers' clock does not jump with this host's. */
  async newest(): Promise<EpochMs | null> {
    return await this.time();
  }

  async close(): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    const { fetcher, producer, cluster, onClosed } = this.#parts;
    this.#closing.abort();
    const idle = fetcher.close();
    try {
      await this.#last;
      await Promise.all([producer.disconnect(), cluster.disconnect()]);
      await idle;
      // Who was about to connect has done so meanwhile.
      await cluster.disconnect();
    } finally {
      onClosed(this);
    }
  }

  async #publish(content: Transaction): Promise<Marks> {
    const { offsets, marks = new Map<Topic, Mark>(), metadata } = content;
    if (this.#hasFailed)
      throw new ScorefoldError(
        "log-failed",
        "an earlier transaction of this owner failed, and may be published or not; open the task again and read what is committed",
      );
    const { producer, groupId, topics, fetcher } = this.#parts;
    const written = new Map<Topic, Mark>();
    try {
      if (fetcher.isDoubted) await this.#parts.checkTopics();
      const transaction = this.#begun ?? (await producer.transaction());
      this.#begun = null;
      for (const topicMessages of waves(this.#messages(content))) {
        const answers = await transaction.sendBatch({ topicMessages });
        for (const { topicName, baseOffset, logAppendTime, partition } of answers) {
          const at = Number(logAppendTime ?? -1);
          if (at < 0) continue;
          this.#parts.clock.told(at);
          const { messages } = topicMessages.find(({ topic }) => topic === topicName) ?? { messages: [] };
          const own = { base: Number(baseOffset ?? -1), count: messages.length, at, checksum: null };
          if (own.base >= 0 && partition === this.task) written.set(topicName, own);
        }
      }
      await this.#sendOffsets(transaction, {
        consumerGroupId: groupId,
        topics: topics.map((topic, i) => ({
          topic,
          // One carries it for all: the last, which the application has for itself, so that topics may come and go.
          // `metadata` is not in the client's types.
          partitions: [
            {
              partition: this.task,
              offset: String(offsets.get(topic) ?? 0),
              metadata: encodeCommitted(
                i === topics.length - 1 ? metadata : "",
                marks.get(topic) ?? null,
                offsets.get(topic) ?? 0,
              ),
            },
          ],
        })),
      });
      await transaction.commit();
      this.#committed = { offsets: new Map(offsets), marks: new Map(marks), metadata };
      for (const topic of topics) written.delete(topic);
      return written;
    } catch (error) {
      this.#hasFailed = true;
      throw kafkaError(error, "a transaction");
    }
  }

  /** Right after a commit the coordinator is busy with it for a moment; then nothing has happened yet. */
  async #sendOffsets(
    transaction: KafkaTransaction,
    offsets: Parameters<KafkaTransaction["sendOffsets"]>[0],
  ): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await transaction.sendOffsets(offsets);
        return;
      } catch (error) {
        if ((error as { code?: unknown }).code !== CONCURRENT_TRANSACTIONS || tries >= BUSY_TRIES) throw error;
        await sleep(RETRY_MS_MIN);
      }
    }
  }

  #messages({ outputs, deadLetters, rekeyed }: Transaction): ReadonlyMap<Topic, readonly Message[]> {
    const { outputTopics, rekeyedTopic, writer } = this.#parts;
    const messages = new Map<Topic, Message[]>();
    const add = (topic: Topic, key: string, value: string | Buffer, partition = this.task): void => {
      const known = messages.get(topic);
      const message = { partition, key, value };
      if (known === undefined) messages.set(topic, [message]);
      else known.push(message);
    };
    for (const output of outputs) {
      const value = "encoded" in output ? output.encoded : writer.output(output);
      add(outputTopics[topicOfOutput[output.kind]], output.contactId, value);
    }
    for (const letter of deadLetters)
      add(outputTopics.deadLetters, `${letter.topic}-${letter.partition}-${letter.offset}`, writer.deadLetter(letter));
    for (const { task, input } of rekeyed ?? []) add(rekeyedTopic as Topic, input.contactId, encodeInput(input), task);
    return messages;
  }

  /** Asks, and asks again while the broker says that it can't tell yet. */
  async #asked<T>(what: string, ask: () => Promise<T>): Promise<T> {
    for (let wait = RETRY_MS_MIN; ; wait *= 2) {
      try {
        return await ask();
      } catch (error) {
        this.#checkOpen();
        const isPassing = (error as { retriable?: unknown }).retriable === true && wait < RETRY_MS_MAX;
        if (!isPassing) throw kafkaError(error, what);
        await sleep(wait, undefined, { signal: this.#closing.signal }).catch(() => undefined);
        this.#checkOpen();
        // Another broker may lead now; where nobody can tell, the next try says why.
        await this.#parts.cluster.refreshMetadata().catch(() => undefined);
      }
    }
  }

  /** What was aborted takes offsets as well: only what can be read was published. */
  async #hasRecords(topics: readonly Topic[]): Promise<boolean> {
    const fetcher = new Fetcher(this.#parts.cluster, topics, this.task, () => undefined);
    const limits = { bytesMax: 1, recordsMax: 1, waitMs: LOOK_MS };
    let from: Offsets = new Map();
    try {
      for (;;) {
        const taken = await fetcher.fetch(from, limits, this.#closing.signal);
        this.#checkOpen();
        if (taken.some(({ records }) => records.length > 0)) return true;
        if (taken.every(({ next, end }) => next === end)) return false;
        from = new Map(taken.map(({ topic, next }) => [topic, next]));
      }
    } finally {
      await fetcher.close();
    }
  }

  async #boundsOf(topics: readonly Topic[]): Promise<ReadonlyMap<Topic, Bounds>> {
    const of = async (fromBeginning: boolean): Promise<ReadonlyMap<Topic, Offset>> => {
      const asked = topics.map((topic) => ({ topic, partitions: [{ partition: this.task }], fromBeginning }));
      const found = await this.#parts.cluster.fetchTopicsOffset(asked);
      return new Map(found.map(({ topic, partitions }) => [topic, Number(partitions[0]?.offset)]));
    };
    const [starts, ends] = [await of(true), await of(false)];
    return new Map(topics.map((topic) => [topic, this.#checked(topic, starts.get(topic), ends.get(topic))]));
  }

  /** An offset that the broker has not told must not pass for an empty topic. */
  #checked(topic: Topic, start: Offset | undefined, end: Offset | undefined): Bounds {
    if (start !== undefined && end !== undefined && start >= 0 && end >= start) return { start, end };
    throw new ScorefoldError(
      "log-failed",
      `the broker does not tell the bounds of topic ${topic}, partition ${this.task}: ${start} to ${end}`,
    );
  }

  #checkOpen(): void {
    if (!this.#parts.closing.aborted && !this.#closing.signal.aborted) return;
    throw new ScorefoldError("stopping", "the log is closed; start the engine again");
  }
}

function* valuesOf(records: readonly FetchedRecord[]): Generator<Buffer | null> {
  for (const { value } of records) yield value;
}

/** All topics together, a piece of each at a time: a transaction then waits for few answers. */
function* waves(messages: ReadonlyMap<Topic, readonly Message[]>): Generator<TopicMessages[]> {
  const pieces = [...messages].map(([topic, all]) => ({ topic, pieces: [...cut(all)] }));
  const count = Math.max(0, ...pieces.map((own) => own.pieces.length));
  for (let i = 0; i < count; i++)
    yield pieces.flatMap((own) => (i < own.pieces.length ? [{ topic: own.topic, messages: own.pieces[i]! }] : []));
}

/** Pieces of a size that the broker takes. */
function* cut(messages: readonly Message[]): Generator<Message[]> {
  let from = 0;
  let bytes = 0;
  for (let i = 0; i < messages.length; i++) {
    const { key, value } = messages[i]!;
    const own = Buffer.byteLength(value) + Buffer.byteLength(key) + RECORD_BYTES;
    if (i > from && (i - from >= SEND_RECORDS_MAX || bytes + own > SEND_BYTES_MAX)) {
      yield messages.slice(from, i);
      from = i;
      bytes = 0;
    }
    bytes += own;
  }
  if (messages.length > from) yield messages.slice(from);
}
