/**
 * Turns a checked model into what the fold runs: closures instead of conditions, numbered lines instead of names, and
 * for each interaction type the rules it can match. Nothing here depends on a contact.
 */
import { RETRACTION } from "../events/types.js";
import { allOf, type Predicate } from "./conditions.js";
import { type CompiledDimension, dimensionOf, type Layout, type Line, layOut } from "./layout.js";
import { clamp } from "./numbers.js";
import { type PeriodOf, periodOf } from "./periods.js";
import { type PointsOf, pointsOf, readsContact } from "./points.js";
import { type Total, totalOf } from "./total.js";
import type {
  AccumulatingRule,
  AutomatedPolicy,
  DurationMs,
  InactiveRule,
  Model,
  ProfileRule,
  Repeat,
  StandingRule,
  TypePattern,
} from "./types.js";

const cachedTypesMax = 10_000;

export interface CompiledModel {
  readonly model: Model;
  readonly dimensions: readonly CompiledDimension[];
  readonly lines: readonly Line[];
  /** Standing and profile rules with their place in a state's `standing` values; grouped by dimension, in model order. */
  readonly standing: readonly (CompiledStanding | CompiledProfile)[];
  readonly inactive: readonly CompiledInactive[];
  /** The thresholds' indexes by rising `at`: a model may list them in any order. */
  readonly thresholdOrder: readonly number[];
  /** How many rules keep seen resources, windows and period sums in a state. */
  readonly scopes: number;
  readonly periods: number;
  /** All standing rules, each with its place in a state's `windows`. */
  readonly standingRules: readonly CompiledStanding[];
  /** What an interaction of this type can do under the model. */
  readonly planFor: (type: string) => Plan;
  /** The total before it is clamped and rounded, from clamped dimensions in model order. */
  readonly total: Total;
}

interface Matching {
  readonly index: number;
  readonly id: string;
  readonly automated: AutomatedPolicy;
  readonly where: Predicate;
}

interface Scoped {
  /** Place of the rule's seen resources in a state, or -1. */
  readonly scope: number;
}

export interface CompiledPoints extends Matching, Scoped {
  readonly dimension: number;
  readonly line: number;
  readonly points: PointsOf;
  readonly weight: number;
  readonly repeat: Repeat | null;
  readonly cap: number | null;
  readonly periodCaps: readonly CompiledPeriodCap[];
}

export interface CompiledPeriodCap {
  readonly points: number;
  readonly periodOf: PeriodOf;
  /** Place of the period and its net sum in a state. */
  readonly place: number;
}

export interface CompiledSet extends Matching, Scoped {
  readonly targets: readonly SetTarget[];
}

export interface SetTarget {
  readonly dimension: number;
  /** The rule's lasting line there. */
  readonly line: number;
  /** What the dimension is to show, inside its range. */
  readonly value: number;
}

export type CompiledSuppress = Matching & Scoped;

export interface CompiledStanding extends Matching {
  readonly family: "standing";
  readonly dimension: number;
  /** Place in a state's `standing` values. */
  readonly place: number;
  /** Place in a state's `windows`. */
  readonly window: number;
  readonly points: PointsOf;
  readonly pointsReadContact: boolean;
  readonly weight: number;
  readonly cap: number | null;
  readonly withinMs: DurationMs | null;
  readonly times: { readonly min: number; readonly max: number } | null;
  readonly afterMs: DurationMs;
  readonly recency: StandingRule["recency"] | null;
  readonly repeat: Repeat | null;
  readonly scopeResource: boolean;
  /** False for a `times` rule without `min`: a match of it is no sign of interest. */
  readonly countsAsActivity: boolean;
}

export interface CompiledProfile {
  readonly family: "profile";
  readonly index: number;
  readonly id: string;
  readonly dimension: number;
  readonly place: number;
  readonly where: Predicate;
  readonly points: PointsOf;
  readonly weight: number;
  readonly cap: number | null;
}

