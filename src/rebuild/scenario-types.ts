/**
 * The language of scenario files: inputs over time, and what is expected of scores and outputs at which instant. A file
 * says what a model is meant to do, as data, so that whoever writes models writes their tests as well.
 *
 * ```yaml
 * model: lead.yaml                    # beside this file; or a whole model in place; or `models: [a.yaml, b.yaml]`
 * start: 2026-03-02T09:00:00Z         # what `+1d` counts from; default 2026-01-05T00:00:00Z
 * tenant: default                     # the default
 * scenarios:
 *   - name: a second click counts one and a half times
 *     inputs:
 *       - { at: +0h, type: email.clicked, resource: /offer }
 *       - { at: +1d, type: email.clicked }
 *     expect:
 *       - { at: +1d, score: 25, grade: warm, dimensions: { engagement: 25 } }
 *     crossings:                      # all of them: one more or one less fails
 *       - { at: +1d, threshold: 25, direction: up }
 *       - { at: +1d, grade: warm, direction: up, previous: 10, score: 25, route: null, cause: interaction }
 *     changes: []                     # of the published score: { at, score, previous?, grade?, route?, cause? }
 *     erasures: []                    # { at }
 *     until: +30d                     # lets time go on after the last instant that is named
 * ```
 *
 * Other inputs than interactions: `{ at, profile: {...} }`, `{ at, erase: true }`, `{ at, adjust: { add: 5 } }` and
 * `{ at, retract: { id, at } }`. Everything is about contact `c1` unless it says `contact:`, and about the first model
 * unless it says `model:`. An input without `id` gets one by its place in the file, so that at one instant the order of
 * the file holds.
 */
import type { ContactId, EpochMs, Input, TenantId } from "../events/types.js";
import type { Tree } from "../model/parse.js";
import type { ModelProblem, SourcePlace } from "../model/types.js";

export const CONTACT_DEFAULT = "c1";
export const TENANT_DEFAULT = "default";
/** What offsets count from where a file names no `start`: a Monday. */
export const START_DEFAULT: EpochMs = 1_767_571_200_000; // 2026-01-05T00:00:00Z

/** A model file by the name written in the scenario file, or a model written in place. */
export type ModelSource = { readonly name: string; readonly place: SourcePlace } | { readonly tree: Tree };

export interface Scenario {
  readonly name: string;
  /** Where it begins in its file, counted from 1. */
  readonly line: number;
  readonly models: readonly ModelSource[];
  readonly start: EpochMs;
  readonly tenantId: TenantId;
  /** How far time goes at least; it always goes to the last instant that is named. */
  readonly until: EpochMs;
  /** In the order of the file. An adjustment whose model is the empty text is one of the first model. */
  readonly inputs: readonly Input[];
  readonly expectations: readonly Expectation[];
  /** Complete lists, where they are there; each contact's in order. */
  readonly crossings?: readonly ExpectedCrossing[];
  readonly changes?: readonly ExpectedChange[];
  readonly erasures?: readonly ExpectedErasure[];
}

/** What the score line of a contact is to be at an instant; only what is written is compared. */
export interface Expectation {
  readonly at: EpochMs;
  readonly line: number;
  readonly contactId: ContactId;
  /** Absent: the first model. */
  readonly model?: string;
  /** True: there is to be no score line. */
  readonly none?: boolean;
  readonly score?: number;
  readonly grade?: string | null;
  readonly dimensions?: Readonly<Record<string, number>>;
  readonly salesReady?: boolean;
  readonly suppressed?: boolean;
  readonly lastActivityAt?: EpochMs | null;
}

interface ExpectedOutput {
  readonly line: number;
  readonly contactId: ContactId;
  readonly at: EpochMs;
}

export interface ExpectedCrossing extends ExpectedOutput {
  readonly crossing: "threshold" | "trigger" | "salesReady" | "grade";
  readonly id: string;
  readonly direction: "up" | "down";
  readonly model?: string;
  readonly previous?: number | null;
  readonly score?: number;
  readonly route?: string | null;
  readonly cause?: string;
}

export interface ExpectedChange extends ExpectedOutput {
  readonly score: number;
  readonly model?: string;
  readonly previous?: number | null;
  readonly grade?: string | null;
  readonly route?: string | null;
  readonly cause?: string;
}

export type ExpectedErasure = ExpectedOutput;

export type ScenarioFile =
  | { readonly ok: true; readonly scenarios: readonly Scenario[] }
  | { readonly ok: false; readonly problems: readonly ModelProblem[] };
