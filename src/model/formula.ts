/**
 * The formula of a model's total: `+ - * /`, parentheses, unary minus, numbers and dimension ids. Operators of one rank
 * go from left to right, and the printer keeps that order exactly: sums of doubles depend on it.
 */
import { suggestion } from "../nearest.js";
import type { Formula } from "./types.js";

export const formulaCharsMax = 2_000;
/** Parentheses and minus signs inside each other. */
export const formulaDepthMax = 50;
export const numberSizeMax = 1e9;

/** `index` counts UTF-16 units from the start of the text. */
export interface FormulaProblem {
  readonly index: number;
  readonly message: string;
}

export type FormulaResult =
  | { readonly ok: true; readonly formula: Formula }
  | { readonly ok: false; readonly problems: readonly FormulaProblem[] };

/**
 * Reads a formula over `dimensions`. An unknown dimension does not end the reading, so that all of them are named; the
 * first mistake of grammar does.
 */
export function parseFormula(text: string, dimensions: readonly string[]): FormulaResult {
  if (text.length > formulaCharsMax) {
    return { ok: false, problems: [{ index: 0, message: `a formula has at most ${formulaCharsMax} characters` }] };
  }
  const parser = new FormulaParser(text, dimensions);
  try {
    const formula = parser.whole();
    return parser.problems.length === 0 ? { ok: true, formula } : { ok: false, problems: parser.problems };
  } catch (error) {
    if (error instanceof GrammarMistake) {
      return { ok: false, problems: [...parser.problems, { index: error.index, message: error.message }] };
    }
    throw error;
  }
}

class GrammarMistake extends Error {
  readonly index: number;

  constructor(index: number, message: string) {
    super(message);
    this.index = index;
  }
}

const tokenPattern = /\s*(?:([0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|([A-Za-z_][A-Za-z0-9_]*)|([-+*/()]))/y;

interface Token {
  readonly kind: "number" | "id" | "sign" | "end";
  readonly text: string;
  readonly index: number;
}

class FormulaParser {
  readonly problems: FormulaProblem[] = [];
  readonly #text: string;
  readonly #dimensions: readonly string[];
  #position = 0;
  #depth = 0;
  #token: Token;

  constructor(text: string, dimensions: readonly string[]) {
    this.#text = text;
    this.#dimensions = dimensions;
    this.#token = { kind: "end", text: "", index: 0 };
  }

  whole(): Formula {
    this.#token = this.#read();
    const formula = this.#sum();
    if (this.#token.kind !== "end") {
      const advice = this.#token.text === ")" ? "there is no `(` for it" : "an operator (+ - * /) is missing before it";
      throw new GrammarMistake(this.#token.index, `unexpected \`${this.#token.text}\`; ${advice}`);
    }
    return formula;
  }

  #sum(): Formula {
    let left = this.#product();
    while (this.#token.text === "+" || this.#token.text === "-") {
      const op = this.#token.text;
      this.#token = this.#read();
      left = { op, left, right: this.#product() };
    }
    return left;
  }

  #product(): Formula {
    let left = this.#factor();
    while (this.#token.text === "*" || this.#token.text === "/") {
      const op = this.#token.text;
      this.#token = this.#read();
      left = { op, left, right: this.#factor() };
    }
    return left;
  }

  #factor(): Formula {
    const { kind, text, index } = this.#token;
    if (kind === "number") {
      const value = Number(text);
      if (!(value <= numberSizeMax)) {
        this.problems.push({ index, message: `a number is at most ${numberSizeMax} in size, found ${text}` });
      }
      this.#token = this.#read();
      return { op: "number", value };
    }
    if (kind === "id") {
      if (!this.#dimensions.includes(text)) {
        const message = `unknown dimension \`${text}\`${suggestion(text, this.#dimensions)}`;
        this.problems.push({ index, message });
      }
      this.#token = this.#read();
      return { op: "dimension", id: text };
    }
    if (text !== "-" && text !== "(") {
      const found = kind === "end" ? "the end of the formula" : `\`${text}\``;
      throw new GrammarMistake(index, `expected a number, a dimension, \`-\` or \`(\`, found ${found}`);
    }
    this.#depth += 1;
    if (this.#depth > formulaDepthMax) {
      throw new GrammarMistake(index, `nested deeper than ${formulaDepthMax} levels; simplify the formula`);
    }
    this.#token = this.#read();
    const inner = text === "-" ? this.#negation() : this.#parenthesis(index);
    this.#depth -= 1;
    return inner;
  }

  #negation(): Formula {
    return { op: "negate", of: this.#factor() };
  }

  #parenthesis(opened: number): Formula {
    const inner = this.#sum();
    if (this.#token.text !== ")") {
      const found = this.#token.kind === "end" ? "the end of the formula" : `\`${this.#token.text}\``;
      const opening = `the \`(\` at character ${opened + 1}`;
      throw new GrammarMistake(this.#token.index, `expected \`)\` for ${opening}, found ${found}`);
    }
    this.#token = this.#read();
    return inner;
  }

  #read(): Token {
    tokenPattern.lastIndex = this.#position;
    const match = tokenPattern.exec(this.#text);
    if (match === null) {
      const rest = this.#text.slice(this.#position).trimStart();
      const index = this.#text.length - rest.length;
      if (rest === "") {
        return { kind: "end", text: "", index };
      }
      const character = String.fromCodePoint(rest.codePointAt(0)!);
      const allowed = "a formula has + - * / ( ), numbers and dimension ids";
      throw new GrammarMistake(index, `unexpected \`${character}\`; ${allowed}`);
    }
    this.#position = tokenPattern.lastIndex;
    const [, number, id, sign] = match;
    const text = number ?? id ?? sign ?? "";
    const kind = number !== undefined ? "number" : id !== undefined ? "id" : "sign";
    return { kind, text, index: this.#position - text.length };
  }
}

/** Writes a formula with as few parentheses as keep its order of evaluation: `a - (b + c)`, `a * (b / c)`. */
export function printFormula(formula: Formula): string {
  switch (formula.op) {
    case "number":
      return String(formula.value);
    case "dimension":
      return formula.id;
    case "negate":
      return `-${operand(formula.of, 3)}`;
    default: {
      const rank = rankOf(formula);
      return `${operand(formula.left, rank)} ${formula.op} ${operand(formula.right, rank + 1)}`;
    }
  }
}

function operand(formula: Formula, rankMin: number): string {
  const text = printFormula(formula);
  return rankOf(formula) < rankMin ? `(${text})` : text;
}

function rankOf(formula: Formula): number {
  switch (formula.op) {
    case "+":
    case "-":
      return 1;
    case "*":
    case "/":
      return 2;
    case "negate":
      return 3;
    case "number":
      return formula.value < 0 ? 3 : 4;
    case "dimension":
      return 4;
  }
}
