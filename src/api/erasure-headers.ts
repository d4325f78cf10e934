/** What the answer to an erasure, which has no body, tells in its headers: counts, and an instant in milliseconds. */
export const ERASED_UNTIL = "X-Erased-Until";
export const LATER_INPUTS = "X-Later-Inputs";
export const DEAD_LETTERS = "X-Dead-Letters";
export const MENTIONS = "X-Mentions";
