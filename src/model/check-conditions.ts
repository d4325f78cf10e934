/** Checks what a rule matches: type patterns, fields and `where`. */
import { RE2JS } from "re2js";
import { RETRACTION } from "../events/types.js";
import { nearest, suggestion } from "../nearest.js";
import {
  type Fields,
  type Findings,
  found,
  hasControlCharacters,
  type Item,
  isMapItem,
  readBoolean,
  readList,
  readNumber,
  scalarOf,
} from "./check-values.js";
import { joinKey } from "./parse.js";
import { comparedForm } from "./text.js";
import type { Condition, FieldPath, Scalar, TypePattern } from "./types.js";

/** `any`, `all` and `not` inside each other. */
export const conditionDepthMax = 16;
export const patternCharsMax = 1_000;
export const fieldCharsMax = 1_000;
/** `contact.account.parent.employees` has three names after `contact`. */
export const contactNamesMax = 5;
export const typeBytesMax = 256;

const plainFields = ["resource", "type", "id", "automated", "tenantId", "contactId"] as const;
const operators = [
  "is",
  "isNot",
  "in",
  "notIn",
  "contains",
  "startsWith",
  "endsWith",
  "matches",
  "gt",
  "gte",
  "lt",
  "lte",
  "exists",
] as const;
type Operator = (typeof operators)[number];
const groups = ["any", "all", "not"] as const;
const conditionExample = "{ field: resource, contains: /pricing }";

/** Types as in `when`: one text or a list of them. */
export function readPatterns(findings: Findings, item: Item | undefined): readonly TypePattern[] {
  if (item === undefined) {
    return [];
  }
  const items = item.node.kind === "list" ? (readList(findings, item, "[email.clicked]") ?? []) : [item];
  return items.flatMap((each) => readPattern(findings, each) ?? []);
}

function readPattern(findings: Findings, item: Item): TypePattern | undefined {
  const pattern = scalarOf(item.node);
  if (typeof pattern !== "string") {
    const expected = "expected a type such as email.clicked, a prefix such as email.*, or `*`";
    findings.error(item, `${expected}, found ${found(item.node)}`);
    return undefined;
  }
  if (pattern === "*") {
    return pattern;
  }
  const stem = pattern.endsWith(".*") ? pattern.slice(0, -2) : pattern;
  const names = stem.split(".");
  const formed = names.every((name) => name !== "" && !/[*\s\p{Cc}\p{Surrogate}]/u.test(name));
  if (!formed || (names.length < 2 && stem === pattern)) {
    const word = formed ? `; for every type of ${pattern} write ${pattern}.*` : "";
    findings.error(
      item,
      `a type is \`channel.action\`, a prefix \`channel.*\`, or \`*\`, found ${found(item.node)}${word}`,
    );
    return undefined;
  }
  if (new TextEncoder().encode(pattern).length > typeBytesMax) {
    findings.error(item, `a type has at most ${typeBytesMax} bytes`);
    return undefined;
  }
  if (pattern === RETRACTION) {
    findings.warning(item, `\`${RETRACTION}\` matches no rule and is no activity: it only removes what it names`);
  }
  return pattern;
}

/** A field as in `where` and points `by`. */
export function readField(findings: Findings, item: Item | undefined): FieldPath | undefined {
  if (item === undefined) {
    return undefined;
  }
  const text = scalarOf(item.node);
  if (typeof text !== "string" || text.length > fieldCharsMax) {
    findings.error(
      item,
      `expected a field such as resource, attributes.kind or contact.city, found ${found(item.node)}`,
    );
    return undefined;
  }
  const names = text.split(".");
  const [first = ""] = names;
  if (names.includes("") || hasControlCharacters(text)) {
    findings.error(item, `a field is names with single dots between them, found ${found(item.node)}`);
    return undefined;
  }
  if (first === "attributes" || first === "contact") {
    if (names.length < 2) {
      findings.error(item, `name what of \`${first}\` is meant, as in ${first}.city`);
      return undefined;
    }
    if (first === "contact" && names.length > contactNamesMax + 1) {
      const count = names.length - 1;
      findings.error(item, `at most ${contactNamesMax} names go after \`contact\`, found ${count} in \`${text}\``);
      return undefined;
    }
    return names as unknown as FieldPath;
  }
  if (names.length === 1 && plainFields.some((field) => field === first)) {
    return [first];
  }
  findings.error(item, `unknown field \`${text}\`${fieldAdvice(names)}`);
  return undefined;
}

