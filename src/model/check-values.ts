/**
 * Reads single values out of a model's tree: each reader returns the value, or reports what was expected and returns
 * undefined, so that the check goes on and names every problem in one run.
 */

import { nearest, suggestion } from "../nearest.js";
import { hourMs, parseDuration } from "./duration.js";
import { numberSizeMax } from "./formula.js";
import { joinKey, type MapEntry, type MapNode, type ScalarNode, type Tree, type TreeNode } from "./parse.js";
import { decimal } from "./text.js";
import type { DurationMs, ModelProblem, SourcePlace } from "./types.js";

/** Ids, as those of inputs. */
export const idBytesMax = 256;
/** More would not be read; the last one says how many were left out. */
export const problemsMax = 200;
export const messageCharsMax = 600;

/** A value and where it is. */
export interface Item {
  readonly node: TreeNode;
  readonly path: string;
  readonly place: SourcePlace;
}

/** The problems found so far in one file. */
export class Findings {
  readonly problems: ModelProblem[] = [];
  readonly #file: string;
  readonly #placeIn: Tree["placeIn"];

  constructor(file: string, placeIn: Tree["placeIn"]) {
    this.#file = file;
    this.#placeIn = placeIn;
  }

  error(at: Pick<Item, "path" | "place">, message: string): void {
    this.#add("error", at, message);
  }

  warning(at: Pick<Item, "path" | "place">, message: string): void {
    this.#add("warning", at, message);
  }

  /** At the `index`-th character of a text. */
  errorInside(at: Item, index: number, message: string): void {
    const place = at.node.kind === "scalar" ? this.#placeIn(at.node, index) : at.place;
    this.error({ path: at.path, place }, message);
  }

  /** By place; problems that would not be read any more are counted instead. */
  inOrder(): readonly ModelProblem[] {
    const sorted = [...this.problems].sort((a, b) => a.line - b.line || a.column - b.column);
    const left = sorted[problemsMax];
    if (left === undefined) {
      return sorted;
    }
    const message = `${sorted.length - problemsMax} more problems are not shown; mend those above first`;
    const severity = sorted.some((each) => each.severity === "error") ? "error" : "warning";
    return [...sorted.slice(0, problemsMax), { ...left, path: "", severity, message }];
  }

