/** What is written compactly is read as it was, to the last bit, whatever comes before and behind it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CompactReader, CompactWriter } from "../../src/fold/compact.js";

const instants = fc.oneof(
  fc.integer({ min: -8.64e15, max: 8.64e15 }),
  fc.integer({ min: 1.6e12, max: 1.8e12 }),
  fc.constantFrom(0, 8.64e15, -8.64e15),
);
const numbers = fc.oneof(
  fc.double(),
  fc.integer({ min: -200, max: 200 }),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -0, 2 ** 30, 2 ** 29 - 1, 2 ** 51, -(2 ** 51), 2 ** 51 - 1, 1 - 2 ** 51, Number.NEGATIVE_INFINITY),
);
const zeros = fc.integer({ min: 1, max: 300 }).map((count) => new Array<number>(count).fill(0));
const lists = fc
  .array(
    fc.oneof(
      numbers.map((value) => [value]),
      zeros,
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.flat());
const texts = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "\ud800", "é", "x".repeat(9000)),
);

/** One thing to write and how to read it; what is read is to be the same. */
const parts = fc.oneof(
  numbers.map((value) => ({
    value,
    write: (to: CompactWriter) => to.number(value),
    read: (from: CompactReader) => from.number(),
  })),
  fc.option(numbers).map((value) => ({
    value,
    write: (to: CompactWriter) => to.numberOrNull(value),
    read: (from: CompactReader) => from.numberOrNull(),
  })),
  instants.map((value) => ({
    value,
    write: (to: CompactWriter) => to.instant(value),
    read: (from: CompactReader) => from.instant(),
  })),
  fc.option(instants).map((value) => ({
    value,
    write: (to: CompactWriter) => to.instantOrNull(value),
    read: (from: CompactReader) => from.instantOrNull(),
  })),
  lists.map((value) => ({
    value,
    write: (to: CompactWriter) => to.numbers(value),
    read: (from: CompactReader) => from.numbers(),
  })),
  fc.array(fc.boolean(), { maxLength: 40 }).map((value) => ({
    value,
    write: (to: CompactWriter) => to.flags(value),
    read: (from: CompactReader) => from.flags(),
  })),
  fc.boolean().map((value) => ({
    value,
    write: (to: CompactWriter) => to.flag(value),
    read: (from: CompactReader) => from.flag(),
  })),
  fc.option(texts).map((value) => ({
    value,
    write: (to: CompactWriter) => to.textOrNull(value),
    read: (from: CompactReader) => from.textOrNull(),
  })),
  fc.array(texts, { maxLength: 5 }).map((value) => ({
    value,
    write: (to: CompactWriter) => to.texts(value, value.length),
    read: (from: CompactReader) => from.texts(),
  })),
);

const [writer, reader] = [new CompactWriter(), new CompactReader()];

describe("what is written compactly", () => {
  it("is read as it was", () => {
    fc.assert(
      fc.property(instants, fc.array(parts), (base, all) => {
        writer.begin(base, "t");
        for (const { write } of all) write(writer);
        const text = writer.end();
        expect(text).toMatch(/^t[\0-\x7f]*$/);
        reader.begin(text + text);
        for (let again = 0; again < 2; again++) {
          expect(reader.next()).toBe("t");
          expect(reader.base).toBe(base);
          for (const { value, read } of all) expect(read(reader)).toEqual(value);
        }
        reader.end();
      }),
      { numRuns: 2000 },
    );
  });

  it("is short where numbers are small, or instants near", () => {
    const at = 1_795_000_000_000;
    writer.begin(at, "t");
    const head = writer.end().length;
    writer.numbers([1, -3, 31, 0, 0, 0, 0, 0, 0, 0, 0]);
    writer.instant(at);
    writer.flags([true, false, true]);
    expect(writer.end().length - head).toBe(1 + 3 + 3 + 1 + 2);
  });

  it("is not taken for something else: what is cut off, goes on, or is another thing is an error", () => {
    writer.begin(0, "t");
    writer.number(70_000);
    writer.text("ada");
    const text = writer.end();
    reader.begin(text);
    reader.next();
    reader.number();
    expect(() => reader.end()).toThrow("read up to 5 of 9 characters");
    reader.begin(text.slice(0, 3));
    reader.next();
    expect(() => {
      reader.number();
      reader.number();
    }).toThrow("something else was written");
    writer.begin(0, "t");
    writer.textOrNull(null);
    reader.begin(writer.end());
    reader.next();
    expect(() => reader.text()).toThrow("something else was written");
  });
});
