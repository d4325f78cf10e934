/**
 * The one fold: whoever needs a score calls it, and nothing else computes one. Time comes in as an argument; what is read is
 * the model, the state and the input, and nothing else.
 *
 * At one instant what time does comes first: windows, decay steps, inactive rules, then one evaluation. Then the inputs
 * in key order, each with its own evaluation.
 */
import {
  type Adjustment,
  type Cause,
  type EpochMs,
  type Interaction,
  type Profile,
  RETRACTION,
} from "../events/types.js";
import type { CompiledModel, CompiledStanding } from "../model/compile.js";
import { clamp, matchPoints } from "../model/numbers.js";
import type { AutomatedPolicy } from "../model/types.js";
import { causeOfTime, due, lapsed, windowsDue } from "./due.js";
import { type Change, evaluate, plainChange } from "./evaluate.js";
import { decayStep, granted, isDecaying, move, set } from "./ledger.js";
import { type ModelState, silenceSince } from "./state.js";
import { enter, insideUntil, passEdges, sumInside } from "./windows.js";

/** Called after each evaluation that changed something that is published, and after the first one. */
export type OnEvaluated = (at: EpochMs, cause: Cause, change: Change) => void;

/**
 * Folds one input. Inputs come in key order, each once, without the retracted and the erased ones; a retraction or an
 * erasure is not for here (`ContactFold` knows what they remove).
 */
export function fold(
  model: CompiledModel,
  state: ModelState,
  input: Interaction | Profile | Adjustment,
  onEvaluated?: OnEvaluated,
): void {
  advance(model, state, input.at, onEvaluated);
  const first = state.firstSight === null;
  if (first) see(model, state, input.at);
  let moved = first;
  switch (input.kind) {
    case "interaction":
      moved = interact(model, state, input) || moved;
      break;
    case "profile":
      state.profile = input.fields;
      moved = judgeProfile(model, state, input.at) || moved;
      break;
    case "adjustment":
      moved = adjust(model, state, input) || moved;
      break;
  }
  if (!moved) return;
  const change = evaluate(model, state, input.at);
  if (onEvaluated !== undefined && (first || change !== null)) {
    onEvaluated(input.at, causeOf(input), change ?? plainChange);
  }
}

/** Lets time pass: everything that falls due up to and including `until`, instant by instant. */
export function advance(model: CompiledModel, state: ModelState, until: EpochMs, onEvaluated?: OnEvaluated): void {
  if (state.firstSight !== null) {
    for (;;) {
      const at = due(model, state);
      if (at === null || at > until) break;
      // Told by what is due, so before it is done; whoever folds muted does not ask.
      const cause = onEvaluated === undefined ? null : causeOfTime(model, state, at);
      const moved = pass(model, state, at);
      state.clock = at;
      if (!moved) continue;
      const change = evaluate(model, state, at);
      if (change !== null && cause !== null) onEvaluated?.(at, cause, change);
    }
  }
  if (state.clock === null || state.clock < until) state.clock = until;
}

export function causeOf(input: Interaction | Profile | Adjustment): Cause {
  if (input.kind === "interaction") return { kind: "interaction", id: input.id, type: input.type };
  return { kind: input.kind, id: input.id };
}

/** What falls due at this instant. @returns whether anything moved */
function pass(model: CompiledModel, state: ModelState, at: EpochMs): boolean {
  const silence = silenceSince(state);
  let moved = false;
  // First, since what stands decides how far an inactive rule can move a dimension.
  if (windowsDue(model, state, state.clock ?? at) <= at) {
    for (const rule of model.standingRules) {
      const window = state.windows[rule.window]!;
      const edge = window.edge <= at;
      if (edge) passEdges(rule, window, at);
      if (edge || lapsed(rule, state, at)) moved = stand(rule, state, at) || moved;
    }
    state.cache.windowsDue = null;
  }
  for (let i = 0; i < model.dimensions.length; i++) {
    const dimension = model.dimensions[i]!;
    if (dimension.decay === null || state.cache.resting[i]) continue;
    const k = (at - silence) / dimension.decay.stepMs;
    if (k < 1 || !Number.isInteger(k) || !isDecaying(dimension, state.lines)) continue;
    const stepped = decayStep(dimension, state.lines, k);
    state.cache.resting[i] = !stepped;
    if (stepped) {
      state.cache.moved[i] = true;
      moved = true;
    }
  }
  for (const rule of model.inactive) {
    if (silence + rule.inactiveMs !== at || !rule.where(null, state.profile)) continue;
    count(state, rule.index, at);
    moved = true;
    const { effect } = rule;
    if ("targets" in effect) {
      set(model, state, effect.targets);
      continue;
    }
    const points = matchPoints(effect.points(null, state.profile), 1, effect.weight);
    move(model, state, effect.dimension, effect.line, granted(state, effect, points, at));
  }
  state.cache.due = null;
  return moved;
}

/** First sight: from here on there is a score, and absence counts. */
function see(model: CompiledModel, state: ModelState, at: EpochMs): void {
  state.firstSight = at;
  state.cache.due = null;
  state.cache.windowsDue = null;
  for (const rule of model.standingRules) stand(rule, state, at);
}

