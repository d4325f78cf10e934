/**
 * An evaluation: the score and what hangs on it. Thresholds and triggers are latched: whether they are up depends on
 * the scores before, so they are part of the folded state.
 */
import type { EpochMs } from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import { clamp } from "../model/numbers.js";
import type { Trigger } from "../model/types.js";
import { accumulated, standingPoints } from "./ledger.js";
import type { Flags, ModelState } from "./state.js";
import { insideUntil } from "./windows.js";

/** What changed in one evaluation, beside the state itself. */
export interface Change {
  /** Triggers (by index) that were armed and fired again in this very evaluation. */
  readonly firedAgain: readonly number[];
}

/** A change without anything beside the state. */
export const plainChange: Change = { firedAgain: [] };

/** Rounded to three decimals first, so that 29.9999999999 of a sum of doubles is the 30 it stands for. */
export function publishedPoints(value: number): number {
  const floored = Math.floor(Math.floor(value * 1000 + 0.5) / 1000);
  return floored === 0 ? 0 : floored;
}

/** Where a contact stands before its first input: the score of an empty history. */
export function emptyEvaluation(model: CompiledModel): Flags {
  const dimensions = model.dimensions.map(({ min, max }) => clamp(0, min, max));
  const score = publishedTotal(model, dimensions);
  return {
    score,
    dimensions: dimensions.map(publishedPoints),
    salesReady: isSalesReady(model, score, false),
    grade: gradeAt(model, score),
    thresholds: model.model.thresholds.map(({ at }) => score >= at),
    triggers: model.model.triggers.map((trigger) => startsUp(trigger, score)),
    replaced: model.model.triggers.flatMap((trigger) => (trigger.kind === "risesBy" ? [{ at: [], scores: [] }] : [])),
  };
}

function startsUp(trigger: Trigger, score: number): boolean {
  switch (trigger.kind) {
    case "reaches":
      return score >= trigger.at;
    case "dropsBelow":
      return score < trigger.at;
    case "risesBy":
      return false;
  }
}

function publishedTotal(model: CompiledModel, dimensions: readonly number[]): number {
  const { min, max } = model.model.score;
  return publishedPoints(clamp(model.total(dimensions), min, max));
}

function isSalesReady(model: CompiledModel, score: number, suppressed: boolean): boolean {
  return !suppressed && model.model.salesReady !== undefined && score >= model.model.salesReady;
}

/** The index of the grade that a score has; -1 where the model has none. */
export function gradeAt(model: CompiledModel, score: number): number {
  let found = -1;
  for (const { from } of model.model.grades) {
    if (from > score) break;
    found += 1;
  }
  // The first grade starts at or below score.min, but rounding down can take a score below a fractional score.min.
  return found < 0 && model.model.grades.length > 0 ? 0 : found;
}

/** A dimension's points before rounding: what it accumulated and what stands, inside its range. */
export function dimensionPoints(model: CompiledModel, state: ModelState, index: number): number {
  const dimension = model.dimensions[index]!;
  const points = accumulated(dimension, state.lines) + standingPoints(dimension, state.standing);
  return clamp(points, dimension.min, dimension.max);
}

/**
 * Evaluates the state at `at` and updates its flags. Only dimensions that moved are summed again.
 * @returns what changed, or null where nothing that is published did.
 */
export function evaluate(model: CompiledModel, state: ModelState, at: EpochMs): Change | null {
  const { flags, cache } = state;
  let changed = false;
  for (let i = 0; i < cache.moved.length; i++) {
    if (!cache.moved[i]) continue;
    cache.moved[i] = false;
    const value = dimensionPoints(model, state, i);
    cache.points[i] = value;
    const published = publishedPoints(value);
    if (published !== flags.dimensions[i]) {
      flags.dimensions[i] = published;
      changed = true;
    }
  }
  const score = state.suppressed ? publishedPoints(model.model.score.min) : publishedTotal(model, cache.points);
  const salesReady = isSalesReady(model, score, state.suppressed);
  if (salesReady !== flags.salesReady) {
    flags.salesReady = salesReady;
    changed = true;
  }
  if (score === flags.score) return changed ? plainChange : null;
  const before = flags.score;
  flags.score = score;
  flags.grade = gradeAt(model, score);
  judgeThresholds(model, flags);
  return judgeTriggers(model, flags, before, at);
}

function judgeThresholds(model: CompiledModel, flags: Flags): void {
  const { thresholds } = model.model;
  for (let i = 0; i < thresholds.length; i++) {
    const { at, rearm } = thresholds[i]!;
    if (!flags.thresholds[i] && flags.score >= at) flags.thresholds[i] = true;
    else if (flags.thresholds[i] && flags.score < rearm) flags.thresholds[i] = false;
  }
}

function judgeTriggers(model: CompiledModel, flags: Flags, before: number, at: EpochMs): Change {
  const { triggers } = model.model;
  const { score } = flags;
  let firedAgain: number[] | null = null;
  let rises = 0;
  for (let i = 0; i < triggers.length; i++) {
    const trigger = triggers[i]!;
    const up = flags.triggers[i]!;
    switch (trigger.kind) {
      case "reaches":
        flags.triggers[i] = up ? score >= trigger.rearm : score >= trigger.at;
        break;
      case "dropsBelow":
        flags.triggers[i] = up ? score < trigger.rearm : score < trigger.at;
        break;
      case "risesBy": {
        const replaced = flags.replaced[rises++]!;
        const armed = !up || rise(replaced, before, trigger.within, at) < trigger.by;
        replace(replaced, before, at);
        const rose = rise(replaced, score, trigger.within, at) >= trigger.by;
        flags.triggers[i] = rose;
        if (up && armed && rose) {
          firedAgain ??= [];
          firedAgain.push(i);
        }
        break;
      }
    }
  }
  return firedAgain === null ? plainChange : { firedAgain };
}

/** How far `score` is above the lowest of itself and the replaced scores inside the window; lets go what is outside. */
function rise(replaced: Flags["replaced"][number], score: number, within: number, at: EpochMs): number {
  let outside = 0;
  while (outside < replaced.at.length && insideUntil(replaced.at[outside]!, within) <= at) outside += 1;
  if (outside > 0) {
    replaced.at.splice(0, outside);
    replaced.scores.splice(0, outside);
  }
  const lowest = replaced.scores[0];
  return lowest === undefined || lowest > score ? 0 : score - lowest;
}

/** Keeps the replaced scores ascending: a higher one that leaves the window sooner can never be the lowest again. */
function replace(replaced: Flags["replaced"][number], score: number, at: EpochMs): void {
  while (replaced.scores.length > 0 && replaced.scores[replaced.scores.length - 1]! >= score) {
    replaced.scores.pop();
    replaced.at.pop();
  }
  replaced.scores.push(score);
  replaced.at.push(at);
}
