import { expect, test } from "vitest";
import { checkModel } from "../../src/model/check.js";
import { problemsMax } from "../../src/model/check-values.js";
import type { Model } from "../../src/model/types.js";
import { everything, twentyMistakes } from "./texts.js";

function told(text: string): readonly string[] {
  const result = checkModel(text, "lead.yaml");
  return (result.ok ? result.warnings : result.problems).map(
    ({ line, column, severity, path, message }) => `${line}:${column} ${severity} ${path}: ${message}`,
  );
}

function model(text: string): Model {
  const result = checkModel(text, "lead.yaml");
  if (!result.ok) {
    throw new Error(result.problems.map(({ message }) => message).join("\n"));
  }
  return result.model;
}

/** A model of one dimension, without decay, with these rules. */
function withRule(rule: string): string {
  return `model: lead\nversion: 1\nrules:\n  - ${rule}\n`;
}

test("a model with twenty mistakes tells all of them, each with its place", () => {
  const result = checkModel(twentyMistakes, "lead.yaml");
  expect(result.ok ? [] : result.problems).toHaveLength(20);
  expect(told(twentyMistakes)).toEqual([
    "1:1 error modle: unknown key `modle`; did you mean `model`?",
    "2:10 error version: expected a whole number of at least 1, found the number 1.5",
    '3:11 error timeZone: unknown time zone "Europe/Berln"; did you mean `Europe/Berlin`?',
    '5:54 error dimensions.engagement.decay.every: expected a duration such as 30m, 24h, 7d or 2w, found "30 days"; write `30d`',
    "7:8 error total: unknown dimension `engagment`; did you mean `engagement`?",
    "7:28 error total: expected `)` for the `(` at character 13, found the end of the formula",
    "10:5 error rules[0].dimention: unknown key `dimention`; did you mean `dimension`?",
    "13:28 error rules[0].where[0].contain: unknown key `contain`; did you mean `contains`?",
    "14:18 error rules[0].where[1].field: unknown field `contcat.city`; did you mean `contact.city`?",
    "15:37 error rules[0].where[2].matches: not a regular expression of RE2 (no look-around, no back references): missing closing ): `(`",
    '16:13 error rules[0].points: expected a number or a mapping such as `{ by: attributes.kind, values: { whitepaper: 20 }, else: 0 }`, found the text "ten"',
    "17:23 error rules[0].repeat.within: a window counts in whole hours, found 90m; write 2h",
    "18:9 error rules[1].id: rule id `clicked` is already used at line 9, column 9; it must be unique",
    "21:12 error rules[1].times: `times` is no key of a profile rule (it is one because it has no `when`); remove it, or see its keys: id, dimension, where, weight, cap, points",
    "22:9 error rules[2].id: `cut` names a ledger line of its own; choose another rule id",
    "23:16 error rules[2].dimension: unknown dimension `all`; `all` goes only with `set`",
    '24:11 error rules[2].when: a type is `channel.action`, a prefix `channel.*`, or `*`, found the text "email"; for every type of email write email.*',
    "26:35 error thresholds[1].rearm: `rearm` must be at most 75, found 80: it tells when crossing 75 counts again",
    "27:74 error grades[2].from: the grades' `from` must ascend, each above the one before; sort them and remove doubles",
    "28:11 error routes.hto: unknown grade `hto`; did you mean `hot`?",
  ]);
});

test("defaults are filled in", () => {
  expect(model("model: lead\nversion: 1\nrules: [{ id: a, when: email.opened, points: 1 }]")).toEqual({
    id: "lead",
    version: 1,
    timeZone: "UTC",
    score: { min: 0, max: 100 },
    dimensions: [{ id: "score", min: 0, max: 100 }],
    rules: [
      {
        family: "accumulating",
        id: "a",
        when: ["email.opened"],
        where: [],
        automated: "skip",
        scopeResource: false,
        effect: {
          kind: "points",
          dimension: "score",
          points: { kind: "number", value: 1 },
          weight: 1,
          periodCaps: [],
          decays: false,
        },
      },
    ],
    thresholds: [],
    triggers: [],
    grades: [],
    routes: {},
    lift: [],
  });
});

test("the one dimension by default has the score's range, others start at 0", () => {
  expect(model("model: a\nversion: 1\nscore: { min: -100, max: 50 }\nrules: []").dimensions).toEqual([
    { id: "score", min: -100, max: 50 },
  ]);
  expect(
    model("model: a\nversion: 1\nscore: { min: -100, max: 50 }\nrules: []\ndimensions: { x: {} }").dimensions,
  ).toEqual([{ id: "x", min: 0, max: 50 }]);
});

