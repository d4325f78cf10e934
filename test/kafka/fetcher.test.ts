/** What a fetcher does with answers that one broker alone does not give. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../../src/kafka/cluster.js";
import { Fetcher } from "../../src/kafka/fetcher.js";
import type { FetchLimits } from "../../src/stream/log.js";
import { response } from "./answers.js";

const NOT_LEADER = 6;
const TOPIC_AUTHORIZATION_FAILED = 29;
const CORRUPT_MESSAGE = 2;
/** Where the offset of a topic's only partition stands in a request, from the length of its name of one letter on. */
const FROM_AFTER_TOPIC = 15;
const limits = { recordsMax: 100, bytesMax: 1e6, waitMs: 1000 };

/** What a broker of these was asked: topics in their order, from where the first, and how long it may wait. */
interface Asked {
  readonly topics: readonly string[];
  readonly from: number;
  readonly waitMs: number;
}

type Answers = (asked: Asked) => Buffer | Error | Promise<Buffer>;

/** A fetcher whose brokers answer so; topics are led by the brokers that are given for them. */
function fetcherOf(answers: Answers | (Buffer | Error)[], leaders: Readonly<Record<string, number>> = { t: 1 }) {
  const topics = Object.keys(leaders);
  const asked: Asked[] = [];
  const counts = { refreshed: 0, disconnected: 0 };
  const answer: Answers = Array.isArray(answers) ? () => answers.shift() ?? never() : answers;
  const send = async ({ request }: { request: { encode(): Promise<{ buffer: Buffer }> } }): Promise<Buffer> => {
    const { buffer } = await request.encode();
    const of = topics.filter((topic) => buffer.includes(`\0\x01${topic}`));
    const place = (topic: string): number => buffer.indexOf(`\0\x01${topic}`);
    of.sort((a, b) => place(a) - place(b));
    const from = Number(buffer.readBigInt64BE(place(of[0]!) + FROM_AFTER_TOPIC));
    const one = { topics: of, from, waitMs: buffer.readInt32BE(4) };
    asked.push(one);
    // As an answer over a network: never in the same turn.
    await new Promise((resolve) => setImmediate(resolve));
    const found = await answer(one);
    if (found instanceof Error) throw found;
    return found;
  };
  const broker = { connectionPool: { send }, disconnect: async () => void counts.disconnected++ };
  const cluster = {
    findTopicPartitionMetadata: (topic: string) => [{ partitionId: 3, leader: leaders[topic]! }],
    findBroker: async () => broker,
    refreshMetadata: async () => void counts.refreshed++,
  } as unknown as Cluster;
  const fetcher = new Fetcher(cluster, topics, 3, () => undefined);
  const fetchAll = async (from: Record<string, number> = {}, some: Partial<FetchLimits> = {}, signal?: AbortSignal) =>
    await fetcher.fetch(new Map(Object.entries(from)), { ...limits, ...some }, signal);
  const fetch = async (...rest: Parameters<typeof fetchAll>) => (await fetchAll(...rest))[0]!;
  return { fetcher, fetch, fetchAll, asked, counts };
}

async function never(): Promise<never> {
  return await new Promise(() => undefined);
}

/** The answer for another topic than `t`. */
function about(topic: string, answer: Buffer): Buffer {
  answer.write(topic, 16);
  return answer;
}

function errorOf(name: string, message = "no"): Error {
  return Object.assign(new Error(message), { name });
}

