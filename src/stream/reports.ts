/** What a task tells of its work. */
import type { Gathered } from "./batch.js";

/** What one commit did. */
export interface CommitReport {
  readonly kind: "inputs" | "timers" | "models";
  /** Whether it only repeats what was published before. */
  readonly isMuted: boolean;
  readonly gathered: Gathered;
  readonly foldMs: number;
  readonly publishMs: number;
}

export interface WriteReport {
  readonly contacts: number;
  readonly inputs: number;
  readonly ms: number;
}
