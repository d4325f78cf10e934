/** What the received retractions of a contact remove: several may name one input, and any of them may lose a conflict. */
import { type EpochMs, type Input, type Interaction, RETRACTION } from "../events/types.js";

const none: ReadonlyMap<string, number> = new Map();

export class Retractions {
  /**
   * `at id` of what is removed -> how many retractions do so. Null: none, as with nearly every contact; an empty map is
   * larger than it looks.
   */
  #counts: Map<string, number> | null;

  constructor(counts?: ReadonlyMap<string, number>) {
    this.#counts = counts === undefined || counts.size === 0 ? null : new Map(counts);
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts ?? none;
  }

  /** @returns whether it is the first that removes what it names */
  add(retraction: Interaction): boolean {
    const target = retractedKey(retraction);
    this.#counts ??= new Map();
    const count = this.#counts.get(target) ?? 0;
    this.#counts.set(target, count + 1);
    return count === 0;
  }

  /** @returns whether it was the last that removed what it names */
  remove(retraction: Interaction): boolean {
    const target = retractedKey(retraction);
    const count = this.#counts?.get(target) ?? 1;
    if (count > 1) this.#counts?.set(target, count - 1);
    else this.#counts?.delete(target);
    return count === 1;
  }

  removes(input: Input): boolean {
    return this.#counts !== null && this.#counts.size > 0 && this.#counts.has(targetKey(input));
  }
}

export function isRetraction(input: Input): input is Interaction {
  return input.kind === "interaction" && input.type === RETRACTION;
}

/** What a retraction would have to name to remove this input; a profile or a retraction can't be named. */
export function targetKey(input: Input): string {
  return input.kind === "profile" || isRetraction(input) ? "" : `${input.at} ${input.id}`;
}

/** What a retraction names. */
export function retractedKey(retraction: Interaction): string {
  const { at, id } = retraction.attributes;
  return `${String(at)} ${String(id)}`;
}

/** The instant that a retraction names. */
export function retractedAt(retraction: Interaction): EpochMs {
  return Number(retraction.attributes["at"]);
}
