/**
 * The ledger of accumulated points: every rule has a line, what the dimension's range cut off has the line `cut`, so
 * that the lines of a dimension always sum to what it accumulated.
 */
import type { EpochMs } from "../events/types.js";
import type { CompiledModel, CompiledPoints, SetTarget } from "../model/compile.js";
import type { CompiledDimension } from "../model/layout.js";
import { clamp } from "../model/numbers.js";
import type { ModelState } from "./state.js";

/** A pool whose lines are all below this size is let go after a decay step. */
const negligiblePoints = 0.0005;

/** The sum of the lines `from <= i < end`, in order. */
export function pool(lines: readonly number[], from: number, end: number): number {
  let sum = 0;
  for (let i = from; i < end; i++) sum += lines[i]!;
  return sum;
}

/** What the dimension accumulated, before its range. */
export function accumulated(dimension: CompiledDimension, lines: readonly number[]): number {
  return (
    pool(lines, dimension.decayingFrom, dimension.lastingFrom) + pool(lines, dimension.lastingFrom, dimension.linesEnd)
  );
}

/** The sum of the dimension's standing and profile rules at the present instant. */
export function standingPoints(dimension: CompiledDimension, standing: readonly number[]): number {
  return pool(standing, dimension.standingFrom, dimension.standingEnd);
}

/**
 * Moves what a dimension shows by `points`. They go to the rule's line; what the range cuts off goes to the lines `cut`,
 * so that what was accumulated and what stands always sum to what is shown.
 *
 * With a the accumulated points, s the standing ones and d = clamp(a + s) what is shown: d' = clamp(d + points) and
 * a' = d' - s. No input moves a against its own sign: where a' would be on the other side of a, a stays as it was.
 *
 * @param line the rule's line, in one of the dimension's two pools
 */
export function move(model: CompiledModel, state: ModelState, index: number, line: number, points: number): void {
  if (points === 0) return;
  const dimension = model.dimensions[index]!;
  const { lines } = state;
  const { min, max, decayingFrom, lastingFrom, linesEnd } = dimension;
  const decaying = pool(lines, decayingFrom, lastingFrom);
  const before = decaying + pool(lines, lastingFrom, linesEnd);
  const standing = standingPoints(dimension, state.standing);
  const shown = clamp(before + standing, min, max);
  const after = clamp(shown + points, min, max) - standing;
  const decayingCut = lastingFrom - 1;
  const lastingCut = linesEnd - 1;
  const ownCut = line < lastingFrom ? decayingCut : lastingCut;
  lines[line] = lines[line]! + points;
  if (points > 0 ? after < before : after > before) {
    lines[ownCut] = lines[ownCut]! - points;
  } else {
    const cut = after - before - points;
    // What was outside the range before is forgiven. The decaying pool takes what it owes itself, since what it owes
    // fades; the rest is lasting, so that what is forgiven does not fade.
    const forgiven = shown - standing - before;
    const owed = forgiven > 0 ? Math.min(forgiven, Math.max(0, -decaying)) : Math.max(forgiven, Math.min(0, -decaying));
    lines[decayingCut] = lines[decayingCut]! + owed;
    lines[lastingCut] = lines[lastingCut]! + (forgiven - owed);
    lines[ownCut] = lines[ownCut]! + (cut - forgiven);
  }
  touch(state, index);
}

/** Notes that a dimension's lines have moved: what was known of its sum and its next decay steps holds no more. */
function touch(state: ModelState, dimension: number): void {
  state.cache.moved[dimension] = true;
  state.cache.resting[dimension] = false;
}

/** Forgets all that the dimensions accumulated; the rule's lasting line becomes what makes them show the value. */
export function set(model: CompiledModel, state: ModelState, targets: readonly SetTarget[]): void {
  for (const { dimension, line, value } of targets) {
    const target = model.dimensions[dimension]!;
    state.lines.fill(0, target.decayingFrom, target.linesEnd);
    state.lines[line] = value - standingPoints(target, state.standing);
    touch(state, dimension);
  }
}

/** What a rule's caps leave of `points`: the line's own cap first, then each period's. */
export function granted(state: ModelState, rule: CompiledPoints, points: number, at: EpochMs): number {
  let left = points;
  if (rule.cap !== null) left = room(left, state.lines[rule.line]!, rule.cap);
  for (const { points: cap, periodOf, place } of rule.periodCaps) {
    const period = periodOf(at);
    const sum = state.periods[place]!;
    if (sum.period !== period) {
      sum.period = period;
      sum.net = 0;
    }
    left = room(left, sum.net, cap);
  }
  for (const { place } of rule.periodCaps) state.periods[place]!.net += left;
  return left;
}

/** As much of `points` as keeps `line + points` inside -cap..cap; a cap never moves a line back. */
function room(points: number, line: number, cap: number): number {
  return points > 0 ? Math.min(points, Math.max(0, cap - line)) : Math.max(points, Math.min(0, -cap - line));
}

/** True while the dimension's decaying pool has anything in it. */
export function isDecaying(dimension: CompiledDimension, lines: readonly number[]): boolean {
  if (dimension.decay === null) return false;
  for (let i = dimension.decayingFrom; i < dimension.lastingFrom; i++) if (lines[i] !== 0) return true;
  return false;
}

/**
 * Decay step k = 1, 2, ... of a dimension. Every line of the decaying pool, `cut` too, is multiplied alike.
 * @returns false where the step changed nothing; then the steps after it change nothing either.
 */
export function decayStep(dimension: CompiledDimension, lines: number[], k: number): boolean {
  const { decay, decayingFrom, lastingFrom, linesEnd } = dimension;
  if (decay === null) return false;
  let factor = decay.factor(k);
  if (decay.floor !== null) {
    const decaying = pool(lines, decayingFrom, lastingFrom);
    const lasting = pool(lines, lastingFrom, linesEnd);
    if (decaying > 0) {
      if (decaying + lasting <= decay.floor) factor = 1;
      else if (decaying * factor + lasting < decay.floor) factor = (decay.floor - lasting) / decaying;
    }
  }
  let changed = false;
  let negligible = true;
  for (let i = decayingFrom; i < lastingFrom; i++) {
    const before = lines[i]!;
    const after = before * factor;
    lines[i] = after;
    if (after !== before) changed = true;
    if (Math.abs(after) >= negligiblePoints) negligible = false;
  }
  if (negligible) {
    lines.fill(0, decayingFrom, lastingFrom);
    changed = true;
  }
  return changed;
}
