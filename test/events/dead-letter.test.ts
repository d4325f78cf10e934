/** What is kept of an original that can't be a text as it is: its bytes, so that it can be sent again. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { outputCodec } from "../../src/events/avro.js";
import {
  brokenOriginal,
  encodeDeadLetter,
  inBase64,
  ORIGINAL_BYTES_MAX,
  originalFields,
} from "../../src/events/dead-letter.js";
import { shipped } from "./avro-shipped.js";

const bytesOf = (base64 = ""): Buffer => Buffer.from(base64, "base64");

describe("an original that is not UTF-8", () => {
  it("is kept to the last byte, beside a text for people", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(0xff, 0xc0), (some, bad) => {
        const bytes = Buffer.from([...some, bad, 0x41]);
        const { head, base64, isUtf8 } = brokenOriginal(bytes, bytes.length, "ab");
        expect(isUtf8).toBe(false);
        expect(bytesOf(base64)).toEqual(bytes);
        expect(head).toBe(bytes.toString("utf8"));
      }),
    );
  });

  it("keeps as many bytes as there is room for, and little text", () => {
    const head = Buffer.alloc(ORIGINAL_BYTES_MAX, 0xff);
    const original = brokenOriginal(head, ORIGINAL_BYTES_MAX + 7, "ab");
    expect(original).toMatchObject({ bytes: ORIGINAL_BYTES_MAX + 7, sha256: "ab", isUtf8: false });
    expect(bytesOf(original.base64).equals(head)).toBe(true);
    expect(original.head.length).toBeLessThanOrEqual(4096);
    const letter = { reason: "undecodable", error: "e", topic: "t", partition: 0, offset: 1, source: null } as const;
    expect(encodeDeadLetter({ ...letter, original }).length).toBeLessThan(750_000);
  });
});

describe("an original that is too long", () => {
  it("is its beginning up to a whole character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 2, maxLength: 12 }), fc.nat(), (text, at) => {
        const bytes = Buffer.from(text);
        const head = bytes.subarray(0, at % bytes.length);
        const { head: kept, base64, isUtf8 } = brokenOriginal(head, bytes.length, "ab");
        expect({ base64, isUtf8 }).toEqual({ base64: undefined, isUtf8: true });
        const left = head.length - Buffer.byteLength(kept);
        expect(bytes.toString().startsWith(kept)).toBe(true);
        expect(left).toBeLessThan(4);
        if (left > 0) expect(head.subarray(-left).toString()).toContain("\ufffd");
      }),
    );
  });

  it("is in base64 where its text would take too much, with all of its bytes", () => {
    const bytes = Buffer.alloc(10_000, "\u00e9");
    const original = inBase64(bytes, bytes.length, "ab");
    expect(bytesOf(original.base64).equals(bytes)).toBe(true);
    expect(original.head).toBe("\u00e9".repeat(2048));
    // In the middle of a character.
    expect(inBase64(Buffer.from(`x${"\u00e9".repeat(5000)}`), 10_001, "ab").head).toBe(`x${"\u00e9".repeat(2047)}`);
  });
});

it("comes back out of a letter in Avro", () => {
  const { encode, decode } = outputCodec(shipped("dead-letters"));
  const bytes = Buffer.from([0, 1, 0xff]);
  const place = { reason: "undecodable", error: "e", topic: "t", partition: 0, offset: 1, source: null } as const;
  const letter = { ...place, ...originalFields(brokenOriginal(bytes, 3, "ab")) };
  expect(decode(encode(letter))).toEqual({ ok: true, value: letter });
  expect(letter).toMatchObject({ originalBase64: "AAH/", length: 3, sha256: "ab", original: "\0\u0001\ufffd" });
});