  #add(severity: ModelProblem["severity"], at: Pick<Item, "path" | "place">, message: string): void {
    const { path, place } = at;
    this.problems.push({ severity, file: this.#file, ...place, path: printable(path), message: printable(message) });
  }
}

/** Problems quote the file: no control sequence of it may reach a terminal, and no line may fill it. */
function printable(text: string): string {
  const short = text.length > messageCharsMax ? `${text.slice(0, messageCharsMax - 3)}...` : text;
  return short.replace(/[\p{Cc}\p{Surrogate}]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A mapping with a closed set of keys; unknown ones have been reported. */
export class Fields {
  readonly at: Item;
  readonly #findings: Findings;
  readonly #items = new Map<string, Item>();
  /** Known keys that an unknown one was probably meant to be: not reported as missing as well. */
  readonly #misspelt = new Set<string>();

  /** `strange` reports an unknown key and may return what was meant; by default the nearest of `known` is named. */
  constructor(
    findings: Findings,
    at: Item & { readonly node: MapNode },
    known: readonly string[],
    strange?: (key: string, keyAt: Pick<Item, "path" | "place">) => string | undefined,
  ) {
    this.at = at;
    this.#findings = findings;
    for (const { key, keyPlace, value } of at.node.entries) {
      const path = joinKey(at.path, key);
      if (known.includes(key)) {
        this.#items.set(key, { node: value, path, place: value.place });
        continue;
      }
      const near = nearest(key, known);
      if (strange === undefined) {
        findings.error({ path, place: keyPlace }, `unknown key \`${key}\`${suggestion(key, known)}`);
      } else {
        strange(key, { path, place: keyPlace });
      }
      if (near !== undefined) {
        this.#misspelt.add(near);
      }
    }
  }

  get(key: string): Item | undefined {
    return this.#items.get(key);
  }

  /** Also true for a key that is there but misspelt. */
  has(key: string): boolean {
    return this.#items.has(key) || this.#misspelt.has(key);
  }

  /** The value of a key that must be there; `what` goes on in "`id` is missing: ...". */
  require(key: string, what: string): Item | undefined {
    if (!this.has(key)) {
      this.#findings.error(this.at, `\`${key}\` is missing: ${what}`);
    }
    return this.#items.get(key);
  }
}

/** What was found, for messages: "the text "x"", "a list". */
export function found(node: TreeNode): string {
  if (node.kind !== "scalar") {
    return node.kind === "list" ? "a list" : "a mapping";
  }
  if (node.value === null) {
    return "nothing";
  }
  const shown = typeof node.value === "string" ? JSON.stringify(shorten(node.value)) : node.written || node.value;
  return `the ${typeof node.value === "string" ? "text " : typeof node.value === "number" ? "number " : ""}${shown}`
    .replace("the true", "true")
    .replace("the false", "false");
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** True for text that would disturb a terminal or could not be written as UTF-8. */
export function hasControlCharacters(text: string): boolean {
  return /[\p{Cc}\p{Surrogate}]/u.test(text);
}

export function isMapItem(item: Item): item is Item & { readonly node: MapNode } {
  return item.node.kind === "map";
}

/** A mapping with these keys; `example` shows how to write it. */
export function readFields(
  findings: Findings,
  item: Item | undefined,
  known: readonly string[],
  example: string,
): Fields | undefined {
  if (item === undefined) {
    return undefined;
  }
  if (!isMapItem(item)) {
    findings.error(item, `expected a mapping such as \`${example}\`, found ${found(item.node)}`);
    return undefined;
  }
  return new Fields(findings, item, known);
}

/** The items of a list; undefined where it is none. */
export function readList(findings: Findings, item: Item | undefined, example: string): readonly Item[] | undefined {
  if (item === undefined) {
    return undefined;
  }
  if (item.node.kind !== "list") {
    findings.error(item, `expected a list such as \`${example}\`, found ${found(item.node)}`);
    return undefined;
  }
  return item.node.items.map((node, i) => ({ node, path: `${item.path}[${i}]`, place: node.place }));
}

/** The entries of a mapping with free keys (a lookup), keys as items of their own. */
export function readLookup(
  findings: Findings,
  item: Item | undefined,
  example: string,
): readonly (Item & { readonly entry: MapEntry; readonly keyAt: Pick<Item, "path" | "place"> })[] | undefined {
  if (item === undefined) {
    return undefined;
  }
  if (!isMapItem(item)) {
    findings.error(item, `expected a mapping such as \`${example}\`, found ${found(item.node)}`);
    return undefined;
  }
  return item.node.entries.map((entry) => {
    const path = joinKey(item.path, entry.key);
    const keyAt = { path, place: entry.keyPlace };
    return { node: entry.value, path, place: entry.value.place, entry, keyAt };
  });
}

export interface NumberBounds {
  readonly min?: number;
  readonly above?: number;
  readonly max?: number;
  readonly integer?: boolean;
}

/** A finite number of at most 1e9 in size, inside `bounds`. */
export function readNumber(findings: Findings, item: Item | undefined, bounds: NumberBounds = {}): number | undefined {
  if (item === undefined) {
    return undefined;
  }
  const value = scalarOf(item.node);
  const wanted = describeBounds(bounds);
  if (typeof value !== "number") {
    const quoted = typeof value === "string" && decimal(value) !== undefined ? "; remove the quotes" : "";
    findings.error(item, `expected ${wanted}, found ${found(item.node)}${quoted}`);
    return undefined;
  }
  if (!Number.isFinite(value) || Math.abs(value) > numberSizeMax) {
    findings.error(item, `a number is finite and at most ${numberSizeMax} in size, found ${found(item.node)}`);
    return undefined;
  }
  const { min = -numberSizeMax, max = numberSizeMax, above = Number.NEGATIVE_INFINITY, integer = false } = bounds;
  if (value < min || value > max || value <= above || (integer && !Number.isInteger(value))) {
    findings.error(item, `expected ${wanted}, found ${found(item.node)}`);
    return undefined;
  }
  return value === 0 ? 0 : value;
}

function describeBounds(bounds: NumberBounds): string {
  const { min, above, max, integer } = bounds;
  const kind = integer ? "a whole number" : "a number";
  const lower = above !== undefined ? ` above ${above}` : min !== undefined ? ` of at least ${min}` : "";
  const upper = max === undefined ? "" : `${lower === "" ? " of" : " and"} at most ${max}`;
  return kind + lower + upper;
}

export function scalarOf(node: TreeNode): ScalarNode["value"] | undefined {
  return node.kind === "scalar" ? node.value : undefined;
}

/** A text that is not empty. */
export function readText(findings: Findings, item: Item | undefined, what: string): string | undefined {
  if (item === undefined) {
    return undefined;
  }
  const value = scalarOf(item.node);
  if (typeof value === "string" && value !== "") {
    return value;
  }
  const quote = typeof value === "number" || typeof value === "boolean" ? "; put it in quotes if it is meant" : "";
  findings.error(item, `expected ${what}, found ${value === "" ? "an empty text" : found(item.node)}${quote}`);
  return undefined;
}

/** An id as those of inputs: not empty, at most 256 bytes, no control characters. */
export function readId(findings: Findings, item: Item | undefined, what: string): string | undefined {
  const id = readText(findings, item, what);
  if (id === undefined || item === undefined) {
    return undefined;
  }
  if (hasControlCharacters(id)) {
    findings.error(item, `an id has no control characters or broken ones, found ${JSON.stringify(shorten(id))}`);
    return undefined;
  }
  if (id.length > idBytesMax || new TextEncoder().encode(id).length > idBytesMax) {
    findings.error(item, `an id has at most ${idBytesMax} bytes, found ${JSON.stringify(shorten(id))}`);
    return undefined;
  }
  return id;
}

export function readBoolean(findings: Findings, item: Item | undefined): boolean | undefined {
  if (item === undefined) {
    return undefined;
  }
  const value = scalarOf(item.node);
  if (typeof value === "boolean") {
    return value;
  }
  findings.error(item, `expected true or false, found ${found(item.node)}`);
  return undefined;
}

/** One of a closed list of words. */
export function readWord<Word extends string>(
  findings: Findings,
  item: Item | undefined,
  words: readonly Word[],
): Word | undefined {
  if (item === undefined) {
    return undefined;
  }
  const value = scalarOf(item.node);
  const word = words.find((each) => each === value);
  if (word === undefined) {
    const near = typeof value === "string" ? nearest(value, words) : undefined;
    const meant = near === undefined ? "" : `; did you mean \`${near}\`?`;
    const choice = words.length === 1 ? `\`${words[0]}\`` : `one of ${words.join(", ")}`;
    findings.error(item, `expected ${choice}, found ${found(item.node)}${meant}`);
  }
  return word;
}

/** A duration in milliseconds; a window's must be whole hours. */
export function readDuration(
  findings: Findings,
  item: Item | undefined,
  kind: "duration" | "window",
): DurationMs | undefined {
  if (item === undefined) {
    return undefined;
  }
  const value = scalarOf(item.node);
  if (typeof value !== "string") {
    const advice = typeof value === "number" ? "; say of which unit" : "";
    findings.error(item, `expected a duration such as 30m, 24h, 7d or 2w, found ${found(item.node)}${advice}`);
    return undefined;
  }
  const result = parseDuration(value);
  if ("problem" in result) {
    findings.error(item, result.problem);
    return undefined;
  }
  if (kind === "window" && result.ms % hourMs !== 0) {
    const hours = Math.ceil(result.ms / hourMs);
    findings.error(item, `a window counts in whole hours, found ${value}; write ${hours}h`);
    return undefined;
  }
  return result.ms;
}

/** Reports every id (number) that stands in a list more than once. */
export function reportRepeated(
  findings: Findings,
  entries: readonly { readonly at: Pick<Item, "path" | "place">; readonly key: string | number | undefined }[],
  what: string,
): void {
  const first = new Map<string | number, SourcePlace>();
  for (const { at, key } of entries) {
    if (key === undefined) {
      continue;
    }
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, at.place);
    } else {
      const where = `line ${earlier.line}, column ${earlier.column}`;
      findings.error(at, `${what} \`${key}\` is already used at ${where}; it must be unique`);
    }
  }
}

/** Reports the first value that is not above the one before it. */
export function reportDescending(
  findings: Findings,
  entries: readonly { readonly at: Pick<Item, "path" | "place">; readonly value: number | undefined }[],
  what: string,
): void {
  let before: number | undefined;
  for (const { at, value } of entries) {
    if (value !== undefined && before !== undefined && value <= before) {
      findings.error(at, `${what} must ascend, each above the one before; sort them and remove doubles`);
      return;
    }
    before = value ?? before;
  }
}
