/** A compacted topic of one partition, as a table: the last value of each key is what all processes of an application see. */
import type { Kafka, Producer } from "kafkajs";
import type { Topic } from "../stream/log.js";
import { type Cluster, clusterOf } from "./cluster.js";
import { kafkaError } from "./errors.js";
import { Fetcher } from "./fetcher.js";

const FETCH = { recordsMax: 10_000, bytesMax: 8 * 1024 * 1024, waitMs: 1_000 };

export class CompactedTopic {
  readonly name: Topic;
  readonly #kafka: Kafka;

  constructor(kafka: Kafka, name: Topic) {
    this.#kafka = kafka;
    this.name = name;
  }

  /** @throws ScorefoldError `log-failed` */
  async write(entries: readonly (readonly [key: string, value: string])[]): Promise<void> {
    const producer: Producer = this.#kafka.producer({ idempotent: true, allowAutoTopicCreation: false });
    try {
      await producer.connect();
      // One by one: a large value must not take others over what a broker takes at once.
      for (const [key, value] of entries)
        await producer.send({ topic: this.name, acks: -1, messages: [{ partition: 0, key, value }] });
    } catch (error) {
      throw kafkaError(error, `writing to topic ${this.name}`);
    } finally {
      await producer.disconnect();
    }
  }

  /** All there is, up to the end as of now. @throws ScorefoldError `log-failed` */
  async read(): Promise<ReadonlyMap<string, string>> {
    const cluster = clusterOf(this.#kafka);
    const known = new Map<string, string>();
    const topic = this.name;
    let fetcher: Fetcher | null = null;
    try {
      await cluster.connect();
      await cluster.addMultipleTargetTopics([topic]);
      const start = await offsetOf(cluster, topic, true);
      // Of an empty topic a fetch would wait for what does not come.
      if (start >= (await offsetOf(cluster, topic, false))) return known;
      fetcher = new Fetcher(cluster, [topic], 0, () => undefined);
      for (let from = start; ; ) {
        const [taken] = await fetcher.fetch(new Map([[topic, from]]), FETCH);
        for (const { key, value } of taken!.records)
          if (key !== null && value !== null) known.set(key.toString(), value.toString());
        from = taken!.next;
        if (from >= taken!.high) return known;
      }
    } catch (error) {
      throw kafkaError(error, `reading topic ${topic}`);
    } finally {
      const closed = fetcher?.close();
      await cluster.disconnect();
      await closed;
    }
  }
}

/** Where a topic's one partition begins or ends. */
async function offsetOf(cluster: Cluster, topic: Topic, fromBeginning: boolean): Promise<number> {
  const [found] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition: 0 }], fromBeginning }]);
  return Number(found?.partitions[0]?.offset ?? 0);
}
