/** The formula of the total over clamped dimensions. */
import { describe, expect, test } from "vitest";
import { totalOf } from "../../src/model/total.js";
import { checked } from "../fold/given.js";

const three = (total?: string) =>
  totalOf(checked(`dimensions: { a: {}, b: {}, c: {} }${total === undefined ? "" : `\ntotal: ${total}`}`));

test("by default the sum in model order: another order gives other bits", () => {
  expect(three()([0.1, 0.2, 0.3])).toBe(0.1 + 0.2 + 0.3);
  expect(three()([0.3, 0.2, 0.1])).not.toBe(three()([0.1, 0.2, 0.3]));
});

test.each([
  ["a + b * c", 7],
  ["(a + b) * c", 9],
  ["a - b - c", -4],
  ["a - (b - c)", 2],
  ["12 / b / c", 2],
  ["-a * b", -2],
  ["b - -a", 3],
  ["-(a + b)", -3],
  ["0.5 * c", 1.5],
  ["7", 7],
])("%s of 1, 2, 3 is %s", (formula, expected) => {
  expect(three(formula)([1, 2, 3])).toBe(expected);
});

describe("what has no number", () => {
  test("x / 0 is 0, wherever it stands", () => {
    expect(three("a / b")([5, 0, 0])).toBe(0);
    expect(three("a / -b")([5, 0, 0])).toBe(0);
    expect(three("c + a / (b - b)")([5, 2, 7])).toBe(7);
    expect(three("0 / b")([5, 0, 0])).toBe(0);
  });

  test("an overflow is infinite, for the range to hold; infinity minus infinity is 0", () => {
    expect(three("a * a")([1e200, 0, 0])).toBe(Number.POSITIVE_INFINITY);
    expect(three("a * a - a * a")([1e200, 0, 0])).toBe(0);
    expect(three("a * a * b")([1e200, 0, 0])).toBe(0);
    expect(three("b / (a * a)")([1e200, 5, 0])).toBe(0);
  });
});
