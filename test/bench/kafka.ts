/**
 * Exactly once on a real broker, in one process: inputs in, scores and positions out in one transaction, histories and
 * states in the store; beside it the same records passed through in the same transactions, with nothing done to them.
 * Then the same again from an empty disk, muted, beside a consumer of kafkajs that only counts the records.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Admin, Kafka } from "kafkajs";
import { openClassicLevel } from "../../src/database/classic-level.js";
import { limitsOf } from "../../src/engine/shares.js";
import { clusterOf } from "../../src/kafka/cluster.js";
import { Fetcher } from "../../src/kafka/fetcher.js";
import { kafkajs } from "../../src/kafka/kafkajs.js";
import { KafkaLog } from "../../src/kafka/log.js";
import { systemClock } from "../../src/stream/clock.js";
import { Task } from "../../src/stream/task.js";
import { startKafka } from "../components/kafka/kafka.js";
import { benchModel, type Measured } from "./fold.js";
import { contactInputs, seededRandom } from "./stream.js";

const SEND_RECORDS = 2000;
const dayMs = 86_400_000;

interface Run {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly app: string;
  readonly count: number;
}

export interface KafkaRows {
  readonly passedThrough: Measured;
  readonly scored: Measured;
  readonly drained: Measured;
  readonly caughtUp: Measured;
}

/** @param count inputs, a hundred of each contact. @throws Missing where there is no Kafka */
export async function kafkaRows(count: number): Promise<KafkaRows> {
  const broker = await startKafka();
  const { Kafka, logLevel } = kafkajs().kafkajs;
  const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const run = { kafka, admin, app: "bench", count };
    await prepared(run);
    return {
      passedThrough: await passedThrough(run),
      scored: await folded(run, "Kafka: inputs to scores, exactly once, 20 rules, one process"),
      drained: await drained(run),
      // What is committed is of the run before; its disk is gone.
      caughtUp: await folded(run, "Kafka: caught up with what is committed, from an empty disk"),
    };
  } finally {
    await admin.disconnect();
    await broker.stop();
  }
}

async function prepared({ kafka, admin, app, count }: Run): Promise<void> {
  const configEntries = [{ name: "message.timestamp.type", value: "LogAppendTime" }];
  const names = ["inputs", "score-changed", "threshold-crossed", "dead-letters", "clock", "passed"];
  await admin.createTopics({
    waitForLeaders: true,
    topics: names.map((name) => ({ topic: `${app}.${name}`, numPartitions: 1, configEntries })),
  });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const random = seededRandom(3);
  const contacts = Math.ceil(count / 100);
  const histories = Array.from({ length: contacts }, (_, i) => contactInputs(`c${i}`, 100, 365 * dayMs, random));
  let messages: { partition: number; key: string; value: string }[] = [];
  const topic = `${app}.inputs`;
  for (let place = 0; place < count; place++) {
    const input = histories[place % contacts]![Math.floor(place / contacts)]!;
    messages.push({ partition: 0, key: input.contactId, value: JSON.stringify(input) });
    if (messages.length < SEND_RECORDS && place + 1 < count) continue;
    await producer.send({ topic, messages });
    messages = [];
  }
  await producer.disconnect();
}

async function passedThrough({ kafka, app, count }: Run): Promise<Measured> {
  const cluster = clusterOf(kafka);
  const producer = kafka.producer({
    transactionalId: `${app}.passed`,
    idempotent: true,
    maxInFlightRequests: 1,
    retry: { initialRetryTime: 15 },
  });
  await Promise.all([cluster.connect(), producer.connect()]);
  const topic = `${app}.inputs`;
  await cluster.addMultipleTargetTopics([topic]);
  const fetcher = new Fetcher(cluster, [topic], 0, () => undefined);
  const never = new AbortController().signal;
  const started = performance.now();
  for (let next = 0; next < count; ) {
    const limits = { recordsMax: 4096, bytesMax: 4 * 1024 * 1024, waitMs: 1000 };
    const [taken] = await fetcher.fetch(new Map([[topic, next]]), limits, never);
    const transaction = await producer.transaction();
    const { records } = taken!;
    for (let from = 0; from < records.length; from += SEND_RECORDS) {
      const messages = records.slice(from, from + SEND_RECORDS).map(({ key, value }) => ({ partition: 0, key, value }));
      await transaction.send({ topic: `${app}.passed`, messages });
    }
    next = taken!.next;
    const topics = [{ topic, partitions: [{ partition: 0, offset: String(next) }] }];
    await transaction.sendOffsets({ consumerGroupId: `${app}.passed`, topics });
    await transaction.commit();
  }
  const seconds = (performance.now() - started) / 1000;
  fetcher.close();
  await Promise.all([producer.disconnect(), cluster.disconnect()]);
  return { name: "Kafka: the same records passed through, exactly once", count, seconds };
}

async function drained({ kafka, app, count }: Run): Promise<Measured> {
  const consumer = kafka.consumer({ groupId: `${app}.drained`, maxBytesPerPartition: 4 * 1024 * 1024 });
  await consumer.connect();
  await consumer.subscribe({ topic: `${app}.inputs`, fromBeginning: true });
  let [seen, started] = [0, 0];
  const ended = new Promise<void>((done) => {
    void consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        // Joining the group takes as long as it takes.
        if (seen === 0) started = performance.now();
        seen += batch.messages.length;
        if (seen >= count) done();
      },
    });
  });
  await ended;
  const seconds = (performance.now() - started) / 1000;
  await consumer.disconnect();
  return { name: "Kafka: the same records read by a consumer of kafkajs", count: seen, seconds };
}

async function folded({ kafka, app, count }: Run, name: string): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), "scorefold-bench-"));
  const log = new KafkaLog({
    kafka,
    app,
    clusterId: app,
    origin: null,
    models: null,
    rekeying: null,
    inputTopics: [`${app}.inputs`],
    outputTopics: {
      scoreChanged: `${app}.score-changed`,
      thresholdCrossed: `${app}.threshold-crossed`,
      deadLetters: `${app}.dead-letters`,
    },
    clockTopic: `${app}.clock`,
    elapsed: () => performance.now(),
  });
  const bytes = 21 * 1024 * 1024;
  const task = new Task({
    log,
    task: 0,
    store: {
      open: async () => await openClassicLevel(directory, { cacheBytes: bytes, writeBufferBytes: bytes }),
      setAside: async () => directory,
    },
    models: [benchModel()],
    limits: limitsOf(1),
    clock: systemClock,
    timers: "manual",
  });
  const started = performance.now();
  const ended = task.run();
  await task.foldedUpTo(new Map([[`${app}.inputs`, count]]));
  await task.written();
  const seconds = (performance.now() - started) / 1000;
  task.stop();
  await ended;
  await log.close();
  rmSync(directory, { recursive: true, force: true });
  return { name, count, seconds };
}