describe("Fetcher", () => {
  it("asks again where a leader has moved or a connection is gone, and learns who leads now", async () => {
    const records = response([{ base: 0, values: ["a"] }]);
    const { fetch, counts } = fetcherOf([response([], [], 0, NOT_LEADER), new Error("closed"), records]);
    const { records: found, next } = await fetch();
    expect([found.map(({ value }) => String(value)), next]).toEqual([["a"], 1]);
    expect(counts.refreshed).toBe(2);
  });

  it("begins with the batch that it knows after an error, and gives none of it twice", async () => {
    const [known, next] = [
      { base: 0, values: ["a", "b"] },
      { base: 2, values: ["c"] },
    ];
    const { fetch, asked } = fetcherOf([response([known]), new Error("closed"), response([known, next])]);
    const first = await fetch();
    expect(first.marks).toMatchObject([{ base: 0, count: 2 }]);
    const second = await fetch({ t: 2 });
    expect([second.records.map(({ value }) => String(value)), second.next]).toEqual([["c"], 3]);
    expect(second.marks).toMatchObject([{ base: 2, count: 1 }]);
    expect(asked.slice(0, 3).map(({ from }) => from)).toEqual([0, 2, 0]);
  });

  it("takes nothing behind another batch than it knows", async () => {
    const known = { base: 0, values: ["a", "b"] };
    const next = { base: 2, values: ["c"] };
    const { fetch } = fetcherOf([
      response([known]),
      response([], [], 0, NOT_LEADER),
      response([{ base: 0, values: ["x", "y"] }, next]),
    ]);
    await fetch();
    await expect(fetch({ t: 2 })).rejects.toMatchObject({
      code: "log-failed",
      message: "topic t, partition 3: at offset 0 there is something else than was read from it",
    });
  });

  it("looks for the batch below a position before it takes the first records behind it", async () => {
    const known = { base: 0, values: ["a", "b"] };
    const mark = { base: 0, count: 2, at: 1, checksum: 1 };
    const { fetcher, asked } = fetcherOf([response([known, { base: 2, values: ["c"] }])]);
    const fetching = fetcher.fetch(new Map([["t", 2]]), limits, undefined, new Map([["t", mark]]));
    await expect(fetching).rejects.toMatchObject({ code: "log-failed" });
    expect(asked[0]!.from).toBe(0);
  });

  it("tells what asking again would not change", async () => {
    for (const [code, name] of [
      [TOPIC_AUTHORIZATION_FAILED, "TOPIC_AUTHORIZATION_FAILED"],
      [CORRUPT_MESSAGE, "CORRUPT_MESSAGE"],
    ] as const) {
      const { fetch } = fetcherOf([response([], [], 0, code)]);
      await expect(fetch()).rejects.toMatchObject({
        code: "log-failed",
        message: expect.stringContaining(`topic t, partition 3: the broker answers a fetch with ${name}`),
      });
    }
    const packed = response([{ base: 0, values: ["a"], codec: [3, () => Buffer.from("no such frame")] }]);
    await expect(fetcherOf([packed]).fetch()).rejects.toMatchObject({
      code: "log-failed",
      message: "the batch at offset 0 of topic t, partition 3, can't be unpacked with lz4: there is no LZ4 frame",
    });
  });

  it("tells at once where it is not let in", async () => {
    const { fetch, counts } = fetcherOf([errorOf("KafkaJSSASLAuthenticationError")]);
    await expect(fetch()).rejects.toMatchObject({
      code: "config-invalid",
      message: expect.stringMatching(/^a fetch of topic t, partition 3: no; check the SASL mechanism/),
    });
    expect(counts.refreshed).toBe(0);
  });

  it("tells when a partition can't be read for long, whoever else answers", async () => {
    let tries = 0;
    const { fetchAll } = fetcherOf(
      async ({ topics: [topic] }) => {
        if (topic === "u") return about("u", response([]));
        tries += 1;
        return tries % 2 === 0 ? response([], [], 0, NOT_LEADER) : Promise.reject(new Error("closed"));
      },
      { t: 1, u: 2 },
    );
    await expect(fetchAll({}, { waitMs: 60_000 })).rejects.toMatchObject({
      code: "log-failed",
      message: "a fetch of topic t, partition 3: closed",
    });
    expect(tries).toBe(9);
  });

  it("gives up a connection that nothing comes from", async () => {
    const { fetch, counts } = fetcherOf([
      errorOf("KafkaJSRequestTimeoutError"),
      response([{ base: 0, values: ["a"] }]),
    ]);
    expect((await fetch()).next).toBe(1);
    expect(counts.disconnected).toBe(1);
  });

  it("ends when it is closed, and asks nobody any more, whether a broker ever answered or not", async () => {
    const silent = fetcherOf([]);
    const waiting = silent.fetch();
    const closed = errorIn(waiting);
    silent.fetcher.close();
    expect(await closed).toMatchObject({ code: "stopping" });
    await expect(silent.fetch()).rejects.toMatchObject({ code: "stopping" });
    expect(silent.asked).toHaveLength(1);

    const failing = fetcherOf(() => new Error("closed"));
    const failed = errorIn(failing.fetch());
    await expect.poll(() => failing.asked.length).toBeGreaterThan(0);
    const { refreshed } = failing.counts;
    await failing.fetcher.close();
    const { length } = failing.asked;
    expect(await failed).toMatchObject({ code: "stopping" });
    expect(failing.asked).toHaveLength(length);
    expect(failing.counts.refreshed).toBe(refreshed);
  });

  it("ends when it is no longer wanted, and then does not say that there is no more", async () => {
    const { fetch } = fetcherOf([]);
    const stop = new AbortController();
    const found = fetch({ t: 7 }, {}, stop.signal);
    stop.abort();
    expect(await found).toMatchObject({ topic: "t", records: [], next: 7, end: 8, high: 0 });
    expect(await fetch({ t: 7 }, {}, stop.signal)).toMatchObject({ end: 8 });
  });

  it("puts each topic first in its turn, since a broker may have room for the first one only", async () => {
    const answers = [response([]), response([]), response([])];
    const { fetch, asked } = fetcherOf(() => answers.shift() ?? never(), { t: 1, u: 1, v: 1 });
    const stop = new AbortController();
    const found = fetch({}, { waitMs: 60_000 }, stop.signal);
    await expect.poll(() => asked.length).toBe(4);
    stop.abort();
    await found;
    expect(new Set(asked.slice(0, 3).map(({ topics }) => topics[0]))).toEqual(new Set(["t", "u", "v"]));
  });

  it("does not ask for what it has enough of, nor waits for others then", async () => {
    const many = Array.from({ length: 24_000 }, (_, i) => `v${i}`);
    const answers = [response([{ base: 0, values: many }]), about("u", response([]))];
    const { fetchAll, asked } = fetcherOf(() => answers.shift() ?? never(), { t: 1, u: 1 });
    const found = fetchAll({}, { recordsMax: 1 });
    await expect.poll(() => asked.length).toBe(3);
    expect(asked.map(({ topics, waitMs }) => [[...topics].sort(), waitMs])).toEqual([
      [["t", "u"], 500],
      [["u"], 20],
      [["u"], 20],
    ]);
    expect((await found)[0]!.records).toHaveLength(1);
  });

  it("asks ahead where there is more, and at the end only when it is called again", async () => {
    const asksAhead = async (end: number): Promise<boolean> => {
      const { fetch, asked } = fetcherOf([response([{ base: 0, values: ["a"] }], [], 0, 0, end)]);
      expect((await fetch()).next).toBe(1);
      for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
      return asked.length > 1;
    };
    expect([await asksAhead(1), await asksAhead(2)]).toEqual([false, true]);
  });

  it("takes what all brokers have at the end, not the few records that one has told of in between", async () => {
    const logs: Record<string, string[]> = { t: ["a"], u: [] };
    const waiting = new Map<string, () => void>();
    const known = new Set<string>();
    const { fetchAll } = fetcherOf(
      async ({ topics: [topic], waitMs, from }) => {
        const isThere = (): boolean => logs[topic!]!.length > from;
        // The end of a topic is told at once.
        if (!isThere() && waitMs > 0 && known.has(topic!)) await new Promise<void>((go) => waiting.set(topic!, go));
        known.add(topic!);
        const values = logs[topic!]!.slice(from);
        const batches = values.length === 0 ? [] : [{ base: from, values }];
        return about(topic!, response(batches, [], 0, 0, logs[topic!]!.length));
      },
      { t: 1, u: 2 },
    );
    const valuesFrom = async (t: number, u: number): Promise<string[][]> =>
      (await fetchAll({ t, u })).map(({ records }) => records.map(({ value }) => String(value)));
    expect(await valuesFrom(0, 0)).toEqual([["a"], []]);
    const both = valuesFrom(1, 0);
    await expect.poll(() => waiting.size).toBe(2);
    logs["t"]!.push("b");
    waiting.get("t")!();
    expect(await both).toEqual([["b"], []]);
    // Of these `u` tells the first, as it was asked to.
    logs["u"]!.push("x");
    waiting.get("u")!();
    for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
    logs["t"]!.push("c", "d");
    logs["u"]!.push("y");
    expect(await valuesFrom(2, 0)).toEqual([
      ["c", "d"],
      ["x", "y"],
    ]);
  });

  it("does not wait for long for what has come since", async () => {
    const some = response([{ base: 0, values: ["a", "b", "c"] }], [], 0, 0, 3);
    const { fetch, asked } = fetcherOf([some]);
    expect((await fetch({}, { recordsMax: 1 })).records).toHaveLength(1);
    expect((await fetch({ t: 1 })).records).toHaveLength(2);
    expect(asked.map(({ waitMs }) => waitMs)).toEqual([500, 0]);
  });

  it("lets go of what it has given, also where it never runs out of records", async () => {
    let base = 0;
    const { fetch } = fetcherOf(() => {
      base += 2;
      return response([{ base: base - 2, values: ["a", "b"] }]);
    });
    const given: WeakRef<object>[] = [];
    let from = 0;
    for (let i = 0; i < 50; i++) {
      const { records, next } = await fetch({ t: from }, { recordsMax: 1 });
      from = next;
      given.push(new WeakRef(records[0]!));
      // The next ones come before these are at their end.
      for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
    }
    await collected();
    expect(given.filter((one) => one.deref() !== undefined).length).toBeLessThan(10);
    // It is still there itself, and so is what it has.
    expect((await fetch({ t: from }, { recordsMax: 1 })).records).toHaveLength(1);
  });
});

async function errorIn(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => null,
    (error: unknown) => error,
  );
}

async function collected(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // A reference that was made or read is kept to the end of its turn.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
}
