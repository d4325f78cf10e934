/**
 * Scenes about how values are read: texts in other spellings, lists, numbers as texts, words, and points that are too
 * large. Nothing is cut off, and each rule weighs twice what the one before does, so that a score tells what holds.
 */
import fc from "fast-check";
import type { Model, Points, Rule } from "../../src/model/types.js";
import { comparison, pointsForm, type Sight } from "./conditions.js";
import { asOfFor, inputLists } from "./inputs.js";
import type { Scene } from "./scenes.js";
import { DAY } from "./vocabulary.js";

const one: Points = { kind: "number", value: 1 };
const match = { when: ["*"], automated: "count", scopeResource: false } as const;

const conditionRule = (sight: Sight): fc.Arbitrary<object> =>
  comparison(sight).map((condition) => ({ where: [condition], points: one }));

const pointsRule = (sight: Sight): fc.Arbitrary<object> => pointsForm(sight).map((points) => ({ where: [], points }));

const profileRule = fc
  .oneof({ weight: 2, arbitrary: conditionRule("contact") }, pointsRule("contact"))
  .map((rule) => ({ family: "profile", ...rule }));

const matchRule = fc
  .oneof({ weight: 2, arbitrary: conditionRule("match") }, pointsRule("match"))
  .map((rule) => ({ family: "accumulating", ...match, ...rule }));

/** An element, or a part of one. */
const listCondition = fc.record({
  op: fc.constantFrom("is", "isNot", "contains", "startsWith", "endsWith"),
  field: fc.constantFrom(["contact", "tags"], ["attributes", "tags"]),
  value: fc.constantFrom("vip", "vi", "ip", "NEW", "zürich", "7"),
});

const listRule = listCondition.map((condition) => ({
  family: "accumulating",
  ...match,
  where: [condition],
  points: one,
}));

/** One word, whole or cut off where its marks are. */
const wordRule = fc.constantFrom("दिन", "दान", "दन", "द", "대표", "대", "präsident", "pr", "president").map((word) => ({
  family: "profile",
  where: [],
  points: { kind: "keywords", by: ["contact", "title"], keywords: [[word, 1]], pick: "highest", else: 0 },
}));

/** Each match is held to 1e9 before they are added up. */
const amountRule = fc.constantFrom(0.5, 1, -1, 1e9).map((times) => ({
  family: "standing",
  ...match,
  where: [],
  within: 3 * DAY,
  points: { kind: "times", by: ["attributes", "amount"], times, else: 0 },
}));

function ruleOf(parts: object, i: number): Rule {
  const weighed = { id: `r${i}`, dimension: "score", weight: 2 ** i, ...parts };
  if (!("family" in parts) || parts.family !== "accumulating") return weighed as unknown as Rule;
  const { dimension, weight, points, ...rest } = weighed as typeof weighed & { points: Points };
  return {
    ...rest,
    effect: { kind: "points", dimension, points, weight, periodCaps: [], decays: false },
  } as unknown as Rule;
}

const range = { min: -1e9, max: 1e9 };
const model: fc.Arbitrary<Model> = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: profileRule },
      { weight: 4, arbitrary: matchRule },
      { weight: 1, arbitrary: listRule },
      { weight: 1, arbitrary: wordRule },
      { weight: 1, arbitrary: amountRule },
    ) as fc.Arbitrary<object>,
    { minLength: 2, maxLength: 10, size: "max" },
  )
  .map((rules) => ({
    id: "readings",
    version: 1,
    timeZone: "UTC",
    score: range,
    dimensions: [{ id: "score", ...range }],
    rules: rules.map(ruleOf),
    thresholds: [],
    triggers: [],
    grades: [],
    routes: {},
    lift: [],
  }));

export const readingScenes: fc.Arbitrary<Scene> = fc
  .record({ models: model.map((own) => [own]), inputs: inputLists({ countMax: 12, contactsMax: 1 }) })
  .chain((both) => asOfFor(both.inputs).map((asOf): Scene => ({ ...both, asOf })));
