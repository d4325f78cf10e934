/** Where a contact stands before its first input. */
import type { EpochMs } from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import { emptyEvaluation } from "./evaluate.js";
import { type ModelState, NEVER } from "./state.js";
import { newWindow } from "./windows.js";

/** The state of a contact before its first input. */
export function initial(model: CompiledModel): ModelState {
  const rules = model.model.rules.length;
  return {
    clock: null,
    firstSight: null,
    lastActivity: null,
    profile: null,
    suppressed: false,
    lines: new Array<number>(model.lines.length).fill(0),
    standing: new Array<number>(model.standing.length).fill(0),
    matches: new Array<number>(rules).fill(0),
    lastMatch: new Array<EpochMs>(rules).fill(NEVER),
    windows: model.standingRules.map(newWindow),
    seen: new Array<null>(model.scopes).fill(null),
    periods: Array.from({ length: model.periods }, () => ({ period: null, net: 0 })),
    flags: emptyEvaluation(model),
    cache: {
      due: null,
      windowsDue: null,
      resting: model.dimensions.map(() => false),
      moved: model.dimensions.map(() => true),
      points: model.dimensions.map(() => 0),
    },
  };
}