test("accumulating rules decay where their dimension does, inactive rules where they say so", () => {
  const { rules } = model(`
model: a
version: 1
dimensions: { fades: { decay: { halfLife: 14d } }, lasts: {} }
rules:
  - { id: a, dimension: fades, when: a.b, points: 1 }
  - { id: b, dimension: lasts, when: a.b, points: 1 }
  - { id: c, dimension: fades, when: a.b, points: 1, decays: false }
  - { id: d, dimension: fades, inactive: 90d, points: -5 }
  - { id: e, dimension: fades, inactive: 90d, points: -5, decays: true }
`);
  const decays = rules.map((rule) => "effect" in rule && rule.effect.kind === "points" && rule.effect.decays);
  expect(decays).toEqual([true, false, false, false, true]);
});

test("a model with every feature is read in full", () => {
  expect(checkModel(everything, "all.yaml")).toMatchSnapshot();
});

test("JSON is a model too", () => {
  const json = JSON.stringify({ model: "lead", version: 1, rules: [{ id: "a", when: ["*"], points: 1 }] });
  expect(model(json).rules).toHaveLength(1);
});

test("zero has no sign", () => {
  expect(model(withRule("{ id: a, when: a.b, points: -0 }")).rules[0]).toHaveProperty("effect.points.value", 0);
});

