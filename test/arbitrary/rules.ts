/**
 * Random rules of all four families, named r0, r1, ...
 */
import fc from "fast-check";
import type {
  AccumulatingRule,
  Dimension,
  InactiveRule,
  PeriodCap,
  ProfileRule,
  Rule,
  StandingRule,
} from "../../src/model/types.js";
import { pointsForm, where } from "./conditions.js";
import {
  cap,
  dense,
  HOUR,
  maybe,
  multiplier,
  stepLengths,
  typePatterns,
  weight,
  windowHours,
  within,
} from "./vocabulary.js";

const when = fc.uniqueArray(fc.constantFrom(...typePatterns), { minLength: 1, maxLength: 2 });
const automated = fc.constantFrom("skip", "skip", "skipMaybe", "count");
const repeat = fc.record({ within, multiplier });
const periodCaps: fc.Arbitrary<PeriodCap[]> = fc.uniqueArray(
  fc.record({ points: cap, per: fc.constantFrom("hour", "day", "week", "month") }),
  { maxLength: 2, selector: ({ per }) => per },
);

function setEffect(dimensions: readonly string[]) {
  return fc.record({
    kind: fc.constant("set" as const),
    dimension: fc.constantFrom(...dimensions, "all"),
    set: fc.constantFrom(0, 5, -3, 12.5, 200),
  });
}

function accumulating(dimensions: readonly string[]): fc.Arbitrary<Omit<AccumulatingRule, "id">> {
  const pointsEffect = fc
    .record({
      kind: fc.constant("points"),
      dimension: fc.constantFrom(...dimensions),
      points: pointsForm("match"),
      weight,
      repeat: maybe(repeat),
      cap: maybe(cap),
      periodCaps: fc.oneof(fc.constant([]), periodCaps),
      decays: fc.constantFrom(true, true, false),
    })
    .map((effect) => dense(effect));
  return fc.record({
    family: fc.constant("accumulating"),
    where: where("match"),
    when,
    automated,
    scopeResource: fc.boolean(),
    effect: fc.oneof(
      { weight: 8, arbitrary: pointsEffect },
      setEffect(dimensions),
      fc.constant({ kind: "suppress" as const }),
    ),
  }) as fc.Arbitrary<Omit<AccumulatingRule, "id">>;
}

const times: fc.Arbitrary<NonNullable<StandingRule["times"]>> = fc
  .oneof(
    fc.record({ min: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ max: fc.integer({ min: 0, max: 2 }) }),
    fc.integer({ min: 1, max: 2 }).chain((min) => fc.record({ min: fc.constant(min), max: fc.constantFrom(min, 3) })),
  )
  .map((bounds) => ({ ...bounds }));

const recency: fc.Arbitrary<NonNullable<StandingRule["recency"]>> = fc
  .uniqueArray(fc.constantFrom(...windowHours), { minLength: 1, maxLength: 3 })
  .chain((hours) =>
    fc.record({
      steps: fc.tuple(
        ...hours
          .sort((a, b) => a - b)
          .map((hour) => multiplier.map((each) => ({ within: hour * HOUR, multiplier: each }))),
      ),
      else: fc.constantFrom(0, 0.5, 0.3, -1),
    }),
  );

function standing(dimensions: readonly string[]): fc.Arbitrary<Omit<StandingRule, "id">> {
  const base = {
    family: fc.constant("standing"),
    where: where("match"),
    when,
    automated,
    dimension: fc.constantFrom(...dimensions),
    weight,
    cap: maybe(cap, 3),
  };
  const counting = fc.record({
    ...base,
    points: pointsForm("contact"),
    scopeResource: fc.boolean(),
    times,
    within: maybe(within),
    after: maybe(fc.constantFrom(...stepLengths), 3),
  });
  const summing = fc
    .record({ ...base, points: pointsForm("match"), within, scopeResource: fc.boolean(), repeat: maybe(repeat, 3) })
    .map((rule) => (rule.scopeResource ? { ...rule, repeat: undefined } : rule));
  const aging = fc
    .record({
      ...base,
      points: pointsForm("match"),
      recency,
      within: maybe(within),
      scopeResource: fc.boolean(),
      repeat: maybe(repeat, 3),
    })
    .map((rule) => (rule.scopeResource ? { ...rule, repeat: undefined } : rule));
  return fc.oneof(counting, summing, aging).map((rule) => dense(rule)) as fc.Arbitrary<Omit<StandingRule, "id">>;
}

function profileRule(dimensions: readonly string[]): fc.Arbitrary<Omit<ProfileRule, "id">> {
  return fc
    .record({
      family: fc.constant("profile"),
      where: where("contact"),
      dimension: fc.constantFrom(...dimensions),
      points: pointsForm("contact"),
      weight,
      cap: maybe(cap, 3),
    })
    .map((rule) => dense(rule)) as fc.Arbitrary<Omit<ProfileRule, "id">>;
}

function inactive(dimensions: readonly string[]): fc.Arbitrary<Omit<InactiveRule, "id">> {
  const pointsEffect = fc
    .record({
      kind: fc.constant("points"),
      dimension: fc.constantFrom(...dimensions),
      points: pointsForm("contact"),
      weight,
      cap: maybe(cap),
      decays: fc.constantFrom(true, true, false),
    })
    .map((effect) => dense(effect));
  return fc.record({
    family: fc.constant("inactive"),
    where: where("contact"),
    inactive: fc.constantFrom(...stepLengths),
    effect: fc.oneof({ weight: 3, arbitrary: pointsEffect }, setEffect(dimensions)),
  }) as fc.Arbitrary<Omit<InactiveRule, "id">>;
}

/** `decays` only where the dimension has decay. */
export function rulesFor(dimensions: readonly Dimension[]): fc.Arbitrary<Rule[]> {
  const ids = dimensions.map((dimension) => dimension.id);
  const rule = fc.oneof(
    { weight: 4, arbitrary: accumulating(ids) },
    { weight: 4, arbitrary: standing(ids) },
    { weight: 2, arbitrary: profileRule(ids) },
    { weight: 1, arbitrary: inactive(ids) },
  ) as fc.Arbitrary<Omit<Rule, "id">>;
  return fc.array(rule, { minLength: 1, maxLength: 7 }).map((rules) =>
    rules.map((one, i) => {
      const named = { id: `r${i}`, ...one } as Rule;
      if ((named.family !== "accumulating" && named.family !== "inactive") || named.effect.kind !== "points")
        return named;
      const { effect } = named;
      const decays = effect.decays && dimensions.find(({ id }) => id === effect.dimension)?.decay !== undefined;
      return { ...named, effect: { ...effect, decays } } as Rule;
    }),
  );
}
