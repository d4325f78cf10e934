/**
 * The finer points of rules, caps, sets and adjustments in the oracle, each with an answer worked out by hand.
 */
import { describe, expect, test } from "vitest";
import type { Dimension, InactiveRule } from "../../src/model/types.js";
import {
  act,
  adjust,
  course,
  DAY,
  each,
  HOUR,
  model,
  profile,
  profileRule,
  START,
  scoreOf,
  sets,
  standing,
} from "./byhand.js";
import { oracle } from "./oracle.js";

const wide = { min: -100, max: 100 };

describe("caps", () => {
  test("a line's cap goes first, and a period is charged with what was granted in the end", () => {
    const one = model({ rules: [each("web.visited", 8, { cap: 10, periodCaps: [{ points: 9, per: "day" }] })] });
    const visits = [0, 1, DAY, 2 * DAY].map((offset) => act("web.visited", START + offset));
    // 8, then 1 (the day's rest), then 1 (the line's rest), then nothing.
    expect(course(one, visits)).toEqual([8, 9, 10, 10]);
  });

  test("decay makes room under a cap", () => {
    const decay = { kind: "percent", percent: 50, every: DAY } as const;
    const one = model({
      dimensions: [{ id: "score", min: 0, max: 100, decay }],
      activity: [],
      rules: [each("web.visited", 8, { cap: 10, decays: true })],
    });
    expect(
      course(
        one,
        [0, 1, DAY].map((offset) => act("web.visited", START + offset)),
      ),
    ).toEqual([8, 10, 10]);
  });

  test("points a cap has left at 0 move nothing, even outside the range", () => {
    const one = model({ dimensions: [{ id: "score", min: 5, max: 50 }], rules: [each("web.visited", 3, { cap: 3 })] });
    const visits = [0, 1].map((offset) => act("web.visited", START + offset));
    // 0 is shown as 5; the first +3 gives 5 + 3.
    expect([scoreOf(one, [profile(START - 1, {})], START), ...course(one, visits)]).toEqual([5, 8, 8]);
  });
});

describe("scope", () => {
  const pages = ["/a", "/b", "/a", undefined, undefined].map((resource, i) =>
    act("web.visited", START + i * HOUR, resource === undefined ? {} : { resource }),
  );

  test("an accumulating rule takes the first match of a resource, which counts for no repeat after that", () => {
    const effect = { repeat: { within: 2 * HOUR, multiplier: 2 } };
    const one = model({ rules: [{ ...each("web.visited", 1, effect), scopeResource: true }] });
    // /a 1, /b doubled, /a none, then 1 (the one taken before is two hours old), then doubled.
    expect(course(one, pages)).toEqual([1, 3, 3, 4, 6]);
  });

  test("a standing rule takes the latest match of a resource", () => {
    const one = model({ rules: [standing("web.visited", 1, { within: 3 * HOUR, scopeResource: true })] });
    expect(course(one, pages)).toEqual([1, 2, 2, 3, 3]);
  });
});

describe("recency", () => {
  test("an edge is due only while the match is inside the window", () => {
    const steps = [
      { within: 2 * HOUR, multiplier: 2 },
      { within: 6 * HOUR, multiplier: 1 },
      { within: 9 * HOUR, multiplier: 0.5 },
    ];
    const sleepy: InactiveRule = {
      family: "inactive",
      id: "sleepy",
      where: [],
      inactive: 9 * HOUR,
      effect: { kind: "points", dimension: "score", points: { kind: "number", value: 1 }, weight: 1, decays: false },
    };
    const one = model({
      rules: [standing("web.visited", 10, { within: 6 * HOUR, recency: { steps, else: 0 } }), sleepy],
    });
    const outputs = oracle([one], [act("web.visited", START)], START + DAY).outputs;
    expect(outputs.map((output) => [(output.at - START) / HOUR, output])).toMatchObject([
      [0, { current: 20 }],
      [2, { current: 10, cause: { kind: "expiry" } }],
      [6, { current: 0, cause: { kind: "expiry" } }],
      [9, { current: 1, cause: { kind: "inactivity" } }],
    ]);
  });
});

describe("grades", () => {
  test("a score below all of them has the first", () => {
    const grades = [
      { id: "cold", from: -9.5 },
      { id: "warm", from: 5 },
    ];
    const one = model({ score: { min: -9.5, max: 10 }, grades, rules: [each("email.bounced", -20)] });
    const [line] = oracle([one], [act("email.bounced", START)], START).lines;
    expect(line).toMatchObject({ score: -10, grade: "cold" });
  });
});

