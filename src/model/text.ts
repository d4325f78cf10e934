/**
 * How the model language compares texts: without regard to case, spelling variants of Unicode and blanks at the ends, and
 * as numbers where a number is wanted. Both are the same on every machine: no locale takes part.
 */

const decimalPattern = /^[+-]?[0-9]+(\.[0-9]+)?$/;
const asciiPattern = /^[\0-\x7f]*$/;

/**
 * The form in which texts are compared: NFKC ("Zürich" is one text, however its ü is composed, and full-width letters are
 * letters), without white space at the ends, lower-cased.
 */
export function comparedForm(text: string): string {
  return simpleLowerCase(normalForm(text));
}

/** NFKC, without white space at the ends; letters keep their case. */
export function normalForm(text: string): string {
  return (asciiPattern.test(text) ? text : text.normalize("NFKC")).trim();
}

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
 * The number that a text is wholly written as, `[+-]?[0-9]+(\.[0-9]+)?` with white space around it; undefined for every
 * other text, and for one too large to be a finite number.
 */
export function decimal(text: string): number | undefined {
  const trimmed = text.trim();
  if (!decimalPattern.test(trimmed)) {
    return undefined;
  }
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : undefined;
}
