/**
 * Scenes of one dimension in which everything meets: points of the profile and of windows, both pools, negative points,
 * `set`, decay and corrections. So inputs come upon what stands, with the range reached on either side, and what stands
 * leaves again under what was accumulated.
 */
import fc from "fast-check";
import type { EpochMs, Input } from "../../src/events/types.js";
import type { Decay, Dimension, Model, Rule } from "../../src/model/types.js";
import type { Scene } from "./scenes.js";
import { DAY, dense, HOUR, maybe } from "./vocabulary.js";

const START = Date.UTC(2026, 5, 15, 9);
const cities = ["London", "Paris", "Rome", "Oslo"] as const;
const types = ["email.opened", "email.clicked", "web.page_viewed", "form.submitted"] as const;

const decay: fc.Arbitrary<Decay> = fc
  .record({
    kind: fc.constant("percent" as const),
    percent: fc.constantFrom(50, 30, 10, 100),
    every: fc.constantFrom(HOUR, 6 * HOUR, DAY),
    floor: maybe(fc.constantFrom(0, 10, -20, 35), 2),
  })
  .map((one) => dense<Decay>(one));

const dimension: fc.Arbitrary<Dimension> = fc
  .record({
    id: fc.constant("score"),
    min: fc.constantFrom(0, 0, 0, -50, -20, 5, 12.5),
    max: fc.constantFrom(50, 100, 60.5, 1e9),
    decay: maybe(decay, 3),
  })
  .map((one) => dense<Dimension>(one));

const amount = fc.constantFrom(10, 25, 40, 80, 0.7, 3.3, -10, -30, -40, -80, -0.3, 1e9, -1e9);
const base = { dimension: "score", weight: 1 } as const;
const when = fc.constantFrom(...types).map((type) => [type]);
const each = { where: [], automated: "skip", scopeResource: false } as const;

const profileRule = fc.tuple(amount, amount, amount).map(([london, paris, rome]) => ({
  family: "profile",
  where: [],
  ...base,
  points: {
    kind: "values",
    by: ["contact", "city"],
    values: [
      ["London", london],
      ["Paris", paris],
      ["Rome", rome],
    ],
    else: 0,
  },
}));

const standingRule = fc
  .record({ when, points: amount, hours: fc.constantFrom(1, 3, 24), times: maybe(fc.constant({ min: 2 }), 1) })
  .map(({ hours, points, ...rest }) =>
    dense({
      family: "standing",
      ...each,
      ...base,
      ...rest,
      points: { kind: "number", value: points },
      within: hours * HOUR,
    }),
  );

const accumulatingRule = fc
  .record({ when, points: amount, decays: fc.boolean(), cap: maybe(fc.constantFrom(30, 100), 4) })
  .map(({ when: own, points, ...rest }) => ({
    family: "accumulating",
    ...each,
    when: own,
    effect: dense({ kind: "points", ...base, points: { kind: "number", value: points }, periodCaps: [], ...rest }),
  }));

const values = fc.constantFrom(0, 20, -30, 75, 200);
const setRule = fc.record({ when, set: values }).map(({ when: own, set }) => ({
  family: "accumulating",
  ...each,
  when: own,
  effect: { kind: "set", dimension: "score", set },
}));

const inactiveRule = fc
  .record({
    inactive: fc.constantFrom(2 * HOUR, 6 * HOUR, DAY),
    effect: fc.oneof(
      fc.record({ points: amount, decays: fc.boolean() }).map(({ points, decays }) => ({
        kind: "points",
        ...base,
        points: { kind: "number", value: points },
        decays,
      })),
      values.map((set) => ({ kind: "set", dimension: "score", set })),
    ),
  })
  .map((rule) => ({ family: "inactive", where: [], ...rule }));

const model: fc.Arbitrary<Model> = fc
  .tuple(
    dimension,
    fc.array(
      fc.oneof(
        { weight: 2, arbitrary: profileRule },
        { weight: 3, arbitrary: standingRule },
        { weight: 6, arbitrary: accumulatingRule },
        { weight: 1, arbitrary: setRule },
        { weight: 1, arbitrary: inactiveRule },
      ) as fc.Arbitrary<object>,
      { minLength: 2, maxLength: 8 },
    ),
    fc.constantFrom(undefined, [], ["email.*"]),
  )
  .map(([own, rules, activity]) =>
    dense<Model>({
      id: "pools",
      version: 1,
      timeZone: "UTC",
      score: { min: Math.min(own.min, 0), max: own.max },
      dimensions: [own],
      rules: rules.map((rule, i) => withoutDecay({ id: `r${i}`, ...rule } as Rule, own)),
      thresholds: [{ at: 30, rearm: 30 }],
      triggers: [],
      grades: [],
      routes: {},
      activity,
      lift: [],
    }),
  );

/** Where the dimension has no decay, nothing is in its decaying pool. */
function withoutDecay(rule: Rule, { decay: fades }: Dimension): Rule {
  if (fades !== undefined || (rule.family !== "accumulating" && rule.family !== "inactive")) return rule;
  return rule.effect.kind === "points" ? ({ ...rule, effect: { ...rule.effect, decays: false } } as Rule) : rule;
}

type Deed = { readonly type: string } | { readonly city: string } | { readonly add: number } | { readonly set: number };

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...types).map((type) => ({ type })) },
  { weight: 2, arbitrary: fc.constantFrom(...cities).map((city) => ({ city })) },
  { weight: 1, arbitrary: amount.map((add) => ({ add })) },
  { weight: 1, arbitrary: values.map((set) => ({ set })) },
);

function inputOf(done: Deed, i: number, at: EpochMs): Input {
  const own = { id: `i${i}`, tenantId: "acme", contactId: "ada", at };
  if ("type" in done) return { kind: "interaction", ...own, type: done.type, attributes: {} };
  if ("city" in done) return { kind: "profile", ...own, fields: { city: done.city } };
  return { kind: "adjustment", ...own, model: "pools", ...done };
}

const steps = fc.constantFrom(0, 1, HOUR - 1, HOUR, HOUR, 3 * HOUR, 6 * HOUR, DAY);

export const poolScenes: fc.Arbitrary<Scene> = fc
  .record({
    model,
    deeds: fc.array(fc.tuple(deed, steps), { minLength: 2, maxLength: 25, size: "max" }),
    after: fc.constantFrom(0, HOUR, DAY, 5 * DAY),
  })
  .map(({ model: own, deeds, after }) => {
    let at = START;
    const inputs = deeds.map(([done, step], i) => {
      at += step;
      return inputOf(done, i, at);
    });
    return { models: [own], inputs, asOf: at + after };
  });
