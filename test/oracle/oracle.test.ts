/**
 * The oracle against known answers, so that it can be trusted where no answer is known.
 */
import { describe, expect, test } from "vitest";
import type { Input, JsonObject } from "../../src/events/types.js";
import type { AccumulatingRule, Dimension, Model, ProfileRule } from "../../src/model/types.js";
import {
  act,
  adjust,
  course,
  crossings,
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

describe("decay", () => {
  const decaying = (decay: NonNullable<Dimension["decay"]>): Model =>
    model({
      dimensions: [{ id: "score", min: 0, max: 100, decay }],
      rules: [each("form.submitted", 80, { decays: true })],
    });

  test("5 % each 30 d of silence compounds: 80, 76, 72, 68", () => {
    const one = decaying({ kind: "percent", percent: 5, every: 30 * DAY });
    const inputs = [act("form.submitted", START)];
    expect([0, 30, 60, 90].map((days) => scoreOf(one, inputs, START + days * DAY))).toEqual([80, 76, 72, 68]);
    expect(scoreOf(one, inputs, START + 30 * DAY - 1)).toBe(80);
    expect(oracle([one], inputs, START + 60 * DAY).outputs.map(({ at }) => at - START)).toEqual([
      0,
      30 * DAY,
      60 * DAY,
    ]);
  });

  test("a business cycle is linear: 75 % after half, 50 % after one, nothing after two", () => {
    const one = decaying({ kind: "cycle", cycle: 20 * DAY, step: DAY });
    const inputs = [act("form.submitted", START)];
    expect([0, 10, 20, 40, 50].map((days) => scoreOf(one, inputs, START + days * DAY))).toEqual([80, 60, 40, 0, 0]);
  });

  test("activity starts the steps anew with what is left", () => {
    const one = decaying({ kind: "percent", percent: 50, every: DAY });
    const inputs = [act("form.submitted", START), act("form.submitted", START + 1.5 * DAY)];
    expect([1, 1.5, 2, 2.5].map((days) => scoreOf(one, inputs, START + days * DAY))).toEqual([40, 100, 100, 50]);
  });

  test("a floor holds a step at it, and lets what is below alone", () => {
    const one = decaying({ kind: "percent", percent: 50, every: DAY, floor: 30 });
    const inputs = [act("form.submitted", START)];
    expect([1, 2, 3].map((days) => scoreOf(one, inputs, START + days * DAY))).toEqual([40, 30, 30]);
  });
});

describe("accumulating rules", () => {
  test("a click within 30 d of the one before counts half as much again", () => {
    const one = model({ rules: [each("email.clicked", 10, { repeat: { within: 30 * DAY, multiplier: 1.5 } })] });
    expect(scoreOf(one, [act("email.clicked", START), act("email.clicked", START + DAY)], START + DAY)).toBe(25);
  });

  test("unsubscribing is -100 and sets to 0; later opens start from there", () => {
    const one = model({
      rules: [each("email.opened", 31), each("email.unsubscribed", -100), sets("email.unsubscribed", 0)],
    });
    const inputs = [
      act("email.opened", START),
      act("email.opened", START + 1),
      act("email.unsubscribed", START + 2),
      act("email.opened", START + 3),
    ];
    expect(course(one, inputs)).toEqual([31, 62, 0, 31]);
  });

  test("what the range cuts off is not remembered", () => {
    const one = model({ rules: [each("email.bounced", -25), each("email.opened", 5), each("web.visited", 10)] });
    const inputs = [act("web.visited", START), act("email.bounced", START + 1), act("email.opened", START + 2)];
    expect(course(one, inputs)).toEqual([10, 0, 5]);
  });

  test("a day's cap follows the calendar of the time zone", () => {
    const one = model({
      timeZone: "Europe/Berlin",
      rules: [each("web.visited", 10, { periodCaps: [{ points: 15, per: "day" }] })],
    });
    // 21:00 and 21:59 UTC are the evening of the 1st in Berlin (UTC+2), 22:00 is the 2nd.
    const hours = [20, 21, 22].map((hour) => act("web.visited", START + hour * HOUR));
    expect(course(one, hours)).toEqual([10, 15, 25]);
  });

  test("the hour that occurs twice in an autumn night is two periods", () => {
    const one = model({
      timeZone: "Europe/Berlin",
      rules: [each("web.visited", 10, { periodCaps: [{ points: 10, per: "hour" }] })],
    });
    const first = Date.UTC(2026, 9, 25, 0, 30);
    const visits = [0, 10 * 60_000, HOUR, HOUR + 60_000].map((offset) => act("web.visited", first + offset));
    expect(course(one, visits)).toEqual([10, 10, 20, 20]);
  });
});

describe("standing rules", () => {
  test("a once-rule for a visit and one for three visits: 1, 1, 6, 6", () => {
    const one = model({
      rules: [standing("web.visited", 1, { times: { min: 1 } }), standing("web.visited", 5, { times: { min: 3 } })],
    });
    expect(
      course(
        one,
        [0, 1, 2, 3].map((days) => act("web.visited", START + days * DAY)),
      ),
    ).toEqual([1, 1, 6, 6]);
  });

  test("a window of 10 d ends at its whole hour, and never before", () => {
    const one = model({ rules: [standing("form.submitted", 50, { within: 10 * DAY })] });
    const onTheHour = [act("form.submitted", START)];
    expect([3, 10, 15].map((days) => scoreOf(one, onTheHour, START + days * DAY))).toEqual([50, 0, 0]);
    expect(scoreOf(one, onTheHour, START + 10 * DAY - 1)).toBe(50);
    const after = [act("form.submitted", START + 1)];
    expect([0, 1, HOUR - 1, HOUR].map((ms) => scoreOf(one, after, START + 10 * DAY + ms))).toEqual([50, 50, 50, 0]);
    expect(oracle([one], after, START + 11 * DAY).outputs.at(-1)).toMatchObject({
      at: START + 10 * DAY + HOUR,
      current: 0,
      cause: { kind: "expiry" },
    });
  });

  test("absence holds at once, ends with a match, and comes back by time alone", () => {
    const one = model({ rules: [standing("email.opened", 7, { times: { max: 0 }, within: 10 * DAY })] });
    const seen = act("web.visited", START);
    expect(scoreOf(one, [seen], START)).toBe(7);
    const opened = act("email.opened", START + DAY);
    expect(scoreOf(one, [seen, opened], START + 4 * DAY)).toBe(0);
    expect(scoreOf(one, [seen, opened], START + 11 * DAY - 1)).toBe(0);
    expect(scoreOf(one, [seen, opened], START + 11 * DAY)).toBe(7);
  });

  test("three in 7 d hold from the third on; a fourth eight days later is not a third", () => {
    const one = model({ rules: [standing("web.visited", 9, { times: { min: 3 }, within: 7 * DAY })] });
    const day = (n: number): Input => act("web.visited", START + n * DAY);
    expect(course(one, [day(20), day(21), day(22)])).toEqual([0, 0, 9]);
    expect(course(one, [day(20), day(20), day(20), day(28)]).at(-1)).toBe(0);
  });

  test("each click 10, any click 10, no click -15", () => {
    const range = { min: -100, max: 100 };
    const clicks = [0, 1, 2].map((days) => act("email.clicked", START + days * DAY));
    const every = model({ score: range, rules: [each("email.clicked", 10)] });
    const any = model({ score: range, rules: [standing("email.clicked", 10, { times: { min: 1 } })] });
    const none = model({ score: range, rules: [standing("email.clicked", -15, { times: { max: 0 } })] });
    expect([every, any, none].map((one) => scoreOf(one, clicks, START + 3 * DAY))).toEqual([30, 10, 0]);
    expect(scoreOf(none, [act("web.visited", START)], START)).toBe(-15);
  });

  test("each match ages alone: 10 points at half a month's age are 5", () => {
    const steps = [
      { within: 30 * DAY, multiplier: 1 },
      { within: 60 * DAY, multiplier: 0.5 },
    ];
    const one = model({ rules: [standing("form.submitted", 10, { recency: { steps, else: 0 } })] });
    const inputs = [act("form.submitted", START), act("form.submitted", START + 30 * DAY)];
    expect([30, 60, 90].map((days) => scoreOf(one, inputs, START + days * DAY))).toEqual([15, 5, 0]);
  });
});

describe("dimensions, profiles, the total", () => {
  test("dimensions of 60 and 40: raw 75 and 20 give 80, and 70 when the first is at 50", () => {
    const dimensions: Dimension[] = [
      { id: "score", min: 0, max: 60, decay: { kind: "percent", percent: 16.666666666666668, every: 30 * DAY } },
      { id: "fit", min: 0, max: 40 },
    ];
    const one = model({
      dimensions,
      rules: [each("form.submitted", 75, { decays: true }), profileRule("city", "London", 20, "fit")],
    });
    const inputs = [profile(START, { city: "london" }), act("form.submitted", START)];
    expect([0, 30].map((days) => scoreOf(one, inputs, START + days * DAY))).toEqual([80, 70]);
  });

  test("city +70, country +40, ready at 100", () => {
    const one = model({
      salesReady: 100,
      rules: [profileRule("city", "London", 70), profileRule("country", "England", 40)],
    });
    const line = (fields: JsonObject) => oracle([one], [profile(START, fields)], START).lines[0];
    expect(line({ city: "London", country: "England" })).toMatchObject({ score: 100, salesReady: true });
    expect(line({ city: "Manchester", country: "England" })).toMatchObject({ score: 40, salesReady: false });
    expect(line({ city: "London", country: "US", state: "Ohio" })).toMatchObject({ score: 70, salesReady: false });
  });

  test("company fit adds up to 50", () => {
    const bands = (field: string, from: number, beyond: number): ProfileRule => ({
      ...profileRule(field, "", 0),
      where: [],
      points: {
        kind: "bands",
        by: ["contact", "account", field],
        bands: [
          { from, points: 10 },
          { from: beyond, points: 0 },
        ],
        else: 0,
      },
    });
    const one = model({
      rules: [
        bands("employees", 11, 1001),
        bands("revenue", 10e6, 100e6),
        profileRule("role", "Marketing", 10),
        profileRule("subRole", "Email", 10),
        profileRule("country", "US", 10),
      ],
    });
    const account = { employees: "250", revenue: 40e6 };
    const inputs = [profile(START, { role: "marketing", subRole: "email", country: "US", account })];
    expect(scoreOf(one, inputs, START)).toBe(50);
  });

  test("engagement 55 is cut to 50, fit is 50: 100", () => {
    const actions: [string, number][] = [
      ["email.opened", 5],
      ["email.clicked", 10],
      ["web.visited", 5],
      ["content.downloaded", 15],
      ["meeting.booked", 20],
    ];
    const fields: [string, number][] = [
      ["size", 10],
      ["industry", 10],
      ["title", 15],
      ["location", 5],
      ["technology", 10],
    ];
    const one = model({
      dimensions: [
        { id: "score", min: 0, max: 50 },
        { id: "fit", min: 0, max: 50 },
      ],
      rules: [
        ...actions.map(([type, points]) => each(type, points)),
        ...fields.map(([field, points]) => profileRule(field, "yes", points, "fit")),
      ],
    });
    const inputs = [
      profile(START, Object.fromEntries(fields.map(([field]) => [field, "yes"]))),
      ...actions.map(([type], i) => act(type, START + i)),
    ];
    expect(oracle([one], inputs, START + DAY).lines[0]).toMatchObject({
      score: 100,
      dimensions: { score: 50, fit: 50 },
    });
  });
});

describe("crossings", () => {
  test("a threshold of 75 that is armed again below 70", () => {
    const one = model({ thresholds: [{ at: 75, rearm: 70 }], rules: [] });
    const moves = [70, 10, -8, 6, -9, 7].map((add, i) => adjust(START + i, add));
    expect(course(one, moves)).toEqual([70, 80, 72, 78, 69, 76]);
    expect(crossings(oracle([one], moves, START + DAY).outputs)).toEqual([
      "threshold 75 up 70->80",
      "threshold 75 down 78->69",
      "threshold 75 up 69->76",
    ]);
  });

  test("only what was reached fires, and a jump fires in rising order", () => {
    const one = model({ thresholds: [5, 6].map((at) => ({ at, rearm: at })), rules: [each("email.opened", 5)] });
    expect(crossings(oracle([one], [act("email.opened", START)], START).outputs)).toEqual(["threshold 5 up null->5"]);
    const jump = model({
      thresholds: [25, 50, 75].map((at) => ({ at, rearm: at })),
      rules: [each("form.submitted", 80), each("email.bounced", -80)],
    });
    const inputs = [act("form.submitted", START), act("email.bounced", START + 1)];
    expect(crossings(oracle([jump], inputs, START + 1).outputs)).toEqual([
      "threshold 25 up null->80",
      "threshold 50 up null->80",
      "threshold 75 up null->80",
      "threshold 75 down 80->0",
      "threshold 50 down 80->0",
      "threshold 25 down 80->0",
    ]);
  });

  test("0 to 30 is a surge of 20 in 24 h; it is armed again when the rise has left the window", () => {
    const one = model({
      triggers: [{ id: "surge", kind: "risesBy", by: 20, within: 24 * HOUR }],
      rules: [each("form.submitted", 30)],
    });
    const inputs = [0, 1, 48].map((hours) => act("form.submitted", START + hours * HOUR));
    const fired = oracle([one], inputs, START + 3 * DAY).outputs.filter(({ kind }) => kind === "ThresholdCrossed");
    expect(fired.map(({ at }) => (at - START) / HOUR)).toEqual([0, 48]);
  });

  test("suppression shows score.min until it is lifted, and folding goes on beneath", () => {
    const suppress: AccumulatingRule = {
      ...each("email.complained", 0),
      id: "suppress",
      effect: { kind: "suppress" },
    };
    const one = model({ salesReady: 30, lift: ["form.submitted"], rules: [each("*", 20), suppress] });
    const inputs = ["web.visited", "web.visited", "email.complained", "web.visited", "form.submitted"].map((type, i) =>
      act(type, START + i),
    );
    expect(course(one, inputs)).toEqual([20, 40, 0, 0, 100]);
    expect(crossings(oracle([one], inputs, START + DAY).outputs)).toEqual([
      "salesReady lead up 20->40",
      "salesReady lead down 40->0",
      "salesReady lead up 0->100",
    ]);
  });
});
