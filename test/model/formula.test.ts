import fc from "fast-check";
import { expect, test } from "vitest";
import { formulaCharsMax, formulaDepthMax, parseFormula, printFormula } from "../../src/model/formula.js";
import type { Formula } from "../../src/model/types.js";

const dimensions = ["engagement", "fit", "intent"];

function parsed(text: string): Formula {
  const result = parseFormula(text, dimensions);
  if (!result.ok) {
    throw new Error(JSON.stringify(result.problems));
  }
  return result.formula;
}

test.each([
  ["engagement+fit", "engagement + fit"],
  ["(engagement + fit) + intent", "engagement + fit + intent"],
  ["engagement + (fit + intent)", "engagement + (fit + intent)"],
  ["engagement - (fit - intent)", "engagement - (fit - intent)"],
  ["(engagement * fit) / intent", "engagement * fit / intent"],
  ["engagement * (fit / intent)", "engagement * (fit / intent)"],
  ["((2)) * (engagement + fit)", "2 * (engagement + fit)"],
  ["-(engagement + fit)", "-(engagement + fit)"],
  ["-(engagement) * -fit", "-engagement * -fit"],
  ["--fit - -1.5e-3", "--fit - -0.0015"],
  ["fit/0", "fit / 0"],
])("%s prints as %s", (text, printed) => {
  expect(printFormula(parsed(text))).toBe(printed);
  expect(parsed(printed)).toEqual(parsed(text));
});

test("operators of one rank go from left to right", () => {
  expect(parsed("engagement - fit - 1")).toEqual({
    op: "-",
    left: { op: "-", left: { op: "dimension", id: "engagement" }, right: { op: "dimension", id: "fit" } },
    right: { op: "number", value: 1 },
  });
});

test.each([
  ["", 0, "expected a number, a dimension, `-` or `(`, found the end of the formula"],
  ["fit +", 5, "expected a number, a dimension, `-` or `(`, found the end of the formula"],
  ["fit + * 2", 6, "expected a number, a dimension, `-` or `(`, found `*`"],
  ["fit engagement", 4, "unexpected `engagement`; an operator (+ - * /) is missing before it"],
  ["2fit", 1, "unexpected `fit`; an operator (+ - * /) is missing before it"],
  ["fit)", 3, "unexpected `)`; there is no `(` for it"],
  ["(fit", 4, "expected `)` for the `(` at character 1, found the end of the formula"],
  ["fit ^ 2", 4, "unexpected `^`; a formula has + - * / ( ), numbers and dimension ids"],
  ["fitt", 0, "unknown dimension `fitt`; did you mean `fit`?"],
  ["1e10", 0, "a number is at most 1000000000 in size, found 1e10"],
])("%j has a problem at %i", (text, index, message) => {
  expect(parseFormula(text, dimensions)).toEqual({ ok: false, problems: [{ index, message }] });
});

test("every unknown dimension is named", () => {
  const result = parseFormula("fitt + engagment", dimensions);
  expect(result.ok ? [] : result.problems.map(({ index }) => index)).toEqual([0, 7]);
});

test("length and depth are bounded", () => {
  expect(parseFormula("(".repeat(formulaDepthMax + 1), dimensions).ok).toBe(false);
  expect(parseFormula(`${"-".repeat(formulaDepthMax + 1)}fit`, dimensions).ok).toBe(false);
  expect(parseFormula(`${"-".repeat(formulaDepthMax)}fit`, dimensions).ok).toBe(true);
  expect(parseFormula(`fit${" ".repeat(formulaCharsMax)}`, dimensions).ok).toBe(false);
});

const formulas: fc.Arbitrary<Formula> = fc.letrec<{ formula: Formula }>((tie) => ({
  formula: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(...dimensions).map((id): Formula => ({ op: "dimension", id })),
    fc.double({ min: 0, max: 1e9, noNaN: true }).map((value): Formula => ({ op: "number", value })),
    tie("formula").map((of): Formula => ({ op: "negate", of })),
    fc
      .tuple(fc.constantFrom("+", "-", "*", "/"), tie("formula"), tie("formula"))
      .map(([op, left, right]): Formula => ({ op, left, right })),
  ),
})).formula;

test("printing keeps the order of evaluation, with no needless parenthesis", () => {
  fc.assert(
    fc.property(formulas, (formula) => {
      const text = printFormula(formula);
      expect(parsed(text)).toEqual(formula);
      for (const [index, character] of [...text].entries()) {
        if (character === "(") {
          const without = withoutPair(text, index);
          expect(parseFormula(without, dimensions)).not.toEqual({ ok: true, formula });
        }
      }
    }),
  );
});

function withoutPair(text: string, open: number): string {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    depth += text[i] === "(" ? 1 : text[i] === ")" ? -1 : 0;
    if (depth === 0) {
      return text.slice(0, open) + text.slice(open + 1, i) + text.slice(i + 1);
    }
  }
  throw new Error(`no parenthesis closes ${open} in ${text}`);
}

test("any text is read or refused, never thrown at", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."fit()+-*/ 12.e^é\n") }), (text) => {
      const result = parseFormula(text, dimensions);
      expect(result.ok || result.problems.every(({ index }) => index >= 0 && index <= text.length)).toBe(true);
    }),
  );
});
