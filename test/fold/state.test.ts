/** The folded state: a copy shares nothing, the same state is the same bytes, and silence has a beginning. */
import { describe, expect, test } from "vitest";
import { fold } from "../../src/fold/fold.js";
import { initial } from "../../src/fold/initial.js";
import { cloneState, encodeState, silenceSince } from "../../src/fold/state.js";
import { adjusted, day, did, folded, hour, lead, profile, start } from "./given.js";

const model = lead(`
dimensions: { score: { decay: { percent: 50, every: 1d } } }
rules:
  - { id: view, when: a.view, scope: resource, points: 10, cap: { points: 25, per: day } }
  - { id: recent, when: a.view, within: 2d, scope: resource, points: 1 }
  - { id: gone, when: a.gone, suppress: true }
triggers: [{ id: surge, risesBy: 5, within: 24h }]
thresholds: [10]
`);
const inputs = [
  profile(0, { city: "Bonn", account: { size: 3 } }),
  did("a.view", 1, { resource: "/a" }),
  did("a.view", hour, { resource: "/b" }),
  adjusted(2 * hour, { add: 3 }),
];

describe("a copy", () => {
  test("is equal, and stays as it is when the other is folded on", () => {
    const state = folded(model, inputs);
    const copy = cloneState(state);
    expect(copy).toEqual(state);
    const before = structuredClone(copy);
    fold(model, state, did("a.view", 3 * hour, { resource: "/c" }));
    fold(model, state, did("a.view", 4 * hour, { resource: "/a" }));
    fold(model, state, did("a.gone", 9 * day));
    expect(copy).toEqual(before);
  });

  test("folds on to the same bytes", () => {
    const state = folded(model, inputs);
    const copy = cloneState(state);
    const next = did("a.view", 3 * day, { resource: "/a" });
    fold(model, state, next);
    fold(model, copy, next);
    expect(encodeState(copy)).toBe(encodeState(state));
  });
});

describe("the bytes", () => {
  test("do not tell how the contact came there: caches are left out", () => {
    const state = folded(model, inputs);
    const other = cloneState(state);
    other.cache.due = 7;
    other.cache.resting[0] = true;
    other.cache.points[0] = 99;
    other.windows[0]!.sumBeforeLast = null;
    other.windows[0]!.edge = 7;
    expect(encodeState(other)).toBe(encodeState(state));
  });

  test("do not tell in which order a source wrote a profile's keys", () => {
    const one = folded(model, [profile(0, { a: 1, b: { c: 2, d: 3 } })]);
    const other = folded(model, [profile(0, { b: { d: 3, c: 2 }, a: 1 })]);
    expect(encodeState(other)).toBe(encodeState(one));
    expect(encodeState(folded(model, [profile(0, { a: 1, b: { c: 3, d: 2 } })]))).not.toBe(encodeState(one));
  });

  test.each([
    ["a point", [...inputs, adjusted(2 * hour, { add: 0.001 })]],
    ["a seen resource", [...inputs.slice(0, 2), did("a.view", hour, { resource: "/x" }), inputs[3]!]],
    ["a match", [...inputs, did("a.view", 2 * hour, { resource: "/a", automated: "maybe" })]],
    ["the clock", [...inputs, did("a.other", 3 * hour)]],
  ])("tell %s apart", (_, others) => {
    expect(encodeState(folded(model, others))).not.toBe(encodeState(folded(model, inputs)));
  });
});

test("silence counts from the last activity, before any from first sight", () => {
  expect(silenceSince(folded(model, [did("a.other", 5), did("a.other", 9)]))).toBe(start + 5);
  expect(silenceSince(folded(model, [did("a.other", 5), did("a.view", 9)]))).toBe(start + 9);
  expect(silenceSince(initial(model))).toBe(0);
});
