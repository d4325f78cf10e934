/** Of which topic, partition and broker an error is, is in the error. */
import { describe, expect, it } from "vitest";
import { namedErrors } from "../../../src/kafka/patches/named-errors.js";
import type { Patch } from "../../../src/kafka/patches/patch.js";
import { copyOfKafkajs } from "./copies.js";

interface Response {
  parse(decoded: unknown): Promise<unknown>;
}

const UNKNOWN_TOPIC = 3;
const MESSAGE_TOO_LARGE = 10;
const TOPIC_AUTHORIZATION_FAILED = 29;
const OPERATION_NOT_ATTEMPTED = 55;

async function errorOf(patches: readonly Patch[], file: string, answer: object): Promise<object> {
  const { load } = copyOfKafkajs(patches);
  const response = load(`src/protocol/requests/${file}/response.js`) as Response;
  const error = await response.parse(answer).catch((own: unknown) => own);
  const { type, topic, partition } = error as { type?: string; topic?: string; partition?: number };
  return { type, topic, partition };
}

/** As the client has decoded them, by the versions that it asks for. */
const refused: [string, object, object][] = [
  [
    "produce/v7",
    {
      topics: [
        { topicName: "a", partitions: [{ partition: 0, errorCode: 0 }] },
        { topicName: "b", partitions: [{ partition: 4, errorCode: MESSAGE_TOO_LARGE }] },
      ],
    },
    { type: "MESSAGE_TOO_LARGE", topic: "b", partition: 4 },
  ],
  [
    "metadata/v6",
    {
      topicMetadata: [
        { topic: "a", topicErrorCode: 0, partitionMetadata: [] },
        { topic: "gone", topicErrorCode: UNKNOWN_TOPIC, partitionMetadata: [] },
      ],
    },
    { type: "UNKNOWN_TOPIC_OR_PARTITION", topic: "gone", partition: null },
  ],
  [
    "addPartitionsToTxn/v1",
    {
      errors: [
        { topic: "beside", partitionErrors: [{ partition: 0, errorCode: OPERATION_NOT_ATTEMPTED }] },
        { topic: "denied", partitionErrors: [{ partition: 1, errorCode: TOPIC_AUTHORIZATION_FAILED }] },
      ],
    },
    { type: "TOPIC_AUTHORIZATION_FAILED", topic: "denied", partition: 1 },
  ],
  [
    "offsetFetch/v4",
    {
      errorCode: 0,
      responses: [{ topic: "denied", partitions: [{ partition: 2, errorCode: TOPIC_AUTHORIZATION_FAILED }] }],
    },
    { type: "TOPIC_AUTHORIZATION_FAILED", topic: "denied", partition: 2 },
  ],
];

describe("an answer with an error", () => {
  it.each(refused)("of %s is named", async (file, answer, told) => {
    expect(await errorOf(namedErrors, file, answer)).toEqual(told);
    expect(await errorOf([], file, answer)).not.toEqual(told);
  });

  it("without one is as it is", async () => {
    const { load } = copyOfKafkajs(namedErrors);
    const answer = { topics: [{ topicName: "a", partitions: [{ partition: 0, errorCode: 0 }] }] };
    const response = load("src/protocol/requests/produce/v7/response.js") as Response;
    expect(await response.parse(answer)).toBe(answer);
  });
});