function fieldAdvice(names: readonly string[]): string {
  const [first = "", ...rest] = names;
  const near = nearest(first, rest.length === 0 ? plainFields : ["attributes", "contact"]);
  if (near !== undefined) {
    return `; did you mean \`${[near, ...rest].join(".")}\`?`;
  }
  const name = names.join(".");
  return `; known: ${plainFields.join(", ")}, attributes.<name>, contact.<name> (as attributes.${name} or contact.${name})`;
}

/** A rule's `where`; all of the list must hold. `interaction: false` where no interaction is at hand. */
export function readWhere(
  findings: Findings,
  item: Item | undefined,
  context: { readonly interaction: boolean },
): readonly Condition[] {
  if (item !== undefined && isMapItem(item)) {
    findings.error(item, `\`where\` is a list: put a dash before the condition, as in \`- ${conditionExample}\``);
    return [];
  }
  const items = readList(findings, item, `[${conditionExample}]`) ?? [];
  return items.flatMap((each) => readCondition(findings, each, context, 0) ?? []);
}

function readCondition(
  findings: Findings,
  item: Item,
  context: { readonly interaction: boolean },
  depth: number,
): Condition | undefined {
  if (!isMapItem(item)) {
    findings.error(item, `expected a condition such as \`${conditionExample}\`, found ${found(item.node)}`);
    return undefined;
  }
  if (depth > conditionDepthMax) {
    findings.error(item, `any, all and not nest at most ${conditionDepthMax} levels deep; simplify the condition`);
    return undefined;
  }
  const { entries } = item.node;
  const group = groups.find((word) => entries.some(({ key }) => key === word));
  if (group === undefined) {
    return readComparison(findings, item, context);
  }
  for (const { key, keyPlace } of entries) {
    if (key !== group) {
      const message = `\`${key}\` can't stand beside \`${group}\`; make it a condition of its own`;
      findings.error({ path: joinKey(item.path, key), place: keyPlace }, message);
    }
  }
  const node = entries.find(({ key }) => key === group)!.value;
  const inside: Item = { node, path: joinKey(item.path, group), place: node.place };
  if (group === "not" && isMapItem(inside)) {
    const of = readCondition(findings, inside, context, depth + 1);
    return of && { op: "not", of };
  }
  const list = readList(findings, inside, `[${conditionExample}]`);
  if (list === undefined) {
    return undefined;
  }
  if (list.length === 0) {
    findings.warning(inside, `\`${group}\` has no conditions: it ${group === "all" ? "always" : "never"} holds`);
  }
  const of = list.flatMap((each) => readCondition(findings, each, context, depth + 1) ?? []);
  return group === "not" ? { op: "not", of: { op: "all", of } } : { op: group, of };
}

function readComparison(
  findings: Findings,
  item: Item,
  context: { readonly interaction: boolean },
): Condition | undefined {
  const known = ["field", ...operators];
  const { entries } = item.node.kind === "map" ? item.node : { entries: [] };
  let misspelt = false;
  for (const { key, keyPlace } of entries) {
    if (!known.includes(key)) {
      misspelt = true;
      const names = [...known, ...groups];
      const near = nearest(key, names);
      const advice = near === undefined ? `; operators: ${operators.join(", ")}` : suggestion(key, names);
      findings.error({ path: joinKey(item.path, key), place: keyPlace }, `unknown key \`${key}\`${advice}`);
    }
  }
  const itemOf = (key: string): Item | undefined => {
    const node = entries.find((entry) => entry.key === key)?.value;
    return node && { node, path: joinKey(item.path, key), place: node.place };
  };
  const fieldItem = itemOf("field");
  if (fieldItem === undefined && !misspelt) {
    findings.error(item, "`field` is missing: what is compared, as in `field: resource`");
  }
  const field = readField(findings, fieldItem);
  if (field !== undefined && fieldItem !== undefined && !context.interaction && field[0] !== "contact") {
    const missing = `no interaction is at hand in this rule: \`${field.join(".")}\` is always missing here`;
    findings.warning(fieldItem, `${missing}; compare contact.<name>`);
  }
  const present = operators.filter((operator) => itemOf(operator) !== undefined);
  const [operator, second] = present;
  if (second !== undefined) {
    findings.error(item, `a condition has one operator, found ${present.join(", ")}; make a condition of each`);
  }
  if (operator === undefined) {
    if (!misspelt) {
      findings.error(item, `the operator is missing: one of ${operators.join(", ")}`);
    }
    return undefined;
  }
  const condition = readOperator(findings, operator, itemOf(operator)!, field ?? ["type"]);
  return field === undefined ? undefined : condition;
}

