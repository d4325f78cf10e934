/** An evaluation: rounding, the total, grades, and what is latched: thresholds and triggers. */
import { describe, expect, test } from "vitest";
import type { Input } from "../../src/events/types.js";
import { emptyEvaluation, publishedPoints } from "../../src/fold/evaluate.js";
import { initial } from "../../src/fold/initial.js";
import type { CompiledModel } from "../../src/model/compile.js";
import { adjusted, day, did, folded, hour, lead, outputsOf, scoreAt, told } from "./given.js";

/** The score is set to each value in turn, an hour apart. */
function course(...scores: readonly number[]): Input[] {
  return scores.map((set, i) => adjusted(i * hour, { set }));
}

/** Whether the first threshold or trigger is up after each input. */
function latched(model: CompiledModel, inputs: readonly Input[], which: "thresholds" | "triggers"): boolean[] {
  return inputs.map((_, i) => folded(model, inputs.slice(0, i + 1)).flags[which][0]!);
}

/** The crossings of thresholds and triggers, as `2h reaches up`. */
function crossings(model: CompiledModel, inputs: readonly Input[], until?: number): string[] {
  return told(outputsOf(model, inputs, until)).filter((line) => !line.includes(" score "));
}

describe("published points", () => {
  test.each([
    [29.9999999, 30],
    [29.9996, 30],
    [29.9995, 30],
    [29.9994, 29],
    [29, 29],
    [0.9994, 0],
    [-0.0004, 0],
    [-0.0006, -1],
    [-0.5, -1],
    [-1, -1],
    [1e15, 1e15],
  ])("%s is shown as %s", (value, shown) => {
    expect(publishedPoints(value)).toBe(shown);
  });

  test("minus zero is 0", () => {
    expect(Object.is(publishedPoints(-0), 0)).toBe(true);
    expect(Object.is(publishedPoints(-0.0001), 0)).toBe(true);
  });
});

describe("the total", () => {
  const two = (total: string, score = "{ min: -100, max: 100 }") =>
    lead(`
score: ${score}
dimensions: { a: { min: -1e9, max: 1e9 }, b: { min: -1e9, max: 1e9 } }
total: ${total}
`);
  const total = (model: CompiledModel, a: number, b: number) =>
    scoreAt(model, [adjusted(0, { dimension: "a", set: a }), adjusted(0, { dimension: "b", set: b })], 0);

  test("is computed from dimensions that are clamped but not rounded", () => {
    const model = lead("dimensions: { a: { max: 10 }, b: { max: 10 } }");
    const inputs = [adjusted(0, { dimension: "a", add: 4.6 }), adjusted(0, { dimension: "b", add: 5.6 })];
    const { flags } = folded(model, inputs);
    expect(flags.dimensions).toEqual([4, 5]);
    expect(flags.score).toBe(10);
    expect(scoreAt(model, [...inputs, adjusted(1, { dimension: "b", add: 50 })], 1)).toBe(14);
  });

  test("x / 0 is 0, also for minus zero", () => {
    expect(total(two("7 + a / b"), 50, 0)).toBe(7);
    expect(total(two("7 + a / -b"), 50, 0)).toBe(7);
    expect(total(two("a / b"), 50, 4)).toBe(12);
  });

  test("an overflow is held to the range, and infinity minus infinity is 0", () => {
    const factor = Array(35).fill("a").join(" * ");
    expect(total(two(factor), 1e9, 0)).toBe(100);
    expect(total(two(`-(${factor})`), 1e9, 0)).toBe(-100);
    expect(total(two(`${factor} - ${factor}`), 1e9, 0)).toBe(0);
  });

  test("is held to score.min..max", () => {
    expect(total(two("a", "{ min: 5, max: 20 }"), 50, 0)).toBe(20);
    expect(total(two("a", "{ min: 5, max: 20 }"), -50, 0)).toBe(5);
  });

  test("a fractional minimum is rounded down, and the first grade still holds there", () => {
    const model = lead("score: { min: -0.5, max: 10 }\ngrades: [{ id: low, from: -0.5 }, { id: high, from: 5 }]");
    expect(emptyEvaluation(model)).toMatchObject({ score: 0, grade: 0 });
    const suppressed = lead("score: { min: 0.5, max: 10 }\ngrades: [{ id: low, from: 0.5 }, { id: high, from: 5 }]");
    expect(emptyEvaluation(suppressed)).toMatchObject({ score: 0, grade: 0 });
  });
});

