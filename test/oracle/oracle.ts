/**
 * A second, naive reading of what scores mean, to hold the engine against. It shares nothing with the engine but the
 * types: no indexes, no running sums, no snapshots. Obvious first, slow without shame.
 *
 * Out of scope: account targets, identity links, percentage models, population inputs. Ids of outputs are empty and
 * `ScoreChanged.lines` is left empty: what compares is to ignore them.
 */
import type { EpochMs, Input, Output, ScoreLine } from "../../src/events/types.js";
import type { Model } from "../../src/model/types.js";
import { History } from "./history.js";
import { compareText, settle } from "./order.js";

export interface OracleResult {
  /** Sorted by tenant, contact, model. */
  readonly lines: ScoreLine[];
  /** By tenant, contact; per contact as if the inputs had come in key order. */
  readonly outputs: Output[];
  /** Each content once, however often it came. */
  readonly conflicts: Input[];
}

/**
 * Lines, outputs and conflicts of a set of inputs as of an instant (inclusive, ms); the order of `inputs` means
 * nothing. `models` have distinct ids.
 */
export function oracle(models: readonly Model[], inputs: readonly Input[], asOf: EpochMs): OracleResult {
  const known = inputs.filter((input) => input.at <= asOf);
  const contacts = new Map<string, Input[]>();
  for (const input of known) {
    const key = JSON.stringify([input.tenantId, input.contactId]);
    contacts.set(key, [...(contacts.get(key) ?? []), input]);
  }
  const ordered = [...contacts.values()].sort(
    ([a], [b]) => compareText(a!.tenantId, b!.tenantId) || compareText(a!.contactId, b!.contactId),
  );
  const result: OracleResult = { lines: [], outputs: [], conflicts: [] };
  for (const group of ordered) {
    const { tenantId, contactId } = group[0]!;
    const own = models
      .filter((model) => model.tenants === undefined || model.tenants.includes(tenantId))
      .sort((a, b) => compareText(a.id, b.id));
    const { held, conflicts } = settle(group);
    const history = new History(tenantId, contactId, own);
    for (const input of held) history.take(input);
    history.advance(asOf);
    result.lines.push(...history.lines(asOf));
    result.outputs.push(...history.outputs);
    result.conflicts.push(...conflicts);
  }
  return result;
}
