/**
 * From a body to the lines that are appended. Items stay as they were sent, to the letter: what is put in (kind and
 * tenant, where they are missing) is put in as text, so that a dead letter holds the original, and no number is written
 * anew. Each item is parsed once, only to look at its kind and tenant, and let go.
 */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { brokenOriginal, ORIGINAL_BYTES_MAX, type Original } from "../events/dead-letter.js";
import type { Input, TenantId } from "../events/types.js";
import { malformed } from "./json-fault.js";
import { Problem } from "./problems.js";

/** What the request says of all its items. */
export interface Expected {
  /** Null: each item says its own; without one it is an interaction. */
  readonly kind: Input["kind"] | null;
  readonly tenantId: TenantId | undefined;
  readonly itemsMax: number;
}

/** An item contradicts the path or the header: it is not appended, since there it could only do what was not meant. */
export interface Mismatch {
  readonly reason: "kind-mismatch" | "tenant-mismatch";
  readonly error: string;
}

export interface Items {
  readonly isBatch: boolean;
  readonly count: number;
  /** Of all items but the mismatches, in order. */
  readonly lines: readonly Original[];
  /** By the place of the item. */
  readonly mismatches: ReadonlyMap<number, Mismatch>;
}

const kinds: ReadonlySet<unknown> = new Set<Input["kind"]>(["interaction", "profile", "adjustment"]);

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [BRACKET, BRACKET_END, BRACE, BRACE_END] = [0x5b, 0x5d, 0x7b, 0x7d];
const LINE_FEED = 0x0a;

/** An input, or a list of inputs. @throws Problem `not-utf8`, `empty-body`, `malformed-json`, `too-many-items` */
export function readJson(body: Buffer, expected: Expected): Items {
  if (!isUtf8(body)) throw new Problem("not-utf8", "the body is not UTF-8; nothing of it was taken");
  const text = withoutMark(body.toString("utf8"));
  const begin = text.search(/[^ \t\r\n]/);
  if (begin < 0) throw new Problem("empty-body", "the body is empty");
  const isBatch = text.charCodeAt(begin) === BRACKET;
  const gathered = new Gathered(expected);
  const texts = isBatch ? elementsOf(text, begin, expected.itemsMax) : [text];
  if (texts === undefined) throw malformed(text);
  for (const one of texts) {
    let value: unknown;
    try {
      value = JSON.parse(one);
    } catch {
      throw malformed(text);
    }
    gathered.add(value, onOneLine(one.trim()));
  }
  return gathered.items(isBatch);
}

/** An input a line; blank lines are passed over. @throws Problem `empty-body`, `too-many-items` */
export function readLines(body: Buffer, expected: Expected): Items {
  const gathered = new Gathered(expected);
  if (isUtf8(body)) {
    for (const line of withoutMark(body.toString("utf8")).split("\n")) addLine(gathered, line);
  } else {
    for (let begin = 0; begin < body.length; ) {
      const found = body.indexOf(LINE_FEED, begin);
      const end = found < 0 ? body.length : found;
      const bytes = body.subarray(begin, end);
      if (isUtf8(bytes)) addLine(gathered, begin === 0 ? withoutMark(bytes.toString("utf8")) : bytes.toString("utf8"));
      else gathered.push(broken(bytes));
      begin = end + 1;
    }
  }
  if (gathered.count === 0) throw new Problem("empty-body", "the body has no line that is not blank");
  return gathered.items(true);
}

function addLine(gathered: Gathered, line: string): void {
  const text = line.trim();
  if (text === "") return;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    gathered.push(text);
    return;
  }
  gathered.add(value, onOneLine(text));
}

class Gathered {
  readonly #expected: Expected;
  readonly #lines: Original[] = [];
  readonly #mismatches = new Map<number, Mismatch>();
  readonly #kindPart: string;
  readonly #tenantPart: string;
  count = 0;

  constructor(expected: Expected) {
    this.#expected = expected;
    this.#kindPart = `"kind":"${expected.kind}"`;
    this.#tenantPart = `"tenantId":${JSON.stringify(expected.tenantId)}`;
  }

