/** Short ways to write what the unit tests of the fold are given: models as text, inputs of one contact, and the state. */
import type { Adjustment, EpochMs, Input, Interaction, JsonObject, Output, Profile } from "../../src/events/types.js";
import { ContactFold } from "../../src/fold/contact.js";
import { advance, fold } from "../../src/fold/fold.js";
import { initial } from "../../src/fold/initial.js";
import type { ModelState } from "../../src/fold/state.js";
import { checkModel } from "../../src/model/check.js";
import { type CompiledModel, compile } from "../../src/model/compile.js";
import type { Model } from "../../src/model/types.js";

export const hour = 3_600_000;
export const day = 24 * hour;
/** A Monday, 00:00 UTC. */
export const start = Date.UTC(2026, 0, 5);

/** A checked model `lead`, version 1, of this YAML; `model` and `version` may be in the text. */
export function checked(text: string): Model {
  const head = text.includes("model:") ? "" : "model: lead\nversion: 1\n";
  const result = checkModel(head + text, "lead.yaml");
  if (!result.ok) throw new Error(result.problems.map(({ path, message }) => `${path}: ${message}`).join("\n"));
  return result.model;
}

export function lead(text: string): CompiledModel {
  return compile(checked(text));
}

let made = 0;

/** An interaction `after` milliseconds after `start`; its id sorts behind those made before, unless it is given. */
export function did(type: string, after: number, parts: Partial<Interaction> = {}): Interaction {
  made += 1;
  const id = `i${String(made).padStart(6, "0")}`;
  return {
    kind: "interaction",
    id,
    tenantId: "acme",
    contactId: "ann",
    at: start + after,
    type,
    attributes: {},
    ...parts,
  };
}

export function profile(after: number, fields: JsonObject | null, id = ""): Profile {
  return { kind: "profile", id, tenantId: "acme", contactId: "ann", at: start + after, fields };
}

export function adjusted(after: number, parts: Partial<Adjustment>): Adjustment {
  made += 1;
  const id = `a${String(made).padStart(6, "0")}`;
  return { kind: "adjustment", id, tenantId: "acme", contactId: "ann", at: start + after, model: "lead", ...parts };
}

export function retraction(of: Input, after: number, parts: Partial<Interaction> = {}): Interaction {
  return did("interaction.retracted", after, { attributes: { id: of.id, at: of.at }, ...parts });
}

/** The state after these inputs, which are in key order, and after time has passed up to `start + until`. */
export function folded(model: CompiledModel, inputs: readonly Input[], until?: number): ModelState {
  const state = initial(model);
  for (const input of inputs) fold(model, state, input);
  if (until !== undefined) advance(model, state, start + until);
  return state;
}

/** The score at `start + until`, of inputs in key order. */
export function scoreAt(model: CompiledModel, inputs: readonly Input[], until: number): number {
  return folded(
    model,
    inputs.filter(({ at }) => at <= start + until),
    until,
  ).flags.score;
}

/** The score at each of these instants (after `start`). */
export function scoresAt(model: CompiledModel, inputs: readonly Input[], untils: readonly number[]): number[] {
  return untils.map((until) => scoreAt(model, inputs, until));
}

/** The ledger lines of a dimension that are not 0, by rule; those of the decaying pool are marked `~`. */
export function ledger(model: CompiledModel, state: ModelState, dimension = 0): Record<string, number> {
  const lines: Record<string, number> = {};
  model.lines.forEach((line, i) => {
    if (line.dimension !== dimension || state.lines[i] === 0) return;
    lines[`${line.pool === "decaying" ? "~" : ""}${line.name}`] = state.lines[i]!;
  });
  return lines;
}

export function contact(...models: CompiledModel[]): ContactFold {
  return new ContactFold(models, "acme", "ann", { history: "kept" });
}

/** What is published of these inputs, received as they come, and of the time up to `start + until`. */
export function outputsOf(model: CompiledModel, inputs: readonly Input[], until?: number): Output[] {
  const one = contact(model);
  for (const input of inputs) one.receive(input);
  if (until !== undefined) one.advance(start + until);
  return one.drain();
}

/** One line for each output: `12h score 0 -> 30 by interaction` and `12h threshold 25 up`. */
export function told(outputs: readonly Output[]): string[] {
  return outputs.map((output) => {
    const when = hours(output.at);
    switch (output.kind) {
      case "ScoreChanged":
        return `${when} score ${output.previous} -> ${output.current} by ${output.cause.kind}`;
      case "ThresholdCrossed":
        return `${when} ${output.crossing} ${output.id} ${output.direction}`;
      case "ContactErased":
        return `${when} erased`;
      default:
        return output satisfies never;
    }
  });
}

function hours(at: EpochMs): string {
  return `${(at - start) / hour}h`;
}
