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
export function readState(from: CompactReader, into = blankState()): ModelState {
  const { matches, lastMatch, flags, cache } = into;
  into.clock = from.instantOrNull();
  into.firstSight = from.instantOrNull();
  into.lastActivity = from.instantOrNull();
  into.profile = readProfile(from.textOrNull());
  into.suppressed = from.flag();
  from.numbers(into.lines);
  from.numbers(into.standing);
  from.numbers(matches);
  for (let i = 0; i < matches.length; i++) lastMatch[i] = matches[i] === 0 ? NEVER : from.instant();
  readList(from, readWindow, into.windows);
  readList(from, readSeen, into.seen);
  readList(from, readPeriod, into.periods);
  flags.score = from.number();
  readFlags(from, flags);
  readList(from, readReplaced, flags.replaced);
  from.flags(cache.resting);
  cache.due = null;
  cache.windowsDue = null;
  for (let i = 0; i < cache.resting.length; i++) {
    cache.moved[i] = true;
    cache.points[i] = 0;
  }
  return into;
}

/** With the fields in the order of `initial`: the fold is quicker where all states have one shape. */
function blankState(): ModelState {
  return {
    clock: null,
    firstSight: null,
    lastActivity: null,
    profile: null,
    suppressed: false,
    lines: [],
    standing: [],
    matches: [],
    lastMatch: [],
    windows: [],
    seen: [],
    periods: [],
    flags: { score: 0, dimensions: [], salesReady: false, grade: -1, thresholds: [], triggers: [], replaced: [] },
    cache: { due: null, windowsDue: null, resting: [], moved: [], points: [] },
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

/**
 * @param into as for `readState`
 * @returns null where nothing was published: what stands then follows from the model (`unpublished`)
 */
export function readPublished(
  from: CompactReader,
  state: ModelState | null,
  into = blankPublished(),
): Published | null {
  into.score = from.numberOrNull();
  if (into.score === null) return null;
  if (!from.flag()) readFlags(from, into);
  else {
    const { dimensions, salesReady, grade, thresholds, triggers } = stateOf(state).flags;
    copied(dimensions, into.dimensions);
    into.salesReady = salesReady;
    into.grade = grade;
    copied(thresholds, into.thresholds);
    copied(triggers, into.triggers);
  }
  for (const list of ["lines", "standing"] as const) {
    if (from.flag()) copied(stateOf(state)[list], into[list]);
    else from.numbers(into[list]);
  }
  return into;
}

function stateOf(state: ModelState | null): ModelState {
  if (state === null) throw new Error("what was published is said to be as in a state that is not there");
  return state;
}

function blankPublished(): Published {
  return {
    score: null,
    dimensions: [],
    salesReady: false,
    grade: -1,
    thresholds: [],
    triggers: [],
    lines: [],
    standing: [],
  };
}

function copied<T>(values: readonly T[], into: T[]): void {
  into.length = values.length;
  for (let i = 0; i < values.length; i++) into[i] = values[i]!;
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

function readFlags(from: CompactReader, into: SharedFlags): void {
  from.numbers(into.dimensions);
  into.salesReady = from.flag();
  into.grade = from.number();
  from.flags(into.thresholds);
  from.flags(into.triggers);
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
  return { at: readList(from, readInstant), scores: from.numbers() };
}

function readInstant(from: CompactReader): number {
  return from.instant();
}

type Period = ModelState["periods"][number];

function readPeriod(from: CompactReader, into: Period = { period: null, net: 0 }): Period {
  into.period = from.numberOrNull();
  into.net = from.number();
  return into;
}

function readSeen(from: CompactReader): Set<string> | null {
  const resources = from.texts();
  return resources.length === 0 ? null : new Set(resources);
}

function readList<T>(from: CompactReader, read: (from: CompactReader, into?: T) => T, into: T[] = []): T[] {
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