function readOperator(findings: Findings, op: Operator, item: Item, field: FieldPath): Condition | undefined {
  switch (op) {
    case "is":
    case "isNot":
    case "contains": {
      const value = readScalar(findings, item);
      return value === undefined ? undefined : { op, field, value };
    }
    case "in":
    case "notIn": {
      const items = readList(findings, item, "[Chicago, Boston]");
      if (items?.length === 0) {
        findings.warning(item, `the list is empty: \`${op}\` ${op === "in" ? "never" : "always"} holds`);
      }
      return items && { op, field, values: items.flatMap((each) => readScalar(findings, each) ?? []) };
    }
    case "startsWith":
    case "endsWith": {
      const value = readPlainText(findings, item);
      if (value !== undefined) reportEmpty(findings, item, value);
      return value === undefined ? undefined : { op, field, value };
    }
    case "matches": {
      const pattern = readRegularExpression(findings, item);
      return pattern === undefined ? undefined : { op, field, pattern };
    }
    case "gt":
    case "gte":
    case "lt":
    case "lte": {
      const value = readNumber(findings, item);
      return value === undefined ? undefined : { op, field, value };
    }
    case "exists": {
      const value = readBoolean(findings, item);
      return value === undefined ? undefined : { op, field, value };
    }
  }
}

function readScalar(findings: Findings, item: Item): Scalar | undefined {
  const value = scalarOf(item.node);
  if (typeof value === "number") {
    if (Math.abs(value) > 1e9) {
      findings.error(
        item,
        `a number is at most 1e9 in size, found ${found(item.node)}; put it in quotes to compare text`,
      );
      return undefined;
    }
    const number = readNumber(findings, item);
    if (number !== undefined && item.node.kind === "scalar" && item.node.written !== String(number)) {
      const { written } = item.node;
      findings.warning(
        item,
        `${written} is compared as the text "${number}"; put it in quotes if it is meant as written`,
      );
    }
    return number;
  }
  if (value === null) {
    findings.error(
      item,
      "expected a text, a number, true or false, found nothing; for a missing field use `exists: false`",
    );
    return undefined;
  }
  if (value === undefined) {
    const advice = item.node.kind === "list" ? "; a list goes with `in` or `notIn`" : "";
    findings.error(item, `expected a text, a number, true or false, found ${found(item.node)}${advice}`);
  }
  if (typeof value === "string") reportEmpty(findings, item, value);
  return value;
}

/** Texts are compared without blanks at their ends, and nothing of that is left here. */
function reportEmpty(findings: Findings, item: Item, text: string): void {
  if (comparedForm(text) === "") {
    findings.error(item, `found ${found(item.node)}, an empty text; for a field that is missing use \`exists: false\``);
  }
}

function readPlainText(findings: Findings, item: Item): string | undefined {
  const value = scalarOf(item.node);
  if (typeof value !== "string") {
    const quote = typeof value === "number" || typeof value === "boolean" ? "; put it in quotes" : "";
    findings.error(item, `expected a text, found ${found(item.node)}${quote}`);
    return undefined;
  }
  return value;
}

function readRegularExpression(findings: Findings, item: Item): string | undefined {
  const pattern = readPlainText(findings, item);
  if (pattern === undefined) {
    return undefined;
  }
  if (pattern.length > patternCharsMax) {
    findings.error(item, `a regular expression has at most ${patternCharsMax} characters, found ${pattern.length}`);
    return undefined;
  }
  if (pattern === "") {
    findings.error(item, "an empty regular expression is found in every text; use `exists: true`");
    return undefined;
  }
  if (pattern !== pattern.normalize("NFKC")) {
    findings.warning(item, `fields are searched in Unicode's NFKC; write it as \`${pattern.normalize("NFKC")}\``);
  }
  try {
    RE2JS.compile(pattern);
    return pattern;
  } catch (error) {
    const reason =
      error instanceof Error
        ? error.message.replace("error parsing regexp: ", "").replace("`(?i)", "`")
        : String(error);
    findings.error(item, `not a regular expression of RE2 (no look-around, no back references): ${reason}`);
    return undefined;
  }
}

/** A value that can't be told from what a rule without an interaction knows. */
export function reportNotContact(findings: Findings, item: Item, field: FieldPath, why: string): void {
  if (field[0] !== "contact") {
    findings.error(item, `\`by\` must be contact.<name> ${why}, found \`${field.join(".")}\``);
  }
}

/** Unused keys that would silently do nothing. */
export function reportNoEffect(findings: Findings, fields: Fields, keys: readonly string[], why: string): void {
  for (const key of keys) {
    const item = fields.get(key);
    if (item !== undefined) {
      findings.warning(item, `\`${key}\` has no effect ${why}; remove it`);
    }
  }
}