export interface CompiledInactive {
  readonly index: number;
  readonly id: string;
  readonly inactiveMs: DurationMs;
  readonly where: Predicate;
  readonly effect: CompiledPoints | { readonly targets: readonly SetTarget[] };
}

/** The rules an interaction of one type can match, by when they act; empty lists where there are none. */
export interface Plan {
  readonly standing: readonly CompiledStanding[];
  readonly sets: readonly CompiledSet[];
  readonly suppresses: readonly CompiledSuppress[];
  readonly points: readonly CompiledPoints[];
  readonly lifts: boolean;
  /** True/false where the model lists its activity; null where activity is a match with positive points. */
  readonly activity: boolean | null;
}

/** @param model as `checkModel` returns it: nothing is checked again here. */
export function compile(model: Model): CompiledModel {
  const layout = layOut(model);
  const compiled = compileRules(model, layout);
  return {
    model,
    dimensions: layout.dimensions,
    lines: layout.lines,
    standing: layout.standingRules.map((index) => {
      const rule = compiled.standing.get(index);
      if (rule === undefined) throw new Error(`rule ${index} is not standing`);
      return rule;
    }),
    inactive: compiled.inactive,
    thresholdOrder: model.thresholds.map((_, i) => i).sort((a, b) => model.thresholds[a]!.at - model.thresholds[b]!.at),
    scopes: compiled.scopes,
    periods: compiled.periods,
    standingRules: compiled.windows,
    planFor: planner(model, compiled),
    total: totalOf(model),
  };
}

interface CompiledRules {
  readonly points: CompiledPoints[];
  readonly sets: CompiledSet[];
  readonly suppresses: CompiledSuppress[];
  readonly windows: CompiledStanding[];
  readonly standing: Map<number, CompiledStanding | CompiledProfile>;
  readonly inactive: CompiledInactive[];
  scopes: number;
  periods: number;
}

function compileRules(model: Model, layout: Layout): CompiledRules {
  const into: CompiledRules = {
    points: [],
    sets: [],
    suppresses: [],
    windows: [],
    standing: new Map(),
    inactive: [],
    scopes: 0,
    periods: 0,
  };
  model.rules.forEach((rule, index) => {
    switch (rule.family) {
      case "accumulating":
        compileAccumulating(model, layout, rule, index, into);
        break;
      case "standing": {
        const compiled = compileStanding(layout, rule, index, into.windows.length);
        into.windows.push(compiled);
        into.standing.set(index, compiled);
        break;
      }
      case "profile":
        into.standing.set(index, compileProfile(layout, rule, index));
        break;
      case "inactive":
        into.inactive.push(compileInactive(layout, rule, index));
        break;
    }
  });
  return into;
}

function compileAccumulating(
  model: Model,
  layout: Layout,
  rule: AccumulatingRule,
  index: number,
  into: CompiledRules,
): void {
  const base = {
    index,
    id: rule.id,
    automated: rule.automated,
    where: allOf(rule.where),
    scope: rule.scopeResource ? into.scopes++ : -1,
  };
  const { effect } = rule;
  switch (effect.kind) {
    case "suppress":
      into.suppresses.push(base);
      return;
    case "set":
      into.sets.push({ ...base, targets: setTargets(layout, index, effect.dimension, effect.set) });
      return;
    case "points": {
      const periodCaps = effect.periodCaps.map(({ points, per }) => ({
        points,
        periodOf: periodOf(per, model.timeZone),
        place: into.periods++,
      }));
      into.points.push({ ...base, ...pointsEffect(layout, index, effect), repeat: effect.repeat ?? null, periodCaps });
      return;
    }
  }
}

function pointsEffect(
  layout: Layout,
  index: number,
  effect: Extract<InactiveRule["effect"], { kind: "points" }>,
): Pick<CompiledPoints, "dimension" | "line" | "points" | "weight" | "cap"> {
  const dimension = dimensionOf(layout, effect.dimension);
  const pool = effect.decays ? "decaying" : "lasting";
  return {
    dimension,
    line: layout.lineOf(index, dimension, pool),
    points: pointsOf(effect.points),
    weight: effect.weight,
    cap: effect.cap ?? null,
  };
}

