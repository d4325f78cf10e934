/** One contact under one model: the order at one instant, silence, scope, automation, profiles and adjustments. */
import { describe, expect, test } from "vitest";
import { advance, causeOf, fold } from "../../src/fold/fold.js";
import { initial } from "../../src/fold/initial.js";
import {
  adjusted,
  day,
  did,
  folded,
  hour,
  lead,
  ledger,
  outputsOf,
  profile,
  scoreAt,
  scoresAt,
  start,
  told,
} from "./given.js";

describe("at one instant", () => {
  test("what time does comes before the inputs: decay first, then the click adds to what is left", () => {
    const model = lead(`
dimensions: { score: { decay: { percent: 50, every: 1d } } }
rules: [{ id: click, when: a.click, points: 40 }]
`);
    const outputs = outputsOf(model, [did("a.click", 0), did("a.click", day)]);
    expect(told(outputs)).toEqual([
      "0h score null -> 40 by interaction",
      "24h score 40 -> 20 by decay",
      "24h score 20 -> 60 by interaction",
    ]);
  });

  test("each due instant on the way is evaluated by itself", () => {
    const model = lead(`
dimensions: { score: { decay: { percent: 50, every: 1d } } }
rules: [{ id: click, when: a.click, points: 40 }]
thresholds: [20, 40]
`);
    expect(
      told(outputsOf(model, [did("a.click", 0), did("a.click", 2 * day)])).filter((line) => line.includes("threshold")),
    ).toEqual([
      "0h threshold 20 up",
      "0h threshold 40 up",
      "24h threshold 40 down",
      "48h threshold 20 down",
      "48h threshold 20 up",
      "48h threshold 40 up",
    ]);
  });

  test("a rule with set runs before the others of the same input, wherever it stands", () => {
    const model = lead(`
rules:
  - { id: click, when: a.click, points: 40 }
  - { id: reset, when: a.click, set: 7 }
`);
    expect(scoresAt(model, [did("a.click", 0), did("a.click", 1)], [0, 1])).toEqual([47, 47]);
  });

  test("lift comes before suppress, so suppress wins on one input", () => {
    const model = lead(`
rules:
  - { id: gone, when: a.gone, suppress: true }
  - { id: click, when: a.*, points: 10 }
lift: [a.gone, a.back]
`);
    expect(scoresAt(model, [did("a.gone", 0), did("a.back", 1), did("a.gone", 2)], [0, 1, 2])).toEqual([0, 20, 0]);
  });

  test("the profile of an instant is in force for the interactions of that instant", () => {
    const model = lead("rules: [{ id: local, when: a.click, points: 10, where: [{ field: contact.city, is: Bonn }] }]");
    expect(scoreAt(model, [profile(0, { city: "Bonn" }), did("a.click", 0)], 0)).toBe(10);
  });

  test("a lift by an automated interaction is none, by one that may be automated it is", () => {
    const model = lead(`
rules:
  - { id: click, when: a.click, points: 10 }
  - { id: gone, when: a.gone, suppress: true }
lift: [a.back]
`);
    const inputs = [
      did("a.click", 0),
      did("a.gone", 1),
      did("a.back", 2, { automated: "yes" }),
      did("a.back", 3, { automated: "maybe" }),
    ];
    expect(scoresAt(model, inputs, [1, 2, 3])).toEqual([0, 0, 10]);
  });
});

