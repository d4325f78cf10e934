import fc from "fast-check";
import { expect, test } from "vitest";
import {
  dayMs,
  durationMsMax,
  formatDuration,
  hourMs,
  minuteMs,
  parseDuration,
  weekMs,
} from "../../src/model/duration.js";

test.each([
  ["30m", 30 * minuteMs],
  ["24h", 24 * hourMs],
  ["7d", weekMs],
  ["2w", 2 * weekMs],
  ["36525d", durationMsMax],
])("%s", (text, ms) => {
  expect(parseDuration(text)).toEqual({ ms });
});

test.each([
  "0d",
  "36526d",
  "-5d",
  "1.5h",
  "5",
  "d",
  "",
  "5 d",
  "5D",
  "1y",
  `${"9".repeat(400)}d`,
])("%j is no duration", (text) => {
  expect(parseDuration(text)).toHaveProperty("problem");
});

test("a spelled out unit is told how to write it", () => {
  expect(parseDuration("30 days")).toEqual({
    problem: 'expected a duration such as 30m, 24h, 7d or 2w, found "30 days"; write `30d`',
  });
});

test("durations are written in the largest unit that divides them", () => {
  expect([dayMs, 14 * dayMs, 90 * dayMs, 90 * minuteMs, 25 * hourMs].map(formatDuration)).toEqual([
    "1d",
    "2w",
    "90d",
    "90m",
    "25h",
  ]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: durationMsMax / minuteMs }), (minutes) => {
      expect(parseDuration(formatDuration(minutes * minuteMs))).toEqual({ ms: minutes * minuteMs });
    }),
  );
  expect(() => formatDuration(1)).toThrow(RangeError);
});
