/** Keys of a contact of which several contents have come, and which of them holds. */
import type { EpochMs, InputKey } from "../events/types.js";
import { digest } from "./late-name.js";

const none: ReadonlyMap<string, number> = new Map();

/**
 * It follows from the set of what has come, whatever order that came in. Nearly every contact has none: then there is no
 * map either.
 */
export class Conflicts {
  #contents: Map<string, number> | null = null;
  /** Of the digests. */
  #sum = 0;

  constructor(contents?: ReadonlyMap<string, number>) {
    if (contents === undefined || contents.size === 0) return;
    this.#contents = new Map(contents);
    for (const content of contents.values()) this.#sum = (this.#sum + content) >>> 0;
  }

  /** `at kind id` -> the digest of the content that holds. */
  get contents(): ReadonlyMap<string, number> {
    return this.#contents ?? none;
  }

  /** @param json of the content that holds, canonical */
  note({ at, kind, id }: InputKey, json: string): void {
    const key = `${at} ${kind} ${id}`;
    const content = digest(json);
    this.#contents ??= new Map();
    this.#sum = (this.#sum + content - (this.#contents.get(key) ?? 0)) >>> 0;
    this.#contents.set(key, content);
  }

  /** Forgets those of inputs dated at or before an instant. */
  erase(until: EpochMs): void {
    if (this.#contents === null) return;
    for (const [key, content] of this.#contents) {
      if (Number.parseInt(key, 10) > until) continue;
      this.#contents.delete(key);
      this.#sum = (this.#sum - content) >>> 0;
    }
    if (this.#contents.size === 0) this.#contents = null;
  }

  /** Tells what holds apart, with the other conflicts the same; null: there is none. */
  get digest(): string | null {
    return this.#contents === null ? null : this.#sum.toString(36);
  }
}