describe("inactive", () => {
  const model = lead(`
dimensions: { score: { decay: { percent: 50, every: 100d } } }
rules:
  - { id: click, when: a.click, points: 50 }
  - { id: quiet, inactive: 10d, points: -10 }
  - { id: away, inactive: 20d, set: 5 }
`);

  test("fires once a spell, at its start + 10 d to the millisecond; activity begins a new spell", () => {
    expect(scoresAt(model, [did("a.click", 0)], [10 * day - 1, 10 * day, 19 * day, 20 * day, 99 * day])).toEqual([
      50, 40, 40, 5, 5,
    ]);
    expect(scoresAt(model, [did("a.click", 0), did("a.click", 15 * day)], [15 * day, 25 * day - 1, 25 * day])).toEqual([
      90, 90, 80,
    ]);
  });

  test("silence counts from first sight before any activity", () => {
    expect(folded(model, [did("a.other", 0)], 10 * day).matches[1]).toBe(1);
    expect(folded(model, [did("a.other", 0), did("a.other", 5 * day)], 10 * day).matches[1]).toBe(1);
  });

  test("activity at the very instant comes after it", () => {
    expect(scoreAt(model, [did("a.click", 0), did("a.click", 10 * day)], 10 * day)).toBe(90);
  });

  test("its points are lasting, unless decays: true", () => {
    expect(ledger(model, folded(model, [did("a.click", 0)], 10 * day))).toEqual({ "~click": 50, quiet: -10 });
  });

  test("a spell in which where is false is used up", () => {
    const known = lead("rules: [{ id: quiet, inactive: 10d, points: 10, where: [{ field: contact.city, is: Bonn }] }]");
    const inputs = [did("a.x", 0), profile(11 * day, { city: "Bonn" })];
    expect(scoreAt(known, inputs, 99 * day)).toBe(0);
    expect(scoreAt(known, [did("a.x", 0), profile(10 * day - 1, { city: "Bonn" })], 10 * day)).toBe(10);
  });
});

describe("activity", () => {
  const lastActivity = (text: string, ...inputs: Parameters<typeof folded>[1]) => {
    const at = folded(lead(text), inputs).lastActivity;
    return at === null ? null : at - start;
  };

  test("by default: a match with positive points, before caps and range", () => {
    const text = `rules:
  - { id: plus, when: a.plus, points: 10, cap: 10 }
  - { id: minus, when: a.minus, points: -10 }
  - { id: zero, when: a.zero, points: 0 }
  - { id: half, when: a.half, points: 10, weight: 0 }
  - { id: absent, when: a.absent, times: { max: 0 }, points: 5 }
  - { id: present, when: a.present, times: { min: 1 }, points: 5 }
  - { id: recent, when: a.recent, within: 1h, points: 5 }
  - { id: set, when: a.set, set: 5 }`;
    const ends = ["a.plus", "a.minus", "a.zero", "a.half", "a.absent", "a.present", "a.recent", "a.set", "a.other"];
    expect(ends.filter((type) => lastActivity(text, did(type, 5)) === 5)).toEqual(["a.plus", "a.present", "a.recent"]);
    expect(lastActivity(text, did("a.plus", 0), did("a.plus", 9))).toBe(9);
  });

  test("what is listed, and nothing else, where the model lists it", () => {
    const text = "activity: [a.zero, b.*]\nrules: [{ id: plus, when: a.plus, points: 10 }]";
    const ends = ["a.plus", "a.zero", "b.x", "a.other"].filter((type) => lastActivity(text, did(type, 5)) === 5);
    expect(ends).toEqual(["a.zero", "b.x"]);
  });

  test("never what is automated, though it counts; what may be automated is", () => {
    const text = "rules: [{ id: plus, when: a.plus, points: 10, automated: count }]";
    expect(lastActivity(text, did("a.plus", 5, { automated: "yes" }))).toBeNull();
    expect(lastActivity(text, did("a.plus", 5, { automated: "maybe" }))).toBe(5);
    expect(lastActivity("activity: ['*']", did("a.plus", 5, { automated: "yes" }))).toBeNull();
  });

  test("a profile or an adjustment is none", () => {
    expect(lastActivity("activity: ['*']", profile(1, {}), adjusted(2, { add: 5 }))).toBeNull();
  });
});

describe("automated", () => {
  const total = (policy: string) => {
    const model = lead(`rules: [{ id: open, when: a.open, points: 10${policy} }]`);
    return (["yes", "maybe", undefined] as const).map((automated) =>
      scoreAt(model, [did("a.open", 0, automated === undefined ? {} : { automated })], 0),
    );
  };

  test("skip, the default, passes over what is; skipMaybe over what may be, too; count over nothing", () => {
    expect(total("")).toEqual([0, 10, 10]);
    expect(total(", automated: skip")).toEqual([0, 10, 10]);
    expect(total(", automated: skipMaybe")).toEqual([0, 0, 10]);
    expect(total(", automated: count")).toEqual([10, 10, 10]);
  });
});

