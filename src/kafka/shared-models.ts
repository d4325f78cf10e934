/**
 * Models as every process of an application finds them: a compacted topic of one partition, with the text of each model
 * under `model/ID@VERSION`, and the names of a set under `set/ID`.
 */
import type { Kafka } from "kafkajs";
import { ScorefoldError } from "../errors.js";
import type { SharedModels, Topic } from "../stream/log.js";
import { CompactedTopic } from "./compacted-topic.js";

const MODEL = "model/";
const SET = "set/";

export class KafkaModels implements SharedModels {
  readonly #topic: CompactedTopic;
  /** Sets that the topic is known to have. */
  readonly #learnt = new Set<string>();
  /** One at a time: two that learn the same would both write it. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(kafka: Kafka, topic: Topic) {
    this.#topic = new CompactedTopic(kafka, topic);
  }

  async textsOf(set: string): Promise<ReadonlyMap<string, string> | null> {
    const known = await this.#topic.read();
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
    const known = await this.#topic.read();
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
    if (missing.length > 0) await this.#topic.write(missing);
    this.#learnt.add(set);
  }
}
