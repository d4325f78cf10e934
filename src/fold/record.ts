/** What is kept of a contact between inputs. */
import type { EpochMs, InputKey } from "../events/types.js";
import type { Published } from "./decide.js";
import type { Snapshot } from "./history.js";
import type { ModelState } from "./state.js";

/** What is known of a contact beside its history: enough to go on from. */
export interface ContactRecord {
  /** Under each model, in the order of the models. */
  readonly states: readonly ModelState[];
  readonly published: readonly Published[];
  readonly clock: EpochMs | null;
  readonly newest: InputKey | null;
  /** How many inputs the history has, and how many of them are in force. */
  readonly inputs: number;
  readonly inForce: number;
  readonly erasedUntil: EpochMs | null;
  /** `at id` of what the received retractions remove, and how many of them do. */
  readonly retracted: ReadonlyMap<string, number>;
  /** As in `Conflicts`. */
  readonly conflicts: ReadonlyMap<string, number>;
  readonly snapshots: readonly Snapshot[];
}
