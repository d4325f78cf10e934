/**
 * How the model language compares texts: without regard to case, and as numbers where a number is wanted. Both are the
 * same on every machine: no locale takes part.
 */

const decimalPattern = /^-?[0-9]+(\.[0-9]+)?$/;

/**
 * Lower-cases code point by code point (Unicode simple lower-casing), so that a text's case never depends on its
 * neighbours: U+0130 is `i`, a capital sigma is always `σ`.
 */
export function simpleLowerCase(text: string): string {
  // These two are all that `toLowerCase` maps otherwise than the simple mapping does.
  if (text.includes("\u0130") || text.includes("\u03a3")) {
    return text.replaceAll("\u0130", "i").replaceAll("\u03a3", "\u03c3").toLowerCase();
  }
  return text.toLowerCase();
}

/**
 * The number that a text is wholly written as, `-?[0-9]+(\.[0-9]+)?`; undefined for every other text, and for one too
 * large to be a finite number.
 */
export function decimal(text: string): number | undefined {
  if (!decimalPattern.test(text)) {
    return undefined;
  }
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
