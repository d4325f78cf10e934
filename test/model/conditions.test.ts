/** Every operator of `where` with every kind of value: a missing field or a mismatch makes an operator false. */
import { describe, expect, test } from "vitest";
import type { Json } from "../../src/events/types.js";
import { allOf, predicate } from "../../src/model/conditions.js";
import type { Condition } from "../../src/model/types.js";
import { interaction, json, path } from "./given.js";

type Operator = Exclude<Condition["op"], "any" | "all" | "not">;

/** Whether `attributes.f` with this value satisfies the operator; undefined: the field is missing. */
function holds(op: Operator, operand: unknown, value: Json | undefined): boolean {
  const named = { in: "values", notIn: "values", matches: "pattern" } as Record<string, string>;
  const condition = { op, field: path("attributes.f"), [named[op] ?? "value"]: operand } as unknown as Condition;
  return predicate(condition)(interaction(value === undefined ? {} : { f: value }), null);
}

const list: Json = ["Bonn", 5, true];

describe.each<[Operator, unknown, Json[], (Json | undefined)[]]>([
  [
    "is",
    "Bonn",
    ["Bonn", "BONN", "bonn", " Bonn ", "\uff22onn", list, ["Bonn"]],
    ["B onn", "", 5, true, ["Kiel"], [["Bonn"]], [], { f: "Bonn" }, null, undefined],
  ],
  ["is", 5, [5, "5", " 5", [5]], [5.1, "5.0", "05", "+5", null, undefined]],
  ["is", "5", [5, "5"], ["5.0"]],
  ["is", 1e21, [1e21, "1e+21", "1E+21"], ["1e21"]],
  ["is", true, [true, "true", "TRUE"], [false, 1, "yes", undefined]],
  [
    "in",
    ["Bonn", 5, false],
    ["bonn", 5, "5", false, "False", list, ["kiel", 5]],
    ["kiel", true, ["kiel", null], [], null, undefined],
  ],
  ["contains", "on", ["Bonn", "ON", "on"], ["Kiel", list, ["on!"], 5, true, null, undefined]],
  ["contains", "bonn", [list, ["BONN"], "in Bonn, by day"], [["Bonn am Rhein"], [["Bonn"]], { bonn: "bonn" }]],
  ["contains", 5, [list, ["5"], "a5b", 5, 55], [[55], 4, true]],
  ["contains", true, [list, ["true"], "untrue", true], [false, [1]]],
  [
    "startsWith",
    "/PRI",
    ["/pricing", "/Pri", ["/", "/pricing"]],
    ["a/pricing", "/pr", 5, ["a", null], null, undefined],
  ],
  ["startsWith", "5", ["55", 55], [45]],
  ["endsWith", ".PDF", ["a.pdf", ".Pdf", "a.pdf ", ["a.pdf"]], ["a.pdf!", 5, true, ["a"], null, undefined]],
  ["matches", "^a(b|c)+$", ["abc", " abc\n", "\uff41b", ["x", "abc"]], ["", "xabc", "ABB", 5, ["x"], null, undefined]],
  ["matches", "(?i)pric", ["/Pricing/x"], ["/pri"]],
  ["matches", "^[0-9]{3}$", [123, "123"], [12, 1234]],
  ["matches", "Pric", ["/Pricing/x"], ["/pricing/x"]],
  ["gt", 5, [5.1, "5.1", "6", " 6", "+6"], [5, "5", "5,1", "1e3", "6 EUR", "++6", true, [6], null, undefined]],
  ["gte", 5, [5, "5.0", "005"], [4.999, "", undefined]],
  ["lt", 5, [4.9, -1, "-0.5"], [5, "four", false, null, undefined]],
  ["lte", 5, [5, "5", -1e9], [5.001, undefined]],
  ["exists", true, ["", 0, false, [], {}], [null, undefined]],
  ["exists", false, [], ["", 0, false, [], {}]],
])("%s %j", (op, operand, yes, no) => {
  test.each(yes.map((value) => [value]))("holds for %j", (value) => {
    expect(holds(op, operand, value)).toBe(true);
  });
  test.each(no.map((value) => [value]))("does not hold for %j", (value) => {
    expect(holds(op, operand, value)).toBe(false);
  });
});

