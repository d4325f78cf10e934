/**
 * Conditions and points of the oracle, one known answer a row.
 */
import { expect, test } from "vitest";
import type { Interaction, JsonObject } from "../../src/events/types.js";
import type { Condition, FieldPath, Points, Scalar } from "../../src/model/types.js";
import { automatedPasses, type Facts, holdsAll, lower, pointsOf, typeMatches } from "./matching.js";

const attributes: JsonObject = {
  kind: "WhitePaper",
  empty: "",
  none: null,
  seven: 7,
  text: "51.5",
  wrong: "1e3",
  yes: true,
  tags: ["VIP", 7],
  title: "Vice-President of Sales; sales",
  wide: "\u3000ＶＩＰ\u00a0",
  decomposed: "Zu\u0308rich",
  korean: "대표 이사".normalize("NFD"),
  hindi: "दान दिन",
  plus: " +50.5\u2003",
  wideNumber: "５１",
  lists: [["vip"], { vip: "vip" }, null],
  nothing: [],
};
const interaction: Interaction = {
  kind: "interaction",
  id: "",
  tenantId: "t",
  contactId: "c",
  type: "web.page_viewed",
  at: 0,
  resource: "/Pricing",
  attributes,
};
const facts: Facts = { interaction, profile: { account: { parent: { name: "Initech" } } } };

const path = (name: string): FieldPath => name.split(".") as unknown as FieldPath;

test.each<[string, "is" | "isNot" | "contains", Scalar, boolean]>([
  ["attributes.kind", "is", "whitepaper", true],
  ["attributes.kind", "isNot", "WHITEPAPER", false],
  ["attributes.seven", "is", "7", true],
  ["attributes.yes", "is", "True", true],
  ["attributes.empty", "isNot", "x", true],
  ["attributes.none", "is", "x", false],
  ["attributes.none", "isNot", "x", true],
  ["attributes.tags", "is", "vip", true],
  ["attributes.tags", "isNot", "vip", false],
  ["attributes.tags", "isNot", "viper", true],
  ["attributes.nothing", "is", "vip", false],
  ["attributes.nothing", "isNot", "vip", true],
  ["attributes.lists", "is", "vip", false],
  ["attributes.lists", "contains", "vip", false],
  ["attributes.lists", "isNot", "vip", true],
  ["attributes.tags", "contains", "vip", true],
  ["attributes.tags", "contains", "vi", false],
  ["attributes.tags", "contains", "7", true],
  ["attributes.seven", "contains", 7, true],
  ["attributes.yes", "contains", "RU", true],
  ["attributes.wide", "is", "vip", true],
  ["attributes.kind", "is", " ＷhitePaper\u00a0", true],
  ["attributes.decomposed", "is", "ZÜRICH", true],
  ["attributes.decomposed", "contains", "ür", true],
  ["attributes.korean", "is", "대표 이사", true],
  ["resource", "contains", "/pricing", true],
  ["contact.account.parent.name", "is", "INITECH", true],
  ["contact.account.toString", "isNot", "x", true],
])("%s %s %s: %s", (name, op, value, expected) => {
  expect(holdsAll([{ op, field: path(name), value }], facts)).toBe(expected);
});

test.each<[string, "gt" | "gte" | "lt" | "lte", number, boolean]>([
  ["attributes.text", "gt", 51, true],
  ["attributes.text", "lte", 51.5, true],
  ["attributes.wrong", "gt", 1, false],
  ["attributes.wrong", "lte", 1, false],
  ["attributes.yes", "gte", 0, false],
  ["attributes.none", "lt", 5, false],
  ["attributes.seven", "gte", 7, true],
  ["attributes.plus", "gt", 50, true],
  ["attributes.wideNumber", "gt", 50, false],
  ["attributes.tags", "gt", 0, false],
])("%s %s %s: %s", (name, op, value, expected) => {
  expect(holdsAll([{ op, field: path(name), value }], facts)).toBe(expected);
});

