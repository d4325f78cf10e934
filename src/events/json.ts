/** Checks of the free-form part of an input: the attributes of an interaction, the fields of a profile. */
import type { JsonObject } from "./types.js";

/** How deep lists and objects may lie inside each other, the outermost object counted. */
export const NESTING_MAX = 32;

const HAS_NULL = 1;
const HAS_PROBLEM = 2;

/**
 * A checked copy of a JSON object: fields that are null are left out (a null is a missing field), nulls in lists stay.
 * Returned as it is when there is nothing to leave out.
 *
 * @param path where the object is in the input, for the messages
 * @param problems gets a message for each number that is not finite and for nesting deeper than `NESTING_MAX`
 */
export function checkedObject(object: object, path: string, problems: string[]): JsonObject {
  const found = scan(object, 1);
  if ((found & HAS_PROBLEM) !== 0) nameProblems(object, path, 1, problems);
  else if ((found & HAS_NULL) !== 0) return withoutNulls(object) as JsonObject;
  return object as JsonObject;
}

/** What kind of JSON value this is, for messages. */
export function kindOfJson(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (typeof value === "string") return "a text";
  return typeof value === "number" ? "a number" : "a truth value";
}

/** One pass that only says whether there is anything to do: nearly always there is not. */
function scan(value: unknown, depth: number): number {
  if (typeof value === "number") return Number.isFinite(value) ? 0 : HAS_PROBLEM;
  if (typeof value !== "object" || value === null) return 0;
  if (depth > NESTING_MAX) return HAS_PROBLEM;
  let found = 0;
  if (Array.isArray(value)) {
    for (const item of value) found |= scan(item, depth + 1);
    return found;
  }
  for (const name in value) {
    const item: unknown = (value as Record<string, unknown>)[name];
    found |= item === null ? HAS_NULL : scan(item, depth + 1);
  }
  return found;
}

function nameProblems(value: unknown, path: string, depth: number, problems: string[]): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    problems.push(`${path} is a number beyond the range of a double (about 1.8e308)`);
  }
  if (typeof value !== "object" || value === null) return;
  if (depth > NESTING_MAX) {
    problems.push(`${cutPath(path)} is nested more than ${NESTING_MAX} deep`);
    return;
  }
  for (const [name, item] of Object.entries(value)) {
    nameProblems(item, Array.isArray(value) ? `${path}[${name}]` : `${path}.${name}`, depth + 1, problems);
  }
}

function cutPath(path: string): string {
  return path.length > 80 ? `${path.slice(0, 80)}...` : path;
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, item]) => item !== null);
  // fromEntries defines own properties: a field named `__proto__` stays a field.
  return Object.fromEntries(kept.map(([name, item]) => [name, withoutNulls(item)]));
}
