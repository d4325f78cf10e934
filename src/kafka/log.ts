/**
 * The log on Kafka: a task is one partition number of all input topics, which have as many partitions each. Who takes a
 * task over begins with the transactional id of that task, `<app>.<task>`: from then on whoever had it can publish no more.
 */
import type { Kafka, Producer } from "kafkajs";
import { ScorefoldError } from "../errors.js";
import type { Log, Origin, SharedModels, TaskLog, Topic, Waits } from "../stream/log.js";
import type { RecordMapper } from "../topics/record.js";
import { allEnded } from "./all-ended.js";
import { AppendClock } from "./append-clock.js";
import type { Avro } from "./avro.js";
import { clusterOf } from "./cluster.js";
import { kafkaError } from "./errors.js";
import type { FetchedRecord } from "./fetch-response.js";
import { Fetcher } from "./fetcher.js";
import type { OutputTopics } from "./output-topics.js";
import { KafkaTaskLog } from "./task-log.js";
import { topicIds } from "./topic-ids.js";
import { jsonWriter } from "./value-writer.js";
import { withoutRegistry } from "./values.js";

/** Above the longest batch, below what makes readers of the outputs wait for a process that is gone. */
const TRANSACTION_TIMEOUT_MS = 15_000;

/** What may wait in memory of all tasks of a process. */
const FETCHED_BYTES = 16 * 1024 * 1024;

export interface KafkaLogOptions {
  readonly kafka: Kafka;
  /** The consumer group, and what transactional ids begin with. */
  readonly app: string;
  readonly clusterId: string;
  /** The last carries what is committed beside offsets, and has to stay one. */
  readonly inputTopics: readonly Topic[];
  /** Null: not known, and the stores are not held against it. */
  readonly origin: Origin | null;
  readonly outputTopics: OutputTopics;
  /** Inputs of contacts that belong elsewhere go through one of the input topics; null: they are scored where they lie. */
  readonly rekeying: { readonly topic: Topic; readonly taskOf: (contactId: string) => number } | null;
  /** A topic of one partition, with LogAppendTime. */
  readonly clockTopic: Topic;
  /** Models, as all processes of the application find them; null: each has its own. */
  readonly models: SharedModels | null;
  readonly elapsed: () => number;
  /** How many tasks this process has: they share what may wait of fetched records. */
  readonly tasksHere?: () => number;
  /** How values become inputs, by topic; those of other topics are inputs as they are. */
  readonly mappers?: ReadonlyMap<Topic, RecordMapper>;
  /** Told of each record that the mapping of its topic does not take, and why. */
  readonly onSkipped?: (topic: Topic, reason: string) => void;
  /** Where there is a schema registry; without, values are JSON. */
  readonly avro?: Avro;
}

export class KafkaLog implements Log {
  readonly name = "the brokers";
  readonly clusterId: string;
  readonly inputTopics: readonly Topic[];
  readonly origin: Origin | null;
  readonly taskOf: Log["taskOf"];
  readonly models: SharedModels | null;
  readonly #options: KafkaLogOptions;
  readonly #closing = new AbortController();
  readonly #opened = new Set<TaskLog>();
  readonly #clock: AppendClock;
  #clockProducer: Promise<Producer> | null = null;

  constructor(options: KafkaLogOptions) {
    this.#options = options;
    this.clusterId = options.clusterId;
    this.inputTopics = options.inputTopics;
    this.origin = options.origin;
    this.models = options.models;
    this.taskOf = options.rekeying?.taskOf ?? null;
    this.#clock = new AppendClock(async () => await this.#brokerTime(), options.elapsed);
  }

  async open(task: number, waits?: Waits): Promise<TaskLog> {
    this.#checkOpen();
    const { kafka, app, inputTopics, outputTopics, rekeying } = this.#options;
    const rekeyedTopic = rekeying?.topic ?? null;
    const cluster = clusterOf(kafka);
    const producer = kafka.producer({
      transactionalId: `${app}.${task}`,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 15, maxRetryTime: 500, retries: 12 },
    });
    try {
      await allEnded([cluster.connect(), producer.connect()]);
      await cluster.addMultipleTargetTopics(inputTopics);
      const begun = await producer.transaction();
      const ids = await topicIds(cluster, inputTopics);
      const checkTopics = async (): Promise<void> => checkIds(ids, await topicIds(cluster, inputTopics));
      // It may have been closed meanwhile, and would not know of this one.
      this.#checkOpen();
      const onRecords = (records: readonly FetchedRecord[]): void => {
        const last = records.at(-1);
        if (last?.isAppendTime === true) this.#clock.see(last.timestamp);
      };
      const share = Math.floor(FETCHED_BYTES / Math.max(1, this.#options.tasksHere?.() ?? 1));
      const fetcher = new Fetcher(cluster, inputTopics, task, onRecords, share, checkTopics, waits);
      const { values, writer } = this.#options.avro ?? { values: withoutRegistry, writer: jsonWriter };
      const parts = {
        groupId: app,
        topics: inputTopics,
        outputTopics,
        rekeyedTopic,
        cluster,
        producer,
        fetcher,
        clock: this.#clock,
        values,
        waits,
        mappers: this.#options.mappers ?? new Map(),
        onSkipped: this.#options.onSkipped ?? (() => undefined),
        writer,
        topicIds: ids.size === 0 ? null : ids,
        checkTopics,
      };
      const log = new KafkaTaskLog(
        task,
        { ...parts, closing: this.#closing.signal, onClosed: (own) => this.#opened.delete(own) },
        begun,
      );
      this.#opened.add(log);
      return log;
    } catch (error) {
      await Promise.allSettled([producer.disconnect(), cluster.disconnect()]);
      throw kafkaError(error, `taking over task ${task}`);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#opened].map(async (log) => await log.close()));
    await (await this.#clockProducer?.catch(() => null))?.disconnect();
  }

  async #brokerTime(): Promise<number> {
    const { kafka, clockTopic } = this.#options;
    this.#clockProducer ??= (async () => {
      const producer = kafka.producer({ allowAutoTopicCreation: false });
      await producer.connect();
      return producer;
    })();
    try {
      const producer = await this.#clockProducer;
      const [answer] = await producer.send({ topic: clockTopic, messages: [{ key: this.#options.app, value: "" }] });
      const at = Number(answer?.logAppendTime ?? -1);
      if (at < 0)
        throw new ScorefoldError(
          "config-invalid",
          `topic ${clockTopic} does not tell when the broker took a record; set its message.timestamp.type to LogAppendTime`,
        );
      return at;
    } catch (error) {
      const failed = this.#clockProducer;
      this.#clockProducer = null;
      await (await failed?.catch(() => null))?.disconnect();
      throw error;
    }
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new ScorefoldError("stopping", "the log is closed; start the engine again");
  }
}

/** @throws ScorefoldError `log-failed` where a topic is not the one that it was */
function checkIds(before: ReadonlyMap<Topic, string>, now: ReadonlyMap<Topic, string>): void {
  const other = [...before].filter(([topic, id]) => now.get(topic) !== id).map(([topic]) => topic);
  if (other.length === 0) return;
  throw new ScorefoldError("log-failed", `${other.join(", ")}: deleted, or made anew, while it was read`);
}
