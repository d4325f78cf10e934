/** What `ContactFold` is told and what it tells. */
import type { Input } from "../events/types.js";

export interface ContactFoldOptions {
  /**
   * `kept`: all of it, in memory. `none`: inputs come in key order, and none of them is retracted after it was folded.
   * `stored`: it lies elsewhere; `needs` tells which part of it `receive` has to see, and `load` brings it.
   */
  readonly history: "kept" | "none" | "stored";
}

/**
 * What became of a received input. `conflict`: another input with the same key but other content; the one with the
 * smaller canonical JSON is in force, the `loser` is not.
 */
export type Received =
  | { readonly status: "folded" | "late" | "duplicate" | "erased" }
  | { readonly status: "conflict"; readonly loser: Input };
