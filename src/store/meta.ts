/** What a store says of itself: its format, what it was folded from, and how far. */
import { ScorefoldError } from "../errors.js";
import { type ModelChange, noTimers, type TimerPlace } from "./position.js";

/** Of the layout of keys and rows. Another number is another layout. */
export const STORE_FORMAT = 3;

export interface Meta {
  readonly format: number;
  foldVersion: number;
  readonly clusterId: string;
  /** Absent where the log has one task, whose topics are never made anew. */
  origin?: { app: string; tasks: number; topicIds: Record<string, string> };
  offsets: Record<string, number>;
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

/** @throws ScorefoldError `format-unknown` where the store is of another format, or was folded from another log */
export function readMeta(text: string, expected: StoreExpectation): Meta {
  const meta = JSON.parse(text) as Meta;
  if (meta.format !== STORE_FORMAT) {
    throw new ScorefoldError(
      "format-unknown",
      `the store has format ${meta.format}, and this version of scorefold knows ${STORE_FORMAT}; run the version that ` +
        "wrote it, or move the store away: then everything is folded again, as far back as the log goes",
    );
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
        "elsewhere now; copy the inputs into new topics of that many partitions, and score them as a new application " +
        "with a data directory of its own",
    );
  }
  const anew = [...topicIds].filter(([topic, id]) => (before.topicIds[topic] ?? id) !== id).map(([topic]) => topic);
  if (anew.length > 0) {
    throw new ScorefoldError(
      "format-unknown",
      `${anew.join(", ")}: deleted and made anew since the store was folded, so its inputs are others; move the store ` +
        "away to score what is in the topics now, or bring the old topic back",
    );
  }
  meta.origin = { app, tasks, topicIds: { ...before.topicIds, ...Object.fromEntries(topicIds) } };
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