describe("repeat", () => {
  const model = lead("rules: [{ id: click, when: a.click, points: 10, repeat: { within: 2h, multiplier: 1.5 } }]");
  const clicks = (...afters: number[]) => afters.map((after) => did("a.click", after));

  test("multiplies where the match before is inside the window, without compounding", () => {
    expect(scoreAt(model, clicks(0, hour, 2 * hour), 2 * hour)).toBe(40);
  });

  test("ends at the window's edge, which whole hours tell", () => {
    expect(scoreAt(model, clicks(0, 2 * hour - 1), 2 * hour)).toBe(25);
    expect(scoreAt(model, clicks(0, 2 * hour), 2 * hour)).toBe(20);
    expect(scoreAt(model, clicks(1, 3 * hour - 1), 3 * hour)).toBe(25);
  });
});

describe("scope: resource of an accumulating rule", () => {
  test("takes the first match of each resource; without one each counts", () => {
    const model = lead("rules: [{ id: view, when: a.view, scope: resource, points: 10 }]");
    const inputs = ["/a", "/a", "/b", undefined, undefined].map((resource, i) =>
      did("a.view", i, resource === undefined ? {} : { resource }),
    );
    expect(scoresAt(model, inputs, [0, 1, 2, 3, 4])).toEqual([10, 10, 20, 30, 40]);
  });

  test("a match not taken is none for repeat, but is activity", () => {
    const model = lead(
      "rules: [{ id: view, when: a.view, scope: resource, points: 10, repeat: { within: 2h, multiplier: 2 } }]",
    );
    const view = (after: number, resource: string) => did("a.view", after, { resource });
    const inputs = [view(0, "/a"), view(2 * hour, "/a"), view(3 * hour, "/b")];
    const state = folded(model, inputs.slice(0, 2));
    expect(state).toMatchObject({ lastActivity: start + 2 * hour, matches: [1], lastMatch: [start] });
    expect(scoreAt(model, inputs, 3 * hour)).toBe(20);
  });

  test("a resource is taken though its points are 0 or capped away", () => {
    const model = lead("rules: [{ id: view, when: a.view, scope: resource, points: { by: attributes.n, times: 1 } }]");
    const view = (after: number, n: number) => did("a.view", after, { resource: "/a", attributes: { n } });
    expect(scoreAt(model, [view(0, 0), view(1, 10)], 1)).toBe(0);
  });
});

describe("after", () => {
  test("holds an absence back until first sight + after, whatever happened since", () => {
    const model = lead("rules: [{ id: absent, when: a.buy, times: { max: 0 }, after: 2d, points: 10 }]");
    expect(scoresAt(model, [did("a.x", 0), did("a.x", day)], [0, 2 * day - 1, 2 * day])).toEqual([0, 0, 10]);
    expect(scoresAt(model, [did("a.x", 0), did("a.buy", day)], [2 * day])).toEqual([0]);
  });

  test("without it an absence is true from first sight on", () => {
    const model = lead("rules: [{ id: absent, when: a.buy, times: { max: 0 }, points: 10 }]");
    expect(scoreAt(model, [did("a.x", 0)], 0)).toBe(10);
    expect(scoreAt(model, [did("a.buy", 0)], 0)).toBe(0);
    expect(scoreAt(model, [profile(0, {})], 0)).toBe(10);
  });
});

describe("profiles", () => {
  const model = lead(`
rules:
  - { id: town, points: 10, where: [{ field: contact.city, is: Bonn }] }
  - { id: unknown, points: 3, where: [{ field: contact.city, exists: false }] }
  - { id: size, points: { by: contact.n, times: 1 }, cap: 20 }
`);

  test("nothing before the first one, even where a condition would hold for an empty profile", () => {
    expect(scoreAt(model, [did("a.x", 0)], 0)).toBe(0);
    expect(scoreAt(model, [profile(0, {})], 0)).toBe(3);
  });

  test("each replaces the one before as a whole", () => {
    const inputs = [profile(0, { city: "Bonn", n: 5 }), profile(1, { n: 90 }), profile(2, { city: "Kiel" })];
    expect(scoresAt(model, inputs, [0, 1, 2])).toEqual([15, 23, 0]);
  });

  test("points of a times rule by a contact field follow the profile in force", () => {
    const fit = lead(
      "rules: [{ id: seen, when: a.x, times: { min: 1 }, points: { by: contact.n, times: 1, else: 2 } }]",
    );
    expect(scoresAt(fit, [did("a.x", 0), profile(1, { n: 7 }), profile(2, {})], [0, 1, 2])).toEqual([2, 7, 2]);
  });

  test("of an accumulating rule the profile at the match counts, for ever", () => {
    const then = lead("rules: [{ id: x, when: a.x, points: { by: contact.n, times: 1 } }]");
    expect(scoreAt(then, [profile(0, { n: 7 }), did("a.x", 1), profile(2, { n: 50 })], 2)).toBe(7);
  });
});

