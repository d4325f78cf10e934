/**
 * Lines as the oracle reads them, one known answer a row, and held against the engine's own reading.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeInput } from "../../src/events/decode.js";
import { type Input, type Json, RETRACTION } from "../../src/events/types.js";
import { instantOf, readLine } from "./lines.js";

const noon = Date.UTC(2026, 2, 4, 12);

describe("instants", () => {
  test.each([
    ["2026-03-04T12:00Z", noon],
    ["2026-03-04T12:00:00.0019Z", noon + 1],
    ["2026-03-04t12:00:00.5z", noon + 500],
    ["2026-03-04 12:00 UTC", noon],
    ["2026-03-04T14:00+02:00", noon],
    ["2026-03-04T14:00 +0200", noon],
    ["2026-03-04T07:00:00-05", noon],
    ["2026-03-04T12:00", undefined],
    ["2026-02-30T12:00Z", undefined],
    ["2026-03-04T24:00Z", undefined],
    [noon, noon],
    [noon + 0.5, undefined],
    [true, undefined],
  ])("%j", (value, expected) => {
    expect(instantOf(value)).toBe(expected);
  });
});

const reasonOf = (at: Json): string => {
  const read = readLine(JSON.stringify({ contactId: "c", type: "web.visited", at }));
  return "input" in read ? "good" : read.refused;
};

test.each([
  [1_780_306_200, "implausible-instant"],
  [-5, "implausible-instant"],
  [1e11 - 1, "implausible-instant"],
  [-1e11 + 1, "implausible-instant"],
  [1e11, "good"],
  [-1e11, "good"],
  ["1997-01-01T00:00:00Z", "good"],
  ["1970-01-01T00:00:00Z", "good"],
  ["2206-03-01T00:00:00Z", "implausible-instant"],
  ["2099-12-31T23:30:00-01:00", "implausible-instant"],
  ["2100-01-01T00:30:00+01:00", "good"],
  [Date.UTC(2100, 0, 1), "implausible-instant"],
  [Date.UTC(2100, 0, 1) - 1, "good"],
  [1_780_306_200.5, "bad-instant"],
])("an input at %j is %s", (at, expected) => {
  expect(reasonOf(at)).toBe(expected);
});

const instantsOf = (input: Input) => [input.at, input.kind === "interaction" ? input.attributes["at"] : undefined];

/** Instants as people and programs write them, good ones and bad ones. */
const spellings: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    0,
    -5,
    1e11,
    1e11 - 1,
    -1e11,
    1_780_306_200,
    1_780_306_200.5,
    1e16,
    8.64e15,
    noon,
    null,
    "",
    "x",
  ),
  fc
    .record({
      year: fc.constantFrom("1969", "1970", "1997", "2026", "2099", "2100", "2206", "9999", "26"),
      day: fc.constantFrom("01-01", "12-31", "02-29", "02-30", "13-01", "3-1"),
      separator: fc.constantFrom("T", "t", " ", "  "),
      time: fc.constantFrom("00:00", "23:59:59.999", "23:30:00", "12:00:00.123456", "24:00", "12:60", "12", "00:30"),
      zone: fc.constantFrom(
        "Z",
        "z",
        " UTC",
        "+00:00",
        "-01:00",
        "+0100",
        "-01",
        " +02:00",
        "",
        "+24:00",
        "+01:60",
        " Z",
      ),
    })
    .map(({ year, day, separator, time, zone }) => `${year}-${day}${separator}${time}${zone}`),
);

test("the engine reads the same instants, and puts the same ones aside: of an input and of what is retracted", () => {
  const visit = fc.record({ contactId: fc.constant("c"), type: fc.constant("web.visited"), at: spellings });
  const retraction = spellings.map((at) => ({
    contactId: "c",
    type: RETRACTION,
    at: noon,
    attributes: { id: "v", at },
  }));
  fc.assert(
    fc.property(fc.oneof(visit, retraction), (line) => {
      const read = readLine(JSON.stringify(line));
      const decoded = decodeInput(line);
      const own = "input" in read ? instantsOf(read.input) : read.refused;
      expect(decoded.ok ? instantsOf(decoded.input) : decoded.reason).toEqual(own);
    }),
    { numRuns: 4000 },
  );
});
