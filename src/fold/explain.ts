/**
 * Why a score is what it is: the ledger, what stands and until when, and what time will change next. The lines of a
 * dimension sum to its points before its range is applied, always.
 */
import type { Cause, ContactId, EpochMs, MovedLine, ScoreLine, TenantId } from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import { decide, unpublished } from "./decide.js";
import { causeOfTime, due } from "./due.js";
import { dimensionPoints } from "./evaluate.js";
import { advance } from "./fold.js";
import { pool } from "./ledger.js";
import { scoreLine } from "./score-line.js";
import { cloneState, type ModelState, NEVER, silenceSince } from "./state.js";
import { firstEdge, holdsUntil } from "./windows.js";

export interface Explanation {
  readonly score: ScoreLine;
  readonly asOf: EpochMs;
  readonly firstSightAt: EpochMs;
  /** Decay and inactivity count from here. */
  readonly silenceSince: EpochMs;
  readonly dimensions: readonly ExplainedDimension[];
  /** Null: nothing changes by time alone. */
  readonly next: NextChange | null;
}

export interface ExplainedDimension {
  readonly id: string;
  readonly min: number;
  readonly max: number;
  /** Inside the range, not rounded: what the published points are rounded from. */
  readonly points: number;
  /** `accumulated + standing`, before the range: the sum of all lines. */
  readonly sum: number;
  readonly accumulated: number;
  readonly standing: number;
  readonly lines: readonly ExplainedLine[];
}

export interface ExplainedLine {
  /** Rule id; or `adjustment`; or `cut`, what the dimension's range cut off. */
  readonly rule: string;
  readonly pool: "decaying" | "lasting" | "standing" | "profile";
  /** As they are now: decayed, weighed, capped; not rounded. */
  readonly points: number;
  readonly matches: number;
  readonly lastMatchAt: EpochMs | null;
  /** Standing rules: when the contribution next changes or ends if nothing happens; null: never by time alone. */
  readonly until: EpochMs | null;
}

export interface NextChange {
  readonly at: EpochMs;
  readonly cause: Cause["kind"];
  readonly score: number;
  readonly lines: readonly MovedLine[];
}

/** The last instant that has a text. */
const instantMax: EpochMs = 8.64e15;
/** How many instants at which nothing visible changes are passed over; then the last of them is told as it is. */
const duesMax = 10_000;

/** @returns null for a contact without an input in force. */
export function explain(
  model: CompiledModel,
  tenantId: TenantId,
  contactId: ContactId,
  state: ModelState,
): Explanation | null {
  const score = scoreLine(model, tenantId, contactId, state);
  if (score === null || state.firstSight === null || state.clock === null) return null;
  return {
    score,
    asOf: state.clock,
    firstSightAt: state.firstSight,
    silenceSince: silenceSince(state),
    dimensions: model.dimensions.map((_, index) => explainDimension(model, state, index)),
    next: nextChange(model, state),
  };
}

function explainDimension(model: CompiledModel, state: ModelState, index: number): ExplainedDimension {
  const dimension = model.dimensions[index]!;
  const { decayingFrom, lastingFrom, linesEnd, standingFrom, standingEnd } = dimension;
  const accumulated = pool(state.lines, decayingFrom, lastingFrom) + pool(state.lines, lastingFrom, linesEnd);
  const standing = pool(state.standing, standingFrom, standingEnd);
  const lines: ExplainedLine[] = [];
  for (let i = decayingFrom; i < linesEnd; i++) {
    const line = model.lines[i]!;
    lines.push({
      rule: line.name,
      pool: line.pool,
      points: state.lines[i]!,
      matches: line.rule < 0 ? 0 : state.matches[line.rule]!,
      lastMatchAt: line.rule < 0 ? null : lastMatchOf(state, line.rule),
      until: null,
    });
  }
  for (let i = standingFrom; i < standingEnd; i++) {
    const rule = model.standing[i]!;
    lines.push({
      rule: rule.id,
      pool: rule.family,
      points: state.standing[i]!,
      matches: rule.family === "profile" ? 0 : state.matches[rule.index]!,
      lastMatchAt: rule.family === "profile" ? null : lastMatchOf(state, rule.index),
      until: rule.family === "profile" ? null : untilOf(model, state, i),
    });
  }
  return {
    id: dimension.id,
    min: dimension.min,
    max: dimension.max,
    points: dimensionPoints(model, state, index),
    sum: accumulated + standing,
    accumulated,
    standing,
    lines: lines.filter(({ points, matches }) => points !== 0 || matches > 0),
  };
}

function lastMatchOf({ lastMatch }: ModelState, rule: number): EpochMs | null {
  return lastMatch[rule] === NEVER ? null : lastMatch[rule]!;
}

function untilOf(model: CompiledModel, state: ModelState, place: number): EpochMs | null {
  const rule = model.standing[place]!;
  if (rule.family !== "standing" || state.standing[place] === 0) return null;
  const window = state.windows[rule.window]!;
  if (rule.times !== null) return holdsUntil(rule, window);
  const holding = { ...window, hours: window.hours.filter(({ count }) => count > 0) };
  const edge = firstEdge(rule, holding, state.clock ?? 0);
  return Number.isFinite(edge) ? edge : null;
}

/** The next instant at which time alone changes the score, a dimension, or any line. */
function nextChange(model: CompiledModel, state: ModelState): NextChange | null {
  const future = cloneState(state);
  for (let passed = 0; passed < duesMax; passed++) {
    const at = due(model, future);
    // Beyond it an instant has no text; nobody waits for it.
    if (at === null || at > instantMax) return null;
    const cause = causeOfTime(model, future, at).kind;
    const isLast = passed === duesMax - 1;
    advance(model, future, at);
    // From the state as it is now, not from the instant before: small steps add up to a change that shows.
    const published = { ...unpublished(model), lines: state.lines.slice(), standing: state.standing.slice() };
    const occasion = { tenantId: "", contactId: "", at, cause: { kind: cause }, change: null, late: null, after: 0 };
    const [changed] = decide(model, published, future, occasion);
    const lines = changed?.kind === "ScoreChanged" ? changed.lines : [];
    if (lines.length > 0 || future.flags.score !== state.flags.score || isLast) {
      return { at, cause, score: future.flags.score, lines };
    }
  }
  return null;
}
