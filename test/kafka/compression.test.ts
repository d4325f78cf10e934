/** Compressed bytes, as other implementations write them: unpacked, damaged, and such that say far more than they are. */
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { snappyCompress } from "hysnappy";
import { compressFrameSync } from "lz4-napi";
import { beforeAll, describe, expect, it } from "vitest";
import { loadCodecs, UNPACKED_BYTES_MAX, unpacked } from "../../src/kafka/compression.js";

const [GZIP, SNAPPY, LZ4, ZSTD] = [1, 2, 3, 4];
const text = Array.from({ length: 12 }, (_, i) => `{"id":"i${i}","contactId":"c${i % 7}","type":"web.page_viewed"}`);
const bytes = Buffer.from(text.join(""));

/** By the libraries in C, but for gzip and the chunks. */
const packed: readonly (readonly [name: string, codec: number, packed: Buffer])[] = [
  ["gzip", GZIP, gzipSync(bytes)],
  [
    "a block of snappy",
    SNAPPY,
    base64(
      "/gRMeyJpZCI6ImkwIiwiY29udGFjdEkBEQBjARFcdHlwZSI6IndlYi5wYWdlX3ZpZXdlZCJ9ETUEMSI6NQABEX41AAAyPjUAARF+NQAAMz41AAER",
      "fjUAADQ+NQABEX41AAA1PjUAARF+NQAANj41AAERfjUAADc+NQCOcwEAOD41AI5zAQA5PjUAjnMBADEBjzITAo50AQAxAZAyNgBudQE=",
    ),
  ],
  ["chunks of snappy", SNAPPY, xerial(bytes.subarray(0, 200), bytes.subarray(200, 201), bytes.subarray(201))],
  [
    "lz4, blocks by themselves",
    LZ4,
    base64(
      "BCJNGGBAgq4AAADwBXsiaWQiOiJpMCIsImNvbnRhY3RJEQAQYxEA9Al0eXBlIjoid2ViLnBhZ2Vfdmlld2VkIn01ABwxNQAAEQAPNQANHDI1AAAR",
      "AA81AA0cMzUAABEADzUADRw0NQAAEQAPNQANHDU1AAARAA81AA0cNjUAABEADzUADRw3NQAPcwERHDg1AA9zAREcOTUAD3MBERAxjwAJEwIPdAER",
      "EDGQAAk2AA91AQRQd2VkIn0AAAAA",
    ),
  ],
  [
    "lz4, blocks that go on, with size and checksums",
    LZ4,
    base64(
      "BCJNGHxAfgIAAAAAAAAlrgAAAPAFeyJpZCI6ImkwIiwiY29udGFjdEkRABBjEQD0CXR5cGUiOiJ3ZWIucGFnZV92aWV3ZWQifTUAHDE1AAARAA81",
      "AA0cMjUAABEADzUADRwzNQAAEQAPNQANHDQ1AAARAA81AA0cNTUAABEADzUADRw2NQAAEQAPNQANHDc1AA9zAREcODUAD3MBERw5NQAPcwEREDGP",
      "AAkTAg90AREQMZAACTYAD3UBBFB3ZWQifbCgt8AAAAAA8EbetA==",
    ),
  ],
  [
    "zstd with size and checksum",
    ZSTD,
    base64(
      "KLUv/WR+AfUDAMQDeyJpZCI6ImkwIiwiY29udGFjdEljdHlwZSI6IndlYi5wYWdlX3ZpZXdlZCJ9MTIzNDU2NzA4MTkyMTM0HwAglAtihoA8C2Jm",
      "ACkAOYBkABGAPIAwQANsAOQABmABIAcwAAsAOYABWADIAQzAAkAOYAAWALpgRQOEQMFkAlPLAkA=",
    ),
  ],
  [
    "zstd as it goes, two blocks",
    ZSTD,
    base64(
      "KLUv/QBY1AIA9AN7ImlkIjoiaTAiLCJjb250YWN0SWQiOiJjMCIsInR5cGUiOiJ3ZWIucGFnZV92aWV3ZWQifTExMjIzMzQ0NTULAKAQgBxAMoAI",
      "QB5AGEAKQA4gGUCiMKGgXQEAYCI2NjcwODE5MjEzNA0AIJQLYoaAPAtiZgApADmAZAARgDyAMIAUgNwC2A==",
    ),
  ],
];

function base64(...lines: string[]): Buffer {
  return Buffer.from(lines.join(""), "base64");
}