describe("before the first input", () => {
  test("thresholds at or below the empty score count as up, dropsBelow above it as below", () => {
    const model = lead(`
score: { min: 10, max: 100 }
dimensions: { score: { min: 10 } }
thresholds: [10, 11]
triggers:
  - { id: reached, reaches: 10 }
  - { id: reaching, reaches: 11 }
  - { id: below, dropsBelow: 11 }
  - { id: above, dropsBelow: 10 }
  - { id: surge, risesBy: 1, within: 1h }
grades: [{ id: cold, from: 0 }, { id: warm, from: 10 }]
salesReady: 10
`);
    expect(initial(model).flags).toEqual({
      score: 10,
      dimensions: [10],
      salesReady: true,
      grade: 1,
      thresholds: [true, false],
      triggers: [true, false, true, false, false],
      replaced: [{ at: [], scores: [] }],
    });
    expect(crossings(model, [did("a.x", 0)])).toEqual([]);
  });
});

describe("thresholds", () => {
  const model = lead("thresholds: [{ at: 75, rearm: 70 }]");

  test("75 armed again below 70: of 70, 80, 72, 78, 69, 76 it goes up at 80 and 76, down at 69", () => {
    const inputs = course(70, 80, 72, 78, 69, 76);
    expect(latched(model, inputs, "thresholds")).toEqual([false, true, true, true, false, true]);
    expect(crossings(model, inputs)).toEqual(["1h threshold 75 up", "4h threshold 75 down", "5h threshold 75 up"]);
  });

  test("at exactly 75 it is up, at exactly 70 still, at 69 no more; 74 is not enough to go up again", () => {
    expect(latched(model, course(75, 70, 69, 74), "thresholds")).toEqual([true, true, false, false]);
  });

  test("without rearm it goes down below itself", () => {
    expect(latched(lead("thresholds: [75]"), course(75, 74, 75), "thresholds")).toEqual([true, false, true]);
  });
});

