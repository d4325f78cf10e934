/** When time alone changes something: decay steps, the end of silence, edges of windows, `after`. */
import type { Cause, EpochMs } from "../events/types.js";
import type { CompiledModel, CompiledStanding } from "../model/compile.js";
import { isDecaying } from "./ledger.js";
import { type ModelState, silenceSince } from "./state.js";

/**
 * The next instant after the state's clock at which something falls due; null: never. Decay steps that are known to
 * change nothing are left out.
 */
export function due(model: CompiledModel, state: ModelState): EpochMs | null {
  if (state.firstSight === null || state.clock === null) return null;
  if (state.cache.due === null) state.cache.due = nextDue(model, state, state.clock);
  return state.cache.due === Number.POSITIVE_INFINITY ? null : state.cache.due;
}

function nextDue(model: CompiledModel, state: ModelState, clock: EpochMs): EpochMs {
  const silence = silenceSince(state);
  let next = Number.POSITIVE_INFINITY;
  for (let i = 0; i < model.dimensions.length; i++) {
    const dimension = model.dimensions[i]!;
    if (dimension.decay === null || state.cache.resting[i] || !isDecaying(dimension, state.lines)) continue;
    const { stepMs } = dimension.decay;
    next = Math.min(next, silence + (Math.floor((clock - silence) / stepMs) + 1) * stepMs);
  }
  for (const { inactiveMs } of model.inactive) {
    const end = silence + inactiveMs;
    if (end > clock && end < next) next = end;
  }
  return Math.min(next, windowsDue(model, state, clock));
}

/** The next instant after `clock` at which a window passes an edge, or a rule's `after` ends; infinity: never. */
export function windowsDue(model: CompiledModel, state: ModelState, clock: EpochMs): EpochMs {
  const { cache } = state;
  if (cache.windowsDue !== null) return cache.windowsDue;
  let next = Number.POSITIVE_INFINITY;
  for (const rule of model.standingRules) {
    next = Math.min(next, state.windows[rule.window]!.edge);
    if (rule.afterMs === 0) continue;
    const held = (state.firstSight ?? 0) + rule.afterMs;
    if (held > clock && held < next) next = held;
  }
  cache.windowsDue = next;
  return next;
}

/** Whether the rule's `after` ends at this very instant. */
export function lapsed(rule: CompiledStanding, state: ModelState, at: EpochMs): boolean {
  return rule.afterMs > 0 && state.firstSight !== null && state.firstSight + rule.afterMs === at;
}

/** The cause of what happens at `at` by time alone: the first of decay, expiry and inactivity that is due then. */
export function causeOfTime(model: CompiledModel, state: ModelState, at: EpochMs): Cause {
  const silence = silenceSince(state);
  for (const dimension of model.dimensions) {
    // A step counts as due also where it rests on its floor and moves nothing.
    if (dimension.decay === null || at <= silence || (at - silence) % dimension.decay.stepMs !== 0) continue;
    if (isDecaying(dimension, state.lines)) return { kind: "decay" };
  }
  for (const rule of model.standingRules) {
    if (state.windows[rule.window]!.edge <= at || lapsed(rule, state, at)) return { kind: "expiry" };
  }
  return { kind: "inactivity" };
}
