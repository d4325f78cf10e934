/** Why a score is what it is, until when, and what time changes next. */
import { describe, expect, test } from "vitest";
import { type Explanation, explain } from "../../src/fold/explain.js";
import { initial } from "../../src/fold/initial.js";
import type { CompiledModel } from "../../src/model/compile.js";
import { adjusted, day, did, folded, hour, lead, profile, start } from "./given.js";

function explained(model: CompiledModel, ...args: [Parameters<typeof folded>[1], number?]): Explanation {
  const explanation = explain(model, "acme", "ann", folded(model, ...args));
  if (explanation === null) throw new Error("nothing is known of this contact");
  return explanation;
}

const model = lead(`
dimensions:
  warm: { max: 50, decay: { percent: 50, every: 10d } }
  fit: { max: 50 }
rules:
  - { id: click, dimension: warm, when: a.click, points: 40 }
  - { id: recent, dimension: warm, when: a.click, within: 1d, points: 3 }
  - { id: busy, dimension: fit, when: a.click, times: { min: 2 }, within: 2d, points: 4 }
  - { id: absent, dimension: fit, when: a.buy, times: { max: 0 }, points: 1 }
  - { id: town, dimension: fit, points: 5, where: [{ field: contact.city, is: Bonn }] }
`);
const inputs = [
  profile(0, { city: "Bonn" }),
  did("a.click", hour),
  did("a.click", 2 * hour),
  adjusted(3 * hour, { dimension: "warm", add: -6 }),
];

describe("explain", () => {
  test("names every line with pool, points, matches, last match and until when it stands", () => {
    const { dimensions } = explained(model, inputs);
    expect(dimensions[0]).toEqual({
      id: "warm",
      min: 0,
      max: 50,
      points: 44,
      sum: 44,
      accumulated: 38,
      standing: 6,
      lines: [
        { rule: "click", pool: "decaying", points: 80, matches: 2, lastMatchAt: start + 2 * hour, until: null },
        { rule: "cut", pool: "decaying", points: -36, matches: 0, lastMatchAt: null, until: null },
        { rule: "adjustment", pool: "lasting", points: -6, matches: 0, lastMatchAt: null, until: null },
        {
          rule: "recent",
          pool: "standing",
          points: 6,
          matches: 2,
          lastMatchAt: start + 2 * hour,
          until: start + 25 * hour,
        },
      ],
    });
    expect(dimensions[1]?.lines.map(({ rule, pool, points, until }) => [rule, pool, points, until])).toEqual([
      ["busy", "standing", 4, start + 49 * hour],
      ["absent", "standing", 1, null],
      ["town", "profile", 5, null],
    ]);
  });

  test("the lines of a dimension sum to what it accumulated and what stands, at every instant", () => {
    for (const until of [3 * hour, 25 * hour, 49 * hour, 10 * day, 95 * day]) {
      for (const { lines, sum, accumulated, standing } of explained(model, inputs, until).dimensions) {
        expect(lines.reduce((total, { points }) => total + points, 0)).toBeCloseTo(sum, 9);
        expect(sum).toBe(accumulated + standing);
      }
    }
  });

  test("shows the score line, first sight and since when there is silence", () => {
    expect(explained(model, inputs)).toMatchObject({
      score: { contactId: "ann", model: "lead", score: 54, dimensions: { warm: 44, fit: 10 } },
      asOf: start + 3 * hour,
      firstSightAt: start,
      silenceSince: start + 2 * hour,
    });
  });

  test("points are not rounded, and inside the range though the sum is not", () => {
    const small = lead("dimensions: { score: { max: 10 } }\nrules: [{ id: r, when: a.x, within: 1d, points: 6.25 }]");
    const [one] = explained(small, [did("a.x", 0)]).dimensions;
    expect(one).toMatchObject({ points: 6.25, sum: 6.25 });
    const [two] = explained(small, [did("a.x", 0), did("a.x", 1)]).dimensions;
    expect(two).toMatchObject({ points: 10, sum: 12.5 });
  });

  test("a rule that matched shows though it is worth nothing; one that never matched does not", () => {
    const zero = lead("rules: [{ id: zero, when: a.x, points: 0 }, { id: never, when: a.y, points: 5 }]");
    expect(explained(zero, [did("a.x", 0)]).dimensions[0]?.lines.map(({ rule }) => rule)).toEqual(["zero"]);
  });

  test("of a contact without an input there is nothing to explain", () => {
    expect(explain(model, "acme", "ann", initial(model))).toBeNull();
  });

  test("leaves the state alone", () => {
    const state = folded(model, inputs);
    const before = structuredClone(state);
    explain(model, "acme", "ann", state);
    expect(state).toEqual(before);
  });
});

describe("what time changes next", () => {
  test("says when, why, the score then and the lines that move", () => {
    const first = explained(model, inputs, 3 * hour);
    // 38 accumulated and 3 standing are 41; fit stays 10.
    expect(first.next).toEqual({
      at: start + 25 * hour,
      cause: "expiry",
      score: 51,
      lines: [{ rule: "recent", dimension: "warm", points: -3 }],
    });
    expect(explained(model, inputs, 3 * day).next).toEqual({
      at: start + 2 * hour + 10 * day,
      cause: "decay",
      score: 22,
      lines: [
        { rule: "click", dimension: "warm", points: -40 },
        { rule: "cut", dimension: "warm", points: 18 },
      ],
    });
  });

  test("a dimension that is full takes only what the standing points leave", () => {
    const held = lead(`
dimensions: { score: { max: 10 } }
rules: [{ id: lasting, when: a.x, points: 10 }, { id: recent, when: a.x, within: 2h, points: 5 }]
`);
    expect(explained(held, [did("a.x", 0)]).next).toEqual({
      at: start + 2 * hour,
      cause: "expiry",
      score: 5,
      lines: [{ rule: "recent", dimension: "score", points: -5 }],
    });
  });

  test("passes over instants at which nothing moves", () => {
    const model = lead(`
rules:
  - { id: rare, when: a.x, times: { min: 5 }, within: 2h, points: 5 }
  - { id: quiet, inactive: 30d, points: 7 }
`);
    expect(explained(model, [did("a.x", 0), did("a.x", hour)]).next).toMatchObject({
      // The matches are activity, though the rule never held.
      at: start + hour + 30 * day,
      cause: "inactivity",
      score: 7,
    });
  });

  test("steps too small to show by themselves add up to one that does", () => {
    const slow = lead(`
dimensions: { score: { decay: { percent: 0.1, every: 1d } } }
rules: [{ id: x, when: a.x, points: 0.4 }]
`);
    // Each step takes 0.0004; the second leaves 0.3992, which is 0.001 less when rounded.
    expect(explained(slow, [did("a.x", 0)]).next).toMatchObject({
      at: start + 2 * day,
      lines: [{ rule: "x", points: -0.001 }],
    });
  });

  test("is null where nothing changes by time", () => {
    const lasting = lead("rules: [{ id: x, when: a.x, points: 10 }]");
    expect(explained(lasting, [did("a.x", 0)]).next).toBeNull();
    const away = lead("rules: [{ id: quiet, inactive: 2d, points: -5 }]");
    expect(explained(away, [did("a.x", 0)], 2 * day).next).toBeNull();
  });
});
