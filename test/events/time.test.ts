import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatInstant, INSTANT_SIZE_MAX_MS, parseInstant } from "../../src/events/time.js";

const instant = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });

describe("parseInstant", () => {
  it.each([
    ["1970-01-01T00:00:00Z", 0],
    ["1970-01-01T00:00Z", 0],
    ["1969-12-31T23:59:59.999Z", -1],
    ["2024-02-29T12:00:00+02:00", Date.UTC(2024, 1, 29, 10)],
    ["2024-02-29T12:00:00-0230", Date.UTC(2024, 1, 29, 14, 30)],
    ["2024-02-29T12:00+02", Date.UTC(2024, 1, 29, 10)],
    ["2024-05-01T12:00:00.1Z", Date.UTC(2024, 4, 1, 12, 0, 0, 100)],
    ["2024-05-01T12:00:00,123999999Z", Date.UTC(2024, 4, 1, 12, 0, 0, 123)],
    ["1969-12-31T23:59:59.0009Z", -1000],
    ["2024-05-01T12:00:00.12345678901234567890Z", Date.UTC(2024, 4, 1, 12, 0, 0, 123)],
    ["2024-05-01t12:00:00z", Date.UTC(2024, 4, 1, 12)],
    ["2024-05-01 12:00:00Z", Date.UTC(2024, 4, 1, 12)],
    ["2016-12-02 18:51:40 +00:00", Date.UTC(2016, 11, 2, 18, 51, 40)],
    ["2024-05-01 12:00:00.5 UTC", Date.UTC(2024, 4, 1, 12, 0, 0, 500)],
    ["2024-05-01 12:00:00+00", Date.UTC(2024, 4, 1, 12)],
    ["2024-05-01 12:00 -0230", Date.UTC(2024, 4, 1, 14, 30)],
    ["0000-01-01T00:00:00Z", -62_167_219_200_000],
    ["+275760-09-13T00:00:00.000Z", INSTANT_SIZE_MAX_MS],
    ["-271821-04-20T00:00:00.000Z", -INSTANT_SIZE_MAX_MS],
  ])("reads %s", (text, at) => expect(parseInstant(text)).toBe(at));

  it.each([
    "",
    "yesterday",
    "2024-05-01",
    "2024-05-01T12:00:00",
    "2024-05-01  12:00:00Z",
    "2024-05-01 12:00:00",
    "2024-05-01 12:00:00 ",
    "2024-05-01 12:00:00  UTC",
    "2024-05-01 12:00:00UTC",
    "2024-05-01 12:00:00 utc",
    "2024-05-01 12:00:00 UTC ",
    "2024-05-01_12:00:00Z",
    "2024-05-01T12Z",
    "2024-02-30T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2024-00-01T00:00:00Z",
    "2024-13-01T00:00:00Z",
    "2024-04-31T00:00:00Z",
    "2024-05-00T00:00:00Z",
    "2024-05-01T24:00:00Z",
    "2024-05-01T25:00:00Z",
    "2024-05-01T12:60:00Z",
    "2016-12-31T23:59:60Z",
    "2024-05-01T12:00:00.Z",
    "2024-05-01T12:00.5Z",
    "2024-05-01T12:00:00+2",
    "2024-05-01T12:00:00+02:",
    "2024-05-01T12:00:00+24:00",
    "2024-05-01T12:00:00+02:60",
    "2024-05-01T12:00:00+020",
    "2024-05-01T12:00:00Z ",
    " 2024-05-01T12:00:00Z",
    "2024-05-01T12:00:00ZZ",
    "2024-05-01T12:00:00 Europe/Berlin",
    "24-05-01T12:00:00Z",
    "-000000-01-01T00:00:00Z",
    "+275760-09-13T00:00:00.001Z",
    "1714564800000",
  ])("refuses %j", (text) => expect(parseInstant(text)).toBeUndefined());

  it("reads what formatInstant writes", () => {
    fc.assert(
      fc.property(fc.integer({ min: -INSTANT_SIZE_MAX_MS, max: INSTANT_SIZE_MAX_MS }), (at) => {
        expect(parseInstant(formatInstant(at))).toBe(at);
      }),
    );
  });

  it("agrees with the platform on every offset", () => {
    const twoDigits = (n: number) => String(n).padStart(2, "0");
    fc.assert(
      fc.property(instant, fc.constantFrom("+", "-"), fc.nat(23), fc.nat(59), (at, sign, hours, minutes) => {
        const zone = `${sign}${twoDigits(hours)}:${twoDigits(minutes)}`;
        const text = formatInstant(at).replace("Z", zone);
        expect(parseInstant(text)).toBe(Date.parse(text));
        expect(parseInstant(text.replace(zone, zone.replace(":", "")))).toBe(Date.parse(text));
      }),
    );
  });

  it("takes the days the calendar has and no others", () => {
    const number = (max: number) => fc.nat(max);
    fc.assert(
      fc.property(number(9999), number(14), number(33), (year, month, day) => {
        const text = `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
        const date = new Date(0);
        date.setUTCFullYear(year, month - 1, day);
        const isDay = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
        expect(parseInstant(`${text}T00:00:00Z`)).toBe(isDay ? date.getTime() : undefined);
      }),
      { numRuns: 2000 },
    );
  });
});
