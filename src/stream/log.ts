/**
 * The port to the log: where inputs come from, where outputs go, and what is committed. The embedded log, the broker
 * model of the simulator and Kafka stand behind it; one contract suite holds them all.
 *
 * A task is one partition number over all input topics. It reads those partitions, and publishes what follows from them
 * in transactions that hold its outputs, its dead letters and its positions: all of it or nothing. So whoever reads the
 * committed positions knows exactly which outputs are out.
 */
import type { DeadLetter, Original } from "../events/dead-letter.js";
import type { Decoded } from "../events/decode.js";
import type { ContactId, EpochMs, Input, Output } from "../events/types.js";

export type Topic = string;
/** The place of a record in a partition of a topic: a whole number that only grows. */
export type Offset = number;

/** For each input topic the offset of the next record to take. */
export type Offsets = ReadonlyMap<Topic, Offset>;

/**
 * A batch of records, as it lies in the log: known again by where it begins, when the log took it, and what is in it. The
 * last batch that begins before a position proves the log below that position: where another one lies in its place, or
 * none, the log is not the one that was read.
 */
export interface Mark {
  /** The offset of its first record. */
  readonly base: Offset;
  /** How many offsets it takes. */
  readonly count: number;
  /** When the log took the last of its records. */
  readonly at: EpochMs;
  /** Of its content; null where who has written the batch was not told how the log has it. */
  readonly checksum: number | null;
}

export type Marks = ReadonlyMap<Topic, Mark>;

/** What a log says of one task, apart from what the task knows. */
export interface TaskPlace {
  /** Of each input topic the next record to take: what is committed, or where the log begins. */
  readonly positions: Offsets;
  /** The end of what can be read. */
  readonly ends: Offsets;
  /** By topic, when the log took the first record that is not taken; not there where it is not known. */
  readonly oldest: ReadonlyMap<Topic, EpochMs>;
}

export interface LogRecord {
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: Offset;
  /** When the log took it, by the log's clock. */
  readonly timestamp: EpochMs;
  /** What it takes in the log, about. */
  readonly bytes: number;
  readonly decoded: Decoded;
  /** What could not be decoded, to be mended and sent again; null where it was. */
  readonly original: Original | null;
  /** Where it came from before the log, as `inputs.jsonl:12`; null where that is not known. */
  readonly source: string | null;
}

/** What one fetch found in one input topic. */
export interface Fetched {
  readonly topic: Topic;
  /** In order of their offsets; may be empty where the log has only marks of its own between `from` and `next`. */
  readonly records: readonly LogRecord[];
  /** Where the next fetch goes on. */
  readonly next: Offset;
  /** The batches that begin before `next` and were not passed before, in order; also those without a record to give. */
  readonly marks: readonly Mark[];
  /** The end of the topic's readable part, as of this fetch: at `next === end` there is no more to be had. */
  readonly end: Offset;
}

export interface FetchLimits {
  /** All records of one fetch together, about; at least one record comes if there is any. */
  readonly bytesMax: number;
  readonly recordsMax: number;
  /** How long to wait for the first record where there is none. */
  readonly waitMs: number;
}

/** What a transaction says of the inputs: taken up to `offsets`, which `marks` prove; `metadata` is the task's own. */
export interface Committed {
  readonly offsets: Offsets;
  /** None of a topic of which nothing was taken, nor where somebody else has set its offset. */
  readonly marks: Marks;
  /** Empty where somebody else has set the offset that it lies beside. */
  readonly metadata: string;
  /** Topics whose offsets were set by somebody else than an owner of the task. */
  readonly set?: ReadonlySet<Topic>;
}

/** Of a task's own metadata: a broker takes 4,096 bytes, of which the rest is the log's, for a mark. */
export const METADATA_BYTES_MAX = 3840;

/** An output as the value of its record: so it need not be held as anything else until it is published. */
export interface EncodedOutput {
  readonly kind: Output["kind"];
  readonly contactId: ContactId;
  readonly encoded: string | Buffer;
}

export interface Transaction extends Omit<Committed, "marks"> {
  readonly marks?: Marks;
  readonly outputs: readonly (Output | EncodedOutput)[];
  readonly deadLetters: readonly DeadLetter[];
  /** Inputs that another task has to fold; none where the log has no `taskOf`. */
  readonly rekeyed?: readonly Rekeyed[];
}

/** An input that lay in a partition where its contact does not belong. */
export interface Rekeyed {
  readonly task: number;
  readonly input: Input;
}

