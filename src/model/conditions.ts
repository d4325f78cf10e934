/**
 * Conditions of `where` as predicates. Texts are compared in one form (`comparedForm`), a list holds where one of its
 * elements does, and a missing field or a mismatch makes an operator false.
 */
import { RE2JS } from "re2js";
import type { Interaction, Json, JsonObject } from "../events/types.js";
import { fieldReader, type Reader } from "./fields.js";
import { comparedForm, decimal, normalForm } from "./text.js";
import type { Condition, FieldPath, Scalar } from "./types.js";

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
    case "not":
      return negated(predicate(condition.of));
    case "is":
      return onTexts(condition.field, comparedText, isText(condition.value));
    case "isNot":
      return negated(onTexts(condition.field, comparedText, isText(condition.value)));
    case "in":
      return onTexts(condition.field, comparedText, isOneOf(condition.values));
    case "notIn":
      return negated(onTexts(condition.field, comparedText, isOneOf(condition.values)));
    case "contains":
      return contains(condition.field, condition.value);
    case "startsWith": {
      const wanted = comparedForm(condition.value);
      return onTexts(condition.field, comparedText, (text) => text.startsWith(wanted));
    }
    case "endsWith": {
      const wanted = comparedForm(condition.value);
      return onTexts(condition.field, comparedText, (text) => text.endsWith(wanted));
    }
    case "matches": {
      // RE2 searches in linear time: no pattern and no text can make it run away.
      const pattern = RE2JS.compile(condition.pattern);
      return onTexts(condition.field, searchedText, (text) => pattern.test(text));
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

/** The text of a value as it is compared, or undefined for what has none (lists, objects, missing fields). */
export function comparedText(value: Json | undefined): string | undefined {
  const text = textOf(value);
  return text === undefined ? undefined : comparedForm(text);
}

/** The text of a value as a regular expression sees it: with its case. */
function searchedText(value: Json | undefined): string | undefined {
  const text = textOf(value);
  return text === undefined ? undefined : normalForm(text);
}

function textOf(value: Json | undefined): string | undefined {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return String(value);
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

function negated(holds: Predicate): Predicate {
  return (x, profile) => !holds(x, profile);
}

type TextTest = (text: string) => boolean;

function isText(operand: Scalar): TextTest {
  const wanted = comparedText(operand);
  return (text) => text === wanted;
}

function isOneOf(operands: readonly Scalar[]): TextTest {
  const wanted = new Set(operands.map(comparedText));
  return (text) => wanted.has(text);
}

/** Of a text the part, of a list an element that is equal. */
function contains(field: FieldPath, operand: Scalar): Predicate {
  const read = fieldReader(field);
  const wanted = comparedText(operand) as string;
  return (x, profile) => {
    const value = read(x, profile);
    if (Array.isArray(value)) return value.some((element) => comparedText(element) === wanted);
    return comparedText(value)?.includes(wanted) === true;
  };
}

/** Holds where the field's text passes the test, or that of one element where the field is a list. */
function onTexts(field: FieldPath, form: (value: Json | undefined) => string | undefined, test: TextTest): Predicate {
  const read = fieldReader(field);
  const holds = (value: Json | undefined): boolean => {
    const text = form(value);
    return text !== undefined && test(text);
  };
  return (x, profile) => {
    const value = read(x, profile);
    return Array.isArray(value) ? value.some(holds) : holds(value);
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
