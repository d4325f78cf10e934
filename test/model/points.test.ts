/** The points of a match: a number, looked up, banded, by keywords, or in proportion. */
import { describe, expect, test } from "vitest";
import type { Json } from "../../src/events/types.js";
import { pointsOf, readsContact } from "../../src/model/points.js";
import type { Points } from "../../src/model/types.js";
import { interaction, path } from "./given.js";

const by = path("attributes.f");

/** The points for `attributes.f` of this value; undefined: the field is missing. */
function worth(points: Points, value: Json | undefined): number {
  return pointsOf(points)(interaction(value === undefined ? {} : { f: value }), null);
}

test("a number is itself, whatever the match", () => {
  expect(worth({ kind: "number", value: -2.5 }, undefined)).toBe(-2.5);
  expect(pointsOf({ kind: "number", value: 7 })(null, null)).toBe(7);
});

describe("values", () => {
  const points: Points = {
    kind: "values",
    by,
    values: [
      ["Whitepaper", 20],
      ["5", 7],
      ["true", 3],
      ["", 1],
    ],
    else: -1,
  };

  test.each<[Json | undefined, number]>([
    ["whitepaper", 20],
    ["WHITEPAPER", 20],
    [5, 7],
    ["5", 7],
    [true, 3],
    ["", 1],
    ["5.0", -1],
    ["other", -1],
    ["constructor", -1],
    ["__proto__", -1],
    [["Whitepaper"], -1],
    [null, -1],
    [undefined, -1],
  ])("%j is worth %s", (value, expected) => {
    expect(worth(points, value)).toBe(expected);
  });
});

describe("bands", () => {
  const points: Points = {
    kind: "bands",
    by,
    bands: [
      { from: 11, points: 5 },
      { from: 51, points: 10 },
    ],
    else: 2,
  };

  test.each<[Json | undefined, number]>([
    [10.999, 2],
    [11, 5],
    [50.9, 5],
    [51, 10],
    [1e9, 10],
    ["51", 10],
    ["11.0", 5],
    ["many", 2],
    [true, 2],
    [[51], 2],
    [undefined, 2],
  ])("%j is worth %s", (value, expected) => {
    expect(worth(points, value)).toBe(expected);
  });
});

describe("keywords", () => {
  const of = (pick: "highest" | "sum"): Points => ({
    kind: "keywords",
    by,
    keywords: [
      ["CEO", 25],
      ["vice president", 20],
      ["vp", 20],
      ["intern", -10],
      ["5", 3],
      ["--", 99],
    ],
    pick,
    else: 1,
  });

  test.each<[Json | undefined, number, number]>([
    ["CEO", 25, 25],
    ["ceo & founder", 25, 25],
    ["Founder/CEO", 25, 25],
    ["CEOs", 1, 1],
    ["co-ceo-x", 25, 25],
    ["Vice President, Sales", 20, 20],
    ["vice-president", 20, 20],
    ["vice  \n president", 20, 20],
    ["president of vice", 1, 1],
    ["vice presidents", 1, 1],
    ["intern to the CEO", 25, 15],
    ["intern", -10, -10],
    ["CEO CEO ceo", 25, 25],
    ["VP and vice president", 20, 40],
    [5, 3, 3],
    ["--", 1, 1],
    ["", 1, 1],
    [["CEO"], 1, 1],
    [undefined, 1, 1],
  ])("%j: the highest is %s, the sum %s", (value, highest, sum) => {
    expect(worth(of("highest"), value)).toBe(highest);
    expect(worth(of("sum"), value)).toBe(sum);
  });

  test("a mark is part of its word: a vowel sign does not end one", () => {
    const of = (keyword: string): Points => ({
      kind: "keywords",
      by,
      keywords: [[keyword, 20]],
      pick: "highest",
      else: 0,
    });
    expect(worth(of("\u0926\u093e\u0928"), "\u0926\u093f\u0928")).toBe(0);
    expect(worth(of("\u0926"), "\u0926\u093f\u0928")).toBe(0);
    expect(worth(of("\u0926\u093f\u0928"), "\u0905\u091a\u094d\u091b\u093e \u0926\u093f\u0928")).toBe(20);
    expect(worth(of("\ub300\ud45c"), "\u1103\u1162\u1111\u116d \uc774\uc0ac")).toBe(20);
    expect(worth(of("ceo"), "\uff23\uff25\uff2f, Founder")).toBe(20);
  });

  test("words are runs of letters, marks and digits of any script, without regard to case", () => {
    const points: Points = {
      kind: "keywords",
      by,
      keywords: [
        ["Gesch\u00e4ftsf\u00fchrer", 9],
        ["\u793e\u9577", 8],
      ],
      pick: "sum",
      else: 0,
    };
    expect(worth(points, "GESCH\u00c4FTSF\u00dcHRER")).toBe(9);
    expect(worth(points, "(\u793e\u9577)")).toBe(8);
    expect(worth(points, "\u526f\u793e\u9577")).toBe(0);
  });
});

describe("times", () => {
  const points: Points = { kind: "times", by, times: 0.1, else: 4 };

  test.each<[Json | undefined, number]>([
    [250, 25],
    ["250", 25],
    [-10, -1],
    [0, 0],
    ["250 EUR", 4],
    [true, 4],
    [null, 4],
    [undefined, 4],
  ])("%j is worth %s", (value, expected) => {
    expect(worth(points, value)).toBe(expected);
  });
});

test("contact fields are those of the profile; without one it is else", () => {
  const points: Points = { kind: "times", by: path("contact.n"), times: 2, else: 3 };
  expect(pointsOf(points)(null, { n: 4 })).toBe(8);
  expect(pointsOf(points)(null, null)).toBe(3);
  expect(readsContact(points)).toBe(true);
  expect(readsContact({ ...points, by })).toBe(false);
  expect(readsContact({ kind: "number", value: 1 })).toBe(false);
});
