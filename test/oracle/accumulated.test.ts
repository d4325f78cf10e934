/**
 * What an input does to a dimension in which something else stands, in the oracle: each answer worked out by hand.
 */
import { describe, expect, test } from "vitest";
import type { Dimension } from "../../src/model/types.js";
import { act, adjust, course, DAY, each, model, profile, profileRule, START, scoreOf, standing } from "./byhand.js";
import { oracle } from "./oracle.js";

const london = profileRule("city", "London", 40);
const inLondon = profile(START, { city: "London" });
const elsewhere = (at: number) => profile(at, {});

/** Inputs a millisecond apart, from the start on. */
const acts = (...types: string[]) => types.map((type, i) => act(type, START + 1 + i));

describe("an input adds to or takes from what the dimension shows", () => {
  test("-30 on 40 of the profile shows 10; when those go it shows 0, and the next +5 shows 5", () => {
    const one = model({ rules: [london, each("email.unsubscribed", -30), each("email.opened", 5)] });
    const inputs = [inLondon, ...acts("email.unsubscribed"), elsewhere(START + 2), act("email.opened", START + 3)];
    expect(course(one, inputs)).toEqual([40, 10, 0, 5]);
    expect(oracle([one], inputs, START + 3).outputs).toMatchObject(
      [40, 10, 0, 5].map((current) => ({ kind: "ScoreChanged", current })),
    );
  });

  test("a redemption over points that expire is taken from what is there, and is not owed later", () => {
    const one = model({ rules: [standing("purchase.made", 50, { within: DAY }), each("points.redeemed", -20)] });
    const inputs = acts("purchase.made", "points.redeemed", "points.redeemed", "points.redeemed");
    expect(course(one, inputs)).toEqual([50, 30, 10, 0]);
    expect(scoreOf(one, inputs, START + 2 * DAY)).toBe(0);
    expect(scoreOf(one, [...inputs, act("purchase.made", START + 2 * DAY)], START + 2 * DAY)).toBe(0);
  });

  test("a bounce of -20 on a fit of -30 leaves 0, and nothing is owed when the profile is mended", () => {
    const rules = [{ ...london, points: { kind: "number", value: -30 } as const }, each("email.bounced", -20)];
    const one = model({ rules: [...rules, profileRule("city", "Paris", 10)] });
    const inputs = [inLondon, ...acts("email.bounced"), profile(START + 2, { city: "Paris" })];
    expect(course(one, inputs)).toEqual([0, 0, 10]);
  });

  test("what does not fit above is cut off, and a point above that is no point against the sign", () => {
    const one = model({ rules: [london, each("web.visited", 80), each("email.bounced", -10)] });
    const inputs = [inLondon, ...acts("web.visited", "web.visited", "email.bounced")];
    expect(course(one, inputs)).toEqual([40, 100, 100, 90]);
    expect(scoreOf(one, [...inputs, elsewhere(START + 9)], START + 9)).toBe(50);
  });

  test("no input moves what was accumulated against its own sign", () => {
    const one = model({ rules: [each("web.visited", 90), london, each("email.opened", 1), each("email.bounced", -1)] });
    // 90 + 40 show 100. +1 leaves the 90 alone; -1 takes what is shown to 99, so the 90 to 59.
    const visited = [act("web.visited", START - 1), inLondon];
    const opened = [...visited, act("email.opened", START + 1)];
    expect(scoreOf(one, [...opened, elsewhere(START + 2)], START + 2)).toBe(90);
    const bounced = [...opened, act("email.bounced", START + 2)];
    expect(scoreOf(one, bounced, START + 2)).toBe(99);
    expect(scoreOf(one, [...bounced, elsewhere(START + 3)], START + 3)).toBe(59);
  });

  test("of several matches of one input each starts from what the one before has left", () => {
    const several = [-50, 20, -5].map((points, i) => ({ ...each("email.bounced", points), id: `r${i}` }));
    const one = model({ rules: [london, standing("email.bounced", 6, { within: DAY }), ...several] });
    // The window gives its 6 first: 46, 0, 20, 15.
    expect(course(one, [inLondon, ...acts("email.bounced")])).toEqual([40, 15]);
  });

  test("an adjustment adds to what the dimension shows, and in one that starts above 0 too", () => {
    const rules = [{ ...london, dimension: "fit" }];
    const fit: Dimension[] = [{ id: "fit", min: 5, max: 50 }];
    const one = model({ dimensions: fit, rules });
    const inputs = [
      profile(START - 2, {}),
      adjust(START - 1, -3),
      inLondon,
      adjust(START + 1, -30),
      adjust(START + 2, 4),
    ];
    expect(course(one, inputs)).toEqual([5, 5, 40, 10, 14]);
    expect(scoreOf(one, [...inputs, elsewhere(START + 3)], START + 3)).toBe(5);
  });
});

describe("what is cut off is shared by the pools", () => {
  const decaying: Dimension[] = [
    { id: "score", min: 0, max: 100, decay: { kind: "percent", percent: 50, every: DAY } },
  ];

  test("what is forgiven of a decaying debt goes with it, so that it does not come back as points", () => {
    // -40 of what fades under 40 of the profile; these go, the next +10 shows 10, of which no debt is left.
    const one = model({
      dimensions: decaying,
      activity: [],
      rules: [london, each("email.unsubscribed", -40, { decays: true }), each("meeting.booked", 10)],
    });
    const debt = [inLondon, ...acts("email.unsubscribed")];
    const paid = [...debt, elsewhere(START + 2), act("meeting.booked", START + 3)];
    expect(course(one, paid)).toEqual([40, 0, 0, 10]);
    expect([1, 2, 30].map((days) => scoreOf(one, paid, START + days * DAY + 1))).toEqual([10, 10, 10]);
  });

  test("what lasts and is forgiven does not fade, although the match that forgives it decays", () => {
    const one = model({
      dimensions: decaying,
      activity: [],
      rules: [london, each("email.unsubscribed", -40), each("email.opened", 10, { decays: true })],
    });
    const inputs = [inLondon, ...acts("email.unsubscribed"), elsewhere(START + 2), act("email.opened", START + 3)];
    expect([3, DAY + 3, 2 * DAY + 3].map((after) => scoreOf(one, inputs, START + after))).toEqual([10, 5, 2]);
  });

  test("what the range cuts off a match that decays fades with it", () => {
    const one = model({
      dimensions: decaying,
      activity: [],
      rules: [each("form.submitted", 80), each("email.opened", 60, { decays: true })],
    });
    const inputs = acts("form.submitted", "email.opened");
    expect([2, DAY + 2, 2 * DAY + 2].map((after) => scoreOf(one, inputs, START + after))).toEqual([100, 90, 85]);
  });
});
