/**
 * The folded state of one contact under one model: a pure function of the inputs in force up to its clock. What was
 * published is kept apart (`decide.ts`).
 *
 * The fold changes a state in place: at a million inputs a second a copy for each would cost more than the fold.
 * Whoever needs the state before makes a copy first (`cloneState`).
 */
import { canonicalValue } from "../events/canonical.js";
import type { EpochMs, JsonObject } from "../events/types.js";
import { cloneWindow, encodeWindow, type Window } from "./windows.js";

/** The score and what hangs on it. Thresholds and triggers are latched: they depend on the scores before. */
export interface Flags {
  score: number;
  /** Published points of each dimension, in model order. */
  dimensions: number[];
  salesReady: boolean;
  /** Index of the grade in the model; -1 where it has none. */
  grade: number;
  /** For each threshold: true once it was reached, until it is armed again. */
  thresholds: boolean[];
  /** For each trigger: true once it fired, until it is armed again (`dropsBelow`: true while below). */
  triggers: boolean[];
  /** For each `risesBy` trigger, in model order: replaced scores inside its window that can still be the lowest. */
  replaced: { at: EpochMs[]; scores: number[] }[];
}

/** Before every instant. A number, so that an array of instants holds nothing but numbers; in JSON it is null. */
export const NEVER: EpochMs = Number.NEGATIVE_INFINITY;

export interface ModelState {
  /** The newest instant that has been folded or evaluated; null before the first. */
  clock: EpochMs | null;
  /** Of the first input in force; null: this contact has no score yet. */
  firstSight: EpochMs | null;
  lastActivity: EpochMs | null;
  profile: JsonObject | null;
  suppressed: boolean;
  /** Ledger lines, numbered as in `CompiledModel.lines`. */
  lines: number[];
  /** What standing and profile rules contribute, numbered as in `CompiledModel.standing`. */
  standing: number[];
  /** For each rule of the model: matches taken, and the instant of the last one (`NEVER`: there is none). */
  matches: number[];
  lastMatch: EpochMs[];
  windows: Window[];
  /** For each accumulating rule with `scope: resource`: resources whose first match was taken; null: none yet. */
  seen: (Set<string> | null)[];
  /** For each period cap: the period of the last match and the net points granted in it. */
  periods: { period: number | null; net: number }[];
  /** Score and dimensions as last evaluated, thresholds and triggers. */
  flags: Flags;

  /** Caches, no part of the state: what they hold follows from the rest. */
  cache: {
    /** The next instant at which time changes something; null: not known. */
    due: EpochMs | null;
    /** The next instant at which a window passes an edge or an `after` ends; null: not known. */
    windowsDue: EpochMs | null;
    /** Dimensions whose next decay steps are known to change nothing (they rest on their floor). */
    resting: boolean[];
    /** Dimensions that moved since the last evaluation, and the exact points of each as of then. */
    moved: boolean[];
    points: number[];
  };
}

/** Silence counts from the last activity, before any from first sight. */
export function silenceSince(state: ModelState): EpochMs {
  return state.lastActivity ?? state.firstSight ?? 0;
}

export function cloneState(state: ModelState): ModelState {
  return {
    ...state,
    lines: state.lines.slice(),
    standing: state.standing.slice(),
    matches: state.matches.slice(),
    lastMatch: state.lastMatch.slice(),
    windows: state.windows.map(cloneWindow),
    seen: state.seen.map((resources) => (resources === null ? null : new Set(resources))),
    periods: state.periods.map((period) => ({ ...period })),
    flags: {
      ...state.flags,
      dimensions: state.flags.dimensions.slice(),
      thresholds: state.flags.thresholds.slice(),
      triggers: state.flags.triggers.slice(),
      replaced: state.flags.replaced.map(({ at, scores }) => ({ at: at.slice(), scores: scores.slice() })),
    },
    cache: {
      due: state.cache.due,
      windowsDue: state.cache.windowsDue,
      resting: state.cache.resting.slice(),
      moved: state.cache.moved.slice(),
      points: state.cache.points.slice(),
    },
  };
}

/** How many entries a copy of the state has to copy one by one. */
export function sizeOf(state: ModelState): number {
  let size = 0;
  for (const resources of state.seen) size += resources?.size ?? 0;
  for (const { hours, latest } of state.windows) size += hours.length + (latest === null ? 0 : 2 * latest.size);
  return size;
}

/** The state as canonical JSON: the same state, however it came about, is the same bytes. */
export function encodeState(state: ModelState): string {
  const { cache: _, ...folded } = state;
  return JSON.stringify({
    ...folded,
    // One content is one text, whatever order the source wrote its keys in.
    profile: state.profile === null ? null : canonicalValue(state.profile),
    windows: state.windows.map(encodeWindow),
    seen: state.seen.map((resources) => [...(resources ?? [])]),
  });
}