test.each([
  ["{ id: a, when: a.b }", "`points` is missing: what a match gives (or `set` or `suppress`)"],
  [
    "{ id: a, when: a.b, points: 1, set: 0 }",
    "a rule has one of points, set and suppress, found points, set; make a rule of each",
  ],
  [
    "{ id: a, when: a.b, set: 0, weight: 2 }",
    "`weight` does not go with `set`; its keys: id, dimension, when, where, scope, automated, set",
  ],
  [
    "{ id: a, when: a.b, suppress: true, dimension: score }",
    "`dimension` does not go with `suppress`; its keys: id, when, where, scope, automated, suppress",
  ],
  ["{ id: a, when: a.b, suppress: false }", "write `suppress: true`, or remove the rule"],
  [
    "{ id: a, when: a.b, points: 1, after: 3d }",
    "`after` is no key of an accumulating rule (it is one because of `when` without times, within or recency)",
  ],
  [
    "{ id: a, when: a.b, points: 1, within: 3d, decays: true }",
    "`decays` is no key of a standing rule (it is one because of `within`)",
  ],
  [
    "{ id: a, points: 1, automated: count }",
    "`automated` is no key of a profile rule (it is one because it has no `when`)",
  ],
  [
    "{ id: a, inactive: 9d, when: a.b, points: 1 }",
    "`when` is no key of an inactive rule (it is one because of `inactive`)",
  ],
  [
    "{ id: a, when: a.b, points: 1, times: { min: 1 }, repeat: { within: 1d, multiplier: 2 } }",
    "`repeat` does not go here: `times` gives its points once; remove it",
  ],
  [
    "{ id: a, when: a.b, points: 1, within: 1d, scope: resource, repeat: { within: 1d, multiplier: 2 } }",
    "`repeat` does not go here: `scope: resource` takes one match of each resource; remove it",
  ],
  ["{ id: a, when: a.b, points: 1, times: { min: 1 }, recency: [{ else: 1 }] }", "`recency` does not go here"],
  [
    "{ id: a, when: a.b, points: 1, within: 1d, after: 1d }",
    "`after` does not go here: it holds back a rule with `times`, and this one has none; remove it",
  ],
  ["{ id: a, when: a.b, points: 1, times: {} }", "`times` needs `min`, `max` or both, as in `times: { min: 3 }`"],
  ["{ id: a, when: a.b, points: 1, times: { min: 3, max: 2 } }", "min 3 is above max 2; swap them"],
  [
    "{ id: a, when: a.b, points: 1, times: { min: 1.5 } }",
    "expected a whole number of at least 0, found the number 1.5",
  ],
  [
    "{ id: a, when: a.b, points: 1, recency: [{ within: 2d, multiplier: 1 }, { within: 1d, multiplier: 2 }] }",
    "the steps' `within` must ascend, each above the one before; sort them and remove doubles",
  ],
  [
    "{ id: a, when: a.b, points: 1, recency: [{ else: 1 }, { within: 1d, multiplier: 2 }] }",
    "`else` comes last; move it to the end of the list",
  ],
  [
    "{ id: a, when: a.b, points: 1, within: 30 }",
    "expected a duration such as 30m, 24h, 7d or 2w, found the number 30; say of which unit",
  ],
  ["{ id: a, when: a.b, points: 1, within: 101y }", 'expected a duration such as 30m, 24h, 7d or 2w, found "101y"'],
  ["{ id: a, when: a.b, points: 1, within: 5219w }", "a duration is at most 100 years (36525d), found 5219w"],
  ["{ id: a, when: a.b, points: 1, cap: -1 }", "expected a number of at least 0, found the number -1"],
  ["{ id: a, when: a.b, points: 1, cap: [1, 2] }", "a rule has one plain cap; keep the smaller number"],
  [
    "{ id: a, when: a.b, points: 1, cap: { points: 1, per: year } }",
    'expected one of hour, day, week, month, found the text "year"',
  ],
  [
    "{ id: a, points: 1, cap: { points: 1, per: day } }",
    "the cap of a profile rule is a number; caps per period are for accumulating rules",
  ],
  ["{ id: a, when: a.b, points: 1.1e9 }", "a number is finite and at most 1000000000 in size, found the number 1.1e9"],
  ["{ id: a, when: a.b, points: .inf }", "a number is finite and at most 1000000000 in size, found the number .inf"],
  ['{ id: a, when: a.b, points: "5" }', "expected a number or a mapping such as"],
  [
    "{ id: a, when: a.b, points: { by: attributes.x } }",
    "points by a field need one of values, bands, keywords, times",
  ],
  [
    "{ id: a, when: a.b, points: { values: { x: 1 } } }",
    "`by` is missing: the field that decides, as in `by: attributes.kind`",
  ],
  [
    "{ id: a, when: a.b, points: { by: attributes.x, values: { Ab: 1, aB: 2 } } }",
    "spelling are ignored, and the key `ab` is already used at line 4, column 63; it must be unique",
  ],
  [
    '{ id: a, when: a.b, points: { by: attributes.x, values: { "Z\u00fcrich": 1, "zu\u0308rich ": 2 } } }',
    "and the key `z\u00fcrich` is already used",
  ],
  [
    '{ id: a, when: a.b, points: { by: attributes.x, keywords: { CEO: 1, "\uff23\uff25\uff2f": 2 } } }',
    "and the key `ceo` is already used",
  ],
  [
    '{ id: a, when: a.b, points: { by: attributes.x, values: { " ": 1 } } }',
    "a key is empty, once blanks at its ends are taken off",
  ],
  [
    '{ id: a, when: a.b, points: 1, where: [{ field: contact.c, is: "" }] }',
    'found the text "", an empty text; for a field that is missing use `exists: false`',
  ],
  ['{ id: a, when: a.b, points: 1, where: [{ field: contact.c, in: [x, " "] }] }', "an empty text"],
  ['{ id: a, when: a.b, points: 1, where: [{ field: contact.c, startsWith: " \u00a0" }] }', "an empty text"],
  ['{ id: a, when: a.b, points: 1, where: [{ field: contact.c, matches: "" }] }', "found in every text"],
  [
    "{ id: a, when: a.b, points: { by: attributes.x, values: { a: 1 }, pick: sum } }",
    "`pick` goes only with `keywords`; remove it",
  ],
  [
    "{ id: a, when: a.b, points: { by: attributes.x, bands: [{ from: 2, points: 1 }, { from: 2, points: 2 }] } }",
    "the bands' `from` must ascend",
  ],
  [
    "{ id: a, when: a.b, times: { min: 1 }, points: { by: attributes.x, times: 2 } }",
    "`by` must be contact.<name> in a rule with `times`, which gives its points once for all matches, found `attributes.x`",
  ],
  [
    "{ id: a, points: { by: attributes.x, times: 2 } }",
    "`by` must be contact.<name> in a profile rule: no interaction is at hand, found `attributes.x`",
  ],
  [
    "{ id: a, inactive: 9d, points: { by: resource, times: 2 } }",
    "`by` must be contact.<name> in an inactive rule: no interaction is at hand, found `resource`",
  ],
  ["{ id: a, when: email, points: 1 }", 'found the text "email"; for every type of email write email.*'],
  ["{ id: a, when: [], points: 1 }", "the list is empty: name at least one type, or `*` for all"],
  [
    "{ id: a, when: a..b, points: 1 }",
    'a type is `channel.action`, a prefix `channel.*`, or `*`, found the text "a..b"',
  ],
  ["{ id: a, points: 1, where: { field: contact.a, is: 1 } }", "`where` is a list: put a dash before the condition"],
  ["{ id: a, points: 1, where: [{ field: contact.a }] }", "the operator is missing: one of is, isNot"],
  ["{ id: a, points: 1, where: [{ is: 1 }] }", "`field` is missing: what is compared, as in `field: resource`"],
  [
    "{ id: a, points: 1, where: [{ field: contact.a, gt: 1, lt: 2 }] }",
    "a condition has one operator, found gt, lt; make a condition of each",
  ],
  [
    "{ id: a, points: 1, where: [{ any: [{ field: contact.a, is: 1 }], field: contact.a }] }",
    "`field` can't stand beside `any`; make it a condition of its own",
  ],
  [
    "{ id: a, points: 1, where: [{ field: contact.a.b.c.d.e.f, is: 1 }] }",
    "at most 5 names go after `contact`, found 6 in `contact.a.b.c.d.e.f`",
  ],
  ["{ id: a, points: 1, where: [{ field: contact, is: 1 }] }", "name what of `contact` is meant, as in contact.city"],
  [
    "{ id: a, points: 1, where: [{ field: city, is: 1 }] }",
    "unknown field `city`; known: resource, type, id, automated, tenantId, contactId, attributes.<name>, contact.<name> (as attributes.city or contact.city)",
  ],
  ["{ id: a, points: 1, where: [{ field: contact.a, is: null }] }", "for a missing field use `exists: false`"],
  ["{ id: a, points: 1, where: [{ field: contact.a, is: [1] }] }", "found a list; a list goes with `in` or `notIn`"],
  ["{ id: a, points: 1, where: [{ field: contact.a, is: 15551234567 }] }", "put it in quotes to compare text"],
  ["{ id: a, points: 1, where: [{ field: contact.a, exists: yes }] }", 'expected true or false, found the text "yes"'],
  ["{ id: a, points: 1, where: [{ field: contact.a, matches: '(?=x)' }] }", "not a regular expression of RE2"],
  [
    "{ id: a, points: 1, where: [{ field: contact.a, matches: '((a{100}){100}){100}' }] }",
    "not a regular expression of RE2",
  ],
  [
    `{ id: a, points: 1, where: [{ field: contact.a, matches: ${"x".repeat(1001)} }] }`,
    "a regular expression has at most 1000 characters, found 1001",
  ],
  [
    `{ id: a, points: 1, where: [${"{ not: ".repeat(17)}{ field: contact.a, is: 1 }${" }".repeat(17)}] }`,
    "any, all and not nest at most 16 levels deep; simplify the condition",
  ],
  ["{ id: adjustment, points: 1 }", "`adjustment` names a ledger line of its own; choose another rule id"],
  ['{ id: "a\\nb", points: 1 }', "an id has no control characters or broken ones"],
  [`{ id: ${"é".repeat(129)}, points: 1 }`, "an id has at most 256 bytes"],
  ["{ id: a, points: 1, dimension: all }", "unknown dimension `all`; `all` goes only with `set`"],
  ["clicked", 'expected a rule such as `{ id: clicked, when: email.clicked, points: 10 }`, found the text "clicked"'],
])("a mistake in a rule: %s", (rule, message) => {
  const errors = told(withRule(rule));
  expect(errors).toHaveLength(1);
  expect(errors[0]).toContain(message);
  expect(errors[0]).toMatch(/^4:[0-9]+ error rules\[0\]/);
});

