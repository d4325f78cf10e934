/** The answer to a fetch: what is read of batches, whole, cut off, aborted, emptied. */
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { snappyCompress } from "hysnappy";
import { compressFrameSync } from "lz4-napi";
import { beforeAll, describe, expect, it } from "vitest";
import { loadCodecs } from "../../src/kafka/compression.js";
import { readFetchResponse } from "../../src/kafka/fetch-response.js";
import { bytesOf, head, response, sealed } from "./answers.js";
import { copyOfKafkajs } from "./patches/copies.js";

function read(bytes: Buffer, from = 0): { values: string[]; offsets: number[]; next: number | null } {
  const [partition] = readFetchResponse(bytes, () => from);
  expect(partition).toMatchObject({
    topic: "t",
    partition: 3,
    errorCode: 0,
    highWatermark: 1000,
    lastStableOffset: 900,
    logStartOffset: 2,
  });
  const { records, next } = partition!;
  return { values: records.map(({ value }) => String(value)), offsets: records.map(({ offset }) => offset), next };
}

const packs: readonly (readonly [codec: number, pack: (records: Buffer) => Buffer])[] = [
  [0, (records) => records],
  [1, gzipSync],
  [2, (records) => Buffer.from(snappyCompress(records))],
  [3, compressFrameSync],
  [4, zstdOf],
];

/** One block, as it is. */
function zstdOf(records: Buffer): Buffer {
  const block = Buffer.alloc(3);
  block.writeUIntLE(8 * records.length + 1, 0, 3);
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58]), block, records]);
}

beforeAll(loadCodecs);

