/** What a fetcher does with answers that one broker alone does not give. */
import { describe, expect, it } from "vitest";
import type { Cluster } from "../../src/kafka/cluster.js";
import { Fetcher } from "../../src/kafka/fetcher.js";
import { response } from "./answers.js";

const NOT_LEADER = 6;
const TOPIC_AUTHORIZATION_FAILED = 29;
const CORRUPT_MESSAGE = 2;
const limits = { recordsMax: 100, bytesMax: 1e6, waitMs: 1000 };

/** A fetcher whose broker gives these answers, and then no more. */
function fetcherOf(answers: (Buffer | Error)[]) {
  let refreshed = 0;
  const send = async (): Promise<Buffer> => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer ?? (await new Promise<never>(() => undefined));
  };
  const cluster = {
    findTopicPartitionMetadata: () => [{ partitionId: 3, leader: 1 }],
    findBroker: async () => ({ connectionPool: { send } }),
    refreshMetadata: async () => void refreshed++,
  } as unknown as Cluster;
  const fetcher = new Fetcher(cluster, ["t"], 3, () => undefined);
  const fetch = async () => (await fetcher.fetch(new Map([["t", 0]]), limits, new AbortController().signal))[0]!;
  return { fetch, refreshed: () => refreshed };
}

describe("Fetcher", () => {
  it("asks again where a leader has moved or a connection is gone, and learns who leads now", async () => {
    const records = response([{ base: 0, values: ["a"] }]);
    const { fetch, refreshed } = fetcherOf([response([], [], 0, NOT_LEADER), new Error("closed"), records]);
    const { records: found, next } = await fetch();
    expect([found.map(({ value }) => String(value)), next]).toEqual([["a"], 1]);
    expect(refreshed()).toBe(2);
  });

  it("tells what asking again would not change", async () => {
    for (const code of [TOPIC_AUTHORIZATION_FAILED, CORRUPT_MESSAGE]) {
      const { fetch } = fetcherOf([response([], [], 0, code)]);
      await expect(fetch()).rejects.toMatchObject({
        code: "log-failed",
        message: expect.stringContaining(`error ${code}`),
      });
    }
    const packed = response([{ base: 0, values: ["a"], codec: [3, () => Buffer.from("no such frame")] }]);
    await expect(fetcherOf([packed]).fetch()).rejects.toMatchObject({
      code: "log-failed",
      message: "the batch at offset 0 of topic t, partition 3, can't be unpacked with lz4: there is no LZ4 frame",
    });
  });
});
