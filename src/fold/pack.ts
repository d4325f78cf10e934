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

/**
 * The state that was written, but for what follows from the model: `completed` adds that.
 *
 * @param into a state that nobody needs any more, of the same model: it is what is returned
 */
export function readState(from: CompactReader, into?: ModelState): ModelState {
  const clock = from.instantOrNull();
  const firstSight = from.instantOrNull();
  const lastActivity = from.instantOrNull();
  const profile = readProfile(from.textOrNull());
  const suppressed = from.flag();
  const lines = from.numbers(into?.lines);
  const standing = from.numbers(into?.standing);
  const matches = from.numbers(into?.matches);
  const lastMatch = into?.lastMatch ?? [];
  for (let i = 0; i < matches.length; i++) lastMatch[i] = matches[i] === 0 ? NEVER : from.instant();
  const windows = listOf(from, readWindow, into?.windows);
  const seen = listOf(from, readSeen, into?.seen);
  const periods = listOf(from, readPeriod, into?.periods);
  const score = from.number();
  const { dimensions, salesReady, grade, thresholds, triggers } = readFlags(from, into?.flags);
  const replaced = listOf(from, readReplaced, into?.flags.replaced);
  const resting = from.flags(into?.cache.resting);
  if (into === undefined) {
    const flags = { score, dimensions, salesReady, grade, thresholds, triggers, replaced };
    const moved = resting.map(() => true);
    const cache = { due: null, windowsDue: null, resting, moved, points: resting.map(() => 0) };
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
      flags,
      cache,
    };
  }
  const { flags, cache } = into;
  into.clock = clock;
  into.firstSight = firstSight;
  into.lastActivity = lastActivity;
  into.profile = profile;
  into.suppressed = suppressed;
  flags.score = score;
  flags.salesReady = salesReady;
  flags.grade = grade;
  cache.due = null;
  cache.windowsDue = null;
  cache.moved.fill(true);
  cache.points.fill(0);
  return into;
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

/**
 * @param into as for `readState`
 * @returns null where nothing was published: what stands then follows from the model (`unpublished`)
 */
export function readPublished(from: CompactReader, state: ModelState | null, into?: Published): Published | null {
  const score = from.numberOrNull();
  if (score === null) return null;
  const hasFlags = from.flag();
  if (hasFlags && state === null) throw new Error("what was published is said to be as in a state that is not there");
  const flags = hasFlags ? state!.flags : readFlags(from, into);
  const { salesReady, grade } = flags;
  const dimensions = hasFlags ? copied(flags.dimensions, into?.dimensions) : flags.dimensions;
  const thresholds = hasFlags ? copied(flags.thresholds, into?.thresholds) : flags.thresholds;
  const triggers = hasFlags ? copied(flags.triggers, into?.triggers) : flags.triggers;
  const lines = from.flag() ? copied(state!.lines, into?.lines) : from.numbers(into?.lines);
  const standing = from.flag() ? copied(state!.standing, into?.standing) : from.numbers(into?.standing);
  if (into === undefined) return { score, dimensions, salesReady, grade, thresholds, triggers, lines, standing };
  into.score = score;
  into.salesReady = salesReady;
  into.grade = grade;
  return into;
}

function copied<T>(values: readonly T[], into: T[] = []): T[] {
  into.length = values.length;
  for (let i = 0; i < values.length; i++) into[i] = values[i]!;
  return into;
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

function readFlags(from: CompactReader, into?: SharedFlags): SharedFlags {
  const dimensions = from.numbers(into?.dimensions);
  const salesReady = from.flag();
  const grade = from.number();
  const thresholds = from.flags(into?.thresholds);
  const triggers = from.flags(into?.triggers);
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

function readPeriod(from: CompactReader, into?: ModelState["periods"][number]): ModelState["periods"][number] {
  const period = from.numberOrNull();
  const net = from.number();
  if (into === undefined) return { period, net };
  into.period = period;
  into.net = net;
  return into;
}

function readSeen(from: CompactReader): Set<string> | null {
  const resources = from.texts();
  return resources.length === 0 ? null : new Set(resources);
}

function listOf<T>(from: CompactReader, read: (from: CompactReader, into?: T) => T, into: T[] = []): T[] {
  const count = from.number();
  if (into.length > count) into.length = count;
  for (let i = 0; i < count; i++) into[i] = read(from, into[i]);
  return into;
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
