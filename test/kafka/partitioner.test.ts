import fc from "fast-check";
import { expect, it } from "vitest";
import { kafkajs } from "../../src/kafka/kafkajs.js";
import { partitioner } from "../../src/kafka/partitioner.js";

it("murmur2 is where kafkajs, as the Java client, puts a key", () => {
  const theirs = kafkajs().kafkajs.Partitioners.DefaultPartitioner();
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), fc.integer({ min: 1, max: 64 }), (key, count) => {
      const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({ partitionId, leader: 1 }));
      const expected = theirs({
        topic: "t",
        message: { key, value: null },
        partitionMetadata: partitionMetadata as never,
      });
      expect(partitioner("murmur2", count)(key)).toBe(expected);
    }),
  );
});

// Hashes of well-known test vectors.
it("crc32 and fnv1a are what they are elsewhere", () => {
  const whole = 2 ** 31;
  expect(partitioner("crc32", 2 ** 32)("123456789")).toBe(0xcbf43926);
  expect(partitioner("fnv1a", whole)("")).toBe(-(0x811c9dc5 | 0));
  expect(partitioner("fnv1a", whole)("foobar")).toBe(-(0xbf9cf968 | 0));
});