test.each([
  ["model: a", "`version` is missing: a whole number from 1 on, as in `version: 1`"],
  ["model: a\nversion: 0", "expected a whole number of at least 1, found the number 0"],
  ["model: a\nversion: 1\ntenants: []", "the list is empty: name a tenant, or remove `tenants` for all of them"],
  ["model: a\nversion: 1\ntarget: account", "`target: account` is not supported by this version"],
  ["model: a\nversion: 1\ntimeZone: +02:00", "unknown time zone"],
  [
    "model: a\nversion: 1\nscore: { min: 200 }",
    "the score's min 200 is above its max 100 (the default); swap or change them",
  ],
  ["model: a\nversion: 1\ndimensions: {}", "there are no dimensions"],
  ["model: a\nversion: 1\ndimensions: { all: {} }", "`all` is reserved"],
  ["model: a\nversion: 1\ndimensions: { __proto__: {} }", "`__proto__` is reserved"],
  ["model: a\nversion: 1\ndimensions: { 1a: {} }", "a dimension id is letters, digits and `_`"],
  [
    "model: a\nversion: 1\ndimensions: { a: { decay: {} } }",
    "a decay needs one of percent (with every), cycle and halfLife",
  ],
  ["model: a\nversion: 1\ndimensions: { a: { decay: { percent: 5 } } }", "`every` is missing"],
  [
    "model: a\nversion: 1\ndimensions: { a: { decay: { percent: 0, every: 1d } } }",
    "expected a number above 0 and at most 100",
  ],
  ["model: a\nversion: 1\ndimensions: { a: { decay: { cycle: 5d, every: 1d } } }", "`cycle` goes with `step`"],
  [
    "model: a\nversion: 1\nthresholds: [5, { at: 5 }]",
    "threshold `5` is already used at line 3, column 14; it must be unique",
  ],
  ["model: a\nversion: 1\ntriggers: [{ id: x, dropsBelow: 5, rearm: 4 }]", "`rearm` must be at least 5, found 4"],
  ["model: a\nversion: 1\ntriggers: [{ id: x, risesBy: 5 }]", "`within` is missing: the window of the rise"],
  [
    "model: a\nversion: 1\ntriggers: [{ id: x, risesBy: 5, within: 30m }]",
    "a window counts in whole hours, found 30m; write 1h",
  ],
  ["model: a\nversion: 1\ntriggers: [{ id: x }]", "a trigger needs one of reaches, dropsBelow and risesBy"],
  [
    "model: a\nversion: 1\ngrades: [{ id: x, from: 1 }]",
    "the first grade starts at 1, above the score's min 0; start it there",
  ],
  ["model: a\nversion: 1\nroutes: { x: y }", "unknown grade `x`"],
  [
    "model: a\nversion: 1\nkind: percentage\ncycle: 30d\nbuckets: []",
    "percentage models are not supported by this version",
  ],
  ["[1]", "a model is a mapping that starts with `model: <id>`, found a list"],
  ["model: a\nmodel: b\nversion: 1", "duplicate key `model`: it is already at line 1, column 1; keep one of the two"],
])("a mistake in a model: %j", (text, message) => {
  const errors = told(`${text}\n`).filter((line) => line.includes(" error "));
  expect(errors).toHaveLength(1);
  expect(errors[0]).toContain(message);
});