describe("readFetchResponse", () => {
  it("gives what was written, from the offset that was asked for on", () => {
    const bytes = response([
      { base: 10, values: ["a", "b\u00e9"] },
      { base: 12, values: ["c"] },
    ]);
    expect(read(bytes)).toEqual({ values: ["a", "b\u00e9", "c"], offsets: [10, 11, 12], next: 13 });
    expect(read(bytes, 11)).toEqual({ values: ["b\u00e9", "c"], offsets: [11, 12], next: 13 });
    const { records } = readFetchResponse(bytes, () => 0)[0]!;
    expect(records.map(({ timestamp, key }) => [timestamp - head.now, String(key)])).toEqual([
      [0, "k0"],
      [1, "k1"],
      [0, "k0"],
    ]);
  });

  it("leaves out a batch that is cut off, wherever it is", () => {
    const batches = [
      { base: 0, values: ["a"] },
      { base: 1, values: ["b", "c"] },
    ];
    const last = bytesOf(batches[1]!).length;
    for (let cut = 1; cut <= last; cut++)
      expect(read(response(batches, [], cut))).toEqual({ values: ["a"], offsets: [0], next: 1 });
    expect(read(response([]))).toEqual({ values: [], offsets: [], next: null });
  });

  it("goes past a batch that compaction has emptied, and past marks", () => {
    expect(read(response([{ base: 5, values: [], emptied: 7 }]), 5)).toEqual({ values: [], offsets: [], next: 12 });
    const mark = { base: 6, values: [], producer: 1, isMark: true };
    expect(read(response([{ base: 5, values: ["a"], producer: 1 }, mark]))).toMatchObject({ values: ["a"], next: 7 });
  });

  it("leaves out aborted records: lists in any order, several at once, up to the mark, and no others", () => {
    const batches = [
      { base: 0, values: ["x"], producer: 1 },
      { base: 1, values: ["y"], producer: 2 },
      { base: 2, values: ["a"] },
      { base: 3, values: ["b"], producer: 3 },
      { base: 4, values: [], producer: 1, isMark: true },
      { base: 5, values: ["c"], producer: 1 },
      { base: 6, values: ["z"], producer: 2 },
      { base: 7, values: [], producer: 2, isMark: true },
      { base: 8, values: [], producer: 1, isMark: true },
      { base: 9, values: ["d"], producer: 2 },
    ];
    for (const aborted of [
      [
        [1, 0],
        [2, 1],
      ],
      [
        [2, 1],
        [1, 0],
      ],
    ] as const)
      expect(read(response(batches, aborted)).values).toEqual(["a", "b", "c", "d"]);
  });

  it("does not take a record whose key is four zero bytes for a mark", () => {
    const batches = [
      { base: 0, values: ["x"], producer: 1 },
      { base: 1, values: ["y"], producer: 1, key: Buffer.alloc(4) },
      { base: 2, values: ["z"], producer: 1 },
    ];
    expect(read(response(batches, [[1, 0]])).values).toEqual([]);
  });

  it.each(packs)("reads batches of codec %i, and of others beside them", (...codec) => {
    const batches = [
      { base: 3, values: ["a", "b\u00e9"], codec },
      { base: 5, values: ["c"] },
      { base: 6, values: ["d"], codec },
    ];
    expect(read(response(batches), 4)).toEqual({ values: ["b\u00e9", "c", "d"], offsets: [4, 5, 6], next: 7 });
  });

  it("says where a codec is that it does not know", () => {
    const bytes = response([{ base: 7, values: ["a"], codec: [5, (records) => records] }]);
    expect(() => read(bytes, 7)).toThrow(
      "the batch at offset 7 of topic t, partition 3, is compressed with codec 5, which is not known",
    );
  });

  it.each(packs)("says where a batch is damaged, whatever is: codec %i", (...codec) => {
    const whole = bytesOf({ base: 7, values: ["a", "b"], codec });
    fc.assert(
      fc.property(fc.integer({ min: 8 * 8, max: 8 * whole.length - 1 }), (bit) => {
        const at = bit >> 3;
        // The leader's epoch is of no use here, and not in the checksum.
        fc.pre(at < 12 || at >= 16);
        const damaged = Buffer.from(whole);
        damaged[at]! ^= 1 << (bit & 7);
        const place = "the batch at offset 7 of topic t, partition 3,";
        expect(() => read(response([damaged]), 7)).toThrow(expect.objectContaining({ code: "log-failed" }));
        expect(() => read(response([damaged]), 7)).toThrow(place);
        // What is before it is given first.
        expect(read(response([{ base: 5, values: ["x"] }, damaged]))).toMatchObject({ values: ["x"], next: 6 });
      }),
    );
  });

  it("refuses a first batch that is cut off: it would be so for ever", () => {
    const { length } = bytesOf({ base: 7, values: ["a"] });
    for (const left of [1, 20, 61, length - 1])
      expect(() => read(response([{ base: 7, values: ["a"] }], [], length - left), 7)).toThrow(
        /partition 3, is cut off$/,
      );
  });

  it("refuses offsets that go back, and formats of other times", () => {
    const batches = [
      { base: 5, values: ["a", "b"] },
      { base: 6, values: ["c"] },
    ];
    expect(read(response(batches))).toEqual({ values: ["a", "b"], offsets: [5, 6], next: 7 });
    const old = bytesOf(batches[0]!);
    old[16] = 1;
    expect(() => read(response([old]))).toThrow("is of format 1; write it anew with a client of Kafka 0.11 or later");
  });

  it.each(packs)("refuses records that are not as their batch says: codec %i", (codec, pack) => {
    const twisted = (twist: (records: Buffer) => Buffer) =>
      response([{ base: 0, values: ["abc", "def"], codec: [codec, (records) => pack(twist(records))] }]);
    expect(read(twisted((records) => records)).values).toEqual(["abc", "def"]);
    for (const twist of [
      (records: Buffer) => records.subarray(0, -1),
      (records: Buffer) => Buffer.concat([records, Buffer.alloc(1)]),
      // A record, and then a key, that would go beyond the end.
      (records: Buffer) => Buffer.concat([Buffer.from([0x7e]), records.subarray(1)]),
      (records: Buffer) => Buffer.concat([records.subarray(0, 4), Buffer.from([0x7e]), records.subarray(5)]),
    ])
      expect(() => read(twisted(twist))).toThrow(/partition 3, has other records than it says/);
    const more = bytesOf({ base: 0, values: ["a"], codec: [codec, pack] });
    more.writeInt32BE(2 ** 31 - 1, 57);
    expect(() => read(response([sealed(more)]))).toThrow("has other records than it says");
  });

  it("unpacks so much of an answer, and leaves the rest of it for the next", () => {
    const value = "v".repeat(9_000_000);
    const codec = [1, gzipSync] as const;
    const batches = [0, 1, 2, 3].map((base) => ({ base, values: [value], codec }));
    expect(read(response(batches))).toMatchObject({ offsets: [0, 1], next: 2 });
    expect(read(response(batches.slice(2)))).toMatchObject({ offsets: [2, 3], next: 4 });
  });

  it("reads what the client itself reads", async () => {
    const { load } = copyOfKafkajs([]);
    const { decode } = load("src/protocol/requests/fetch/v11/response.js") as {
      decode: (bytes: Buffer) => Promise<{
        responses: {
          partitions: { messages: { offset: string; timestamp: string; key: Buffer; value: Buffer }[] }[];
        }[];
      }>;
    };
    const batch = fc.record({ values: fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 9 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { maxLength: 5 }), fc.nat(2 ** 40), async (some, start) => {
        let base = start;
        const batches = some.map(({ values }) => {
          base += values.length;
          return { base: base - values.length, values };
        });
        const bytes = response(batches);
        const { messages } = (await decode(bytes)).responses[0]!.partitions[0]!;
        const { records } = readFetchResponse(bytes, () => 0)[0]!;
        expect(records.map(({ offset, timestamp, key, value }) => ({ offset, timestamp, key, value }))).toEqual(
          messages.map(({ offset, timestamp, key, value }) => ({
            offset: Number(offset),
            timestamp: Number(timestamp),
            key,
            value,
          })),
        );
      }),
    );
  });
});
