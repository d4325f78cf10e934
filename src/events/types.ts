/**
 * What goes in and what comes out, as unions on `kind`. Everything is plain data: it can be written as JSON and read
 * back without loss.
 */

/** A text or number that names one sort of thing: two different sorts can't be swapped by mistake, literals still fit. */
type Flavor<T, Name extends string> = T & { readonly __flavor?: Name };

export type TenantId = Flavor<string, "TenantId">;
export type ContactId = Flavor<string, "ContactId">;
export type ModelId = Flavor<string, "ModelId">;
/** Milliseconds since 1970-01-01T00:00:00Z, an integer. */
export type EpochMs = Flavor<number, "EpochMs">;

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

interface InputBase {
  /** The empty text where the source had none. Part of the key `(at, kind, id)`. */
  readonly id: string;
  readonly tenantId: TenantId;
  readonly contactId: ContactId;
  readonly at: EpochMs;
}

/** Something a contact did, or that was done to it. `type` is `channel.action`. */
export interface Interaction extends InputBase {
  readonly kind: "interaction";
  readonly type: string;
  readonly resource?: string;
  /** Absent means `no`. `yes`/`maybe`: a mail privacy proxy or a link scanner, not the person. */
  readonly automated?: "yes" | "maybe";
  /** Of a retraction (`interaction.retracted`): `{ id: string, at: EpochMs }` of what it removes. */
  readonly attributes: JsonObject;
}

/** The whole profile as of `at`, replacing the one before. `fields: null` is erasure. */
export interface Profile extends InputBase {
  readonly kind: "profile";
  readonly fields: JsonObject | null;
}

/** A person's correction of one model's score; exactly one of `add` and `set` is there. */
export interface Adjustment extends InputBase {
  readonly kind: "adjustment";
  readonly model: ModelId;
  /** May be left out where the model has one dimension; `all` goes with `set`. */
  readonly dimension?: string;
  readonly add?: number;
  readonly set?: number;
  readonly reason?: string;
  readonly by?: string;
}

export type Input = Interaction | Profile | Adjustment;

/** What tells an input of a contact from the others, and what they are ordered by. */
export type InputKey = Pick<Input, "at" | "kind" | "id">;

export const RETRACTION = "interaction.retracted";

export type CauseKind =
  | "interaction"
  | "profile"
  | "population"
  | "adjustment"
  | "decay"
  | "expiry"
  | "inactivity"
  | "late"
  | "model";

/** Why a score was evaluated: an input (with its id, and the type of an interaction), or time itself. */
export interface Cause {
  readonly kind: CauseKind;
  readonly id?: string;
  readonly type?: string;
}

/** What one rule (or the lines `adjustment` and `cut`) moved since the last published score. */
export interface MovedLine {
  readonly rule: string;
  readonly dimension: string;
  /** Rounded to three decimals. */
  readonly points: number;
}

interface OutputBase {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly contactId: ContactId;
  readonly at: EpochMs;
}

export interface ScoreChanged extends OutputBase {
  readonly kind: "ScoreChanged";
  readonly model: ModelId;
  readonly version: number;
  /** Null the first time. */
  readonly previous: number | null;
  readonly current: number;
  /** `current - previous`; a null `previous` counts as 0. */
  readonly delta: number;
  readonly previousGrade: string | null;
  readonly grade: string | null;
  /** Dimension id -> published points, in model order. */
  readonly dimensions: Readonly<Record<string, number>>;
  readonly cause: Cause;
  readonly lines: readonly MovedLine[];
  readonly salesReady: boolean;
  readonly suppressed: boolean;
  /** The queue `routes` names for the grade, or null. */
  readonly route: string | null;
}

export interface ThresholdCrossed extends Omit<OutputBase, "id"> {
  readonly kind: "ThresholdCrossed";
  /** Unique among all outputs and the same in every replay: what a consumer removes doubles by. */
  readonly eventId: string;
  readonly model: ModelId;
  readonly version: number;
  readonly crossing: "threshold" | "trigger" | "salesReady" | "grade";
  /** The threshold's number as text, the trigger's id, the model's id (salesReady), or the new grade's id. */
  readonly id: string;
  readonly direction: "up" | "down";
  readonly previous: number | null;
  readonly current: number;
  readonly grade: string | null;
  readonly salesReady: boolean;
  readonly route: string | null;
  readonly cause: Cause;
}

/** Every input of this contact with `at` <= this instant is gone; consumers are to forget it as well. */
export interface ContactErased extends OutputBase {
  readonly kind: "ContactErased";
}

export type Output = ScoreChanged | ThresholdCrossed | ContactErased;

/** The score of one contact under one model at one instant, keys in this order. */
export interface ScoreLine {
  readonly tenantId: TenantId;
  readonly contactId: ContactId;
  readonly model: ModelId;
  readonly version: number;
  readonly score: number;
  readonly grade: string | null;
  readonly dimensions: Readonly<Record<string, number>>;
  readonly salesReady: boolean;
  readonly suppressed: boolean;
  readonly lastActivityAt: EpochMs | null;
}