test.each([
  ["model: a\nversion: 1", "the model has no `rules`"],
  ["model: a\nversion: 1\nrules: []\nsalesReady: 101", "101 is outside the score's range 0 to 100"],
  [withRule("{ id: a, when: a.b, points: 1, decays: true }"), "dimension `score` has no decay, so nothing decays"],
  [withRule("{ id: a, points: 1, where: [{ field: resource, is: x }] }"), "`resource` is always missing here"],
  [withRule("{ id: a, when: interaction.retracted, points: 1 }"), "matches no rule and is no activity"],
  [withRule("{ id: a, points: 1, where: [{ any: [] }] }"), "`any` has no conditions: it never holds"],
  [withRule("{ id: a, points: 1, where: [{ field: contact.zip, is: 0123 }] }"), '0123 is compared as the text "123"'],
  [
    withRule("{ id: a, when: a.b, points: 1, cap: [{ points: 1, per: day }, { points: 2, per: day }] }"),
    "this rule has a cap per day already; only the smaller one ever binds",
  ],
  [withRule("{ id: a, inactive: 9d, set: 0, weight: 2 }"), "`weight` has no effect beside `set`; remove it"],
])("a warning: %j", (text, message) => {
  const result = checkModel(text, "lead.yaml");
  expect(result.ok && result.warnings.map((warning) => warning.message)).toEqual([expect.stringContaining(message)]);
});

test("problems are in the order of the file, and bounded", () => {
  const result = checkModel(`model: a\nversion: 1\nrules:\n${"  - 5\n".repeat(1000)}`, "lead.yaml");
  const problems = result.ok ? [] : result.problems;
  expect(problems).toHaveLength(problemsMax + 1);
  expect(problems.at(-1)?.message).toBe("800 more problems are not shown; mend those above first");
});

test("no control sequence of the file reaches a message", () => {
  expect(told('"\\e[31m": 1\nmodel: a\nversion: 1\nrules: []').join("")).not.toMatch(/\p{Cc}/u);
});

test("a dimension or grade called like a property of objects is one like any other", () => {
  const grades = "grades: [{ id: constructor, from: 0 }, { id: __proto__, from: 5 }]";
  const routes = "routes: { __proto__: a, constructor: b }";
  const { routes: read } = model(`model: a\nversion: 1\ndimensions: { toString: {} }\n${grades}\n${routes}\nrules: []`);
  expect(Object.entries(read)).toEqual([
    ["__proto__", "a"],
    ["constructor", "b"],
  ]);
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
});