/** As Java writes snappy. */
function xerial(...chunks: Buffer[]): Buffer {
  const head = Buffer.from("\x82SNAPPY\0\0\0\0\x01\0\0\0\x01", "latin1");
  const blocks = chunks.map(snappyCompress).map((block) => [int32(block.length), Buffer.from(block)]);
  return Buffer.concat([head, ...blocks.flat()]);
}

function int32(value: number): Buffer {
  const four = Buffer.alloc(4);
  four.writeInt32BE(value);
  return four;
}

/** A frame of zstd that says a zero again and again: 128 kB in each block of four bytes. */
function zstdOf(blocks: number): Buffer {
  const block = (isLast: boolean): Buffer => {
    const head = Buffer.alloc(4);
    head.writeUIntLE(8 * 128 * 1024 + 2 + (isLast ? 1 : 0), 0, 3);
    return head;
  };
  const all = Array.from({ length: blocks }, (_, i) => block(i === blocks - 1));
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x58]), ...all]);
}

beforeAll(loadCodecs);

describe("unpacked", () => {
  it.each(packed)("gives what was packed: %s", (_, codec, some) => {
    expect(unpacked(codec, some).toString()).toBe(text.join(""));
    expect(unpacked(codec, some, bytes.length + 128 * 1024).toString()).toBe(text.join(""));
  });

  it("gives megabytes", () => {
    const large = Buffer.from(text.join("").repeat(5000));
    expect(unpacked(LZ4, compressFrameSync(large)).equals(large)).toBe(true);
    expect(unpacked(SNAPPY, xerial(large, large)).equals(Buffer.concat([large, large]))).toBe(true);
    expect(unpacked(GZIP, gzipSync(large)).equals(large)).toBe(true);
    expect(unpacked(ZSTD, zstdOf(512)).equals(Buffer.alloc(UNPACKED_BYTES_MAX))).toBe(true);
  });

  it.each(packed)("ends with what is damaged, in an error or within its limit: %s", (_, codec, some) => {
    const flips = fc.array(fc.nat(8 * some.length - 1), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(flips, fc.nat(some.length), (bits, length) => {
        const damaged = Buffer.from(some);
        for (const bit of bits) damaged[bit >> 3]! ^= 1 << (bit & 7);
        for (const own of [damaged, some.subarray(0, length)]) {
          if (own.equals(some)) continue;
          let found: Buffer;
          try {
            found = unpacked(codec, own, 100_000);
          } catch (error) {
            expect((error as Error).message).toMatch(/^can't be unpacked with |^unpacks with /);
            continue;
          }
          expect(found.length).toBeLessThanOrEqual(100_000);
        }
      }),
    );
  });

  it("refuses what would be too much, without making it", () => {
    const claim = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]);
    const zeros = Buffer.alloc(UNPACKED_BYTES_MAX / 2 + 1);
    for (const [codec, some] of [
      [GZIP, gzipSync(Buffer.alloc(UNPACKED_BYTES_MAX + 1))],
      [SNAPPY, claim],
      [SNAPPY, xerial(zeros, zeros)],
      [LZ4, compressFrameSync(Buffer.alloc(UNPACKED_BYTES_MAX + 1))],
      [ZSTD, zstdOf(513)],
    ] as const)
      expect(() => unpacked(codec, some)).toThrow(/to more than 67108864 bytes; let its producer send smaller/);
  });

  it("says of zstd that it is damaged, not that there is nothing", () => {
    expect(() => unpacked(ZSTD, Buffer.from("no such frame"))).toThrow("can't be unpacked with zstd: there is no");
    const sized = Buffer.from(packed[5]![2]);
    sized[sized.length - 1]! ^= 1;
    expect(() => unpacked(ZSTD, sized)).toThrow("it is damaged");
  });

  it("wants the frame of lz4 whole, and nothing behind it", () => {
    for (const [name, codec, some] of packed.filter(([, codec]) => codec === LZ4)) {
      expect(() => unpacked(codec, Buffer.concat([some, some])), name).toThrow("can't be unpacked with lz4");
      expect(() => unpacked(codec, some.subarray(0, -4)), name).toThrow(/lz4: it (is cut off|ends elsewhere)/);
    }
  });

  it("does not guess at a codec that it does not know", () => {
    expect(() => unpacked(5, bytes)).toThrow("codec 5, which is not known; it needs a newer Scorefold");
  });
});