function interact(model: CompiledModel, state: ModelState, x: Interaction): boolean {
  if (x.type === RETRACTION) return false;
  const plan = model.planFor(x.type);
  let moved = false;
  let active = plan.activity === true;
  for (const rule of plan.standing) {
    if (skipped(rule.automated, x) || !rule.where(x, state.profile)) continue;
    if (enterWindow(rule, state, x)) active ||= plan.activity === null;
    moved = stand(rule, state, x.at) || moved;
  }
  if (plan.lifts && state.suppressed && x.automated !== "yes") {
    state.suppressed = false;
    moved = true;
  }
  for (const rule of plan.sets) {
    if (skipped(rule.automated, x) || !rule.where(x, state.profile) || !take(state, rule.scope, x)) continue;
    count(state, rule.index, x.at);
    set(model, state, rule.targets);
    moved = true;
  }
  for (const rule of plan.suppresses) {
    if (skipped(rule.automated, x) || !rule.where(x, state.profile) || !take(state, rule.scope, x)) continue;
    count(state, rule.index, x.at);
    state.suppressed = true;
    moved = true;
  }
  for (const rule of plan.points) {
    if (skipped(rule.automated, x) || !rule.where(x, state.profile)) continue;
    const points = matchPoints(
      rule.points(x, state.profile),
      multiplier(rule.repeat, state, rule.index, x.at),
      rule.weight,
    );
    if (points > 0) active ||= plan.activity === null;
    if (!take(state, rule.scope, x)) continue;
    count(state, rule.index, x.at);
    if (points === 0) continue;
    move(model, state, rule.dimension, rule.line, granted(state, rule, points, x.at));
    moved = true;
  }
  if (active && x.automated !== "yes") {
    state.lastActivity = x.at;
    state.cache.resting.fill(false);
  }
  state.cache.due = null;
  return moved;
}

function skipped(policy: AutomatedPolicy, x: Interaction): boolean {
  if (x.automated === undefined || policy === "count") return false;
  return x.automated === "yes" || policy === "skipMaybe";
}

/** With `scope: resource` only the first match of each resource is taken. */
function take(state: ModelState, scope: number, x: Interaction): boolean {
  if (scope < 0 || x.resource === undefined) return true;
  const seen = state.seen[scope];
  if (seen == null) {
    state.seen[scope] = new Set([x.resource]);
    return true;
  }
  if (seen.has(x.resource)) return false;
  seen.add(x.resource);
  return true;
}

function count(state: ModelState, rule: number, at: EpochMs): void {
  state.matches[rule] = state.matches[rule]! + 1;
  state.lastMatch[rule] = at;
}

/** More than 1 where the match taken just before by this rule is inside the window of its `repeat`. */
function multiplier(
  repeat: { readonly within: number; readonly multiplier: number } | null,
  state: ModelState,
  rule: number,
  at: EpochMs,
): number {
  if (repeat === null) return 1;
  const last = state.lastMatch[rule];
  return last !== undefined && at < insideUntil(last, repeat.within) ? repeat.multiplier : 1;
}

/** @returns whether the match is worth something, as activity counts it. */
function enterWindow(rule: CompiledStanding, state: ModelState, x: Interaction): boolean {
  const points = matchPoints(
    rule.points(x, state.profile),
    multiplier(rule.repeat, state, rule.index, x.at),
    rule.weight,
  );
  const window = state.windows[rule.window]!;
  enter(rule, window, x.at, x.resource, points);
  const { cache } = state;
  if (cache.windowsDue !== null) cache.windowsDue = Math.min(cache.windowsDue, window.edge);
  count(state, rule.index, x.at);
  return points > 0 && rule.countsAsActivity;
}

/** Brings what a standing rule contributes up to `at`. @returns whether it moved */
function stand(rule: CompiledStanding, state: ModelState, at: EpochMs): boolean {
  return contribute(state, rule.place, rule.dimension, stands(rule, state, at));
}

function contribute(state: ModelState, place: number, dimension: number, points: number): boolean {
  if (state.standing[place] === points) return false;
  state.standing[place] = points;
  state.cache.moved[dimension] = true;
  return true;
}

/** What a standing rule contributes at `at`. */
function stands(rule: CompiledStanding, state: ModelState, at: EpochMs): number {
  const window = state.windows[rule.window]!;
  let points = 0;
  if (rule.times === null) {
    points = sumInside(rule, window, at);
  } else if (
    state.firstSight !== null &&
    at >= state.firstSight + rule.afterMs &&
    window.count >= rule.times.min &&
    window.count <= rule.times.max
  ) {
    points = matchPoints(rule.points(null, state.profile), 1, rule.weight);
  }
  return capped(points, rule.cap);
}

function capped(points: number, cap: number | null): number {
  return cap === null ? points : clamp(points, -cap, cap);
}

/** Recomputes what depends on the profile in force. */
function judgeProfile(model: CompiledModel, state: ModelState, at: EpochMs): boolean {
  const { profile } = state;
  let moved = false;
  for (const rule of model.standing) {
    if (rule.family === "profile") {
      const holds = profile !== null && rule.where(null, profile);
      const points = holds ? matchPoints(rule.points(null, profile), 1, rule.weight) : 0;
      moved = contribute(state, rule.place, rule.dimension, capped(points, rule.cap)) || moved;
    } else if (rule.times !== null && rule.pointsReadContact) {
      moved = stand(rule, state, at) || moved;
    }
  }
  return moved;
}

/** For an unknown model or dimension an adjustment has no effect. */
function adjust(model: CompiledModel, state: ModelState, input: Adjustment): boolean {
  if (input.model !== model.model.id) return false;
  const { dimensions } = model;
  const named = input.dimension ?? (dimensions.length === 1 ? dimensions[0]!.id : undefined);
  for (let i = 0; i < dimensions.length; i++) {
    const { id, linesEnd, min, max } = dimensions[i]!;
    const line = linesEnd - 2;
    if (input.set !== undefined && (named === id || named === "all")) {
      set(model, state, [{ dimension: i, line, value: clamp(input.set, min, max) }]);
    } else if (input.add !== undefined && named === id) {
      move(model, state, i, line, input.add);
    }
  }
  state.cache.due = null;
  return true;
}
