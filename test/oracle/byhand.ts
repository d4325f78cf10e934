/**
 * Short ways to write checked models and inputs of one contact by hand.
 */
import type { Adjustment, Input, Interaction, JsonObject, Output } from "../../src/events/types.js";
import type { AccumulatingRule, Model, Points, ProfileRule, Rule, StandingRule } from "../../src/model/types.js";
import { oracle } from "./oracle.js";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const START = Date.UTC(2026, 4, 1);

const number = (value: number): Points => ({ kind: "number", value });

export function model(parts: Partial<Model> & { rules: readonly Rule[] }): Model {
  const score = parts.score ?? { min: 0, max: 100 };
  return {
    id: "lead",
    version: 1,
    timeZone: "UTC",
    score,
    dimensions: [{ id: "score", ...score }],
    thresholds: [],
    triggers: [],
    grades: [],
    routes: {},
    lift: [],
    ...parts,
  };
}

type PointsEffect = Extract<AccumulatingRule["effect"], { kind: "points" }>;

export function each(when: string, points: number, parts: Partial<PointsEffect> = {}): AccumulatingRule {
  const effect = { kind: "points", dimension: "score", points: number(points), weight: 1, ...parts } as const;
  return {
    family: "accumulating",
    id: `each ${when}`,
    where: [],
    when: [when],
    automated: "skip",
    scopeResource: false,
    effect: { periodCaps: [], decays: false, ...effect },
  };
}

export function sets(when: string, set: number): AccumulatingRule {
  return { ...each(when, 0), id: `set ${when}`, effect: { kind: "set", dimension: "score", set } };
}

export function standing(when: string, points: number, parts: Partial<StandingRule>): StandingRule {
  return {
    family: "standing",
    id: `standing ${when} ${JSON.stringify(parts.times ?? null)}`,
    where: [],
    when: [when],
    automated: "skip",
    scopeResource: false,
    dimension: "score",
    points: number(points),
    weight: 1,
    ...parts,
  };
}

export function profileRule(field: string, value: string, points: number, dimension = "score"): ProfileRule {
  return {
    family: "profile",
    id: `${field} ${value}`,
    where: [{ op: "is", field: ["contact", field], value }],
    dimension,
    points: number(points),
    weight: 1,
  };
}

let counter = 0;
export function act(type: string, at: number, parts: Partial<Interaction> = {}): Interaction {
  counter += 1;
  return { kind: "interaction", id: `i${counter}`, tenantId: "t", contactId: "c", type, at, attributes: {}, ...parts };
}

export function profile(at: number, fields: JsonObject | null, id = ""): Input {
  return { kind: "profile", id, tenantId: "t", contactId: "c", at, fields };
}

export function retract(target: Input, at: number): Input {
  return act("interaction.retracted", at, { attributes: { id: target.id, at: target.at } });
}

export function adjust(at: number, add: number): Adjustment {
  counter += 1;
  return { kind: "adjustment", id: `a${counter}`, tenantId: "t", contactId: "c", at, model: "lead", add };
}

export function scoreOf(one: Model, inputs: readonly Input[], asOf: number): number | undefined {
  return oracle([one], inputs, asOf).lines[0]?.score;
}

/** The score after each input, at its own instant. */
export function course(one: Model, inputs: readonly Input[]): (number | undefined)[] {
  return inputs.map((input) => scoreOf(one, inputs, input.at));
}

export function crossings(outputs: readonly Output[]): string[] {
  return outputs
    .filter((output) => output.kind === "ThresholdCrossed")
    .map((output) => `${output.crossing} ${output.id} ${output.direction} ${output.previous}->${output.current}`);
}
