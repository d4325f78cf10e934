/** The order inputs are folded in. Everything that sorts inputs uses these functions and no others. */
import type { Input } from "./types.js";

/** Of inputs at one instant, these kinds come in this order. */
const kindRanks = { profile: 0, population: 1, interaction: 2, adjustment: 3 } as const;

/** The place of a kind among those of one instant: 0 comes first. */
export function kindRank(kind: keyof typeof kindRanks): number {
  return kindRanks[kind];
}

/**
 * Compares texts by code point, which is the order of their UTF-8 bytes. (JavaScript's own `<` compares UTF-16 units
 * and puts U+10000 and above before U+E000.)
 *
 * @returns below 0, 0 or above 0
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) {
      return left < 0xd800 || right < 0xd800 ? left - right : surrogatesLast(left) - surrogatesLast(right);
    }
  }
  return a.length - b.length;
}

/** Moves surrogates, which stand for U+10000 and above, behind U+E000..U+FFFF. */
function surrogatesLast(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** Compares inputs of one contact by their key `(at, kind, id)`; 0 means the same key. */
export function compareInputs(a: Input, b: Input): number {
  return a.at - b.at || kindRanks[a.kind] - kindRanks[b.kind] || compareText(a.id, b.id);
}
