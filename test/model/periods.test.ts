/** Calendar periods: two instants are in one period exactly if its number is the same. */
import { describe, expect, test } from "vitest";
import { periodOf } from "../../src/model/periods.js";
import type { Period } from "../../src/model/types.js";

/** The instants by period: those of one period in one list, in the order they come. */
function grouped(per: Period, timeZone: string, ...instants: string[]): string[][] {
  const of = periodOf(per, timeZone);
  const groups = new Map<number, string[]>();
  for (const instant of instants) {
    const period = of(Date.parse(instant));
    expect(Number.isSafeInteger(period)).toBe(true);
    groups.set(period, [...(groups.get(period) ?? []), instant]);
  }
  return [...groups.values()];
}

describe("Europe/Berlin", () => {
  const zone = "Europe/Berlin";

  test("a day begins at local midnight: 22:00 UTC in summer, 23:00 in winter", () => {
    expect(grouped("day", zone, "2026-07-01T21:59:59.999Z", "2026-07-01T22:00:00Z", "2026-07-02T21:59:59Z")).toEqual([
      ["2026-07-01T21:59:59.999Z"],
      ["2026-07-01T22:00:00Z", "2026-07-02T21:59:59Z"],
    ]);
    expect(grouped("day", zone, "2026-01-01T22:59:59Z", "2026-01-01T23:00:00Z")).toHaveLength(2);
  });

  test("the hour that occurs twice in an autumn night is two periods, and one day of 25 hours", () => {
    // 02:30 summer time, 02:30 and 02:59 winter time, 03:00.
    const night = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T01:59:59Z", "2026-10-25T02:00:00Z"];
    expect(grouped("hour", zone, ...night)).toEqual([[night[0]], [night[1], night[2]], [night[3]]]);
    expect(grouped("day", zone, "2026-10-24T22:00:00Z", ...night, "2026-10-25T22:59:59Z")).toHaveLength(1);
    expect(grouped("day", zone, ...night, "2026-10-25T23:00:00Z")).toHaveLength(2);
  });

  test("the hour that a spring night leaves out is none", () => {
    const night = ["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:59:59Z"];
    expect(grouped("hour", zone, ...night)).toEqual([[night[0]], [night[1], night[2]]]);
  });
});

test("Australia/Lord_Howe goes back by half an hour: 01:30 to 02:00 occurs twice", () => {
  // 01:00, 01:30 and 01:59 at +11:00; 01:30 and 01:59 at +10:30; 02:00.
  const first = ["2026-04-04T14:00:00Z", "2026-04-04T14:30:00Z", "2026-04-04T14:59:59Z"];
  const second = ["2026-04-04T15:00:00Z", "2026-04-04T15:29:59Z"];
  const next = ["2026-04-04T15:30:00Z", "2026-04-04T16:29:59Z"];
  expect(grouped("hour", "Australia/Lord_Howe", ...first, ...second, ...next)).toEqual([first, second, next]);
});

describe("clocks that change at a minute past midnight", () => {
  // St. John's, 2010-11-07: at 00:01 summer time (02:31 UTC) the clocks went back to 23:01 of the day before.
  const zone = "America/St_Johns";
  const before = "2010-11-07T02:30:30Z";
  const after = "2010-11-07T02:31:30Z";

  test("the instant tells the day, not which instant was asked for first", () => {
    const oneWay = periodOf("day", zone);
    const [b1, a1] = [oneWay(Date.parse(before)), oneWay(Date.parse(after))];
    const otherWay = periodOf("day", zone);
    const [a2, b2] = [otherWay(Date.parse(after)), otherWay(Date.parse(before))];
    expect([a2, b2]).toEqual([a1, b1]);
    expect(b1).toBe(a1 + 1);
  });

  test("the minute of the new day and the hour that comes again are two periods", () => {
    expect(grouped("hour", zone, "2010-11-07T01:45:00Z", before, after, "2010-11-07T03:29:59Z")).toEqual([
      ["2010-11-07T01:45:00Z"],
      [before],
      [after, "2010-11-07T03:29:59Z"],
    ]);
  });
});

describe("weeks are those of ISO 8601, from Monday", () => {
  test.each([
    ["2026-12-28T00:00:00Z", "2027-01-03T23:59:59Z", "2027-01-04T00:00:00Z"],
    ["2024-12-30T00:00:00Z", "2025-01-05T23:59:59Z", "2025-01-06T00:00:00Z"],
    ["1969-12-29T00:00:00Z", "1970-01-04T23:59:59Z", "1970-01-05T00:00:00Z"],
    ["1956-12-31T00:00:00Z", "1957-01-06T23:59:59Z", "1957-01-07T00:00:00Z"],
  ])("%s to %s is one, also over the end of a year", (monday, sunday, next) => {
    const eve = new Date(Date.parse(monday) - 1).toISOString();
    expect(grouped("week", "UTC", eve, monday, sunday, next)).toEqual([[eve], [monday, sunday], [next]]);
  });
});

describe("months", () => {
  test("begin on the first, whatever their length; those of two years are two", () => {
    expect(
      grouped(
        "month",
        "UTC",
        "2024-02-01T00:00:00Z",
        "2024-02-29T23:59:59Z",
        "2024-03-01T00:00:00Z",
        "2025-02-01T00:00:00Z",
      ),
    ).toEqual([["2024-02-01T00:00:00Z", "2024-02-29T23:59:59Z"], ["2024-03-01T00:00:00Z"], ["2025-02-01T00:00:00Z"]]);
    expect(grouped("month", "UTC", "2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z")).toHaveLength(2);
  });

  test("are local", () => {
    expect(grouped("month", "America/New_York", "2026-02-01T04:59:59Z", "2026-02-01T05:00:00Z")).toHaveLength(2);
    expect(grouped("month", "America/New_York", "2026-02-01T04:59:59Z", "2026-01-01T05:00:00Z")).toHaveLength(1);
  });
});

describe("long ago", () => {
  test("before 1970 periods are rounded down, too", () => {
    expect(grouped("day", "UTC", "1969-12-31T00:00:00Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z")).toEqual([
      ["1969-12-31T00:00:00Z", "1969-12-31T23:59:59.999Z"],
      ["1970-01-01T00:00:00Z"],
    ]);
    expect(
      grouped("hour", "UTC", "1969-12-31T23:00:00Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z"),
    ).toHaveLength(2);
    expect(grouped("month", "UTC", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z")).toHaveLength(2);
  });

  test("offsets of odd seconds are taken as they were: Liberia was 00:44:30 behind until 1972", () => {
    expect(grouped("day", "Africa/Monrovia", "1971-06-01T00:44:29.999Z", "1971-06-01T00:44:30Z")).toHaveLength(2);
    expect(grouped("day", "Africa/Monrovia", "1973-06-01T00:00:00Z", "1973-06-01T00:44:30Z")).toHaveLength(1);
    expect(grouped("day", "Africa/Monrovia", "1973-05-31T23:59:59Z", "1973-06-01T00:00:00Z")).toHaveLength(2);
  });

  test("and their hours begin at those odd seconds", () => {
    expect(
      grouped("hour", "Africa/Monrovia", "1971-06-01T00:44:30Z", "1971-06-01T01:44:29Z", "1971-06-01T01:44:30Z"),
    ).toEqual([["1971-06-01T00:44:30Z", "1971-06-01T01:44:29Z"], ["1971-06-01T01:44:30Z"]]);
  });
});
