/** Sends inputs that came another way, as over HTTP, to their topics. */
import type { Kafka, Producer } from "kafkajs";
import { encodeInput } from "../events/encode.js";
import type { Input } from "../events/types.js";
import type { Offset, Topic } from "../stream/log.js";
import { kafkaError } from "./errors.js";

export interface SentInput {
  readonly topic: Topic;
  readonly task: number;
  readonly input: Input;
}

export interface InputPlace {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: Offset;
}

export class InputProducer {
  readonly #kafka: Kafka;
  #producer: Promise<Producer> | null = null;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  /**
   * Resolves when all in-sync replicas have all of them.
   *
   * @returns up to where each partition goes that was sent to: the offset of the last input of these
   * @throws ScorefoldError `log-failed`: some may have been taken; sent again they are duplicates, which change nothing
   */
  async send(inputs: readonly SentInput[]): Promise<readonly InputPlace[]> {
    const byTopic = new Map<Topic, { partition: number; key: string; value: string }[]>();
    for (const { topic, task, input } of inputs) {
      const message = { partition: task, key: input.contactId, value: encodeInput(input) };
      const known = byTopic.get(topic);
      if (known === undefined) byTopic.set(topic, [message]);
      else known.push(message);
    }
    try {
      const producer = await this.#connected();
      const answers = await producer.sendBatch({
        acks: -1,
        topicMessages: [...byTopic].map(([topic, messages]) => ({ topic, messages })),
      });
      return answers.map(({ topicName, partition, baseOffset }) => {
        const count = byTopic.get(topicName)!.filter((message) => message.partition === partition).length;
        return { topic: topicName, partition, offset: Number(baseOffset) + count - 1 };
      });
    } catch (error) {
      throw kafkaError(error, "sending inputs");
    }
  }

  async close(): Promise<void> {
    await (await this.#producer?.catch(() => null))?.disconnect();
  }

  async #connected(): Promise<Producer> {
    this.#producer ??= (async () => {
      const producer = this.#kafka.producer({ allowAutoTopicCreation: false });
      await producer.connect();
      return producer;
    })();
    try {
      return await this.#producer;
    } catch (error) {
      this.#producer = null;
      throw error;
    }
  }
}
