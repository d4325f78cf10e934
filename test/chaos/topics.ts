/** What goes into the topics of a run, and how far the group has come. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Admin, Kafka } from "kafkajs";
import { connectKafka } from "../../src/kafka/client.js";
import { APP, inputTopics, REKEYED } from "./application.js";
import type { Load, Message } from "./load.js";

const TICK_MS = 50;
const LOOK_MS = 500;

export class Topics {
  readonly #kafka: Kafka;
  readonly #producer: ReturnType<Kafka["producer"]>;

  constructor(brokers: string) {
    const silent = { warn: () => undefined, debug: () => undefined };
    this.#kafka = connectKafka({ brokers: [brokers], clientId: "chaos", tls: false, sasl: null }, silent);
    this.#producer = this.#kafka.producer({ allowAutoTopicCreation: false });
  }

  async connect(): Promise<void> {
    await this.#producer.connect();
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }

  /** Sends until it is taken. What a broker has taken without saying so is there twice then, as it is with real apps. */
  async send(messages: readonly Message[]): Promise<void> {
    const topicMessages = inputTopics
      .map((topic) => ({ topic, messages: messages.filter((one) => one.topic === topic) }))
      .filter((one) => one.messages.length > 0);
    for (;;) {
      try {
        await this.#producer.sendBatch({ topicMessages });
        return;
      } catch {
        await sleep(TICK_MS);
      }
    }
  }

  /** Sends what a load makes until it is told to stop. @returns how many */
  async sendAll(load: Load, perSecond: number, stopping: AbortSignal): Promise<number> {
    let count = 0;
    let last = performance.now();
    while (!stopping.aborted) {
      // After a pause of the broker's not more than a second's comes at once.
      const due = Math.floor((Math.min(1000, performance.now() - last) * perSecond) / 1000);
      if (due > 0) {
        last = performance.now();
        await this.send(load.messages(due, Date.now()));
        count += due;
      }
      await sleep(TICK_MS, undefined, { signal: stopping }).catch(() => undefined);
    }
    return count;
  }

  /** Resolves when all that is in the input topics is committed. @throws Error where that takes too long */
  async caughtUp(waitMs: number): Promise<void> {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      for (const began = performance.now(); ; await sleep(LOOK_MS)) {
        const behind = await lag(admin);
        if (behind.length === 0) return;
        if (performance.now() - began > waitMs)
          throw new Error(`not all is folded after ${waitMs / 1000} s: ${behind.join(", ")}`);
      }
    } finally {
      await admin.disconnect();
    }
  }
}

async function lag(admin: Admin): Promise<string[]> {
  const topics = [...inputTopics, REKEYED];
  // What is passed on is committed with what it comes from: first how far that is, then where all ends.
  const committed = new Map(
    (await admin.fetchOffsets({ groupId: APP, topics })).flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => [`${topic}-${partition}`, Math.max(0, Number(offset))] as const),
    ),
  );
  const behind: string[] = [];
  for (const topic of topics)
    for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
      const own = committed.get(`${topic}-${partition}`) ?? 0;
      if (own !== Number(high)) behind.push(`${topic}-${partition} at ${own} of ${high}`);
    }
  return behind;
}
