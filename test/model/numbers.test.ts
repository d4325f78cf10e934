/** Arithmetic that compiling and folding share. */
import { expect, test } from "vitest";
import { clamp, matchPoints, matchPointsMax } from "../../src/model/numbers.js";

test.each([
  [5, 0, 10, 5],
  [-5, 0, 10, 0],
  [15, 0, 10, 10],
  [0, 3, 10, 3],
  [7, 4, 4, 4],
  [Number.POSITIVE_INFINITY, 0, 10, 10],
  [Number.NEGATIVE_INFINITY, -3, 10, -3],
])("clamp(%s, %s, %s) is %s", (value, min, max, expected) => {
  expect(clamp(value, min, max)).toBe(expected);
});

test.each([
  [10, 1.5, 2, 30],
  [-10, 1.5, 1, -15],
  [10, 0, 1, 0],
  [1e9, 1e9, 1, matchPointsMax],
  [-1e9, 1e9, 1, -matchPointsMax],
  [Number.POSITIVE_INFINITY, 1, 1, matchPointsMax],
  [Number.NEGATIVE_INFINITY, 1, 1, -matchPointsMax],
  [Number.POSITIVE_INFINITY, 0, 1, 0],
  [matchPointsMax, 1, 1, matchPointsMax],
])("a match of %s x %s x %s is worth %s", (points, multiplier, weight, expected) => {
  expect(matchPoints(points, multiplier, weight)).toBe(expected);
});

test("points x repeat x weight, in this order", () => {
  expect(matchPoints(0.1, 0.2, 0.3)).toBe(0.1 * 0.2 * 0.3);
  expect(0.1 * 0.2 * 0.3).not.toBe(0.1 * (0.2 * 0.3));
});
