/** Of several inputs with one key, which one holds. The answer does not depend on the order they came in. */
import { canonicalJson } from "../events/canonical.js";
import { compareText } from "../events/order.js";
import type { PlacedInput } from "./sort.js";

export interface Resolved {
  readonly kept: PlacedInput;
  /** Other contents under the same key, one of each: they are dead letters. */
  readonly conflicts: readonly PlacedInput[];
  /** How many inputs said again what another one says. */
  readonly duplicates: number;
  /** Profiles with the key of an erasure, which holds. */
  readonly erased: number;
}

/**
 * Decides between inputs of one contact with the same key: an erasure holds over profiles; else the smallest canonical
 * JSON holds.
 *
 * @param copies at least one
 */
export function resolveCopies(copies: readonly PlacedInput[]): Resolved {
  const contents = new Map<string, PlacedInput>();
  for (const copy of copies) {
    const text = canonicalJson(copy.input);
    if (!contents.has(text)) contents.set(text, copy);
  }
  const distinct = [...contents].sort(([a], [b]) => compareText(a, b)).map(([, copy]) => copy);
  const duplicates = copies.length - distinct.length;
  const erasure = distinct.find(({ input }) => input.kind === "profile" && input.fields === null);
  if (erasure !== undefined) return { kept: erasure, conflicts: [], duplicates, erased: distinct.length - 1 };
  const [kept, ...conflicts] = distinct;
  return { kept: kept as PlacedInput, conflicts, duplicates, erased: 0 };
}
