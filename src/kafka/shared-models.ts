/**
 * Models as every process of an application finds them: a compacted topic of one partition, with the text of each model
 * under `model/ID@VERSION`, and the names of a set under `set/ID`.
 */
import type { Kafka, Producer } from "kafkajs";
import { ScorefoldError } from "../errors.js";
import type { SharedModels, Topic } from "../stream/log.js";
import { type Cluster, clusterOf } from "./cluster.js";
import { kafkaError } from "./errors.js";
import { Fetcher } from "./fetcher.js";

const MODEL = "model/";
const SET = "set/";
const FETCH = { recordsMax: 10_000, bytesMax: 8 * 1024 * 1024, waitMs: 1_000 };

export class KafkaModels implements SharedModels {
  readonly #kafka: Kafka;
  readonly #topic: Topic;
  /** Sets that the topic is known to have. */
  readonly #learnt = new Set<string>();
  /** One at a time: two that learn the same would both write it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(kafka: Kafka, topic: Topic) {
    this.#kafka = kafka;
    this.#topic = topic;
  }

  async textsOf(set: string): Promise<ReadonlyMap<string, string> | null> {
    const known = await this.#read();
    const names = known.get(`${SET}${set}`);
    if (names === undefined) return null;
    const texts = (JSON.parse(names) as string[]).map((name) => [name, known.get(`${MODEL}${name}`)] as const);
    return texts.every((one): one is [string, string] => one[1] !== undefined) ? new Map(texts) : null;
  }

  async learn(set: string, texts: ReadonlyMap<string, string>): Promise<void> {
    const turn = this.#last.then(async () => await this.#learn(set, texts));
    this.#last = turn.catch(() => undefined);
    await turn;
  }

  async #learn(set: string, texts: ReadonlyMap<string, string>): Promise<void> {
    if (this.#learnt.has(set)) return;
    const known = await this.#read();
    const others = [...texts].filter(([name, text]) => (known.get(`${MODEL}${name}`) ?? text) !== text);
    if (others.length > 0) {
      const names = others.map(([name]) => name).join(", ");
      throw new ScorefoldError(
        "model-changed",
        `${names}: another process of the application runs this version with other content; raise \`version\` in the ` +
          "changed file, or bring the old content back",
      );
    }
    const entries: (readonly [string, string])[] = [...texts].map(([name, text]) => [`${MODEL}${name}`, text]);
    // The set last: who finds it finds its models.
    entries.push([`${SET}${set}`, JSON.stringify([...texts.keys()])]);
    const missing = entries.filter(([key, value]) => known.get(key) !== value);
    if (missing.length > 0) await this.#write(missing);
    this.#learnt.add(set);
  }

  async #write(entries: readonly (readonly [key: string, value: string])[]): Promise<void> {
    const producer: Producer = this.#kafka.producer({ idempotent: true, allowAutoTopicCreation: false });
    try {
      await producer.connect();
      // One by one: a large model must not take others over what a broker takes at once.
      for (const [key, value] of entries)
        await producer.send({ topic: this.#topic, acks: -1, messages: [{ partition: 0, key, value }] });
    } catch (error) {
      throw kafkaError(error, `writing models to topic ${this.#topic}`);
    } finally {
      await producer.disconnect();
    }
  }

  async #read(): Promise<ReadonlyMap<string, string>> {
    const cluster = clusterOf(this.#kafka);
    const known = new Map<string, string>();
    const topic = this.#topic;
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
      throw kafkaError(error, `reading models from topic ${topic}`);
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
