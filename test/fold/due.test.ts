/** When time alone changes something, and which cause it has. */
import { describe, expect, test } from "vitest";
import { causeOfTime, due, lapsed } from "../../src/fold/due.js";
import { initial } from "../../src/fold/initial.js";
import type { CompiledModel } from "../../src/model/compile.js";
import { adjusted, day, did, folded, hour, lead, outputsOf, start, told } from "./given.js";

/** The next due instant after `start`, in hours; null: never. */
function dueAt(model: CompiledModel, ...args: [Parameters<typeof folded>[1], number?]): number | null {
  const at = due(model, folded(model, ...args));
  return at === null ? null : (at - start) / hour;
}

const decaying = lead(`
dimensions: { score: { decay: { percent: 50, every: 1d, floor: 10 } } }
rules:
  - { id: click, when: a.click, points: 30 }
  - { id: keep, when: a.keep, points: 5, decays: false }
activity: [a.click]
`);

describe("due", () => {
  test("never before the first input", () => {
    expect(due(decaying, initial(decaying))).toBeNull();
  });

  test("never without points that decay: lasting ones do not", () => {
    expect(dueAt(decaying, [did("a.other", 0)])).toBeNull();
    expect(dueAt(decaying, [did("a.keep", 0)])).toBeNull();
  });

  test("the next decay step, counted from the last activity", () => {
    const inputs = [did("a.click", 0), did("a.click", 5 * hour), did("a.keep", 7 * hour)];
    expect(dueAt(decaying, inputs)).toBe(29);
    expect(dueAt(decaying, inputs, 29 * hour)).toBe(53);
  });

  test("never again once the steps rest on the floor; activity wakes them", () => {
    expect(dueAt(decaying, [did("a.click", 0)], 2 * day)).toBe(72);
    expect(dueAt(decaying, [did("a.click", 0)], 3 * day)).toBeNull();
    expect(dueAt(decaying, [did("a.click", 0), did("a.click", 3 * day)])).toBe(96);
  });

  test("the end of silence, until it has fired", () => {
    const model = lead("rules: [{ id: quiet, inactive: 2d, points: -5 }]");
    expect(dueAt(model, [did("a.x", 0)])).toBe(48);
    expect(dueAt(model, [did("a.x", 0)], 2 * day)).toBeNull();
  });

  test("the edge of the oldest hour in a window, and each edge of recency", () => {
    const model = lead("rules: [{ id: recent, when: a.x, within: 2h, points: 1 }]");
    expect(dueAt(model, [did("a.x", 1), did("a.x", hour)])).toBe(3);
    expect(dueAt(model, [did("a.x", 0), did("a.x", hour)])).toBe(2);
    const weighed = lead(
      "rules: [{ id: r, when: a.x, points: 1, recency: [{ within: 5h, multiplier: 2 }, { within: 7h, multiplier: 1 }] }]",
    );
    expect([0, 5, 7].map((n) => dueAt(weighed, [did("a.x", 0), did("a.x", hour)], Math.max(1, n) * hour))).toEqual([
      5, 6, 8,
    ]);
  });

  test("first sight + after, to the millisecond", () => {
    const model = lead("rules: [{ id: absent, when: a.x, times: { max: 0 }, after: 36h, points: 1 }]");
    const state = folded(model, [did("a.other", 7)]);
    expect(due(model, state)).toBe(start + 7 + 36 * hour);
    expect(lapsed(model.standingRules[0]!, state, start + 7 + 36 * hour)).toBe(true);
    expect(lapsed(model.standingRules[0]!, state, start + 8 + 36 * hour)).toBe(false);
    expect(dueAt(model, [did("a.other", 7)], 40 * hour)).toBeNull();
  });
});

describe("the cause of what time does", () => {
  const all = lead(`
dimensions: { score: { min: -100, decay: { percent: 50, every: 1d } } }
score: { min: -100, max: 100 }
rules:
  - { id: click, when: a.click, points: 40 }
  - { id: recent, when: a.click, within: 24h, points: 10 }
  - { id: quiet, inactive: 1d, points: -20, decays: false }
`);

  test("decay before expiry before inactivity, when all are due at once: one evaluation", () => {
    expect(told(outputsOf(all, [did("a.click", 0)], day))).toEqual([
      "0h score null -> 50 by interaction",
      "24h score 50 -> 0 by decay",
    ]);
  });

  test("expiry before inactivity where nothing decays", () => {
    const model = lead(`
rules:
  - { id: recent, when: a.click, within: 24h, points: 10 }
  - { id: lasting, when: a.click, points: 40 }
  - { id: quiet, inactive: 1d, points: -20 }
`);
    expect(told(outputsOf(model, [did("a.click", 0)], day)).at(-1)).toBe("24h score 50 -> 20 by expiry");
    // 1 ms past the hour the window ends later than the silence does.
    expect(told(outputsOf(model, [did("a.click", 1)], 2 * day).slice(1)).map((line) => line.split(" by ")[1])).toEqual([
      "inactivity",
      "expiry",
    ]);
  });

  test("decay also where the step rests on its floor and only the silence ends", () => {
    const model = lead(`
dimensions: { score: { decay: { percent: 50, every: 1d, floor: 40 } } }
rules:
  - { id: click, when: a.click, points: 40 }
  - { id: quiet, inactive: 2d, points: -20, decays: false }
`);
    const state = folded(model, [did("a.click", 0)], day);
    expect(causeOfTime(model, state, start + 2 * day)).toEqual({ kind: "decay" });
    expect(causeOfTime(model, folded(model, [did("a.x", 0)]), start + 2 * day)).toEqual({ kind: "inactivity" });
  });

  test("the end of any match is due, also of one that has made way for a later one of its resource", () => {
    const model = lead(`
activity: [b.none]
rules:
  - { id: recent, when: a.x, within: 24h, scope: resource, points: 5 }
  - { id: quiet, inactive: 1d, points: 7 }
`);
    const inputs = [did("a.x", 0, { resource: "/a" }), did("a.x", hour, { resource: "/a" })];
    expect(dueAt(lead("rules: [{ id: r, when: a.x, within: 24h, scope: resource, points: 5 }]"), inputs)).toBe(24);
    expect(told(outputsOf(model, inputs, 2 * day)).slice(1)).toEqual([
      "24h score 5 -> 12 by expiry",
      "25h score 12 -> 7 by expiry",
    ]);
  });

  test("the end of after is an expiry", () => {
    const model = lead("rules: [{ id: absent, when: a.x, times: { max: 0 }, after: 36h, points: 1 }]");
    expect(told(outputsOf(model, [did("a.other", 0)], 2 * day)).at(-1)).toBe("36h score 0 -> 1 by expiry");
  });

  test("an adjustment is no activity: the steps go on counting from before", () => {
    expect(dueAt(decaying, [did("a.click", 0), adjusted(23 * hour, { add: 5 })])).toBe(24);
  });
});
