/**
 * What one rule sees in one interaction and profile: type patterns, `where`, and points.
 */
import { RE2JS } from "re2js";
import type { Interaction, Json, JsonObject } from "../../src/events/types.js";
import type { AutomatedPolicy, Condition, FieldPath, Points, TypePattern } from "../../src/model/types.js";

const POINTS_MAX = 1e15;

/** What fields are read from. Either part may be missing: a profile rule has no interaction. */
export interface Facts {
  readonly interaction: Interaction | null;
  readonly profile: JsonObject | null;
}

/** Simple lower-casing: code point by code point, one for one (so no final sigma, and İ becomes i). */
export function lower(text: string): string {
  return Array.from(text, (point) => (point === "\u0130" ? "i" : point.toLowerCase())).join("");
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

/** The text that `is`, `in` and lookups compare, already in lower case; undefined for lists and objects. */
function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? lower(String(value))
    : undefined;
}

function numberOf(value: Json | undefined): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^-?[0-9]+(\.[0-9]+)?$/.test(value) ? Number(value) : undefined;
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
  const text = textOf(value);
  const number = numberOf(value);
  switch (condition.op) {
    case "is":
      return text === lower(String(condition.value));
    case "isNot":
      return text !== lower(String(condition.value));
    case "in":
      return condition.values.some((one) => text === lower(String(one)));
    case "notIn":
      return !condition.values.some((one) => text === lower(String(one)));
    case "contains": {
      const wanted = lower(String(condition.value));
      if (Array.isArray(value)) return value.some((one) => textOf(one) === wanted);
      return typeof value === "string" && lower(value).includes(wanted);
    }
    case "startsWith":
      return typeof value === "string" && lower(value).startsWith(lower(condition.value));
    case "endsWith":
      return typeof value === "string" && lower(value).endsWith(lower(condition.value));
    case "matches":
      return (
        typeof value === "string" && RE2JS.compile(condition.pattern, RE2JS.CASE_INSENSITIVE).matcher(value).find()
      );
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
  return lower(text).match(/[\p{L}\p{N}]+/gu) ?? [];
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
      const text = textOf(value);
      const found = points.values.find(([key]) => lower(key) === text);
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

/** points x multiplier x weight of one match, kept to a size at which sums stay meaningful. */
export function pointsOf(points: Points, facts: Facts, multiplier: number, weight: number): number {
  return clipPoints(rawPoints(points, facts) * multiplier * weight);
}

export function clipPoints(points: number): number {
  return Number.isNaN(points) ? 0 : Math.max(-POINTS_MAX, Math.min(POINTS_MAX, points));
}