function setTargets(layout: Layout, index: number, dimension: string, value: number): SetTarget[] {
  return layout.dimensions.flatMap((target, at) =>
    dimension === "all" || dimension === target.id
      ? [
          {
            dimension: at,
            line: layout.lineOf(index, at, "lasting"),
            value: clamp(value, target.min, target.max),
          },
        ]
      : [],
  );
}

function compileStanding(layout: Layout, rule: StandingRule, index: number, window: number): CompiledStanding {
  const { times } = rule;
  return {
    family: "standing",
    index,
    id: rule.id,
    automated: rule.automated,
    where: allOf(rule.where),
    dimension: dimensionOf(layout, rule.dimension),
    place: layout.standingRules.indexOf(index),
    window,
    points: pointsOf(rule.points),
    pointsReadContact: readsContact(rule.points),
    weight: rule.weight,
    cap: rule.cap ?? null,
    withinMs: rule.within ?? null,
    times: times === undefined ? null : { min: times.min ?? 0, max: times.max ?? Number.POSITIVE_INFINITY },
    afterMs: rule.after ?? 0,
    recency: rule.recency ?? null,
    repeat: rule.repeat ?? null,
    scopeResource: rule.scopeResource,
    countsAsActivity: times === undefined || times.min !== undefined,
  };
}

function compileProfile(layout: Layout, rule: ProfileRule, index: number): CompiledProfile {
  return {
    family: "profile",
    index,
    id: rule.id,
    dimension: dimensionOf(layout, rule.dimension),
    place: layout.standingRules.indexOf(index),
    where: allOf(rule.where),
    points: pointsOf(rule.points),
    weight: rule.weight,
    cap: rule.cap ?? null,
  };
}

function compileInactive(layout: Layout, rule: InactiveRule, index: number): CompiledInactive {
  const base = { index, id: rule.id, inactiveMs: rule.inactive, where: allOf(rule.where) };
  const { effect } = rule;
  if (effect.kind === "set")
    return { ...base, effect: { targets: setTargets(layout, index, effect.dimension, effect.set) } };
  return {
    ...base,
    effect: {
      ...pointsEffect(layout, index, effect),
      index,
      id: rule.id,
      automated: "count",
      where: base.where,
      scope: -1,
      repeat: null,
      periodCaps: [],
    },
  };
}

function planner(model: Model, rules: CompiledRules): (type: string) => Plan {
  const listed = (index: number, type: string): boolean => {
    const rule = model.rules[index];
    return rule !== undefined && "when" in rule && matchesType(rule.when, type);
  };
  const make = (type: string): Plan => {
    const some = type !== RETRACTION;
    return {
      standing: rules.windows.filter((rule) => some && listed(rule.index, type)),
      sets: rules.sets.filter((rule) => some && listed(rule.index, type)),
      suppresses: rules.suppresses.filter((rule) => some && listed(rule.index, type)),
      points: rules.points.filter((rule) => some && listed(rule.index, type)),
      lifts: some && matchesType(model.lift, type),
      activity: model.activity === undefined ? null : some && matchesType(model.activity, type),
    };
  };
  const plans = new Map<string, Plan>();
  return (type) => {
    let plan = plans.get(type);
    if (plan === undefined) {
      plan = make(type);
      // Types are an open set: a source that makes one up for each input must not fill the memory.
      if (plans.size >= cachedTypesMax) plans.clear();
      plans.set(type, plan);
    }
    return plan;
  };
}

/** Patterns are exact types, prefixes written `email.*`, or `*`. */
export function matchesType(patterns: readonly TypePattern[], type: string): boolean {
  return patterns.some((pattern) => {
    if (pattern === "*") return true;
    return pattern.endsWith(".*") ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
  });
}
