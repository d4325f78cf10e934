/**
 * The oracle's own laws: what must hold of it for any models and inputs, and a few answers known by hand.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../../src/events/types.js";
import { shuffled } from "../arbitrary/inputs.js";
import { scenes } from "../arbitrary/scenes.js";
import { act, crossings, DAY, each, HOUR, model, profile, retract, START, standing } from "./byhand.js";
import { oracle } from "./oracle.js";
import { canonicalJson } from "./order.js";

describe("the one law", () => {
  const one = model({
    dimensions: [{ id: "score", min: 0, max: 100, decay: { kind: "percent", percent: 10, every: DAY } }],
    thresholds: [{ at: 20, rearm: 20 }],
    rules: [each("email.opened", 15, { decays: true }), standing("email.opened", 4, { within: 2 * DAY })],
  });

  test("order of arrival and duplicates change nothing", () => {
    const inputs = [0, 5, 30, 31, 80].map((hours) => act("email.opened", START + hours * HOUR));
    const straight = oracle([one], inputs, START + 5 * DAY);
    expect(oracle([one], [...inputs].reverse(), START + 5 * DAY)).toEqual(straight);
    expect(oracle([one], [...inputs, ...inputs], START + 5 * DAY)).toEqual(straight);
    expect(straight.conflicts).toEqual([]);
  });

  test("of two contents with one key the smaller stays, and the other is a conflict", () => {
    const small = act("email.clicked", START, { id: "same" });
    const large = act("email.opened", START, { id: "same" });
    for (const inputs of [
      [small, large],
      [large, small, large],
    ]) {
      const result = oracle([one], inputs, START);
      expect(result.conflicts).toEqual([large]);
      expect(result.lines[0]?.score).toBe(0);
    }
  });

  test("a retraction brings back the score without what it removed, and the empty score at last", () => {
    const first = act("email.opened", START);
    const second = act("email.opened", START + HOUR);
    const inputs = [first, second, retract(second, START + 2 * HOUR), retract(first, START + 3 * HOUR)];
    const { lines, outputs } = oracle([one], inputs, START + 10 * DAY);
    expect(lines).toEqual([]);
    expect(outputs.filter(({ kind }) => kind === "ScoreChanged")).toMatchObject([
      { previous: null, current: 19 },
      { previous: 19, current: 38 },
      { previous: 38, current: 19, cause: { kind: "interaction", type: "interaction.retracted" } },
      { previous: 19, current: 0 },
    ]);
    expect(crossings(outputs)).toEqual(["threshold 20 up 19->38", "threshold 20 down 38->19"]);
    const again = [...inputs, act("email.opened", START + 4 * HOUR)];
    expect(oracle([one], again, START + 4 * HOUR).outputs.at(-1)).toMatchObject({ previous: 0, current: 19 });
  });

  test("an erasure ends a contact once, and what follows is a new one", () => {
    const before = act("email.opened", START);
    const erasure = profile(START + HOUR, null);
    const sameInstant = act("email.opened", START + HOUR);
    const gone = oracle([one], [before, sameInstant, erasure, profile(START + 2 * HOUR, null)], START + DAY);
    expect(gone.lines).toEqual([]);
    expect(gone.outputs.map(({ kind, at }) => [kind, at])).toEqual([
      ["ScoreChanged", START],
      ["ContactErased", START + HOUR],
    ]);
    const anew = oracle([one], [before, erasure, act("email.opened", START + 3 * HOUR)], START + 3 * HOUR);
    expect(anew.outputs.at(-1)).toMatchObject({ previous: null, current: 19 });
  });
});

describe("random models and inputs", () => {
  const shuffledScenes = scenes().chain((scene) => shuffled(scene.inputs).map((mixed) => ({ ...scene, mixed })));

  test("the order of arrival means nothing", () => {
    fc.assert(
      fc.property(shuffledScenes, ({ models, inputs, mixed, asOf }) => {
        // Of two spellings of one content either may be the one that is kept.
        const told = (result: ReturnType<typeof oracle>) => ({
          ...result,
          conflicts: result.conflicts.map((input) => canonicalJson(input as unknown as Json)),
        });
        expect(told(oracle(models, mixed, asOf))).toEqual(told(oracle(models, inputs, asOf)));
      }),
      { numRuns: 100 },
    );
  });

  test("a score line shows what was published last, so nothing moved between due instants", () => {
    fc.assert(
      fc.property(scenes(), ({ models, inputs, asOf }) => {
        const { lines, outputs } = oracle(models, inputs, asOf);
        for (const line of lines) {
          const last = outputs.findLast(
            (output) =>
              output.kind === "ScoreChanged" &&
              output.tenantId === line.tenantId &&
              output.contactId === line.contactId &&
              output.model === line.model,
          );
          expect(last).toMatchObject({ current: line.score, dimensions: line.dimensions, grade: line.grade });
        }
      }),
      { numRuns: 200 },
    );
  });

  test("outputs up to an instant are those as of that instant", () => {
    fc.assert(
      fc.property(scenes(), ({ models, inputs, asOf }) => {
        const later = oracle(models, inputs, asOf + 24 * HOUR);
        const early = oracle(models, inputs, asOf);
        expect(early.outputs).toEqual(later.outputs.filter(({ at }) => at <= asOf));
      }),
      { numRuns: 100 },
    );
  });
});
