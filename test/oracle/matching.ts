/**
 * What one rule sees in one interaction and profile: type patterns, `where`, and points.
 */
import { RE2JS } from "re2js";
import type { Interaction, Json, JsonObject } from "../../src/events/types.js";
import type { AutomatedPolicy, Condition, FieldPath, Points, Scalar, TypePattern } from "../../src/model/types.js";

const POINTS_MAX = 1e9;

/** What fields are read from. Either part may be missing: a profile rule has no interaction. */
export interface Facts {
  readonly interaction: Interaction | null;
  readonly profile: JsonObject | null;
}

/** Simple lower-casing: code point by code point, of several the first (so no final sigma, and İ becomes i). */
export function lower(text: string): string {
  return Array.from(text, (point) => Array.from(point.toLowerCase())[0]!).join("");
}

/** One spelling for what people take for one text: composed or not, full-width or not, with or without blanks around. */
function respelled(text: string): string {
  return text.normalize("NFKC").trim();
}

/** What is compared, on both sides. */
function normal(text: string): string {
  return lower(respelled(text));
}

export function typeMatches(patterns: readonly TypePattern[], type: string): boolean {
  return patterns.some(
    (pattern) =>
      pattern === "*" || pattern === type || (pattern.endsWith(".*") && type.startsWith(pattern.slice(0, -1))),
  );
}

export function automatedPasses(policy: AutomatedPolicy, automated: "yes" | "maybe" | undefined): boolean {
  switch (policy) {
    case "skip":
      return automated !== "yes";
    case "skipMaybe":
      return automated === undefined;
    case "count":
      return true;
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at the path, or undefined where it is missing or null. */
export function fieldValue(path: FieldPath, facts: Facts): Exclude<Json, null> | undefined {
  const root: JsonObject = {
    resource: facts.interaction?.resource ?? null,
    type: facts.interaction?.type ?? null,
    attributes: facts.interaction?.attributes ?? null,
    contact: facts.profile,
  };
  let value: Json | undefined = root;
  for (const name of path) {
    value = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value ?? undefined;
}

/** The text that a value is, as it is written; undefined for lists and objects. */
function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}

/** As `textOf`, as it is compared. */
function normalOf(value: Json | undefined): string | undefined {
  const text = textOf(value);
  return text === undefined ? undefined : normal(text);
}

function numberOf(value: Json | undefined): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return undefined;
  return /^[+-]?[0-9]+(\.[0-9]+)?$/.test(value.trim()) ? Number(value.trim()) : undefined;
}

/** True where the value is a text that passes, or a list with one that does. */
function someText(value: Json | undefined, passes: (text: string) => boolean): boolean {
  if (Array.isArray(value)) return value.some((one) => !Array.isArray(one) && someText(one as Json, passes));
  const text = textOf(value);
  return text !== undefined && passes(text);
}

function isOneOf(value: Json | undefined, wanted: readonly Scalar[]): boolean {
  const texts = wanted.map((one) => normal(String(one)));
  return someText(value, (text) => texts.includes(normal(text)));
}

export function holdsAll(conditions: readonly Condition[], facts: Facts): boolean {
  return conditions.every((condition) => holds(condition, facts));
}

function holds(condition: Condition, facts: Facts): boolean {
  if (condition.op === "not") return !holds(condition.of, facts);
  if ("of" in condition) {
    const each = condition.of.map((one) => holds(one, facts));
    return condition.op === "any" ? each.includes(true) : !each.includes(false);
  }
  const value = fieldValue(condition.field, facts);
  const number = numberOf(value);
  switch (condition.op) {
    case "is":
      return isOneOf(value, [condition.value]);
    case "isNot":
      return !isOneOf(value, [condition.value]);
    case "in":
      return isOneOf(value, condition.values);
    case "notIn":
      return !isOneOf(value, condition.values);
    case "contains": {
      // Of a list this is membership.
      if (Array.isArray(value)) return isOneOf(value, [condition.value]);
      const wanted = normal(String(condition.value));
      return someText(value, (text) => normal(text).includes(wanted));
    }
    case "startsWith": {
      const wanted = normal(condition.value);
      return someText(value, (text) => normal(text).startsWith(wanted));
    }
    case "endsWith": {
      const wanted = normal(condition.value);
      return someText(value, (text) => normal(text).endsWith(wanted));
    }
    case "matches": {
      const pattern = RE2JS.compile(condition.pattern);
      return someText(value, (text) => pattern.matcher(respelled(text)).find());
    }
    case "gt":
      return number !== undefined && number > condition.value;
    case "gte":
      return number !== undefined && number >= condition.value;
    case "lt":
      return number !== undefined && number < condition.value;
    case "lte":
      return number !== undefined && number <= condition.value;
    case "exists":
      return (value !== undefined) === condition.value;
  }
}

function words(text: string): string[] {
  return normal(text).match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

/** True where the words of the keyword stand in the text, whole and side by side. */
function hasWords(text: string[], keyword: string[]): boolean {
  if (keyword.length === 0) return false;
  return text.some((_, start) => keyword.every((word, i) => text[start + i] === word));
}

/** Points before repeat and weight. */
function rawPoints(points: Points, facts: Facts): number {
  if (points.kind === "number") return points.value;
  const value = fieldValue(points.by, facts);
  switch (points.kind) {
    case "values": {
      const text = normalOf(value);
      const found = points.values.find(([key]) => normal(key) === text);
      return found === undefined ? points.else : found[1];
    }
    case "bands": {
      const number = numberOf(value);
      const reached = number === undefined ? [] : points.bands.filter((band) => band.from <= number);
      return reached.at(-1)?.points ?? points.else;
    }
    case "keywords": {
      const text = words(textOf(value) ?? "");
      const found = points.keywords.filter(([keyword]) => hasWords(text, words(keyword))).map(([, each]) => each);
      if (found.length === 0) return points.else;
      return points.pick === "highest" ? Math.max(...found) : found.reduce((sum, each) => sum + each, 0);
    }
    case "times": {
      const number = numberOf(value);
      return number === undefined ? points.else : number * points.times;
    }
  }
}

/** points x multiplier x weight of one match, held to 1e9 in size. */
export function pointsOf(points: Points, facts: Facts, multiplier: number, weight: number): number {
  return clipPoints(rawPoints(points, facts) * multiplier * weight);
}

export function clipPoints(points: number): number {
  return Number.isNaN(points) ? 0 : Math.max(-POINTS_MAX, Math.min(POINTS_MAX, points));
}
