/**
 * Where a text stops being JSON. `JSON.parse` names the place only sometimes, and quotes the text around it, which is
 * somebody's data. Looked for only after parsing has failed.
 */
import { Problem } from "./problems.js";

/** What is wrong, and before which character. */
interface Fault {
  readonly at: number;
  readonly expected: string;
}

/** @param text that is no JSON */
export function malformed(text: string): Problem {
  const { at, expected } = faultOf(text) ?? { at: text.length, expected: "JSON" };
  const lineStart = text.lastIndexOf("\n", at - 1) + 1;
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < lineStart; i = text.indexOf("\n", i + 1)) line += 1;
  const place = { line, column: at - lineStart + 1, position: at };
  const detail = `the body is no JSON: at line ${line}, column ${place.column}, expected ${expected}`;
  return new Problem("malformed-json", `${detail}; nothing of it was taken`, place);
}

const numberForm = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const escapeForm = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

function faultOf(text: string): Fault | undefined {
  /** The closing sign of each list and object that is open. */
  const open: string[] = [];
  let at = 0;
  let expected: "value" | "value or ]" | "key" | "key or }" | "more" = "value";
  for (;;) {
    at = behindBlanks(text, at);
    const sign = text[at];
    const close = open.at(-1);
    if (expected === "more") {
      if (close === undefined) return sign === undefined ? undefined : { at, expected: "nothing more" };
      if (sign !== "," && sign !== close) return { at, expected: `, or ${close}` };
      at += 1;
      if (sign === close) open.pop();
      else expected = close === "}" ? "key" : "value";
    } else if (sign !== undefined && sign === close && expected.endsWith(sign)) {
      at += 1;
      open.pop();
      expected = "more";
    } else if (expected === "key" || expected === "key or }") {
      if (sign !== '"')
        return { at, expected: expected === "key" ? "a name in quotation marks" : "a name in quotation marks, or }" };
      const end = endOfText(text, at);
      if (typeof end !== "number") return end;
      at = behindBlanks(text, end);
      if (text[at] !== ":") return { at, expected: ":" };
      at += 1;
      expected = "value";
    } else if (sign === "{" || sign === "[") {
      open.push(sign === "{" ? "}" : "]");
      expected = sign === "{" ? "key or }" : "value or ]";
      at += 1;
    } else {
      const end = sign === '"' ? endOfText(text, at) : endOfWord(text, at);
      if (typeof end !== "number") return end;
      at = end;
      expected = "more";
    }
  }
}

function behindBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at += 1;
  return at;
}

/** Behind a number, `true`, `false` or `null`. */
function endOfWord(text: string, from: number): number | Fault {
  for (const word of ["true", "false", "null"]) if (text.startsWith(word, from)) return from + word.length;
  numberForm.lastIndex = from;
  return numberForm.test(text) ? numberForm.lastIndex : { at: from, expected: "a value" };
}

/** Behind the closing quotation mark of the text that begins at `from`. */
function endOfText(text: string, from: number): number | Fault {
  for (let at = from + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code < 0x20) return { at, expected: "a text without control characters, or its end" };
    if (code !== 0x5c) continue;
    escapeForm.lastIndex = at;
    if (!escapeForm.test(text)) return { at, expected: "an escape such as \\n or \\u00e9" };
    at = escapeForm.lastIndex - 1;
  }
  return { at: text.length, expected: "the end of the text" };
}