describe("adjustments", () => {
  const two = lead(`
dimensions: { warm: { max: 50 }, fit: { min: 5, max: 40 } }
rules: [{ id: x, dimension: warm, when: a.x, points: 20 }]
`);
  const dimensionsOf = (...inputs: Parameters<typeof folded>[1]) => folded(two, inputs).flags.dimensions;

  test("add to the dimension they name, inside its range", () => {
    expect(dimensionsOf(adjusted(0, { dimension: "fit", add: 10 }))).toEqual([0, 15]);
    expect(dimensionsOf(adjusted(0, { dimension: "fit", add: 100 }))).toEqual([0, 40]);
    expect(dimensionsOf(did("a.x", 0), adjusted(1, { dimension: "warm", add: -30 }))).toEqual([0, 5]);
  });

  test("set one or all, inside their ranges", () => {
    expect(dimensionsOf(did("a.x", 0), adjusted(1, { dimension: "warm", set: 70 }))).toEqual([50, 5]);
    expect(dimensionsOf(did("a.x", 0), adjusted(1, { dimension: "all", set: 2 }))).toEqual([2, 5]);
  });

  test("have no effect for an unknown model or dimension, for none named of two, and for all with add", () => {
    for (const parts of [
      { model: "other", dimension: "warm", add: 10 },
      { dimension: "wram", add: 10 },
      { add: 10 },
      { set: 10 },
      { dimension: "all", add: 10 },
      { dimension: "constructor", set: 10 },
    ])
      expect(dimensionsOf(did("a.x", 0), adjusted(1, parts))).toEqual([20, 5]);
  });

  test("are first sight all the same", () => {
    expect(folded(two, [adjusted(3, { model: "other", add: 1 })]).firstSight).toBe(start + 3);
  });

  test("need no dimension where there is only one", () => {
    expect(scoreAt(lead("name: one"), [adjusted(0, { add: 9 })], 0)).toBe(9);
  });
});

describe("calls", () => {
  const model = lead(`
dimensions: { score: { decay: { percent: 50, every: 1d } } }
rules: [{ id: click, when: a.click, points: 40 }]
`);

  test("advance does nothing to a contact without inputs but move its clock, and never back", () => {
    const state = initial(model);
    advance(model, state, start + day);
    advance(model, state, start);
    expect(state).toEqual({ ...initial(model), clock: start + day });
  });

  test("time in many small advances or in one is the same state", () => {
    const steps = folded(model, [did("a.click", 0, { id: "x" })]);
    for (let n = 1; n <= 100; n += 1) advance(model, steps, start + n * hour);
    expect(steps).toEqual(folded(model, [did("a.click", 0, { id: "x" })], 100 * hour));
  });

  test("an evaluation is told once for the first input and then where something that is published changed", () => {
    const told: string[] = [];
    const state = initial(model);
    for (const input of [did("a.other", 0), did("a.other", 1), did("a.click", 2)])
      fold(model, state, input, (at, cause) => told.push(`${at - start} ${cause.kind}`));
    advance(model, state, start + 2 + day, (at, cause) => told.push(`${at - start} ${cause.kind}`));
    expect(told).toEqual(["0 interaction", "2 interaction", `${2 + day} decay`]);
  });

  test("the cause of an input names it; only an interaction has a type", () => {
    expect(causeOf(did("a.x", 0, { id: "1" }))).toEqual({ kind: "interaction", id: "1", type: "a.x" });
    expect(causeOf(profile(0, {}))).toEqual({ kind: "profile", id: "" });
    expect(causeOf(adjusted(0, { id: "2", add: 1 }))).toEqual({ kind: "adjustment", id: "2" });
  });
});
