/** The text of a score line as the contract has it, written without the code under test. */
import type { ScoreLine } from "../../src/events/types.js";

export function scoreLineText(line: ScoreLine): string {
  const { tenantId, contactId, model, version, score, grade, dimensions, salesReady, suppressed, lastActivityAt } =
    line;
  const known = { tenantId, contactId, model, version, score, grade, dimensions, salesReady, suppressed };
  return JSON.stringify({ ...known, lastActivityAt });
}
