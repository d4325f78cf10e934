/** The answer to a fetch: what is read of batches, whole, cut off, aborted, emptied. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readFetchResponse } from "../../src/kafka/fetch-response.js";
import { bytesOf, head, response } from "./answers.js";
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

  it("refuses a codec that it does not know, by name", () => {
    const bytes = response([{ base: 0, values: ["a"] }]);
    const attributesAt = bytes.length - bytesOf({ base: 0, values: ["a"] }).length + 22;
    bytes[attributesAt] = 4;
    expect(() => read(bytes)).toThrow(/compressed with zstd/);
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