test("exists: false holds for what is missing or null", () => {
  expect(holds("exists", false, undefined)).toBe(true);
  expect(holds("exists", false, null)).toBe(true);
});

test("a list that holds a value is not without it", () => {
  const tags = ["vip", "do-not-call"];
  expect(holds("notIn", ["do-not-call"], tags)).toBe(false);
  expect(holds("isNot", "do-not-call", tags)).toBe(false);
  expect(holds("notIn", ["blocked"], tags)).toBe(true);
});

test("isNot and notIn are the exact negation of is and in, for missing fields and lists too", () => {
  for (const value of ["bonn", "kiel", 5, "5", true, list, ["kiel"], [], {}, null, undefined, ""]) {
    expect(holds("isNot", "Bonn", value)).toBe(!holds("is", "Bonn", value));
    expect(holds("isNot", 5, value)).toBe(!holds("is", 5, value));
    expect(holds("notIn", ["Bonn", 5], value)).toBe(!holds("in", ["Bonn", 5], value));
  }
});

describe("names of the language's own objects", () => {
  test.each(["constructor", "__proto__", "toString"])("%s is missing unless written", (name) => {
    const exists = predicate({ op: "exists", field: path(`contact.${name}`), value: true });
    expect(exists(null, {})).toBe(false);
    expect(exists(null, json(`{"${name}":1}`))).toBe(true);
  });

  test.each(["constructor", "__proto__"])("the value %s is in no list but its own", (name) => {
    expect(holds("in", ["a"], name)).toBe(false);
    expect(holds("in", [name], name)).toBe(true);
  });
});

describe("case", () => {
  test.each([
    ["\u0130stanbul", "istanbul"],
    ["\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c3"],
    ["\u00c4RZTE", "\u00e4rzte"],
    ["\u212aelvin", "kelvin"],
  ])("%s is %s", (upper, lower) => {
    expect(holds("is", lower, upper)).toBe(true);
    expect(holds("is", upper, lower)).toBe(true);
    expect(holds("contains", lower, `x${upper}x`)).toBe(true);
    expect(holds("startsWith", upper, lower)).toBe(true);
    expect(holds("endsWith", upper, lower)).toBe(true);
    expect(holds("in", [upper], lower)).toBe(true);
  });

  test("simple lower-casing does not make one letter two: \u00df is not ss, and a last sigma stays one", () => {
    expect(holds("is", "strasse", "Stra\u00dfe")).toBe(false);
    expect(holds("is", "\u03bf\u03c2", "\u039f\u03a3")).toBe(false);
  });
});

test("a regular expression takes linear time: what makes others run away ends", () => {
  // An engine that tracks back would not be done before the universe is.
  expect(holds("matches", "^(a+)+$", `${"a".repeat(50_000)}!`)).toBe(false);
  expect(holds("matches", "^(a|a)*b$", "a".repeat(50_000))).toBe(false);
});

describe("any, all, not", () => {
  const yes: Condition = { op: "is", field: path("attributes.f"), value: "a" };
  const no: Condition = { op: "is", field: path("attributes.f"), value: "b" };
  const x = interaction({ f: "a" });

  test.each<[string, Condition, boolean]>([
    ["any of one that holds", { op: "any", of: [no, yes] }, true],
    ["any of none that holds", { op: "any", of: [no, no] }, false],
    ["any of nothing", { op: "any", of: [] }, false],
    ["all that hold", { op: "all", of: [yes, yes, yes] }, true],
    ["all with one that does not", { op: "all", of: [yes, yes, no] }, false],
    ["all of nothing", { op: "all", of: [] }, true],
    ["not", { op: "not", of: no }, true],
    ["nested", { op: "not", of: { op: "any", of: [no, { op: "all", of: [yes, { op: "not", of: yes }] }] } }, true],
  ])("%s", (_, condition, expected) => {
    expect(predicate(condition)(x, null)).toBe(expected);
  });

  test.each([
    [[], true],
    [[yes], true],
    [[yes, no], false],
    [[yes, yes], true],
    [[yes, yes, no], false],
    [[yes, yes, yes], true],
  ])("a list of conditions holds where all do (%#)", (conditions, expected) => {
    expect(allOf(conditions as Condition[])(x, null)).toBe(expected);
  });
});
