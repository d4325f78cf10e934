/** Kafka as a log, on a real broker. */
import { randomUUID } from "node:crypto";
import type { Admin, Kafka } from "kafkajs";
import { afterAll, beforeAll } from "vitest";
import { type FetchRequest, fetchRequestFile } from "../../src/kafka/fetcher.js";
import { kafkajs } from "../../src/kafka/kafkajs.js";
import { KafkaLog } from "../../src/kafka/log.js";
import { addressOf } from "../components/component.js";
import { describeLog, type LogUnderTest } from "../stream/log.contract.js";
import { drained } from "./drain.js";

let kafka: Kafka;
let admin: Admin;

beforeAll(async () => {
  const { Kafka, logLevel } = kafkajs().kafkajs;
  kafka = new Kafka({ brokers: [await addressOf("kafka")], logLevel: logLevel.NOTHING });
  admin = kafka.admin();
  await admin.connect();
});

afterAll(async () => {
  await admin.disconnect();
});

async function make(): Promise<LogUnderTest> {
  const app = `log-${randomUUID()}`;
  const named = (name: string): string => `${app}.${name}`;
  const appendTime = [{ name: "message.timestamp.type", value: "LogAppendTime" }];
  const topics = ["inputs", "more", "score-changed", "threshold-crossed", "dead-letters", "clock"];
  await admin.createTopics({
    waitForLeaders: true,
    topics: topics.map((name) => ({ topic: named(name), numPartitions: 1, configEntries: appendTime })),
  });
  const { clusterId } = await admin.describeCluster();
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const open = (): KafkaLog =>
    new KafkaLog({
      kafka,
      app,
      clusterId,
      inputTopics: [named("inputs"), named("more")],
      outputTopics: {
        scoreChanged: named("score-changed"),
        thresholdCrossed: named("threshold-crossed"),
        deadLetters: named("dead-letters"),
      },
      clockTopic: named("clock"),
      fetchRequest: kafkajs().load(fetchRequestFile) as FetchRequest,
      elapsed: () => performance.now(),
    });
  let log = open();
  return {
    log,
    append: async (lines) => {
      const messages = lines.map((line) => ({ partition: 0, value: line }));
      await producer.send({ topic: named("inputs"), messages });
    },
    read: async (topic) => await drained(kafka, named(topic)),
    passTime: async (ms) => await new Promise((resolve) => setTimeout(resolve, ms)),
    reopen: async () => {
      await log.close();
      log = open();
      return log;
    },
    dropBefore: async (offset) => {
      await admin.deleteTopicRecords({
        topic: named("inputs"),
        partitions: [{ partition: 0, offset: String(offset) }],
      });
    },
    remove: async () => {
      await log.close();
      await producer.disconnect();
    },
  };
}

describeLog("Kafka", make);
