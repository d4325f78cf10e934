/**
 * The ids of topics: one that was deleted and made anew has its old name and another id. kafkajs asks for metadata in a
 * version that does not have them, so they are asked for here.
 *
 * Source: https://kafka.apache.org/protocol.html#The_Messages_Metadata (version 11, which has a flexible layout)
 */
import type { Topic } from "../stream/log.js";
import type { Broker, Cluster } from "./cluster.js";
import { kafkaError } from "./errors.js";
import { kafkajs } from "./kafkajs.js";

const METADATA = { apiKey: 3, apiName: "Metadata", apiVersion: 11 };
const ID_BYTES = 16;

/** @returns by name; nothing where the brokers are older than Kafka 2.8. @throws ScorefoldError `log-failed` */
export async function topicIds(cluster: Cluster, topics: readonly Topic[]): Promise<ReadonlyMap<Topic, string>> {
  try {
    await cluster.addMultipleTargetTopics(topics);
    const broker = await cluster.findControllerBroker();
    if ((broker.versions?.[METADATA.apiKey]?.maxVersion ?? 0) < METADATA.apiVersion) return new Map();
    return readIds(await ask(broker, topics));
  } catch (error) {
    throw kafkaError(error, "the ids of topics");
  }
}

async function ask(broker: Broker, topics: readonly Topic[]): Promise<Buffer> {
  const Encoder = kafkajs().load("src/protocol/encoder.js") as new () => { writeBuffer(bytes: Buffer): unknown };
  const request = { ...METADATA, encode: async () => new Encoder().writeBuffer(encode(topics)) };
  const bytes = await broker.connectionPool.send({
    request,
    response: { decode: async (own) => own, parse: async (own) => own },
  });
  return bytes as Buffer;
}

function encode(topics: readonly Topic[]): Buffer {
  const NO_TAGS = Buffer.from([0]);
  const parts: Buffer[] = [NO_TAGS, unsigned(topics.length + 1)];
  for (const topic of topics) {
    const name = Buffer.from(topic);
    parts.push(Buffer.alloc(ID_BYTES), unsigned(name.length + 1), name, NO_TAGS);
  }
  // No topic is to be made, and nobody asks who may do what.
  parts.push(Buffer.from([0, 0]), NO_TAGS);
  return Buffer.concat(parts);
}

function readIds(bytes: Buffer): ReadonlyMap<Topic, string> {
  const reader = new FlexibleReader(bytes);
  reader.tags();
  reader.pass(4);
  for (let left = reader.count(); left > 0; left--) {
    reader.pass(4);
    reader.text();
    reader.pass(4);
    reader.text();
    reader.tags();
  }
  reader.text();
  reader.pass(4);
  const ids = new Map<Topic, string>();
  for (let left = reader.count(); left > 0; left--) {
    const isThere = reader.pass(2).readInt16BE() === 0;
    const name = reader.text();
    const id = reader.pass(ID_BYTES).toString("base64url");
    if (isThere) ids.set(name, id);
    reader.pass(1);
    for (let partitions = reader.count(); partitions > 0; partitions--) {
      reader.pass(2 + 3 * 4);
      for (let lists = 3; lists > 0; lists--) reader.pass(4 * reader.count());
      reader.tags();
    }
    reader.pass(4);
    reader.tags();
  }
  return ids;
}

class FlexibleReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  pass(count: number): Buffer {
    this.#at += count;
    if (this.#at > this.#bytes.length) throw new RangeError("the broker's answer is cut off");
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  unsigned(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.pass(1)[0] as number;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  /** Of a list; none where there is no list. */
  count(): number {
    return Math.max(0, this.unsigned() - 1);
  }

  text(): string {
    return this.pass(this.count()).toString();
  }

  tags(): void {
    for (let left = this.unsigned(); left > 0; left--) {
      this.unsigned();
      this.pass(this.unsigned());
    }
  }
}

function unsigned(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return Buffer.from([...bytes, value]);
}
