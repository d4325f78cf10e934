/** Which contacts are due, and how far timers have gone. */
import { compareText, sortTexts } from "../events/order.js";
import type { EpochMs } from "../events/types.js";
import type { ContactKey } from "../store/keys.js";
import type { TimerPlace } from "../store/position.js";
import type { ContactStore } from "../store/store.js";
import type { TaskContact } from "./contact.js";
import type { TaskLimits } from "./limits.js";

/** The instant that a contact has passed without an input of its own; null: none. */
export function passedBy({ all, run }: TimerPlace, contact: ContactKey): EpochMs | null {
  return run !== null && compareText(contact, run.done) <= 0 ? run.until : all;
}

/** A run beside inputs has at most so many slices, unless they are as large as they may be. */
const SLICES = 256;

/** How many contacts a slice has while inputs come, which wait for it. @param all of the run */
export function besideInputs(
  all: number,
  { sliceBesideInputsMin, sliceContactsMax }: Pick<TaskLimits, "sliceBesideInputsMin" | "sliceContactsMax">,
): number {
  return Math.min(sliceContactsMax, Math.max(sliceBesideInputsMin, Math.ceil(all / SLICES)));
}

/** Looks for the contacts that may be due at or before an instant, while others go on. */
export class Search {
  readonly until: EpochMs;
  /** Resolves when it is over, however it ends. */
  readonly ended: Promise<void>;
  #isOver = false;
  #error: unknown = null;
  /** Resolves when it is over, or is known to go on for longer. */
  readonly #begun: Promise<void>;
  readonly #found: ContactKey[] = [];

  constructor(
    until: EpochMs,
    contacts: { readonly ahead: () => Iterable<TaskContact> },
    store: Pick<ContactStore, "due">,
  ) {
    this.until = until;
    // What the store does not know yet, memory knows, now: what the store has is as of now too.
    for (const contact of contacts.ahead()) {
      const at = contact.due();
      if (at !== null && at <= until) this.add(contact.key);
    }
    let begun: () => void = () => undefined;
    this.#begun = new Promise((resolve) => {
      begun = resolve;
    });
    this.ended = this.#look(store, begun);
  }

  /** Whether there is more to look at than one part of the index: a short search is waited for. */
  async isLong(): Promise<boolean> {
    await this.#begun;
    return !this.#isOver;
  }

  /** Adds a contact that has become due since it began. */
  add(contact: ContactKey): void {
    this.#found.push(contact);
  }

  /** Doubles may be in it. @throws what the store throws */
  async found(): Promise<readonly ContactKey[]> {
    await this.ended;
    if (this.#error !== null) throw this.#error;
    return this.#found;
  }

  async #look(store: Pick<ContactStore, "due">, begun: () => void): Promise<void> {
    try {
      let parts = 0;
      for await (const keys of store.due(this.until)) {
        for (const key of keys) this.#found.push(key);
        parts += 1;
        if (parts === 2) begun();
      }
    } catch (error) {
      this.#error = error;
    }
    this.#isOver = true;
    begun();
  }
}

/** One run of the timers to an instant, contact by contact in the order of their keys. */
export class TimerRun {
  readonly until: EpochMs;
  /** How many it began with. */
  readonly all: number;
  /** Those that may be due, from the next one on, by falling key. */
  #left: ContactKey[];

  /**
   * @param contacts that may be due by then; doubles and ones that are not due do no harm
   * @param done of a run that is gone on with: those up to this one had their turn. The index may have them as due all
   *   the same, since its entries may be too early; a run that went back to them would take their turns back
   */
  constructor(until: EpochMs, contacts: Iterable<ContactKey>, done?: ContactKey) {
    this.until = until;
    const left = done === undefined ? contacts : [...contacts].filter((key) => compareText(key, done) > 0);
    this.#left = sortTexts([...new Set(left)]).reverse();
    this.all = this.#left.length;
  }

  get size(): number {
    return this.#left.length;
  }

  /** The next contacts, in order; they are taken out. */
  take(count: number): ContactKey[] {
    return this.#left.splice(Math.max(0, this.#left.length - count)).reverse();
  }

  /** Puts back what was taken and had no turn. */
  putBack(contacts: readonly ContactKey[]): void {
    this.#left.push(...contacts.toReversed());
  }

  /** Adds a contact whose turn has not been yet. */
  add(contact: ContactKey): void {
    let low = 0;
    let high = this.#left.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareText(this.#left[middle]!, contact) > 0) low = middle + 1;
      else high = middle;
    }
    if (this.#left[low] !== contact) this.#left.splice(low, 0, contact);
  }
}