describe("silence", () => {
  const sleepy: InactiveRule = {
    family: "inactive",
    id: "sleepy",
    where: [{ op: "is", field: ["contact", "city"], value: "Berlin" }],
    inactive: 2 * DAY,
    effect: { kind: "points", dimension: "score", points: { kind: "number", value: -5 }, weight: 1, decays: false },
  };

  test("an inactive rule fires once a spell, and a spell in which its condition fails is used up", () => {
    const one = model({ score: wide, rules: [each("email.opened", 1), sleepy] });
    const berlin = profile(START, { city: "Berlin" });
    const opened = act("email.opened", START + 3 * DAY);
    expect([2, 3, 4.5, 5, 9].map((days) => scoreOf(one, [berlin, opened], START + days * DAY))).toEqual([
      -5, -4, -4, -9, -9,
    ]);
    const late = profile(START + 2 * DAY, { city: "Berlin" });
    expect(scoreOf(one, [profile(START, {}), late], START + 9 * DAY)).toBe(0);
  });

  test("an automated interaction that counts moves the score, but ends no silence", () => {
    const one = model({
      score: wide,
      rules: [
        { ...each("email.opened", 1), automated: "count" },
        { ...sleepy, where: [] },
      ],
    });
    const inputs = [profile(START, {}), act("email.opened", START + DAY, { automated: "yes" })];
    expect(oracle([one], inputs, START + 2 * DAY).lines[0]).toMatchObject({ score: -4, lastActivityAt: null });
  });

  test("of what is due at one instant decay names the cause before expiry and inactivity", () => {
    const decay = { kind: "percent", percent: 50, every: DAY } as const;
    const one = model({
      score: wide,
      dimensions: [{ id: "score", ...wide, decay }],
      activity: ["email.opened"],
      rules: [
        each("email.opened", 20, { decays: true }),
        standing("email.opened", 3, { within: DAY }),
        { ...sleepy, where: [], inactive: DAY },
      ],
    });
    expect(oracle([one], [act("email.opened", START)], START + DAY).outputs).toMatchObject([
      { current: 23 },
      { current: 5, cause: { kind: "decay" } },
    ]);
  });
});

describe("sets and adjustments", () => {
  const two: Dimension[] = [
    { id: "score", min: 0, max: 50 },
    { id: "fit", min: 0, max: 50 },
  ];

  test("rules with set run before the others of the same input, wherever they stand", () => {
    const one = model({ rules: [each("form.submitted", 5), sets("form.submitted", 20)] });
    expect(
      course(
        one,
        [0, 1].map((offset) => act("form.submitted", START + offset)),
      ),
    ).toEqual([25, 25]);
  });

  test("an adjustment needs its dimension where there are two, and has none for unknown names", () => {
    const one = model({ dimensions: two, rules: [] });
    const add = adjust(START, 10);
    const cases = [{}, { dimension: "fit" }, { dimension: "nope" }, { dimension: "fit", model: "other" }];
    expect(cases.map((parts) => scoreOf(one, [{ ...add, ...parts }], START))).toEqual([0, 10, 0, 0]);
    const { add: _, ...rest } = add;
    expect(scoreOf(one, [{ ...rest, dimension: "all", set: 70 }], START)).toBe(100);
  });

  test("a dimension that is set shows the value, whatever stands; what stands moves it from there", () => {
    const one = model({
      score: wide,
      rules: [
        profileRule("city", "London", 5),
        standing("form.submitted", 20, { within: DAY }),
        each("web.visited", 9),
        sets("email.bounced", 2),
      ],
    });
    const inputs = [
      profile(START, { city: "London" }),
      ...["form.submitted", "web.visited", "email.bounced"].map((type, i) => act(type, START + 1 + i)),
      profile(START + HOUR, {}),
    ];
    // Of the 5 that leave with the city and the 20 of the form, 2 - 25 is what is left.
    expect(course(one, inputs)).toEqual([5, 25, 34, 2, -3]);
    expect(scoreOf(one, inputs, START + DAY + HOUR)).toBe(-23);
    const set = adjust(START + 5, 0);
    const { add: _, ...rest } = set;
    expect(scoreOf(one, [...inputs.slice(0, 3), { ...rest, set: 30 }], START + 5)).toBe(30);
  });
});