describe("triggers", () => {
  test("reaches tells only of going up, and again only once armed below rearm", () => {
    const model = lead("triggers: [{ id: hot, reaches: 80, rearm: 60 }]");
    expect(crossings(model, course(80, 60, 90, 59, 80))).toEqual(["0h trigger hot up", "4h trigger hot up"]);
  });

  test("dropsBelow tells only of going down: at 39, and after 40 again", () => {
    const model = lead("triggers: [{ id: lost, dropsBelow: 40 }]");
    expect(crossings(model, course(39, 40, 39, 30))).toEqual(["2h trigger lost down"]);
  });

  test("dropsBelow with rearm is armed again at rearm, not below", () => {
    const model = lead("triggers: [{ id: lost, dropsBelow: 40, rearm: 50 }]");
    expect(crossings(model, course(50, 39, 49, 39, 50, 39))).toEqual(["1h trigger lost down", "5h trigger lost down"]);
  });

  describe("risesBy 20 within 24h", () => {
    const model = lead("triggers: [{ id: surge, risesBy: 20, within: 24h }]");

    test("0 to 30 by the first input is a surge, 19 is none", () => {
      expect(crossings(model, course(30))).toEqual(["0h trigger surge up"]);
      expect(crossings(model, course(19))).toEqual([]);
      expect(crossings(model, course(20))).toEqual(["0h trigger surge up"]);
    });

    test("small steps add up, from the lowest score inside the window", () => {
      expect(crossings(model, course(10, 4, 9, 15, 24))).toEqual(["4h trigger surge up"]);
    });

    test("while it stays up it does not fire again; armed below 20 it does", () => {
      expect(crossings(model, course(25, 45, 65, 19, 25))).toEqual(["0h trigger surge up", "4h trigger surge up"]);
    });

    test("a score replaced on the hour leaves the window exactly 24 h later", () => {
      const before = [adjusted(0, { set: 10 }), adjusted(hour, { set: 15 })];
      // 10 was replaced at 1 h, so it is looked at until 25 h; the empty 0 until 24 h.
      expect(crossings(model, [...before, adjusted(25 * hour - 1, { set: 30 })])).toHaveLength(1);
      expect(crossings(model, [...before, adjusted(25 * hour, { set: 30 })])).toEqual([]);
      expect(crossings(model, [...before, adjusted(25 * hour, { set: 35 })])).toHaveLength(1);
    });

    test("it is armed by the old score at that instant and fires again in the same evaluation", () => {
      const inputs = [adjusted(0, { set: 30 }), adjusted(3 * day, { set: 60 })];
      expect(latched(model, inputs, "triggers")).toEqual([true, true]);
      expect(crossings(model, inputs)).toEqual(["0h trigger surge up", "72h trigger surge up"]);
    });

    test("an evaluation that leaves the score as it is arms nothing", () => {
      const inputs = [adjusted(0, { set: 30 }), adjusted(3 * day, { set: 30 })];
      expect(latched(model, inputs, "triggers")).toEqual([true, true]);
    });

    test("a score that was passed through at one instant counts as replaced", () => {
      expect(
        crossings(model, [adjusted(0, { set: 50 }), adjusted(day, { set: 5 }), adjusted(day, { set: 25 })]),
      ).toEqual(["0h trigger surge up", "24h trigger surge up"]);
    });
  });
});

describe("grades and sales readiness", () => {
  const model = lead(`
grades: [{ id: cold, from: 0 }, { id: warm, from: 26 }, { id: hot, from: 51 }]
salesReady: 51
rules:
  - { id: gone, when: a.gone, suppress: true }
lift: [a.back]
`);

  test("the grade is the last whose from is not above the score; readiness is not latched", () => {
    const seen = [0, 25, 26, 50, 51, 100, 50].map((set) => folded(model, [adjusted(0, { set })]).flags);
    expect(seen.map(({ grade }) => grade)).toEqual([0, 0, 1, 1, 2, 2, 1]);
    expect(seen.map(({ salesReady }) => salesReady)).toEqual([false, false, false, false, true, true, false]);
  });

  test("suppressed: the score is score.min, never ready, dimensions show as they are; lifted it is all back", () => {
    const inputs = [adjusted(0, { set: 80 }), did("a.gone", 1), adjusted(2, { add: 10 })];
    expect(folded(model, inputs).flags).toMatchObject({ score: 0, dimensions: [90], salesReady: false, grade: 0 });
    expect(folded(model, [...inputs, did("a.back", 3)]).flags).toMatchObject({ score: 90, salesReady: true, grade: 2 });
  });

  test("suppressed with salesReady at score.min: not ready all the same", () => {
    const low = lead("salesReady: 0\nrules: [{ id: gone, when: a.gone, suppress: true }]");
    expect(folded(low, [did("a.other", 0)]).flags.salesReady).toBe(true);
    expect(folded(low, [did("a.gone", 0)]).flags.salesReady).toBe(false);
    expect(crossings(low, [did("a.other", 0), did("a.gone", 1)])).toHaveLength(1);
  });

  test("thresholds and triggers see score.min", () => {
    const watched = lead(`
thresholds: [50]
triggers: [{ id: lost, dropsBelow: 50 }]
rules: [{ id: gone, when: a.gone, suppress: true }]
`);
    expect(crossings(watched, [adjusted(0, { set: 80 }), did("a.gone", hour)])).toEqual([
      "0h threshold 50 up",
      "1h threshold 50 down",
      "1h trigger lost down",
    ]);
  });
});
