/** What the fold runs: places for what a rule keeps, and for each type of interaction the rules it can match. */
import { describe, expect, test } from "vitest";
import { compile } from "../../src/model/compile.js";
import { checked, lead } from "../fold/given.js";

const model = lead(`
dimensions: { warm: { max: 50 }, fit: { min: 5, max: 40 } }
rules:
  - { id: all, dimension: warm, when: "*", points: 1 }
  - { id: mail, dimension: warm, when: email.*, points: 1, scope: resource }
  - { id: opened, dimension: fit, when: [email.opened, web.page.viewed], within: 1d, points: 1 }
  - { id: reset, dimension: all, when: email.bounced, set: 45 }
  - { id: gone, when: email.unsubscribed, suppress: true, scope: resource }
  - { id: town, dimension: fit, points: 5 }
  - { id: quiet, dimension: fit, inactive: 9d, set: 50 }
  - { id: capped, dimension: warm, when: web.*, points: 1, cap: [{ points: 5, per: day }, 3, { points: 9, per: week }] }
thresholds: [75, 25, 50]
activity: [web.*]
lift: [form.*]
`);

/** The ids of the rules that an interaction of this type can match. */
function matching(type: string): string[] {
  const { standing, sets, suppresses, points } = model.planFor(type);
  return [...standing, ...sets, ...suppresses, ...points].map(({ id }) => id);
}

describe("types", () => {
  test.each([
    ["email.opened", ["opened", "all", "mail"]],
    ["email.bounced", ["reset", "all", "mail"]],
    ["email.unsubscribed", ["gone", "all", "mail"]],
    ["email.opened.twice", ["all", "mail"]],
    ["web.page.viewed", ["opened", "all", "capped"]],
    ["emails.opened", ["all"]],
    ["email", ["all"]],
    ["Email.opened", ["all"]],
    ["interaction.retracted", []],
    ["__proto__", ["all"]],
    ["constructor", ["all"]],
  ])("%s matches %j", (type, rules) => {
    expect(matching(type)).toEqual(rules);
  });

  test("a retraction is no activity and lifts nothing, even where every type does", () => {
    const every = lead("activity: ['*']\nlift: ['*']\nrules: [{ id: x, when: '*', points: 1 }]");
    expect(every.planFor("a.x")).toMatchObject({ activity: true, lifts: true });
    expect(every.planFor("interaction.retracted")).toMatchObject({ activity: false, lifts: false, points: [] });
  });

  test("activity is told by the list, or null where there is none; lift by its patterns", () => {
    expect(model.planFor("web.page.viewed")).toMatchObject({ activity: true, lifts: false });
    expect(model.planFor("form.submitted")).toMatchObject({ activity: false, lifts: true });
    expect(lead("name: plain").planFor("web.x")).toMatchObject({ activity: null, lifts: false });
  });

  test("a plan is made once, and made-up types do not fill the memory", () => {
    const own = compile(model.model);
    const first = own.planFor("email.opened");
    expect(own.planFor("email.opened")).toBe(first);
    for (let i = 0; i < 9_999; i += 1) own.planFor(`made.up${i}`);
    expect(own.planFor("email.opened")).toBe(first);
    own.planFor("made.one-more");
    const again = own.planFor("email.opened");
    expect(again).not.toBe(first);
    expect(again).toEqual(first);
  });
});

describe("places", () => {
  test("each scope, window and period cap has its own", () => {
    expect(model).toMatchObject({ scopes: 2, periods: 2 });
    expect(model.planFor("email.x").points.map(({ id, scope }) => `${id} ${scope}`)).toEqual(["all -1", "mail 0"]);
    expect(model.planFor("email.unsubscribed").suppresses[0]?.scope).toBe(1);
    const capped = model.planFor("web.x").points[1]!;
    expect(capped).toMatchObject({ id: "capped", cap: 3 });
    expect(capped.periodCaps.map(({ points, place }) => [points, place])).toEqual([
      [5, 0],
      [9, 1],
    ]);
    expect(model.standingRules.map(({ id, window, place }) => [id, window, place])).toEqual([["opened", 0, 0]]);
    expect(model.standing.map(({ id, place }) => [id, place])).toEqual([
      ["opened", 0],
      ["town", 1],
    ]);
  });

  test("a set has a target in each dimension it names, its value inside the range", () => {
    expect(model.planFor("email.bounced").sets[0]?.targets).toEqual([
      { dimension: 0, line: model.lines.findIndex(({ name }) => name === "reset"), value: 45 },
      { dimension: 1, line: model.lines.findLastIndex(({ name }) => name === "reset"), value: 40 },
    ]);
    expect(model.inactive[0]).toMatchObject({
      id: "quiet",
      inactiveMs: 9 * 86_400_000,
      effect: { targets: [{ value: 40 }] },
    });
  });
});

test("thresholds are walked by rising value, whatever order they are listed in", () => {
  expect(model.thresholdOrder).toEqual([1, 2, 0]);
});

test("a times rule without min counts as no activity", () => {
  const standing = compile(
    checked(`rules:
  - { id: absent, when: a.x, times: { max: 0 }, points: 1 }
  - { id: present, when: a.x, times: { min: 1 }, points: 1 }
  - { id: recent, when: a.x, within: 1h, points: 1 }`),
  ).standingRules;
  expect(standing.map(({ id, countsAsActivity }) => [id, countsAsActivity])).toEqual([
    ["absent", false],
    ["present", true],
    ["recent", true],
  ]);
  expect(standing.map(({ times }) => times)).toEqual([
    { min: 0, max: 0 },
    { min: 1, max: Number.POSITIVE_INFINITY },
    null,
  ]);
});
