/** Up to where a store, or what is published, has come. */
import type { EpochMs } from "../events/types.js";
import type { ContactKey } from "./keys.js";

/** Up to where the log is folded in. */
export interface Position {
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
