/**
 * What the inputs of one contact are, by the order in which they came: which of them are in the history, and which
 * records are answered with a dead letter. Written without a look at the engine's own.
 */
import type { EpochMs, Input } from "../../src/events/types.js";
import { canonicalJson, compareText } from "../oracle/order.js";

export class ArrivedContact {
  /** All that came, also what was erased or sent again. */
  readonly received: Input[] = [];
  readonly #held = new Map<string, Input>();
  erasedUntil: EpochMs | null = null;

  /** @returns the input that a dead letter is to be about; null: none is */
  take(input: Input): Input | null {
    this.received.push(input);
    if (this.erasedUntil !== null && input.at <= this.erasedUntil) return null;
    if (input.kind === "profile" && input.fields === null) {
      this.erasedUntil = input.at;
      for (const [key, { at }] of this.#held) if (at <= input.at) this.#held.delete(key);
      return null;
    }
    const key = JSON.stringify([input.at, input.kind, input.id]);
    const held = this.#held.get(key);
    if (held === undefined) {
      this.#held.set(key, input);
      return null;
    }
    const order = compareText(textOf(held), textOf(input));
    if (order === 0) return null;
    if (order < 0) return input;
    this.#held.set(key, input);
    return held;
  }

  get inputs(): Input[] {
    return [...this.#held.values()];
  }
}

export function textOf(input: Input): string {
  return canonicalJson(JSON.parse(JSON.stringify(input)));
}
