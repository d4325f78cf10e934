/** Keys of a contact of which several contents have come, and which of them holds. */
import type { EpochMs, InputKey } from "../events/types.js";
import { digest } from "./late-name.js";

const none: ReadonlyMap<string, number> = new Map();

/**
 * It follows from the set of what has come, whatever order that came in. Nearly every contact has none: then there is no
 * map either.
 */
export class Conflicts {
  #contents: Map<string, number> | null;

  constructor(contents?: ReadonlyMap<string, number>) {
    this.#contents = contents === undefined || contents.size === 0 ? null : new Map(contents);
  }

  /** `at kind id` -> the digest of the content that holds. */
  get contents(): ReadonlyMap<string, number> {
    return this.#contents ?? none;
  }

  /** @param json of the content that holds, canonical */
  note({ at, kind, id }: InputKey, json: string): void {
    this.#contents ??= new Map();
    this.#contents.set(`${at} ${kind} ${id}`, digest(json));
  }

  /** Forgets those of inputs dated at or before an instant. */
  erase(until: EpochMs): void {
    for (const key of this.#contents?.keys() ?? []) if (Number.parseInt(key, 10) <= until) this.#contents?.delete(key);
    if (this.#contents?.size === 0) this.#contents = null;
  }

  /** Tells what holds apart, with the other conflicts the same; null: there is none. */
  get digest(): string | null {
    if (this.#contents === null) return null;
    let sum = 0;
    for (const content of this.#contents.values()) sum = (sum + content) >>> 0;
    return sum.toString(36);
  }
}
