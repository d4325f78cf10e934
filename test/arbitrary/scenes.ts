/**
 * Models, inputs and an instant to look at them: what most properties are about. Half of them are
 * of models and inputs that are drawn apart from each other; the others are scenes that these would hardly ever meet:
 * calendar periods around a clock change, inputs that come upon what stands in their dimension, values that can be read
 * in several ways.
 */
import fc from "fast-check";
import type { EpochMs, Input } from "../../src/events/types.js";
import type { Model, PeriodCap } from "../../src/model/types.js";
import { asOfFor, type InputListOptions, inputLists } from "./inputs.js";
import { models } from "./models.js";
import { poolScenes } from "./pools.js";
import { readingScenes } from "./readings.js";
import { DAY, HOUR, MINUTE } from "./vocabulary.js";

export interface Scene {
  readonly models: readonly Model[];
  readonly inputs: readonly Input[];
  readonly asOf: EpochMs;
}

const changes = [
  { timeZone: "Europe/Berlin", at: Date.UTC(2026, 2, 29, 1) },
  { timeZone: "Europe/Berlin", at: Date.UTC(2026, 9, 25, 1) },
  { timeZone: "America/New_York", at: Date.UTC(2026, 10, 1, 6) },
  { timeZone: "Australia/Lord_Howe", at: Date.UTC(2026, 3, 4, 15) },
  { timeZone: "Australia/Lord_Howe", at: Date.UTC(2026, 9, 3, 15, 30) },
  { timeZone: "Asia/Kolkata", at: Date.UTC(2026, 4, 31, 18, 30) }, // no change: midnight, and a new month and week
] as const;

function cappedModel(timeZone: string, periodCaps: readonly PeriodCap[]): Model {
  const effect = { kind: "points", dimension: "score", points: { kind: "number", value: 3 }, weight: 1 } as const;
  return {
    id: "calendar",
    version: 1,
    timeZone,
    score: { min: 0, max: 1000 },
    dimensions: [{ id: "score", min: 0, max: 1000 }],
    rules: [
      {
        id: "visits",
        family: "accumulating",
        where: [],
        when: ["web.page_viewed"],
        automated: "skip",
        scopeResource: false,
        effect: { ...effect, periodCaps, decays: false },
      },
    ],
    thresholds: [],
    triggers: [],
    grades: [],
    routes: {},
    lift: [],
  };
}

const periodCaps: fc.Arbitrary<PeriodCap[]> = fc.uniqueArray(
  fc.record({ points: fc.constantFrom(3, 4, 7, 20), per: fc.constantFrom("hour", "day", "week", "month") }),
  { minLength: 1, maxLength: 2, selector: ({ per }) => per },
);

/** Visits at quarters of hours (give or take 1 ms) around the change, and at the same time some days before and after. */
const calendarScenes: fc.Arbitrary<Scene> = fc.constantFrom(...changes).chain(({ timeZone, at }) => {
  const instant = fc
    .tuple(fc.integer({ min: -10, max: 10 }), fc.constantFrom(0, 0, 0, -1, 1), fc.constantFrom(0, 0, 0, 0, -1, 1, 6, 7))
    .map(([quarters, jitter, days]) => at + quarters * 15 * MINUTE + jitter + days * DAY);
  return fc
    .record({ caps: periodCaps, instants: fc.array(instant, { minLength: 2, maxLength: 20, size: "max" }) })
    .map(({ caps, instants }) => ({
      models: [cappedModel(timeZone, caps)],
      inputs: instants.map(
        (each, i): Input => ({
          kind: "interaction",
          id: `v${i}`,
          tenantId: "acme",
          contactId: "ada",
          type: "web.page_viewed",
          at: each,
          attributes: {},
        }),
      ),
      asOf: Math.max(...instants) + HOUR,
    }));
});

export function scenes(options: InputListOptions = {}): fc.Arbitrary<Scene> {
  const general = fc
    .record({ models, inputs: inputLists(options) })
    .chain((both) => asOfFor(both.inputs).map((asOf): Scene => ({ ...both, asOf })));
  return fc.oneof(
    { weight: 5, arbitrary: general },
    { weight: 2, arbitrary: poolScenes },
    { weight: 2, arbitrary: readingScenes },
    { weight: 1, arbitrary: calendarScenes },
  );
}