  /** @param text of the value, on one line */
  add(value: unknown, text: string): void {
    const settled = this.#settle(value, text);
    if (typeof settled === "string") {
      this.push(settled);
    } else {
      this.#mismatches.set(this.count, settled);
      this.#counted();
    }
  }

  /** The line, with what it lacks. What is wrong with it in itself is for the decoder to say. */
  #settle(value: unknown, text: string): string | Mismatch {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return text;
    const { kind, tenantId } = this.#expected;
    // A null is a missing field.
    const own = value as Readonly<Record<string, unknown>>;
    const ownKind = own["kind"] ?? undefined;
    const ownTenant = own["tenantId"] ?? undefined;
    if (kind !== null && ownKind !== undefined && ownKind !== kind && kinds.has(ownKind)) {
      const error = `kind is ${ownKind}, and this path takes ${kind}; send it to its own path`;
      return { reason: "kind-mismatch", error };
    }
    if (tenantId !== undefined && typeof ownTenant === "string" && ownTenant !== tenantId) {
      const error = "tenantId is another than the X-Tenant of the request; keep one of them";
      return { reason: "tenant-mismatch", error };
    }
    let line = text;
    if (ownKind === undefined && kind !== null && kind !== "interaction") line = withField(line, this.#kindPart);
    if (ownTenant === undefined && tenantId !== undefined) line = withField(line, this.#tenantPart);
    return line;
  }

  push(line: Original): void {
    this.#counted();
    const isLong = typeof line === "string" && line.length * 3 > ORIGINAL_BYTES_MAX;
    this.#lines.push(isLong ? bounded(line) : line);
  }

  items(isBatch: boolean): Items {
    return { isBatch, count: this.count, lines: this.#lines, mismatches: this.#mismatches };
  }

  #counted(): void {
    this.count += 1;
    if (this.count > this.#expected.itemsMax) throw tooManyItems(this.#expected.itemsMax);
  }
}

/**
 * The texts of the elements of a list, or undefined where its end is not the end of the text. What is between commas and
 * brackets is not looked at: it is JSON if each element is.
 */
function elementsOf(text: string, begin: number, itemsMax: number): string[] | undefined {
  const texts: string[] = [];
  let depth = 0;
  let from = begin + 1;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = closingQuote(text, at);
      if (at < 0) return undefined;
    } else if (code === BRACE || code === BRACKET) depth += 1;
    else if (depth > 0) {
      if (code === BRACE_END || code === BRACKET_END) depth -= 1;
    } else if (code === COMMA) {
      texts.push(text.slice(from, at));
      if (texts.length >= itemsMax) throw tooManyItems(itemsMax);
      from = at + 1;
    } else if (code === BRACKET_END) {
      const last = text.slice(from, at);
      if (texts.length > 0 || /[^ \t\r\n]/.test(last)) texts.push(last);
      return /[^ \t\r\n]/.test(text.slice(at + 1)) ? undefined : texts;
    }
  }
  return undefined;
}

/** Of the text that begins at `open`: the next quotation mark behind an even number of backslashes; -1: none. */
function closingQuote(text: string, open: number): number {
  for (let at = text.indexOf('"', open + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let before = at - 1;
    while (text.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((at - before) % 2 === 1) return at;
  }
  return -1;
}

/** Puts a field at the end of an object's text, where it holds against one that is null. */
function withField(text: string, field: string): string {
  const head = text.slice(0, -1);
  return /^\{\s*$/.test(head) ? `{${field}}` : `${head},${field}}`;
}

/** Line ends of JSON stand between its parts only, so a blank takes their place. */
function onOneLine(text: string): string {
  return text.includes("\n") || text.includes("\r") ? text.replace(/[\r\n]+/g, " ") : text;
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function bounded(line: string): Original {
  const bytes = Buffer.from(line);
  return bytes.length > ORIGINAL_BYTES_MAX ? broken(bytes) : line;
}

function broken(bytes: Buffer): Original {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return brokenOriginal(bytes.subarray(0, ORIGINAL_BYTES_MAX), bytes.length, sha256);
}

function tooManyItems(max: number): Problem {
  const detail = `the body has more than ${max} inputs; send smaller batches, or load the file with scorefold ingest`;
  return new Problem("too-many-items", detail, { itemsMax: max });
}
