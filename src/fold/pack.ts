/**
 * States and what was published of them as plain data, to be kept as JSON: short, and quick to write, since a busy store
 * writes tens of thousands of them a second. Numbers come back to the last bit. Caches are left out, but for what would
 * cost steps that change nothing.
 */
import { canonicalValue } from "../events/canonical.js";
import type { EpochMs, JsonObject } from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import type { Published } from "./decide.js";
import { type Flags, type ModelState, NEVER } from "./state.js";
import { type PackedWindow, packWindow, unpackWindow } from "./windows.js";

type Bits = string;
type PackedFlags = readonly [
  score: number,
  dimensions: readonly number[],
  salesReady: 0 | 1,
  grade: number,
  thresholds: Bits,
  triggers: Bits,
  replaced: readonly (readonly [readonly EpochMs[], readonly number[]])[],
];

export type PackedState = readonly [
  clock: EpochMs | null,
  firstSight: EpochMs | null,
  lastActivity: EpochMs | null,
  /** Canonical JSON. */
  profile: string | null,
  suppressed: 0 | 1,
  lines: readonly number[],
  standing: readonly number[],
  matches: readonly number[],
  /** 0 for `NEVER`: an instant of 0 is written as text. */
  lastMatch: readonly (EpochMs | "0")[],
  windows: readonly PackedWindow[],
  seen: readonly (readonly string[])[],
  periods: readonly (readonly [number | null, number])[],
  flags: PackedFlags,
  resting: Bits,
];

export function packState(state: ModelState): PackedState {
  return [
    state.clock,
    state.firstSight,
    state.lastActivity,
    state.profile === null ? null : profileText(state.profile),
    state.suppressed ? 1 : 0,
    state.lines,
    state.standing,
    state.matches,
    state.lastMatch.map((at) => (at === NEVER ? 0 : at === 0 ? "0" : at)),
    state.windows.map(packWindow),
    state.seen.map((resources) => [...(resources ?? [])]),
    state.periods.map(({ period, net }) => [period, net]),
    packFlags(state.flags),
    bits(state.cache.resting),
  ];
}

/** The state that was packed; arrays are taken over, not copied. */
export function unpackState(model: CompiledModel, packed: PackedState): ModelState {
  const [clock, firstSight, lastActivity, profile, suppressed, lines, standing, matches, lastMatch] = packed;
  const [, , , , , , , , , windows, seen, periods, flags, resting] = packed;
  return {
    clock,
    firstSight,
    lastActivity,
    profile: profile === null ? null : (JSON.parse(profile) as JsonObject),
    suppressed: suppressed === 1,
    lines: lines as number[],
    standing: standing as number[],
    matches: matches as number[],
    lastMatch: lastMatch.map((at) => (at === 0 ? NEVER : Number(at))),
    windows: windows.map((window, i) => unpackWindow(model.standingRules[i]!, window, clock ?? 0)),
    seen: seen.map((resources) => (resources.length === 0 ? null : new Set(resources))),
    periods: periods.map(([period, net]) => ({ period, net })),
    flags: unpackFlags(flags),
    cache: {
      due: null,
      windowsDue: null,
      resting: fromBits(resting),
      moved: model.dimensions.map(() => true),
      points: model.dimensions.map(() => 0),
    },
  };
}

/** What was published; 1 stands for what is as the state has it, which it mostly is. */
export type PackedPublished =
  | 0
  | readonly [
      score: number,
      flags: 1 | readonly [readonly (number | null)[], 0 | 1, number, Bits, Bits],
      lines: 1 | readonly number[],
      standing: 1 | readonly number[],
    ];

/** @param state null where the model is not in use */
export function packPublished(published: Published, state: ModelState | null): PackedPublished {
  const { score, dimensions, salesReady, grade, thresholds, triggers, lines, standing } = published;
  if (score === null) return 0;
  const flags = state?.flags;
  const isSame =
    flags !== undefined &&
    flags.salesReady === salesReady &&
    flags.grade === grade &&
    areSame(flags.dimensions, dimensions) &&
    areSame(flags.thresholds, thresholds) &&
    areSame(flags.triggers, triggers);
  return [
    score,
    isSame ? 1 : [dimensions, salesReady ? 1 : 0, grade, bits(thresholds), bits(triggers)],
    state !== null && areSame(state.lines, lines) ? 1 : lines,
    state !== null && areSame(state.standing, standing) ? 1 : standing,
  ];
}

/**
 * @param empty what stands where nothing was published
 * @param state the packed state beside it; null where the model is not in use
 */
export function unpackPublished(packed: PackedPublished, empty: () => Published, state: PackedState | null): Published {
  if (packed === 0) return empty();
  const [score, own, lines, standing] = packed;
  const [, dimensions, salesReady, grade, thresholds, triggers] = state === null ? noFlags : state[12];
  const flags = own === 1 ? ([dimensions, salesReady, grade, thresholds, triggers] as const) : own;
  return {
    score,
    // A number that is none was packed as null.
    dimensions: flags[0].map((points) => points ?? Number.NaN),
    salesReady: flags[1] === 1,
    grade: flags[2],
    thresholds: fromBits(flags[3]),
    triggers: fromBits(flags[4]),
    lines: [...(lines === 1 ? (state?.[5] ?? []) : lines)],
    standing: [...(standing === 1 ? (state?.[6] ?? []) : standing)],
  };
}

const noFlags: PackedFlags = [0, [], 0, -1, "", "", []];

function packFlags({ score, dimensions, salesReady, grade, thresholds, triggers, replaced }: Flags): PackedFlags {
  const scores = replaced.map((one) => [one.at, one.scores] as const);
  return [score, dimensions, salesReady ? 1 : 0, grade, bits(thresholds), bits(triggers), scores];
}

function unpackFlags([score, dimensions, salesReady, grade, thresholds, triggers, replaced]: PackedFlags): Flags {
  return {
    score,
    dimensions: dimensions as number[],
    salesReady: salesReady === 1,
    grade,
    thresholds: fromBits(thresholds),
    triggers: fromBits(triggers),
    replaced: replaced.map(([at, scores]) => ({ at: at as EpochMs[], scores: scores as number[] })),
  };
}

function bits(values: readonly boolean[]): Bits {
  let text = "";
  for (const value of values) text += value ? "1" : "0";
  return text;
}

function fromBits(text: Bits): boolean[] {
  const values: boolean[] = [];
  for (let i = 0; i < text.length; i++) values.push(text.charCodeAt(i) === 49);
  return values;
}

function areSame<T>(a: readonly T[], b: readonly T[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
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
