/**
 * Random checked models over the whole language. Numbers and lengths come from short lists, so that rules meet their
 * caps, windows end together, and scores land on thresholds.
 */
import fc from "fast-check";
import type { Decay, Dimension, Formula, Grade, Model, Threshold, Trigger } from "../../src/model/types.js";
import { rulesFor } from "./rules.js";
import {
  dense,
  dimensionIds,
  HOUR,
  MINUTE,
  maybe,
  modelIds,
  stepLengths,
  tenants,
  timeZones,
  typePatterns,
  types,
  within,
} from "./vocabulary.js";

// ---- dimensions and the total ----

const decay: fc.Arbitrary<Decay> = fc.constantFrom(...stepLengths).chain((step) => {
  const floor = maybe(fc.constantFrom(0, 2, 5.5, -3), 3);
  // Short steps go with steep decay, so that pools run empty after a bounded number of steps.
  const percent = fc.constantFrom(...(step < HOUR ? [50, 30, 100] : [5, 10, 50, 33.3]));
  // The language writes durations in whole minutes.
  const cycle = fc.constantFrom(2, 3.5, 10).map((steps) => wholeMinutes(steps * step));
  const halfLife = fc.constantFrom(1, 2, 0.5).map((steps) => wholeMinutes(steps * step));
  return fc
    .oneof(
      fc.record({ kind: fc.constant("percent"), percent, every: fc.constant(step), floor }),
      fc.record({ kind: fc.constant("cycle"), cycle, step: fc.constant(step), floor }),
      fc.record({ kind: fc.constant("halfLife"), halfLife, step: fc.constant(step), floor }),
    )
    .map((one) => dense(one)) as fc.Arbitrary<Decay>;
});

function wholeMinutes(ms: number): number {
  return Math.ceil(ms / MINUTE) * MINUTE;
}

const dimensions: fc.Arbitrary<Dimension[]> = fc.constantFrom(1, 1, 2, 3).chain((count) =>
  fc.tuple(
    ...dimensionIds.slice(0, count).map((id) =>
      fc
        .record({
          id: fc.constant(id),
          min: fc.constantFrom(0, 0, 0, 0, -20, -100, 5, 7.5),
          max: fc.constantFrom(10, 50, 100, 60.5, 50, 100, 1e9),
          decay: maybe(decay, 5),
        })
        .map((one) => dense<Dimension>(one)),
    ),
  ),
);

function formula(ids: readonly string[]): fc.Arbitrary<Formula> {
  return fc.letrec<{ node: Formula; leaf: Formula }>((tie) => ({
    leaf: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...ids).map((id): Formula => ({ op: "dimension", id })) },
      fc.constantFrom(0, 1, 2, 0.5, 10).map((value): Formula => ({ op: "number", value })),
    ),
    node: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      tie("leaf"),
      fc.record({ op: fc.constant("negate"), of: tie("node") }),
      {
        weight: 3,
        arbitrary: fc.record({ op: fc.constantFrom("+", "-", "*", "/"), left: tie("node"), right: tie("node") }),
      },
    ) as fc.Arbitrary<Formula>,
  })).node;
}

// ---- thresholds, triggers, grades ----

const levels = [-10, 0, 1, 5, 10, 20, 25, 50] as const;
const slack = fc.constantFrom(0, 0, 3, 10);

const thresholds: fc.Arbitrary<Threshold[]> = fc
  .uniqueArray(fc.constantFrom(...levels), { maxLength: 3 })
  .chain((ats) => fc.tuple(...ats.sort((a, b) => a - b).map((at) => slack.map((by) => ({ at, rearm: at - by })))));

const triggers: fc.Arbitrary<Trigger[]> = fc
  .array(
    fc.oneof(
      fc.tuple(fc.constantFrom(...levels), slack).map(([at, by]) => ({ kind: "reaches" as const, at, rearm: at - by })),
      fc
        .tuple(fc.constantFrom(...levels), slack)
        .map(([at, by]) => ({ kind: "dropsBelow" as const, at, rearm: at + by })),
      fc.record({ kind: fc.constant("risesBy" as const), by: fc.constantFrom(1, 5, 20), within }),
    ),
    { maxLength: 3 },
  )
  .map((all) => all.map((trigger, i) => ({ id: `t${i}`, ...trigger })));

function gradesFrom(min: number): fc.Arbitrary<Grade[]> {
  return fc
    .uniqueArray(fc.constantFrom("warm", "hot", "sql"), { maxLength: 3 })
    .map((ids) =>
      ids.length === 0 ? [] : [{ id: "cold", from: min }, ...ids.map((id, i) => ({ id, from: [5, 20, 50][i]! }))],
    );
}

const routes = fc.constantFrom<Record<string, string>>({}, { cold: "nurture" }, { warm: "sdr", sql: "senior" });

/** One checked model with this id. */
export function modelOf(id: string): fc.Arbitrary<Model> {
  return fc
    .record({
      score: fc.record({ min: fc.constantFrom(0, 0, -100, -9.5), max: fc.constantFrom(100, 100, 60, 1e9) }),
      dimensions,
    })
    .chain(({ score, dimensions: own }) =>
      fc.record({
        id: fc.constant(id),
        version: fc.integer({ min: 1, max: 3 }),
        tenants: maybe(fc.constant([tenants[0]]), 5),
        timeZone: fc.constantFrom(...timeZones),
        score: fc.constant(score),
        dimensions: fc.constant(own),
        total: maybe(formula(own.map((dimension) => dimension.id))),
        rules: rulesFor(own),
        thresholds,
        triggers,
        grades: gradesFrom(score.min),
        salesReady: maybe(fc.constantFrom(0, 5, 20, 50)),
        routes,
        activity: maybe(fc.uniqueArray(fc.constantFrom(...typePatterns), { maxLength: 2 }), 3),
        lift: fc.uniqueArray(fc.constantFrom(...types, "email.*"), { maxLength: 2 }),
      }),
    )
    .map((model) => {
      // A queue can only be named for a grade that the model has.
      const kept = Object.entries(model.routes).filter(([grade]) => model.grades.some(({ id: own }) => own === grade));
      return dense<Model>({ ...model, routes: Object.fromEntries(kept), name: undefined });
    });
}

/** One to three models with distinct ids, in any order. */
export const models: fc.Arbitrary<Model[]> = fc
  .shuffledSubarray([...modelIds], { minLength: 1 })
  .chain((ids) => fc.tuple(...ids.map((id) => modelOf(id))));

export const singleModel: fc.Arbitrary<Model> = modelOf(modelIds[0]);
