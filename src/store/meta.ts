/** What a store says of itself: its format, what it was folded from, and how far. */
import { ScorefoldError } from "../errors.js";
import {
  type Losses,
  type ModelChange,
  noLosses,
  noTimers,
  type Position,
  type PositionMark,
  type TimerPlace,
} from "./position.js";

/** Of the layout of keys and rows. Another number is another layout. */
export const STORE_FORMAT = 4;

export interface Meta {
  readonly format: number;
  foldVersion: number;
  readonly clusterId: string;
  /** Absent where the log has one task, whose topics are never made anew. */
  origin?: { app: string; tasks: number; topicIds: Record<string, string> };
  offsets: Record<string, number>;
  /** What proves the offsets: by topic the last mark, before it older ones, at growing distances. */
  marks: Record<string, readonly PositionMark[]>;
  /** By topic, the last batch that was published. */
  outputs: Record<string, PositionMark>;
  losses: Losses;
  timer: TimerPlace;
  change: ModelChange | null;
  /** Inputs of the log that were folded up to the position, also those that came twice; not there: not known. */
  folded?: number | null;
  /** The models that every contact is folded under, once no change is under way. */
  models: string[];
  segment: number;
  segmentInputs: number;
  flush: number;
  contacts: number;
  inputs: number;
  erased: number;
}

export interface StoreExpectation {
  readonly clusterId: string;
  readonly foldVersion: number;
  /** Of a log of several tasks: how many, and the ids of its topics. */
  readonly origin?: StoreOrigin | null;
}

export interface StoreOrigin {
  /** The application that it belongs to. */
  readonly app: string;
  readonly tasks: number;
  readonly topicIds: ReadonlyMap<string, string>;
}

/** A store that another version has written. */
export class StoreFormatError extends ScorefoldError {
  constructor(format: number) {
    super(
      "format-unknown",
      `the store has format ${format}, and this version of scorefold knows ${STORE_FORMAT}; run the version that wrote it`,
    );
  }
}

/** @throws ScorefoldError `format-unknown` where the store is of another format, or was folded from another log */
export function readMeta(text: string, expected: StoreExpectation): Meta {
  const meta = JSON.parse(text) as Meta;
  if (meta.format !== STORE_FORMAT) {
    throw new StoreFormatError(meta.format);
  }
  if (meta.clusterId !== expected.clusterId) {
    throw new ScorefoldError(
      "format-unknown",
      `the store${ofApplication(meta)} was folded from another log (${meta.clusterId}, and this one is ` +
        `${expected.clusterId}); name the directory of this log, or move the store away and everything is folded again`,
    );
  }
  if (expected.origin != null) takeOrigin(meta, expected.origin);
  return meta;
}

/** Holds what the store was folded from against what is there now; topics that are new are taken. */
function takeOrigin(meta: Meta, { app, tasks, topicIds }: StoreOrigin): void {
  const before = meta.origin ?? { app, tasks, topicIds: {} };
  if (before.app !== app) {
    throw new ScorefoldError(
      "format-unknown",
      `the store is that${ofApplication(meta)}, and this is application ${app}: name the data directory of ${app}, or ` +
        "move the store away and everything is folded again",
    );
  }
  if (before.tasks !== tasks) {
    throw new ScorefoldError(
      "format-unknown",
      `the store was folded when input topics had ${before.tasks} partitions, and now they have ${tasks}: contacts lie ` +
        "elsewhere now, and their histories are with other tasks. The way out is a new application over the same inputs, " +
        "with a data directory and output topics of its own",
    );
  }
  // Those that it knows stay until whoever holds them against the log says so.
  meta.origin = { app, tasks, topicIds: { ...Object.fromEntries(topicIds), ...before.topicIds } };
}

/** Whose it is, with what it was folded from; nothing where the log has no applications. */
function ofApplication({ origin }: Meta): string {
  if (origin === undefined) return "";
  return ` of application ${origin.app} (${Object.keys(origin.topicIds).join(", ")})`;
}

export function emptyMeta({ clusterId, foldVersion, origin }: StoreExpectation): Meta {
  const own = origin && { app: origin.app, tasks: origin.tasks, topicIds: Object.fromEntries(origin.topicIds) };
  return {
    format: STORE_FORMAT,
    foldVersion,
    clusterId,
    ...(own == null ? {} : { origin: own }),
    offsets: {},
    marks: {},
    outputs: {},
    losses: noLosses,
    timer: noTimers,
    change: null,
    folded: 0,
    models: [],
    segment: 0,
    segmentInputs: 0,
    flush: 0,
    contacts: 0,
    inputs: 0,
    erased: 0,
  };
}

/** Of a topic, at most: the distances between them grow, so they reach back as far as anybody has read. */
const MARKS_MAX = 16;
const NEAR = 8;

/** The same, moved to a position. */
export function moved(meta: Meta, { offsets, marks, outputs, losses, timer, change, inputs }: Position): Meta {
  return {
    ...meta,
    offsets: Object.fromEntries(offsets),
    marks: Object.fromEntries([...marks].map(([topic, mark]) => [topic, thinned(meta.marks[topic] ?? [], mark)])),
    outputs: Object.fromEntries(outputs),
    losses,
    timer,
    change,
    folded: inputs ?? null,
  };
}

export function positionOf({ offsets, marks, outputs, losses, timer, change, folded }: Meta): Position {
  const last = Object.entries(marks).flatMap(([topic, all]) => all.slice(-1).map((mark) => [topic, mark] as const));
  return {
    offsets: new Map(Object.entries(offsets)),
    marks: new Map(last),
    outputs: new Map(Object.entries(outputs)),
    losses,
    timer,
    change,
    ...(folded == null ? {} : { inputs: folded }),
  };
}

/** One goes where those on both of its sides are near enough to each other, by their distances from the newest. */
function thinned(before: readonly PositionMark[], newest: PositionMark): readonly PositionMark[] {
  if (before.at(-1)?.base === newest.base) return before;
  const distanceOf = ({ base }: PositionMark): number => newest.base - base;
  // One that lies at or behind the newest is of a log that was gone back on.
  const older = before.filter((mark) => distanceOf(mark) > 0).reverse();
  const kept = [newest];
  for (const [i, mark] of older.entries()) {
    const next = older[i + 1];
    const isBetween = next !== undefined && distanceOf(next) <= NEAR * distanceOf(kept.at(-1)!);
    if (!isBetween && kept.length < MARKS_MAX) kept.push(mark);
  }
  return kept.reverse();
}
