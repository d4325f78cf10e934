/** The score of one contact under one model at its state's clock. */
import type { ContactId, ScoreLine, TenantId } from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import { dimensionPointsById, gradeId } from "./decide.js";
import type { ModelState } from "./state.js";

/** @returns null for a contact without an input in force: it has no score, which is not a score of 0. */
export function scoreLine(
  model: CompiledModel,
  tenantId: TenantId,
  contactId: ContactId,
  state: ModelState,
): ScoreLine | null {
  if (state.firstSight === null) return null;
  const { flags } = state;
  return {
    tenantId,
    contactId,
    model: model.model.id,
    version: model.model.version,
    score: flags.score,
    grade: gradeId(model, flags.grade),
    dimensions: dimensionPointsById(model, flags.dimensions),
    salesReady: flags.salesReady,
    suppressed: state.suppressed,
    lastActivityAt: state.lastActivity,
  };
}
