/** Conditions of `where` as predicates. Text ignores case; a missing field or a mismatch makes an operator false. */
import { RE2JS } from "re2js";
import type { Interaction, Json, JsonObject } from "../events/types.js";
import { fieldReader, type Reader } from "./fields.js";
import { decimal, simpleLowerCase } from "./text.js";
import type { Condition, Scalar } from "./types.js";

export type Predicate = (interaction: Interaction | null, profile: JsonObject | null) => boolean;

export const always: Predicate = () => true;

/** All of the conditions; none: always true. */
export function allOf(conditions: readonly Condition[]): Predicate {
  const predicates = conditions.map(predicate);
  const [first, second] = predicates;
  if (first === undefined) return always;
  if (second === undefined) return first;
  if (predicates.length === 2) return (x, profile) => first(x, profile) && second(x, profile);
  return (x, profile) => {
    for (const holds of predicates) if (!holds(x, profile)) return false;
    return true;
  };
}

export function predicate(condition: Condition): Predicate {
  switch (condition.op) {
    case "all":
      return allOf(condition.of);
    case "any": {
      const predicates = condition.of.map(predicate);
      return (x, profile) => predicates.some((holds) => holds(x, profile));
    }
    case "not": {
      const holds = predicate(condition.of);
      return (x, profile) => !holds(x, profile);
    }
    case "is":
      return is(fieldReader(condition.field), condition.value);
    case "isNot": {
      const holds = is(fieldReader(condition.field), condition.value);
      return (x, profile) => !holds(x, profile);
    }
    case "in":
      return isIn(fieldReader(condition.field), condition.values);
    case "notIn": {
      const holds = isIn(fieldReader(condition.field), condition.values);
      return (x, profile) => !holds(x, profile);
    }
    case "contains":
      return contains(fieldReader(condition.field), condition.value);
    case "startsWith": {
      const wanted = simpleLowerCase(condition.value);
      return onText(fieldReader(condition.field), (text) => simpleLowerCase(text).startsWith(wanted));
    }
    case "endsWith": {
      const wanted = simpleLowerCase(condition.value);
      return onText(fieldReader(condition.field), (text) => simpleLowerCase(text).endsWith(wanted));
    }
    case "matches": {
      // RE2 searches in linear time: no pattern and no text can make it run away.
      const pattern = RE2JS.compile(condition.pattern, RE2JS.CASE_INSENSITIVE);
      return onText(fieldReader(condition.field), (text) => pattern.test(text));
    }
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return compares(fieldReader(condition.field), condition.op, condition.value);
    case "exists": {
      const read = fieldReader(condition.field);
      const wanted = condition.value;
      return (x, profile) => (read(x, profile) !== undefined) === wanted;
    }
    default:
      return unreachable(condition);
  }
}

/** The text that `is`, `in` and lookups compare, or undefined for what has none (lists, objects, missing fields). */
export function comparedText(value: Json | undefined): string | undefined {
  switch (typeof value) {
    case "string":
      return simpleLowerCase(value);
    case "number":
      return simpleLowerCase(String(value));
    case "boolean":
      return value ? "true" : "false";
    default:
      return undefined;
  }
}

/** A number, or a text that is wholly a decimal number. */
export function comparedNumber(value: Json | undefined): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" ? decimal(value) : undefined;
}

function is(read: Reader, operand: Scalar): Predicate {
  const wanted = comparedText(operand);
  return (x, profile) => comparedText(read(x, profile)) === wanted;
}

function isIn(read: Reader, operands: readonly Scalar[]): Predicate {
  const wanted = new Set(operands.map(comparedText));
  return (x, profile) => {
    const text = comparedText(read(x, profile));
    return text !== undefined && wanted.has(text);
  };
}

function contains(read: Reader, operand: Scalar): Predicate {
  const wanted = comparedText(operand) as string;
  return (x, profile) => {
    const value = read(x, profile);
    if (typeof value === "string") return simpleLowerCase(value).includes(wanted);
    return Array.isArray(value) && value.some((element) => comparedText(element) === wanted);
  };
}

function onText(read: Reader, test: (text: string) => boolean): Predicate {
  return (x, profile) => {
    const value = read(x, profile);
    return typeof value === "string" && test(value);
  };
}

function compares(read: Reader, op: "gt" | "gte" | "lt" | "lte", operand: number): Predicate {
  return (x, profile) => {
    const value = comparedNumber(read(x, profile));
    if (value === undefined) return false;
    switch (op) {
      case "gt":
        return value > operand;
      case "gte":
        return value >= operand;
      case "lt":
        return value < operand;
      case "lte":
        return value <= operand;
    }
  };
}

function unreachable(condition: never): never {
  throw new Error(`unknown condition ${JSON.stringify(condition)}`);
}
