/** What is sent is the same, byte for byte, as what kafkajs sends without its corrections. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32c } from "../../../src/kafka/patches/crc32c.js";
import { groupByPartition } from "../../../src/kafka/patches/group-by-partition.js";
import { produceRequest } from "../../../src/kafka/patches/produce-request.js";
import { copyOfKafkajs } from "./copies.js";

interface Encoder {
  readonly buffer: Buffer;
}
interface Request {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly apiName: string;
  readonly encode: () => Promise<Encoder>;
  readonly expectResponse: () => boolean;
}

const file = "src/protocol/requests/produce/v7/request.js";
const plain = copyOfKafkajs([]);
const corrected = copyOfKafkajs([groupByPartition, produceRequest]);
const [plainRequest, leanRequest] = [plain, corrected].map(
  ({ load }) => load(file) as (request: object) => Request,
) as [(request: object) => Request, (request: object) => Request];

const text = fc.oneof(fc.string({ unit: "binary" }), fc.string());
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((own) => Buffer.from(own)),
  text,
);
const instant = fc.integer({ min: 1_000_000_000_000, max: 1_999_999_999_999 });

function messages() {
  const message = fc.record(
    {
      key: fc.option(bytes),
      value: fc.option(bytes),
      headers: fc.dictionary(
        text.filter((name) => name !== "__proto__"),
        fc.oneof(bytes, fc.array(bytes, { maxLength: 3 })),
        { maxKeys: 3 },
      ),
    },
    { requiredKeys: ["value"] },
  );
  // kafkajs sorts timestamps as text, so all have as many digits here.
  return fc
    .tuple(fc.array(fc.tuple(message, instant), { minLength: 1, maxLength: 20 }), fc.boolean())
    .map(([all, asText]) => all.map(([own, at]) => ({ ...own, timestamp: asText ? String(at) : at })));
}

const requests = fc.record({
  acks: fc.constantFrom(-1, 1, 0),
  timeout: fc.nat(),
  transactionalId: fc.option(text),
  producerId: fc.oneof(fc.constant(-1), fc.nat(), fc.bigInt({ min: 0n, max: 2n ** 62n }).map(String)),
  producerEpoch: fc.nat(30_000),
  topicData: fc.array(
    fc.record({
      topic: fc.string(),
      partitions: fc.array(
        fc.record({ partition: fc.nat(), firstSequence: fc.nat(2 ** 31 - 1), messages: messages() }),
        { maxLength: 3 },
      ),
    }),
    { maxLength: 3 },
  ),
});

describe("a produce request", () => {
  it("is the same bytes as without the correction", async () => {
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        const [a, b] = [plainRequest(request), leanRequest(request)];
        expect([b.apiKey, b.apiVersion, b.apiName]).toEqual([a.apiKey, a.apiVersion, a.apiName]);
        expect(b.expectResponse()).toBe(a.expectResponse());
        const [wanted, found] = [(await a.encode()).buffer, (await b.encode()).buffer];
        expect(found.toString("hex")).toBe(wanted.toString("hex"));
      }),
      { numRuns: 300 },
    );
  });

  it("has the instant of now where a message has none", async () => {
    const topicData = [{ topic: "t", partitions: [{ partition: 0, messages: [{ key: "k", value: "v" }] }] }];
    const request = { acks: -1, timeout: 1, topicData };
    const earliest = Date.now();
    const { buffer } = await leanRequest(request).encode();
    const wanted = (await plainRequest(request).encode()).buffer;
    expect(buffer.length).toBe(wanted.length);
    const at = wanted.length - 61 - 9 + 27;
    const instantOf = (own: Buffer): number => Number(own.readBigInt64BE(at));
    expect(instantOf(wanted)).toBeGreaterThanOrEqual(earliest);
    expect(instantOf(buffer)).toBeGreaterThanOrEqual(earliest);
    expect(instantOf(buffer)).toBeLessThanOrEqual(Date.now());
  });

  it("is compressed as before", async () => {
    const partitions = [
      { partition: 1, messages: [{ key: "k", value: "v".repeat(1000), timestamp: "1700000000000" }] },
    ];
    const request = { acks: -1, timeout: 1, compression: 1, topicData: [{ topic: "t", partitions }] };
    expect((await leanRequest(request).encode()).buffer).toEqual((await plainRequest(request).encode()).buffer);
  });
});

describe("messages of a partition", () => {
  type Group = (of: object) => Record<string, object[]>;
  const path = "src/producer/groupMessagesPerPartition.js";
  const [slow, quick] = [plain.load(path) as Group, corrected.load(path) as Group];

  it("are the same as without the correction, without asking where the partition is named", () => {
    const named = fc.array(fc.record({ value: fc.nat(), partition: fc.nat(4) }));
    fc.assert(
      fc.property(named, fc.array(fc.nat()), (some, others) => {
        const partitioner = ({ message }: { message: { value: number; partition?: number } }): number =>
          message.partition ?? message.value % 5;
        const all = [...some, ...others.map((value) => ({ value }))];
        const given = { topic: "t", partitionMetadata: [{}], messages: all, partitioner };
        expect(quick(given)).toEqual(slow(given));
        expect(quick({ ...given, partitionMetadata: [] })).toEqual({});
      }),
    );
    let asked = 0;
    const partitioner = (): number => asked++;
    quick({ topic: "t", partitionMetadata: [{}], messages: [{ partition: 3 }, { partition: 0 }], partitioner });
    expect(asked).toBe(0);
  });
});

describe("crc32c", () => {
  it("is that of RFC 3720", () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  });

  it("is the client's own, wherever it begins and ends", () => {
    const slow = plain.load("src/protocol/recordBatch/crc32C/index.js") as (bytes: Uint8Array) => number;
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(20), (own, from) => {
        const start = Math.min(from, own.length);
        expect(crc32c(own, start)).toBe(slow(own.subarray(start)));
      }),
    );
  });
});
