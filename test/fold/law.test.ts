/**
 * The one law: a score is a pure function of the inputs. Risks hunted here: an order of arrival, a split, a timer or a
 * retraction that leaves a trace in the state; a window's edge read in two ways; a crossing lost or doubled.
 * The engine is held against a second, naive implementation that shares none of its code.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { explain } from "../../src/fold/explain.js";
import { batches, shuffled } from "../arbitrary/inputs.js";
import { scenes } from "../arbitrary/scenes.js";
import { comparable } from "../oracle/comparable.js";
import { oracle } from "../oracle/oracle.js";
import { asTheyCome, compiled, folded, onePass } from "./engine.js";

/** How many random scenes each law is tried on; more find rarer faults (SCOREFOLD_LAW_RUNS=20000). */
const runs = Number(process.env["SCOREFOLD_LAW_RUNS"] ?? 1500);

describe("the law", () => {
  it(`agrees with a naive reading of the rules: scores, outputs and their order (${runs} random scenes)`, () => {
    fc.assert(
      fc.property(scenes(), ({ models, inputs, asOf }) => {
        const scored = onePass(compiled(models), inputs, asOf);
        const expected = oracle(models, inputs, asOf);
        expect(scored.lines).toEqual(expected.lines);
        expect(scored.outputs.map(comparable)).toEqual(expected.outputs.map(comparable));
      }),
      { numRuns: runs },
    );
  });

  it("gives the same bytes of state for any order, any split, doubled, with timers fired on the way", () => {
    const arrivals = scenes().chain((scene) =>
      shuffled([...scene.inputs, ...scene.inputs.slice(0, 5)]).chain((order) =>
        batches(order).map((arrived) => ({ ...scene, arrived })),
      ),
    );
    fc.assert(
      fc.property(arrivals, ({ models, inputs, asOf, arrived }) => {
        const own = compiled(models);
        const inOrder = onePass(own, inputs, asOf);
        const live = asTheyCome(own, arrived, asOf);
        expect(live.states).toEqual(inOrder.states);
        expect(live.lines).toEqual(inOrder.lines);
      }),
      { numRuns: runs },
    );
  });

  it("publishes what the states say: after everything has come, published and folded agree", () => {
    const arrivals = scenes().chain((scene) =>
      shuffled(scene.inputs).chain((order) => batches(order).map((arrived) => ({ ...scene, arrived }))),
    );
    fc.assert(
      fc.property(arrivals, ({ models, asOf, arrived }) => {
        const live = asTheyCome(compiled(models), arrived, asOf);
        const last = new Map<string, number>();
        for (const output of live.outputs) {
          if (output.kind === "ContactErased") {
            for (const key of last.keys())
              if (key.startsWith(`${output.tenantId}\0${output.contactId}\0`)) last.delete(key);
          } else if (output.kind === "ScoreChanged") {
            last.set(`${output.tenantId}\0${output.contactId}\0${output.model}`, output.current);
          }
        }
        for (const line of live.lines)
          expect(last.get(`${line.tenantId}\0${line.contactId}\0${line.model}`)).toBe(line.score);
      }),
      { numRuns: runs },
    );
  });

  it("explains every point: the lines of a dimension sum to what it accumulated and what stands", () => {
    fc.assert(
      fc.property(scenes(), ({ models, inputs, asOf }) => {
        const own = compiled(models);
        for (const { contact, tenantId, contactId } of folded(own, inputs, asOf)) {
          contact.foldedStates().forEach((state, i) => {
            const explanation = explain(contact.models[i]!, tenantId, contactId, state);
            for (const { lines, sum, accumulated, standing, points, min, max } of explanation?.dimensions ?? []) {
              // To the last bit, added pool by pool: the order of a sum of doubles is part of its result.
              const of = (...pools: string[]): number =>
                lines.filter(({ pool }) => pools.includes(pool)).reduce((added, line) => added + line.points, 0);
              expect(of("decaying") + of("lasting") + of("standing", "profile")).toBe(sum);
              expect(sum).toBe(accumulated + standing);
              expect(points).toBe(Math.min(Math.max(sum, min), max));
            }
          });
        }
      }),
      { numRuns: runs },
    );
  });
});
