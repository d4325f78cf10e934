/** Which contacts are due, and how far timers have gone. */
import { compareText } from "../events/order.js";
import type { EpochMs } from "../events/types.js";
import type { ContactKey } from "../store/keys.js";
import type { TimerPlace } from "../store/position.js";

/** The instant that a contact has passed without an input of its own; null: none. */
export function passedBy({ all, run }: TimerPlace, contact: ContactKey): EpochMs | null {
  return run !== null && compareText(contact, run.done) <= 0 ? run.until : all;
}

/** One run of the timers to an instant, contact by contact in the order of their keys. */
export class TimerRun {
  readonly until: EpochMs;
  /** Those that may be due, from the next one on, by falling key. */
  #left: ContactKey[];

  /**
   * @param contacts that may be due by then; doubles and ones that are not due do no harm
   * @param done of a run that is gone on with: those up to this one had their turn. The index may have them as due all
   *   the same, since its entries may be too early; a run that went back to them would take their turns back
   */
  constructor(until: EpochMs, contacts: Iterable<ContactKey>, done: ContactKey | null = null) {
    this.until = until;
    const left = done === null ? contacts : [...contacts].filter((key) => compareText(key, done) > 0);
    this.#left = [...new Set(left)].sort((a, b) => compareText(b, a));
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
