/**
 * States and what was published of them as text, to be kept: short, and quick to write and read, since a busy store does
 * that tens of thousands of times a second. Numbers come back to the last bit. Caches are left out, but for what would cost
 * steps that change nothing. What is written tells its own lengths: it is read without the model, which may be gone.
 */
import { canonicalValue } from "../events/canonical.js";
import type { JsonObject } from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import type { CompactReader, CompactWriter } from "./compact.js";
import type { Published } from "./decide.js";
import { type Flags, type ModelState, NEVER } from "./state.js";
import { findEdge, readWindow, writeWindow } from "./windows.js";

export function writeState(to: CompactWriter, state: ModelState): void {
  to.instantOrNull(state.clock);
  to.instantOrNull(state.firstSight);
  to.instantOrNull(state.lastActivity);
  to.textOrNull(state.profile === null ? null : profileText(state.profile));
  to.flag(state.suppressed);
  to.numbers(state.lines);
  to.numbers(state.standing);
  to.numbers(state.matches);
  // A rule that has taken no match has no last one.
  for (let i = 0; i < state.matches.length; i++) if (state.matches[i] !== 0) to.instant(state.lastMatch[i]!);
  to.number(state.windows.length);
  for (const window of state.windows) writeWindow(to, window);
  to.number(state.seen.length);
  for (const resources of state.seen) to.texts(resources ?? [], resources?.size ?? 0);
  to.number(state.periods.length);
  for (const { period, net } of state.periods) {
    to.numberOrNull(period);
    to.number(net);
  }
  to.number(state.flags.score);
  writeFlags(to, state.flags);
  to.number(state.flags.replaced.length);
  for (const { at, scores } of state.flags.replaced) {
    to.number(at.length);
    for (const instant of at) to.instant(instant);
    to.numbers(scores);
  }
  to.flags(state.cache.resting);
}

/** The state that was written, but for what follows from the model: `completed` adds that. */
export function readState(from: CompactReader): ModelState {
  const clock = from.instantOrNull();
  const firstSight = from.instantOrNull();
  const lastActivity = from.instantOrNull();
  const profile = readProfile(from.textOrNull());
  const suppressed = from.flag();
  const lines = from.numbers();
  const standing = from.numbers();
  const matches = from.numbers();
  const lastMatch: number[] = [];
  for (let i = 0; i < matches.length; i++) lastMatch.push(matches[i] === 0 ? NEVER : from.instant());
  const windows = listOf(from, readWindow);
  const seen = listOf(from, readSeen);
  const periods = listOf(from, readPeriod);
  const score = from.number();
  const { dimensions, salesReady, grade, thresholds, triggers } = readFlags(from);
  const replaced = listOf(from, readReplaced);
  const resting = from.flags();
  return {
    clock,
    firstSight,
    lastActivity,
    profile,
    suppressed,
    lines,
    standing,
    matches,
    lastMatch,
    windows,
    seen,
    periods,
    flags: { score, dimensions, salesReady, grade, thresholds, triggers, replaced },
    cache: {
      due: null,
      windowsDue: null,
      resting,
      moved: resting.map(() => true),
      points: resting.map(() => 0),
    },
  };
}

/** The state that was read, as one of the model, to go on from. */
export function completed(model: CompiledModel, state: ModelState): ModelState {
  for (const rule of model.standingRules) findEdge(rule, state.windows[rule.window]!, state.clock ?? 0);
  return state;
}

/** @param state that is written before it, and mostly says the same; null where the model is not in use */
export function writePublished(to: CompactWriter, published: Published | null, state: ModelState | null): void {
  to.numberOrNull(published?.score ?? null);
  if (published === null || published.score === null) return;
  const hasFlags = state !== null && areSameFlags(published, state.flags);
  to.flag(hasFlags);
  if (!hasFlags) writeFlags(to, published);
  for (const list of ["lines", "standing"] as const) {
    const isSame = state !== null && areSame(state[list], published[list]);
    to.flag(isSame);
    if (!isSame) to.numbers(published[list]);
  }
}

/** @returns null where nothing was published: what stands then follows from the model (`unpublished`) */
export function readPublished(from: CompactReader, state: ModelState | null): Published | null {
  const score = from.numberOrNull();
  if (score === null) return null;
  const flags = from.flag() ? state!.flags : readFlags(from);
  const { salesReady, grade } = flags;
  const dimensions = flags.dimensions.slice();
  const thresholds = flags.thresholds.slice();
  const triggers = flags.triggers.slice();
  const lines = from.flag() ? state!.lines.slice() : from.numbers();
  const standing = from.flag() ? state!.standing.slice() : from.numbers();
  return { score, dimensions, salesReady, grade, thresholds, triggers, lines, standing };
}

/** What a state and its publication have both, and mostly the same. */
type SharedFlags = Omit<Flags, "score" | "replaced">;

function writeFlags(to: CompactWriter, { dimensions, salesReady, grade, thresholds, triggers }: SharedFlags): void {
  to.numbers(dimensions);
  to.flag(salesReady);
  to.number(grade);
  to.flags(thresholds);
  to.flags(triggers);
}

function readFlags(from: CompactReader): SharedFlags {
  const dimensions = from.numbers();
  const salesReady = from.flag();
  const grade = from.number();
  const thresholds = from.flags();
  const triggers = from.flags();
  return { dimensions, salesReady, grade, thresholds, triggers };
}

function areSameFlags(a: SharedFlags, b: SharedFlags): boolean {
  return (
    a.salesReady === b.salesReady &&
    a.grade === b.grade &&
    areSame(a.dimensions, b.dimensions) &&
    areSame(a.thresholds, b.thresholds) &&
    areSame(a.triggers, b.triggers)
  );
}

function areSame<T>(a: readonly T[], b: readonly T[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

function readReplaced(from: CompactReader): Flags["replaced"][number] {
  return { at: listOf(from, readInstant), scores: from.numbers() };
}

function readInstant(from: CompactReader): number {
  return from.instant();
}

function readPeriod(from: CompactReader): ModelState["periods"][number] {
  return { period: from.numberOrNull(), net: from.number() };
}

function readSeen(from: CompactReader): Set<string> | null {
  const resources = from.texts();
  return resources.length === 0 ? null : new Set(resources);
}

function listOf<T>(from: CompactReader, read: (from: CompactReader) => T): T[] {
  const items: T[] = [];
  for (let left = from.number(); left > 0; left--) items.push(read(from));
  return items;
}

/** A profile stays for many writes, and sorting its keys is most of the work of writing it. */
const profileTexts = new WeakMap<JsonObject, string>();

function profileText(profile: JsonObject): string {
  let text = profileTexts.get(profile);
  if (text === undefined) {
    text = canonicalValue(profile);
    profileTexts.set(profile, text);
  }
  return text;
}

function readProfile(text: string | null): JsonObject | null {
  if (text === null) return null;
  const profile = JSON.parse(text) as JsonObject;
  profileTexts.set(profile, text);
  return profile;
}
