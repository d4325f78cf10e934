/** An application of its own on the broker of the tests: topics, a log on them, a producer of inputs. */
import { randomUUID } from "node:crypto";
import type { Admin, ITopicConfig, Kafka, Producer } from "kafkajs";
import { waitForTopics } from "../../src/kafka/admin.js";
import { connectKafka } from "../../src/kafka/client.js";
import { KafkaLog, type KafkaLogOptions } from "../../src/kafka/log.js";
import { addressIfThere } from "../components/component.js";
import { drained } from "./drain.js";

const OUTPUTS = ["score-changed", "threshold-crossed", "dead-letters"];

interface TopicConfig {
  readonly name: string;
  readonly value: string;
}

const keptForEver: readonly TopicConfig[] = [
  { name: "message.timestamp.type", value: "LogAppendTime" },
  { name: "retention.ms", value: "-1" },
];

/** @returns null where there is no Kafka for tests */
export async function connectedKafka(): Promise<{ kafka: Kafka; admin: Admin } | null> {
  const address = await addressIfThere("kafka");
  if (address === null) return null;
  const silent = { warn: () => undefined, debug: () => undefined };
  const kafka = connectKafka({ brokers: [address], clientId: "test", tls: false, sasl: null }, silent);
  const admin = kafka.admin();
  await admin.connect();
  return { kafka, admin };
}

/** Makes topics; resolves when the broker answers for all of their partitions. */
export async function makeTopics(admin: Admin, topics: readonly ITopicConfig[]): Promise<void> {
  await admin.createTopics({ waitForLeaders: false, topics: [...topics] });
  await waitForTopics(
    admin,
    topics.map(({ topic }) => topic),
  );
}

export class KafkaApp {
  readonly id: string;
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly producer: Producer;
  readonly inputTopics: readonly string[];
  readonly #clusterId: string;

  private constructor(kafka: Kafka, admin: Admin, id: string, inputs: readonly string[], clusterId: string) {
    this.kafka = kafka;
    this.admin = admin;
    this.id = id;
    this.inputTopics = inputs.map((name) => this.named(name));
    this.producer = kafka.producer({ allowAutoTopicCreation: false });
    this.#clusterId = clusterId;
  }

  /** @param config of the input topics, beside what all have */
  static async make(
    kafka: Kafka,
    admin: Admin,
    inputs: readonly string[],
    partitions: number,
    config: readonly TopicConfig[] = [],
  ): Promise<KafkaApp> {
    const { clusterId } = await admin.describeCluster();
    const app = new KafkaApp(kafka, admin, `app-${randomUUID()}`, inputs, clusterId);
    const topic = (name: string, numPartitions: number) => ({
      topic: app.named(name),
      numPartitions,
      configEntries: [...keptForEver],
    });
    await makeTopics(admin, [...OUTPUTS.map((name) => topic(name, partitions)), topic("clock", 1)]);
    for (const name of inputs) await app.makeInput(name, partitions, config);
    await app.producer.connect();
    return app;
  }

  async makeInput(name: string, numPartitions: number, config: readonly TopicConfig[] = []): Promise<void> {
    const names = config.map((entry) => entry.name);
    const configEntries = [...keptForEver.filter((entry) => !names.includes(entry.name)), ...config];
    await makeTopics(this.admin, [{ topic: this.named(name), numPartitions, configEntries }]);
  }

  named(name: string): string {
    return `${this.id}.${name}`;
  }

  get outputTopics(): KafkaLogOptions["outputTopics"] {
    return {
      scoreChanged: this.named("score-changed"),
      thresholdCrossed: this.named("threshold-crossed"),
      deadLetters: this.named("dead-letters"),
    };
  }

  /** A log as another process would have it. */
  log(avro?: KafkaLogOptions["avro"]): KafkaLog {
    return new KafkaLog({
      kafka: this.kafka,
      app: this.id,
      clusterId: this.#clusterId,
      origin: null,
      models: null,
      rekeying: null,
      inputTopics: this.inputTopics,
      outputTopics: this.outputTopics,
      clockTopic: this.named("clock"),
      elapsed: () => performance.now(),
      ...(avro === undefined ? undefined : { avro }),
    });
  }

  async send(name: string, partition: number, values: readonly (string | Buffer)[]): Promise<void> {
    await this.producer.send({ topic: this.named(name), messages: values.map((value) => ({ partition, value })) });
  }

  async read(name: string, partition = 0): Promise<string[]> {
    return await drained(this.kafka, this.named(name), partition);
  }

  async close(): Promise<void> {
    await this.producer.disconnect();
  }
}
