/**
 * What a topic is to the engine, as its file in `topics/` says it: where records come from or go to, how the topic is
 * laid out, and how a foreign value becomes an input.
 */
import type { Input, Json } from "../events/types.js";
import type { ModelProblem } from "../model/types.js";

export const roles = ["input", "output"] as const;

export const inputKinds = ["interaction", "profile", "adjustment"] as const satisfies readonly Input["kind"][];
export const outputKinds = ["score-changed", "threshold-crossed", "dead-letter"] as const;
export type OutputKind = (typeof outputKinds)[number];

/** What records are keyed by: their contact, or the place (topic, partition, offset) that a dead letter came from. */
export const recordKeys = ["contactId", "place"] as const;
export type RecordKey = (typeof recordKeys)[number];

interface TopicBase {
  readonly name: string;
  readonly description: string | null;
  readonly key: RecordKey | null;
  readonly partitions: number;
  /** Settings of the topic in Kafka's own names, in the order of the file; what is not named is the broker's. */
  readonly config: ReadonlyMap<string, string>;
}

export interface InputTopic extends TopicBase {
  readonly role: "input";
  /** The kind of values that do not say theirs. */
  readonly kind: Input["kind"];
  /** Null where values are inputs as they are. */
  readonly mapping: Mapping | null;
}

export interface OutputTopic extends TopicBase {
  readonly role: "output";
  readonly kind: OutputKind;
}

export type TopicDefinition = InputTopic | OutputTopic;

export type TopicResult =
  | { readonly ok: true; readonly topic: TopicDefinition }
  | { readonly ok: false; readonly problems: readonly TopicProblem[] };

/** A problem of a file of topics, with its place in it. */
export type TopicProblem = ModelProblem;

/** How the values of a topic become inputs. */
export interface Mapping {
  /** Told with every record that could not be mapped. */
  readonly version: number;
  /** The first that takes a record makes the input of it. */
  readonly inputs: readonly InputMapping[];
}

export interface InputMapping {
  readonly kind: Input["kind"];
  /** All of them must hold, else the record is not taken. */
  readonly only: readonly Condition[];
  /** None of them may hold, else the record is not taken. */
  readonly except: readonly Condition[];
  /** Where one of them holds, a profile is an erasure. */
  readonly erase: readonly Condition[];
  /** By the name of the input's field: `contactId`, `at`, ... but the one that is an object. */
  readonly fields: ReadonlyMap<string, FieldMapping>;
  /** `attributes` of an interaction, `fields` of a profile; null where nothing is taken into them. */
  readonly object: ObjectMapping | null;
}

/** Holds where the value at the path is one of these; null stands for nothing: missing, null or the empty text. */
export interface Condition {
  readonly path: Path;
  readonly values: readonly Scalar[];
}

export type Scalar = string | number | boolean | null;

/** Names from the outside to the inside; none is the value itself. */
export type Path = readonly string[];

export const formats = ["iso", "ms", "s", "us"] as const;
export type InstantFormat = (typeof formats)[number];

export const recordSources = ["key", "timestamp"] as const;

/** What becomes of a value that the table does not have. */
export const otherChoices = ["pass", "skip", "refuse"] as const;

export interface FieldMapping {
  /** Tried in this order: the first that is something is taken. */
  readonly from: readonly Path[];
  /** Taken from the record rather than its value, where `from` finds nothing. */
  readonly record: (typeof recordSources)[number] | null;
  /** A constant, where nothing else is found. */
  readonly constant: Json | undefined;
  /** By the text of what was found. */
  readonly values: ReadonlyMap<string, Scalar> | null;
  readonly others: (typeof otherChoices)[number];
  /** Put before a text that the table has not given. */
  readonly prefix: string;
  /** Only of `at`. */
  readonly format: InstantFormat | null;
}

export interface ObjectMapping {
  /** An object that is taken as a whole, the first that is there; none: only `fields`. */
  readonly from: readonly Path[];
  /** Names that are left out of it. */
  readonly without: readonly string[];
  /** Single ones beside it; they hold over what is in it. */
  readonly fields: ReadonlyMap<string, FieldMapping>;
}
