/** Outputs as the engine and the oracle are compared by them. */
import type { Output } from "../../src/events/types.js";

/** Ids and what moved are the engine's own. */
export function comparable(output: Output): object {
  switch (output.kind) {
    case "ScoreChanged":
      return { ...output, id: "", lines: [] };
    case "ThresholdCrossed":
      return { ...output, eventId: "" };
    case "ContactErased":
      return { ...output, id: "" };
  }
}
