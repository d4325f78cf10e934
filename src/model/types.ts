/**
 * A checked model: every default filled in, every duration in milliseconds, every rule in one of four families.
 * `check` makes it from a file, `compile` makes closures of it, `print` turns it back into text.
 */
import type { ModelId, TenantId } from "../events/types.js";

/** A length of time in milliseconds. */
export type DurationMs = number;

export interface Model {
  readonly id: ModelId;
  readonly version: number;
  readonly name?: string;
  /** Absent: every tenant. */
  readonly tenants?: readonly TenantId[];
  /** IANA name; calendar periods only. */
  readonly timeZone: string;
  readonly score: Range;
  /** At least one; in model order. */
  readonly dimensions: readonly Dimension[];
  /** Absent: the sum of the dimensions in model order. */
  readonly total?: Formula;
  readonly rules: readonly Rule[];
  readonly thresholds: readonly Threshold[];
  readonly triggers: readonly Trigger[];
  /** Ascending by `from`; empty where the model has none. */
  readonly grades: readonly Grade[];
  readonly salesReady?: number;
  /** Grade id -> queue. */
  readonly routes: Readonly<Record<string, string>>;
  /** Absent: what matched a rule with positive points. */
  readonly activity?: readonly TypePattern[];
  readonly lift: readonly TypePattern[];
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface Dimension extends Range {
  readonly id: string;
  readonly decay?: Decay;
}

export type Decay =
  | { readonly kind: "percent"; readonly percent: number; readonly every: DurationMs; readonly floor?: number }
  | { readonly kind: "cycle"; readonly cycle: DurationMs; readonly step: DurationMs; readonly floor?: number }
  | { readonly kind: "halfLife"; readonly halfLife: DurationMs; readonly step: DurationMs; readonly floor?: number };

export type Formula =
  | { readonly op: "number"; readonly value: number }
  | { readonly op: "dimension"; readonly id: string }
  | { readonly op: "negate"; readonly of: Formula }
  | { readonly op: "+" | "-" | "*" | "/"; readonly left: Formula; readonly right: Formula };

/** An exact type, a prefix written `email.*`, or `*` for all. */
export type TypePattern = string;

export type Rule = AccumulatingRule | StandingRule | ProfileRule | InactiveRule;

interface RuleBase {
  readonly id: string;
  /** All must hold; empty: always. */
  readonly where: readonly Condition[];
}

export type AutomatedPolicy = "skip" | "skipMaybe" | "count";

/** Each match moves its dimension when it happens: by points, by setting it, or by suppressing the total. */
export interface AccumulatingRule extends RuleBase {
  readonly family: "accumulating";
  readonly when: readonly TypePattern[];
  readonly automated: AutomatedPolicy;
  /** Only the first match of each resource is taken. */
  readonly scopeResource: boolean;
  readonly effect:
    | {
        readonly kind: "points";
        readonly dimension: string;
        readonly points: Points;
        readonly weight: number;
        readonly repeat?: Repeat;
        readonly cap?: number;
        readonly periodCaps: readonly PeriodCap[];
        /** True: its line is in the decaying pool. */
        readonly decays: boolean;
      }
    | { readonly kind: "set"; readonly dimension: string | "all"; readonly set: number }
    | { readonly kind: "suppress" };
}

/** Recomputed at every instant from the matches so far (inside its window). */
export interface StandingRule extends RuleBase {
  readonly family: "standing";
  readonly when: readonly TypePattern[];
  readonly automated: AutomatedPolicy;
  /** Only the latest match of each resource (inside the window) is taken. */
  readonly scopeResource: boolean;
  readonly dimension: string;
  readonly points: Points;
  readonly weight: number;
  readonly cap?: number;
  /** Whole hours. Absent: all history. */
  readonly within?: DurationMs;
  /** Gives the points once while min <= count <= max. `min` absent is 0, `max` absent is no bound; never both. */
  readonly times?: { readonly min?: number; readonly max?: number };
  /** Only with times: holds the rule back until first sight + after. */
  readonly after?: DurationMs;
  /** Not with times: weighs each match by its age; ascending by `within` (whole hours). */
  readonly recency?: { readonly steps: readonly RecencyStep[]; readonly else: number };
  /** Not with times or scope. */
  readonly repeat?: Repeat;
}

/** Recomputed from the profile in force. */
export interface ProfileRule extends RuleBase {
  readonly family: "profile";
  readonly dimension: string;
  readonly points: Points;
  readonly weight: number;
  readonly cap?: number;
}

/** Accumulates once per spell of silence. */
export interface InactiveRule extends RuleBase {
  readonly family: "inactive";
  readonly inactive: DurationMs;
  readonly effect:
    | {
        readonly kind: "points";
        readonly dimension: string;
        readonly points: Points;
        readonly weight: number;
        readonly cap?: number;
        readonly decays: boolean;
      }
    | { readonly kind: "set"; readonly dimension: string | "all"; readonly set: number };
}

export interface Repeat {
  /** Whole hours. */
  readonly within: DurationMs;
  readonly multiplier: number;
}

export interface RecencyStep {
  readonly within: DurationMs;
  readonly multiplier: number;
}

export type Period = "hour" | "day" | "week" | "month";

export interface PeriodCap {
  readonly points: number;
  readonly per: Period;
}

/** A text, number or truth value in a model. */
export type Scalar = string | number | boolean;

/** Path of names: `["resource"]`, `["attributes", "kind"]`, `["contact", "account", "employees"]`. */
export type FieldPath = readonly [string, ...string[]];

export type Condition =
  | { readonly op: "any" | "all"; readonly of: readonly Condition[] }
  | { readonly op: "not"; readonly of: Condition }
  | { readonly op: "is" | "isNot" | "contains"; readonly field: FieldPath; readonly value: Scalar }
  | { readonly op: "in" | "notIn"; readonly field: FieldPath; readonly values: readonly Scalar[] }
  | { readonly op: "startsWith" | "endsWith"; readonly field: FieldPath; readonly value: string }
  /** RE2 syntax, searched anywhere; `(?i)` ignores case. */
  | { readonly op: "matches"; readonly field: FieldPath; readonly pattern: string }
  | { readonly op: "gt" | "gte" | "lt" | "lte"; readonly field: FieldPath; readonly value: number }
  | { readonly op: "exists"; readonly field: FieldPath; readonly value: boolean };

export type Points =
  | { readonly kind: "number"; readonly value: number }
  | {
      readonly kind: "values";
      readonly by: FieldPath;
      /** In file order. The key is the text as written (a number's as String(n)). */
      readonly values: readonly (readonly [string, number])[];
      readonly else: number;
    }
  | {
      readonly kind: "bands";
      readonly by: FieldPath;
      /** Ascending by `from`. */
      readonly bands: readonly { readonly from: number; readonly points: number }[];
      readonly else: number;
    }
  | {
      readonly kind: "keywords";
      readonly by: FieldPath;
      readonly keywords: readonly (readonly [string, number])[];
      readonly pick: "highest" | "sum";
      readonly else: number;
    }
  | { readonly kind: "times"; readonly by: FieldPath; readonly times: number; readonly else: number };

export interface Threshold {
  readonly at: number;
  /** <= at. */
  readonly rearm: number;
}

export type Trigger =
  | { readonly id: string; readonly kind: "reaches"; readonly at: number; readonly rearm: number }
  | { readonly id: string; readonly kind: "dropsBelow"; readonly at: number; readonly rearm: number }
  | { readonly id: string; readonly kind: "risesBy"; readonly by: number; readonly within: DurationMs };

export interface Grade {
  readonly id: string;
  readonly from: number;
}

/** A place in a model's source, counted from 1. */
export interface SourcePlace {
  readonly line: number;
  readonly column: number;
}

/** One problem of a model. `error` keeps the model from being used, `warning` only asks for a second look. */
export interface ModelProblem extends SourcePlace {
  readonly severity: "error" | "warning";
  readonly file: string;
  /** Where in the model, as `rules[2].where[0].field`. */
  readonly path: string;
  /** What is wrong, what was expected, and how to mend it. */
  readonly message: string;
}

export type ModelResult =
  | { readonly ok: true; readonly model: Model; readonly warnings: readonly ModelProblem[] }
  | { readonly ok: false; readonly problems: readonly ModelProblem[] };
