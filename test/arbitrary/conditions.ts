/**
 * Random conditions and points, over the fields that inputs have (and one that none has).
 */
import fc from "fast-check";
import type { Json } from "../../src/events/types.js";
import type { Condition, FieldPath, Points } from "../../src/model/types.js";
import {
  type FieldName,
  fieldValues,
  isOperand,
  keywords,
  lookupKeys,
  lookupText,
  patterns,
  points,
  resources,
  spellings,
  textWords,
} from "./vocabulary.js";

// ---- fields and conditions ----

/** What a rule may look at: an interaction and the contact, or the contact alone. */
export type Sight = "match" | "contact";

const fieldNames = Object.keys(fieldValues) as FieldName[];

function fieldPath(sight: Sight, names: readonly FieldName[] = fieldNames): fc.Arbitrary<FieldPath> {
  const seen = names.filter((name) => sight === "match" || name.startsWith("contact."));
  return fc.constantFrom(...seen, ...seen, "contact.missing").map((name) => name.split(".") as unknown as FieldPath);
}

/** One condition that compares. */
export function comparison(sight: Sight): fc.Arbitrary<Condition> {
  const names = fieldNames.filter((name) => sight === "match" || name.startsWith("contact."));
  const own = fc.constantFrom(...names).chain((name) => {
    const values: readonly Json[] = fieldValues[name].flat();
    const scalars = values.filter((value) => value !== null && typeof value !== "object");
    const value = fc
      .tuple(fc.constantFrom(...(scalars as (string | number | boolean)[]).filter(isOperand), 7, "7", "vi"), spellings)
      .map(([scalar, change]) => (typeof scalar === "string" ? change(scalar) : scalar));
    const field = name.split(".") as unknown as FieldPath;
    return fc.oneof(
      fc.record({ op: fc.constantFrom("is", "isNot", "contains"), field: fc.constant(field), value }),
      fc.record({
        op: fc.constantFrom("in", "notIn"),
        field: fc.constant(field),
        values: fc.array(value, { minLength: 1, maxLength: 3 }),
      }),
    ) as fc.Arbitrary<Condition>;
  });
  const field = sight === "match" ? fc.oneof(fieldPath(sight), fc.constant<FieldPath>(["resource"])) : fieldPath(sight);
  const text = fc.record({
    op: fc.constantFrom("startsWith", "endsWith", "contains"),
    field,
    value: fc.constantFrom(...textWords, ...resources.filter(isOperand)),
  });
  const texts = [
    "contact.city",
    "contact.title",
    "contact.size",
    "contact.tags",
    "resource",
    "attributes.kind",
  ] as const;
  const regex = fc.record({
    op: fc.constant("matches"),
    field: fc
      .constantFrom(...texts.filter((name) => sight === "match" || name.startsWith("contact.")))
      .map((name) => name.split(".") as unknown as FieldPath),
    pattern: fc.constantFrom(...patterns),
  });
  const size = fc.record({
    op: fc.constantFrom("gt", "gte", "lt", "lte"),
    field,
    value: fc.constantFrom(0, 11, 12.5, 51, -4, 1000),
  });
  const exists = fc.record({ op: fc.constant("exists"), field, value: fc.boolean() });
  return fc.oneof(own, text, regex, size, exists) as fc.Arbitrary<Condition>;
}

function condition(sight: Sight): fc.Arbitrary<Condition> {
  return fc.letrec<{ node: Condition; leaf: Condition }>((tie) => ({
    leaf: comparison(sight),
    node: fc.oneof(
      { maxDepth: 2, depthSize: "small" },
      { weight: 4, arbitrary: tie("leaf") },
      fc.record({ op: fc.constantFrom("any", "all"), of: fc.array(tie("node"), { minLength: 1, maxLength: 3 }) }),
      fc.record({ op: fc.constant("not"), of: tie("node") }),
    ) as fc.Arbitrary<Condition>,
  })).node;
}

/** Mostly none, or rules would hardly ever match. */
export function where(sight: Sight): fc.Arbitrary<readonly Condition[]> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    fc.array(condition(sight), { minLength: 1, maxLength: 2 }),
  );
}

// ---- points ----

export function pointsForm(sight: Sight): fc.Arbitrary<Points> {
  const number = points.map((value): Points => ({ kind: "number", value }));
  const values = fc.record({
    kind: fc.constant("values"),
    by: fieldPath(sight),
    values: fc.uniqueArray(fc.tuple(fc.constantFrom(...lookupKeys), points), {
      minLength: 1,
      maxLength: 4,
      selector: ([key]) => lookupText(key),
    }),
    else: points,
  });
  const bands = fc.record({
    kind: fc.constant("bands"),
    by: fieldPath(sight, ["attributes.amount", "contact.size", "contact.account.employees"]),
    bands: fc
      .uniqueArray(fc.constantFrom(-4, 0, 1, 11, 12.5, 51), { minLength: 1, maxLength: 3 })
      .chain((froms) =>
        fc.tuple(...froms.sort((a, b) => a - b).map((from) => points.map((each) => ({ from, points: each })))),
      ),
    else: points,
  });
  const words = fc.record({
    kind: fc.constant("keywords"),
    by: fieldPath(sight, ["contact.title", "contact.account.parent.name"]),
    keywords: fc.uniqueArray(fc.tuple(fc.constantFrom(...keywords), points), {
      minLength: 1,
      maxLength: 4,
      selector: ([word]) => lookupText(word),
    }),
    pick: fc.constantFrom("highest", "sum"),
    else: points,
  });
  const times = fc.record({
    kind: fc.constant("times"),
    by: fieldPath(sight, ["attributes.amount", "contact.size", "contact.account.employees"]),
    times: fc.constantFrom(1, 0.1, -2, 1e9),
    else: points,
  });
  return fc.oneof({ weight: 6, arbitrary: number }, values, bands, words, {
    weight: 2,
    arbitrary: times,
  }) as fc.Arbitrary<Points>;
}
