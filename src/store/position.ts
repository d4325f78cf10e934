/** Up to where a store, or what is published, has come. */
import type { EpochMs } from "../events/types.js";
import type { ContactKey } from "./keys.js";

/** Up to where the log is folded in. */
export interface Position extends Proof {
  readonly offsets: ReadonlyMap<string, number>;
  /** How far time has passed by itself. */
  readonly timer: TimerPlace;
  /** A change of models under way: which, and the last contact that has made it. */
  readonly change: ModelChange | null;
  /** How many inputs of the log were folded up to here; null or not there: not known. */
  readonly inputs?: number | null;
}

/** How many inputs were folded at a position, and so many more. */
export function countedWith({ inputs }: Position, more: number): number | null {
  return inputs == null ? null : inputs + more;
}

/** A batch of the log, as the log's port knows it. */
export interface PositionMark {
  readonly base: number;
  readonly count: number;
  readonly at: EpochMs;
  readonly checksum: number | null;
}

/** What proves that the log is the one that was folded in, and what of it a person has said to go on without. */
export interface Proof {
  /** By input topic, the last batch that begins below the offset; none where that is not known. */
  readonly marks: ReadonlyMap<string, PositionMark>;
  /** By output topic, the last batch that was published up to here. */
  readonly outputs: ReadonlyMap<string, PositionMark>;
  readonly losses: Losses;
}

/** Parts of the log that are lost, and that a person has accepted as lost. */
export interface Losses {
  readonly count: number;
  /** Of all of them, at most. */
  readonly records: number;
  /** The newest ones, in order. */
  readonly last: readonly Loss[];
}

export interface Loss {
  readonly topic: string;
  readonly kind: LossKind;
  /** Up to where it was read or written, and where it went on. */
  readonly position: number;
  readonly resumed: number;
  /** How many records it is about, at most. */
  readonly records: number;
  /** When the log took them; null where that is not known. */
  readonly since: EpochMs | null;
  readonly until: EpochMs | null;
  readonly by: string;
  readonly at: EpochMs;
}

export type LossKind =
  /** The log ends before what was read from it, or written to it. */
  | "end"
  /** Other records are where it was read. */
  | "other"
  /** It begins behind what was read. */
  | "begin"
  /** The topic was deleted and made anew. */
  | "anew"
  /** What was committed of it is older than what was read. */
  | "committed";

export const noLosses: Losses = { count: 0, records: 0, last: [] };
export const noProof: Proof = { marks: new Map(), outputs: new Map(), losses: noLosses };

/**
 * How far timers have gone. They go through the contacts that are due in the order of their keys, not of their instants:
 * then whether a contact has had its turn does not depend on what it is due for, which late inputs may change.
 */
export interface TimerPlace {
  /** All contacts have passed this instant; null: timers have never gone. */
  readonly all: EpochMs | null;
  /** The run under way: contacts up to this one have passed that instant. */
  readonly run: { readonly until: EpochMs; readonly done: ContactKey } | null;
}

export const noTimers: TimerPlace = { all: null, run: null };

export interface ModelChange {
  /** Names the set of models that is changed to. */
  readonly to: string;
  readonly done: ContactKey;
}
