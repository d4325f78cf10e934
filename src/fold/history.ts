/**
 * The inputs of one contact in key order, or the newest part of them: what is older is in the store, and comes back when
 * a late input needs it. Copies of the states on the way, `snapshots`, bound what such an input has to fold again.
 */
import { compareInputs, keyOf } from "../events/order.js";
import type { EpochMs, Input, InputKey } from "../events/types.js";
import { targetKey } from "./retractions.js";
import { cloneState, type ModelState, sizeOf } from "./state.js";

/** A copy of the states as of one input of the history. */
export interface Snapshot {
  /** The last input that is folded in. */
  readonly last: InputKey;
  /** How many inputs of the whole history are folded in, and how many of those are in force. */
  readonly inputs: number;
  readonly inForce: number;
  /** Null: they are in the store only. */
  states: readonly ModelState[] | null;
  /** Whether the store has it: not yet, as soon as a write has ended, or surely. */
  status: "new" | "writing" | "stored";
}

/** In a short history there are none: folding so many inputs again is less than copying and keeping. */
const spacingMin = 128;

export class History {
  /** What comes after `base`, in key order; meaningless while not loaded. */
  inputs: Input[] = [];
  /** The states before `inputs`; null: there is nothing before them. */
  base: Snapshot | null = null;
  isLoaded: boolean;
  /** By rising `last`. */
  snapshots: Snapshot[] = [];

  constructor(isLoaded: boolean) {
    this.isLoaded = isLoaded;
  }

  /** How many inputs of the whole history come before `inputs`. */
  get before(): number {
    return this.base?.inputs ?? 0;
  }

  placeOf(key: InputKey): number {
    return this.placeWhere((past) => compareInputs(past, key) < 0);
  }

  /** The first place at which `isBefore` no more holds. */
  placeWhere(isBefore: (past: Input) => boolean): number {
    let low = 0;
    let high = this.inputs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.inputs[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The place of the first input that a retraction names; -1: there is none. */
  placeOfTarget(at: EpochMs, target: string): number {
    for (let place = this.placeWhere((past) => past.at < at); place < this.inputs.length; place++) {
      const past = this.inputs[place]!;
      if (past.at > at) return -1;
      if (targetKey(past) === target) return place;
    }
    return -1;
  }

  /** Whether everything from `at` on is here. */
  covers(at: EpochMs): boolean {
    return this.isLoaded && (this.base === null || this.base.last.at < at);
  }

  /** The newest snapshot before `at`: from there on the history is needed to change something at `at`. */
  snapshotBefore(at: EpochMs): Snapshot | null {
    return this.snapshots.findLast(({ last }) => last.at < at) ?? null;
  }

  /** Forgets the inputs; they are in the store, or about to be. */
  unload(): void {
    this.inputs = [];
    this.base = null;
    this.isLoaded = false;
    this.releaseStates();
  }

  /** Lets go states that the store has, unless they are being worked from. */
  releaseStates(): void {
    if (this.isLoaded) return;
    for (const snapshot of this.snapshots) if (snapshot.status === "stored") snapshot.states = null;
  }

  /** Lets go the snapshots that are past `place`, and finds the newest one that is left with its states. */
  rewind(place: number): Snapshot | null {
    const inputs = this.before + place;
    while (this.snapshots.length > 0 && this.snapshots[this.snapshots.length - 1]!.inputs > inputs)
      this.snapshots.pop();
    const held = this.snapshots.findLast(({ states }) => states !== null) ?? null;
    return held !== null && held.inputs >= this.before ? held : this.base;
  }

  /**
   * Takes a copy of the states where one is due.
   *
   * @param inputs how many of the whole history are folded into `states`
   */
  take(states: readonly ModelState[], last: InputKey, inputs: number, inForce: number): void {
    const since = inputs - (this.snapshots.at(-1)?.inputs ?? 0);
    if (since < spacingMin) return;
    // A copy costs what it holds: it is made after as much work as that, so copying never becomes the work.
    if (since < states.reduce((sum, state) => sum + sizeOf(state), 0)) return;
    this.snapshots.push({ last: keyOf(last), inputs, inForce, states: states.map(cloneState), status: "new" });
    this.#thinOut(inputs);
  }

  /** The further back, the fewer: late inputs are mostly a little late, and a long history has few copies in all. */
  #thinOut(inputs: number): void {
    const kept: Snapshot[] = [];
    for (const snapshot of this.snapshots) {
      const between = kept.at(-1);
      const before = kept.at(-2)?.inputs ?? 0;
      if (between !== undefined && snapshot.inputs - before <= (inputs - between.inputs) / 2) kept.pop();
      kept.push(snapshot);
    }
    this.snapshots = kept;
  }
}
