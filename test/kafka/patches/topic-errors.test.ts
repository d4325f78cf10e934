/** Why a broker makes no topic is in the error. */
import { describe, expect, it } from "vitest";
import type { Patch } from "../../../src/kafka/patches/patch.js";
import { topicErrors } from "../../../src/kafka/patches/topic-errors.js";
import { copyOfKafkajs } from "./copies.js";

interface Response {
  decode(bytes: Buffer): Promise<unknown>;
  parse(decoded: unknown): Promise<unknown>;
}

const INVALID_CONFIG = 40;
const INVALID_PARTITIONS = 37;

/** As version 3 has it on the wire. */
function answer(topics: readonly (readonly [name: string, code: number, message: string | null])[]): Buffer {
  const text = (value: string | null): Buffer => {
    const bytes = Buffer.from(value ?? "");
    const length = Buffer.alloc(2);
    length.writeInt16BE(value === null ? -1 : bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const head = Buffer.alloc(8);
  head.writeInt32BE(topics.length, 4);
  const parts = topics.flatMap(([name, code, message]) => {
    const number = Buffer.alloc(2);
    number.writeInt16BE(code);
    return [text(name), number, text(message)];
  });
  return Buffer.concat([head, ...parts]);
}

async function errorsOf(patches: readonly Patch[], bytes: Buffer): Promise<unknown[]> {
  const { load } = copyOfKafkajs(patches);
  const response = load("src/protocol/requests/createTopics/v3/response.js") as Response;
  try {
    await response.parse(await response.decode(bytes));
    return [];
  } catch (error) {
    const { errors } = error as { errors: readonly { topic: string; type: string; message: string }[] };
    return errors.map(({ topic, type, message }) => [topic, type, message]);
  }
}

describe("a topic that a broker does not make", () => {
  const bytes = answer([
    ["a", INVALID_CONFIG, "Unknown topic config name: x"],
    ["b", 0, null],
    ["c", INVALID_PARTITIONS, null],
  ]);

  it("has no reason without the correction", async () => {
    expect(await errorsOf([], bytes)).toEqual([
      ["a", "INVALID_CONFIG", "Configuration is invalid"],
      ["c", "INVALID_PARTITIONS", "Number of partitions is invalid"],
    ]);
  });

  it("has the broker's with it, where it gives one", async () => {
    expect(await errorsOf([topicErrors], bytes)).toEqual([
      ["a", "INVALID_CONFIG", "Unknown topic config name: x"],
      ["c", "INVALID_PARTITIONS", "Number of partitions is invalid"],
    ]);
    expect(await errorsOf([topicErrors], answer([["b", 0, null]]))).toEqual([]);
  });
});