const kind = path("attributes.kind");
const missing = path("attributes.none");
test.each<[Condition, boolean]>([
  [{ op: "in", field: kind, values: ["x", "WHITEPAPER"] }, true],
  [{ op: "notIn", field: missing, values: ["x"] }, true],
  [{ op: "startsWith", field: kind, value: "white" }, true],
  [{ op: "endsWith", field: kind, value: "white" }, false],
  [{ op: "startsWith", field: path("attributes.seven"), value: "7" }, true],
  [{ op: "startsWith", field: path("attributes.tags"), value: "n" }, false],
  [{ op: "startsWith", field: path("attributes.tags"), value: "V" }, true],
  [{ op: "endsWith", field: path("attributes.wide"), value: "IP" }, true],
  [{ op: "in", field: path("attributes.tags"), values: ["x", "Vip"] }, true],
  [{ op: "notIn", field: path("attributes.tags"), values: ["x", "Vip"] }, false],
  [{ op: "notIn", field: path("attributes.tags"), values: ["x"] }, true],
  [{ op: "matches", field: kind, pattern: "e.?P" }, true],
  [{ op: "matches", field: kind, pattern: "E.?P" }, false],
  [{ op: "matches", field: kind, pattern: "(?i)E.?P" }, true],
  [{ op: "matches", field: path("attributes.wide"), pattern: "^VIP$" }, true],
  [{ op: "matches", field: path("attributes.tags"), pattern: "^VIP$" }, true],
  [{ op: "matches", field: path("attributes.seven"), pattern: "^7$" }, true],
  [{ op: "exists", field: path("attributes.nothing"), value: true }, true],
  [{ op: "matches", field: missing, pattern: "" }, false],
  [{ op: "exists", field: missing, value: false }, true],
  [{ op: "exists", field: path("attributes.empty"), value: true }, true],
  [{ op: "not", of: { op: "exists", field: kind, value: true } }, false],
  [{ op: "any", of: [] }, false],
  [{ op: "all", of: [] }, true],
])("%j: %s", (condition, expected) => {
  expect(holdsAll([condition], facts)).toBe(expected);
});

const keywords = [
  ["sales", 3],
  ["vice president", 20],
  ["pres", 100],
] as const;
test.each<[Points, number]>([
  [{ kind: "values", by: kind, values: [["whitepaper", 20]], else: 1 }, 20],
  [{ kind: "values", by: missing, values: [["x", 20]], else: 1 }, 1],
  [{ kind: "values", by: path("attributes.tags"), values: [["vip", 20]], else: 1 }, 1],
  [{ kind: "values", by: path("attributes.wide"), values: [["Vip", 20]], else: 1 }, 20],
  [{ kind: "values", by: path("attributes.korean"), values: [["대표 이사", 20]], else: 1 }, 20],
  [
    {
      kind: "bands",
      by: path("attributes.text"),
      bands: [11, 51, 52].map((from) => ({ from, points: from })),
      else: 1,
    },
    51,
  ],
  [{ kind: "bands", by: path("attributes.seven"), bands: [{ from: 11, points: 5 }], else: 1 }, 1],
  [{ kind: "keywords", by: path("attributes.title"), keywords, pick: "highest", else: 1 }, 20],
  [{ kind: "keywords", by: path("attributes.title"), keywords, pick: "sum", else: 1 }, 23],
  [{ kind: "keywords", by: kind, keywords, pick: "sum", else: 1 }, 1],
  [{ kind: "keywords", by: path("attributes.hindi"), keywords: [["दन", 9]], pick: "sum", else: 1 }, 1],
  [{ kind: "keywords", by: path("attributes.hindi"), keywords: [["दिन", 9]], pick: "sum", else: 1 }, 9],
  [{ kind: "keywords", by: path("attributes.korean"), keywords: [["대표", 9]], pick: "sum", else: 1 }, 9],
  [{ kind: "keywords", by: path("attributes.korean"), keywords: [["대", 9]], pick: "sum", else: 1 }, 1],
  [{ kind: "keywords", by: path("attributes.tags"), keywords: [["vip", 9]], pick: "sum", else: 1 }, 1],
  [{ kind: "times", by: path("attributes.plus"), times: 2, else: 1 }, 101],
  [{ kind: "times", by: path("attributes.seven"), times: -2, else: 1 }, -14],
  [{ kind: "times", by: path("attributes.wrong"), times: -2, else: 1 }, 1],
])("%j gives %s", (points, expected) => {
  expect(pointsOf(points, facts, 1, 1)).toBe(expected);
  expect(pointsOf(points, facts, 1.5, 2)).toBe(expected * 3);
});

test("points of one match stay within 1e9", () => {
  const huge: Points = { kind: "times", by: path("attributes.size"), times: 1e9, else: 0 };
  const seen: Facts = { interaction: { ...interaction, attributes: { size: 1e308 } }, profile: null };
  expect(pointsOf(huge, seen, 1, 1)).toBe(1e9);
  expect(pointsOf(huge, seen, 1, -1)).toBe(-1e9);
  expect(pointsOf(huge, seen, 1, 0)).toBe(0);
});

test("types, automation and simple lower case", () => {
  expect(
    ["*", "web.*", "web.page_viewed", "web", "web.page"].map((one) => typeMatches([one], interaction.type)),
  ).toEqual([true, true, true, false, false]);
  const passes = (["skip", "skipMaybe", "count"] as const).map((policy) =>
    ([undefined, "maybe", "yes"] as const).map((automated) => automatedPasses(policy, automated)),
  );
  expect(passes).toEqual([
    [true, true, false],
    [true, false, false],
    [true, true, true],
  ]);
  expect(lower("ΟΔΟΣ İ")).toBe("οδοσ i");
});
