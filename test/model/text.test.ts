import { expect, test } from "vitest";
import { comparedForm, decimal, normalForm, simpleLowerCase } from "../../src/model/text.js";

test.each([
  ["Chicago", "chicago"],
  ["ÀÉÎ", "àéî"],
  ["\u0130stanbul", "istanbul"],
  ["ΟΔΟΣ", "οδοσ"],
  ["ΑΣ Σ", "ασ σ"],
  ["\u{10400}", "\u{10428}"],
  ["Straße", "straße"],
  ["", ""],
])("simple lower-casing of %j", (text, lower) => {
  expect(simpleLowerCase(text)).toBe(lower);
});

test("lower-casing keeps the number of code points and does not look at neighbours", () => {
  const wrong: string[] = [];
  for (let code = 0; code < 0x11_0000; code += 1) {
    const character = String.fromCodePoint(code);
    const lower = simpleLowerCase(character);
    if ([...lower].length !== 1 || simpleLowerCase(`A${character}B`) !== `a${lower}b`) {
      wrong.push(code.toString(16));
    }
  }
  expect(wrong).toEqual([]);
});

test.each([
  ["5", 5],
  ["-0.25", -0.25],
  ["007", 7],
  ["1e3", undefined],
  [" 5", 5],
  ["\u00a05\t", 5],
  ["+ 5", undefined],
  ["- 5", undefined],
  ["--5", undefined],
  ["5 000", undefined],
  ["5.", undefined],
  [".5", undefined],
  ["+5", 5],
  ["+0.5", 0.5],
  ["5\n", 5],
  ["\uff15", undefined],
  ["", undefined],
  ["٣", undefined],
  ["9".repeat(400), undefined],
])("%j as a number is %s", (text, value) => {
  expect(decimal(text)).toBe(value);
});

test.each([
  ["Z\u00fcrich", "Zu\u0308rich"],
  ["\ub300\ud45c", "\u1103\u1162\u1111\u116d"],
  ["CEO", "\uff23\uff25\uff2f"],
  ["  CEO\u00a0", "ceo"],
  ["\ufb01t", "FIT"],
  ["\u3000\u0130\n", "i"],
])("%j and %j are one text", (a, b) => {
  expect(comparedForm(a)).toBe(comparedForm(b));
});

test("blanks inside a text are kept, letters of a regular expression's text keep their case", () => {
  expect(comparedForm(" a  b ")).toBe("a  b");
  expect(normalForm(" \uff21b ")).toBe("Ab");
});
