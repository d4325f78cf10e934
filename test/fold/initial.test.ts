/** Where a contact stands before its first input. */
import { expect, test } from "vitest";
import { initial } from "../../src/fold/initial.js";
import { lead } from "./given.js";

const model = lead(`
score: { min: 5, max: 100 }
dimensions: { warm: { min: 0, max: 50, decay: { percent: 5, every: 30d } }, fit: { min: 10, max: 50 } }
rules:
  - { id: view, dimension: warm, when: a.view, scope: resource, points: 1, cap: [{ points: 5, per: day }, { points: 9, per: week }] }
  - { id: recent, dimension: fit, when: a.view, within: 1d, points: 1 }
  - { id: town, dimension: fit, points: 5 }
grades: [{ id: cold, from: 0 }, { id: warm, from: 10 }]
`);

test("a place for every line, standing rule, window, scope and period, and the score of an empty history", () => {
  const state = initial(model);
  // warm: view, cut; adjustment, cut. fit: cut; adjustment, cut.
  expect(state.lines).toEqual([0, 0, 0, 0, 0, 0, 0]);
  expect(state.standing).toEqual([0, 0]);
  expect(state.matches).toEqual([0, 0, 0]);
  expect(state.windows).toHaveLength(1);
  expect(state.seen).toEqual([null]);
  expect(state.periods).toEqual([
    { period: null, net: 0 },
    { period: null, net: 0 },
  ]);
  expect(state).toMatchObject({ clock: null, firstSight: null, lastActivity: null, profile: null, suppressed: false });
  expect(state.flags).toMatchObject({ score: 10, dimensions: [0, 10], grade: 1 });
});

test("each contact has a state of its own", () => {
  const one = initial(model);
  one.lines[0] = 7;
  one.seen[0] = new Set(["/a"]);
  one.periods[0]!.net = 5;
  one.flags.dimensions[0] = 7;
  one.windows[0]!.count = 1;
  expect(initial(model)).not.toEqual(one);
  expect(initial(model)).toMatchObject({ lines: [0, 0, 0, 0, 0, 0, 0], seen: [null] });
});
