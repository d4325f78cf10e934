/** The numbering of ledger lines and standing rules, and what each decay step multiplies by. */
import { describe, expect, test } from "vitest";
import { dimensionOf, layOut } from "../../src/model/layout.js";
import { checked } from "../fold/given.js";

const model = checked(`
dimensions:
  warm: { max: 50, decay: { percent: 5, every: 30d, floor: 3 } }
  fit: { max: 50 }
rules:
  - { id: click, dimension: warm, when: a.click, points: 1 }
  - { id: town, dimension: fit, points: 5 }
  - { id: keep, dimension: warm, when: a.click, points: 1, decays: false }
  - { id: reset, dimension: all, when: a.reset, set: 0 }
  - { id: recent, dimension: warm, when: a.click, within: 1d, points: 1 }
  - { id: quiet, dimension: warm, inactive: 9d, points: -1 }
  - { id: fades, dimension: warm, inactive: 9d, points: -1, decays: true }
  - { id: gone, when: a.gone, suppress: true }
  - { id: absent, dimension: fit, when: a.click, times: { max: 0 }, points: 1 }
`);
const layout = layOut(model);

test("each dimension has its decaying pool, then its lasting one; rules in model order, then its own lines", () => {
  expect(layout.lines.map(({ dimension, pool, name, rule }) => `${dimension} ${pool} ${name} ${rule}`)).toEqual([
    "0 decaying click 0",
    "0 decaying fades 6",
    "0 decaying cut -1",
    "0 lasting keep 2",
    "0 lasting reset 3",
    "0 lasting quiet 5",
    "0 lasting adjustment -1",
    "0 lasting cut -1",
    "1 decaying cut -1",
    "1 lasting reset 3",
    "1 lasting adjustment -1",
    "1 lasting cut -1",
  ]);
  expect(
    layout.dimensions.map(({ decayingFrom, lastingFrom, linesEnd }) => [decayingFrom, lastingFrom, linesEnd]),
  ).toEqual([
    [0, 3, 8],
    [8, 9, 12],
  ]);
});

test("standing and profile rules are grouped by dimension, each group in model order", () => {
  expect(layout.standingRules).toEqual([4, 1, 8]);
  expect(layout.dimensions.map(({ standingFrom, standingEnd }) => [standingFrom, standingEnd])).toEqual([
    [0, 1],
    [1, 3],
  ]);
});

test("a rule's line is found by dimension and pool", () => {
  expect(layout.lineOf(3, 0, "lasting")).toBe(4);
  expect(layout.lineOf(3, 1, "lasting")).toBe(9);
  expect(layout.lineOf(3, 1, "decaying")).toBe(-1);
});

test("a dimension is found by its id, and by no name of the language's own objects", () => {
  expect(dimensionOf(layout, "fit")).toBe(1);
  expect(() => dimensionOf(layout, "constructor")).toThrow("dimension constructor is not in the model");
});

describe("decay", () => {
  const decayOf = (decay: string) => layOut(checked(`dimensions: { score: { decay: ${decay} } }`)).dimensions[0]!.decay;
  const day = 86_400_000;

  test("none where the dimension has none", () => {
    expect(layout.dimensions[1]!.decay).toBeNull();
  });

  test("percent: the same factor each step; its floor, or null", () => {
    expect(layout.dimensions[0]!.decay).toMatchObject({ stepMs: 30 * day, floor: 3 });
    expect([1, 2, 99].map(layout.dimensions[0]!.decay!.factor)).toEqual([0.95, 0.95, 0.95]);
    expect(decayOf("{ percent: 100, every: 1h }")).toMatchObject({ stepMs: 3_600_000, floor: null });
    expect(decayOf("{ percent: 100, every: 1h }")?.factor(1)).toBe(0);
  });

  test("cycle: f(k) / f(k - 1) with steps of a day, 0 at 2C and after", () => {
    const decay = decayOf("{ cycle: 2d }");
    expect(decay?.stepMs).toBe(day);
    expect([1, 2, 3, 4, 5, 6].map(decay!.factor)).toEqual([0.75, 0.5 / 0.75, 0.5, 0, 0, 0]);
    expect(decayOf("{ cycle: 2d, step: 12h }")?.factor(1)).toBe(0.875);
    expect(decayOf("{ cycle: 2d, step: 9d }")?.factor(1)).toBe(0);
  });

  test("half life: 0.5 ^ (step / half life), rounded to 12 decimals", () => {
    expect(decayOf("{ halfLife: 1d }")?.factor(1)).toBe(0.5);
    expect(decayOf("{ halfLife: 3d }")?.factor(7)).toBe(0.793700525984);
    expect(decayOf("{ halfLife: 1d, step: 2d }")?.factor(1)).toBe(0.25);
  });
});