export interface Bounds {
  /** The oldest offset that is still there. */
  readonly start: Offset;
  readonly end: Offset;
}

/** The log as one owner of a task sees it. Any call may reject; after `publish` has, its outcome is not known. */
export interface TaskLog {
  readonly task: number;
  /** Of the input topics, as of when the task was opened; null where topics have none, or brokers do not tell. */
  readonly topicIds: ReadonlyMap<Topic, string> | null;
  /** What the last transaction committed, of whichever owner; null before the first. */
  committed(): Promise<Committed | null>;
  /** The readable part of each of these topics; else of each input topic. */
  bounds(topics?: readonly Topic[]): Promise<ReadonlyMap<Topic, Bounds>>;
  /**
   * What is there from these offsets on: one entry a topic. Resolves early when `signal` aborts.
   *
   * @param marks what proves the log below `from`: a log that may lose what it has acknowledged looks at it before it
   *   reads on after anything that went wrong
   * @throws ScorefoldError `log-failed` where an offset is not in the log, or the mark below it is not: open the task
   *   again, and look at the marks of what was read
   */
  fetch(from: Offsets, limits: FetchLimits, signal?: AbortSignal, marks?: Marks): Promise<Fetched[]>;
  /**
   * What lies at an offset of each of these topics, inputs or outputs: the batch that has it, or else the first behind
   * it; null where there is none. So a mark is looked at again.
   */
  look(offsets: Offsets): Promise<ReadonlyMap<Topic, Mark | null>>;
  /**
   * Publishes outputs, dead letters and positions: all or nothing.
   *
   * @throws ScorefoldError `fenced` when another owner has opened the task since; any other error leaves it open
   *   whether the transaction went through: open the task again and read what is committed (this owner can publish no
   *   more, `log-failed`). `internal`, for metadata that is too long, was refused before anything happened
   * @returns the last batch that it wrote to each output topic
   */
  publish(transaction: Transaction): Promise<Marks>;
  /** Encodes an output ahead of its transaction, where the log can do that. */
  encode?(output: Output): EncodedOutput;
  /** Whether anything was ever published for this task, also by another application. */
  hasPublished(): Promise<boolean>;
  /**
   * Sees that what is written lies where the next start finds it, where the log is on this host.
   *
   * @throws ScorefoldError `directory-unusable` where it was removed, moved or replaced
   */
  checkPlace?(): Promise<void>;
  /** The log's clock: a host whose own clock is wrong must not make time pass. Never goes back. */
  time(): Promise<EpochMs>;
  /**
   * The newest instant that the log proves: at which it took a record, before this process came or by a clock of its own.
   * Null: nothing is in it.
   */
  newest(): Promise<EpochMs | null>;
  close(): Promise<void>;
}

/** What makes a log of several tasks the one that a store was folded from. */
export interface Origin {
  /** The application whose scores are made of it: its consumer group. */
  readonly app: string;
  /** How many tasks there are: another number puts contacts elsewhere. */
  readonly tasks: number;
  /** By input topic; a topic that was made anew under its old name has another id. */
  readonly topicIds: ReadonlyMap<Topic, string>;
}

/** Models as every owner of a task finds them: whoever takes one over may never have run those of the owner before. */
export interface SharedModels {
  /** The texts of a set, by `id@version`; null: it is not known. */
  textsOf(set: string): Promise<ReadonlyMap<string, string> | null>;
  /**
   * Makes a set known.
   *
   * @throws ScorefoldError `model-changed` where one of them is known with other content
   */
  learn(set: string, texts: ReadonlyMap<string, string>): Promise<void>;
}

/** Told of what is waited for, so that what does not answer can be named. */
export interface Waits {
  /** @param what as "the schema registry at http://registry:8081" */
  during<T>(what: string, work: Promise<T>): Promise<T>;
}

export interface Log {
  /** What a task waits for that waits for the log, as "the brokers". */
  readonly name: string;
  /** Names the log's content: two logs with one id hold the same records at the same offsets. */
  readonly clusterId: string;
  readonly inputTopics: readonly Topic[];
  /** Null: one task, topics that are never made anew, and what is committed stays for ever. */
  readonly origin: Origin | null;
  /** Null: tasks have one owner, whose store knows them. */
  readonly models: SharedModels | null;
  /** The task that a contact belongs to; null: the one that has its inputs. */
  readonly taskOf: ((contactId: ContactId) => number) | null;
  /** Takes a task over: whoever had it before can publish no more, and what it published last is in `committed`. */
  open(task: number, waits?: Waits): Promise<TaskLog>;
  close(): Promise<void>;
}
