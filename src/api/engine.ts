/** What the HTTP API asks of a running engine, whatever log is behind it. */
import type { Original } from "../events/dead-letter.js";
import type { Decoded } from "../events/decode.js";
import type { ContactId, EpochMs, ModelId, Output, ScoreLine, TenantId } from "../events/types.js";
import type { Explanation } from "../fold/explain.js";
import type { Losses } from "../store/position.js";

export interface Appended {
  /** Of the first line; the others follow without a gap. Null where inputs go to topics of a cluster. */
  readonly offset: number | null;
  /** What became of each line, in order. Refused ones are in the log too, and become dead letters. */
  readonly decoded: readonly Decoded[];
}

export interface Question {
  readonly tenantId: TenantId;
  /** Default: all models of the tenant. */
  readonly model?: ModelId;
  /** Default: as of now, or where the engine's clock stands. */
  readonly asOf?: EpochMs;
}

export interface ContactAnswer {
  readonly asOf: EpochMs;
  /** One a model; empty where no input of the contact is in force. */
  readonly scores: readonly ScoreLine[];
}

export interface ExplainAnswer {
  readonly asOf: EpochMs;
  readonly explanations: readonly Explanation[];
  /** What the contact's inputs, taken in order, publish up to `asOf`, under the same models. */
  readonly timeline: readonly Output[];
}

/** A record of an output topic. */
export interface OutputRecord {
  readonly offset: number;
  /** One line of JSON. */
  readonly value: string;
}

export interface TopicBounds {
  readonly topic: string;
  /** The oldest offset that is there, and the one that comes next. */
  readonly start: number;
  readonly end: number;
}

export interface EngineStatus {
  /** `starting`, `catching-up`, `rebuilding`, `running`, `retrying`, `stopping`, `stopped`, `failed`. */
  readonly state: string;
  readonly detail: string | null;
  /** Whether inputs are taken, and questions answered of contacts whose task is running. */
  readonly isUp: boolean;
  /** Whether all tasks are running. */
  readonly isReady: boolean;
  /** Inputs that are in the log, and not folded and published yet; null: the log has not said yet. */
  readonly lag: number | null;
  /** How long the oldest of them has been in the log; 0: there is none; null: not known. */
  readonly oldestInputAgeMs: number | null;
  readonly contacts: number;
  readonly models: readonly string[];
}

/** One of the tasks that this process has, or that no process has. */
export interface TaskStatus {
  readonly task: number;
  /** As of `EngineStatus`; `unassigned`: no process of the application has it. */
  readonly state: string;
  readonly detail: string | null;
  /** As of `EngineStatus`. */
  readonly lag: number | null;
  readonly oldestInputAgeMs: number | null;
  readonly contacts: number;
  /** By input topic, up to where inputs are folded and published. */
  readonly offsets: Readonly<Record<string, number>>;
  /** How far timers are behind the clock that they follow; 0 where they follow none. */
  readonly timersBehindMs: number;
  /** What is lost of its log and was accepted as lost. */
  readonly losses: Losses;
}

export interface ErasureOptions {
  /** Also what is dated later than now: the erasure is dated at the newest instant that is known of the contact. */
  readonly alsoLater: boolean;
}

export type ErasureAnswer = Erased | UnknownContact;

/** The contact is erased; perhaps it was before. */
export interface Erased {
  readonly status: "erased";
  /** What is dated up to here is gone, whenever it arrives. */
  readonly until: EpochMs;
  /** Inputs that stay in force, because they are dated later. */
  readonly laterInputs: number;
  /** Dead letters of the contact, which go with it; null: they are in a topic of a cluster. */
  readonly deadLetters: number | null;
  /** Dead letters that hold its id and can't be said to be anybody's: they stay until somebody drops them. */
  readonly mentions: number | null;
  /** Where records of the contact still lie that nobody takes out, among those of others; null: in no topic of a cluster. */
  readonly left: readonly LeftInTopic[] | null;
}

/** A partition of a topic with records of an erased contact. */
export interface LeftInTopic {
  readonly topic: string;
  readonly partition: number;
  /** What it has now: from this offset on, up to the one that comes next. Null: the broker did not say. */
  readonly start: number | null;
  readonly end: number | null;
}

/** Nothing was erased, since there was nothing. */
export interface UnknownContact {
  readonly status: "unknown";
  /** The contact that was probably meant. */
  readonly nearest: ContactId | null;
}

/** Which dead letters are meant: those for which all of it holds. */
export interface DeadLetterFilter {
  readonly ids?: readonly number[];
  readonly reasons?: readonly string[];
  /** A file, or a file and a line: `visits.jsonl`, `visits.jsonl:6`. */
  readonly source?: string;
  /** A text in the original: without case, and without the difference between two spellings of one letter. */
  readonly containing?: string;
}

export interface DeadLetterEntry {
  /** Its offset in the topic. */
  readonly id: number;
  /** When it was put aside. */
  readonly at: EpochMs;
  readonly reason: string;
  readonly error: string;
  /** The place of the record that it is of. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly source: string | null;
  /** The beginning of the original. */
  readonly preview: string;
}

export interface DeadLetterPage {
  readonly letters: readonly DeadLetterEntry[];
  /** Where there is more: from where on; null: that was all. */
  readonly next: number | null;
}

export interface DeadLetterShown {
  readonly id: number;
  readonly at: EpochMs;
  /** As it lies in the topic: one line of JSON. */
  readonly value: string;
}

export interface DroppedLetters {
  readonly letters: number;
  /** Lines of inputs that went with them. */
  readonly lines: number;
}

/** Dead letters that can be looked through, and taken out. */
export interface DeadLetterTopic {
  /** Those from `from` on, at most `limit`. */
  list(filter: DeadLetterFilter, from: number, limit: number): Promise<DeadLetterPage>;
  /** @returns null where there is none of that id */
  show(id: number): Promise<DeadLetterShown | null>;
  /** Takes them out for good, with the lines that they are of. The bytes go from the disk by a compaction. */
  drop(filter: DeadLetterFilter): Promise<DroppedLetters>;
}

export interface Engine {
  readonly status: EngineStatus;
  /** Whether inputs have offsets of one order, so that somebody can wait for them to be folded. */
  readonly hasOffsets: boolean;
  /** In order of their numbers. */
  taskStatuses(): readonly TaskStatus[];
  /**
   * Takes lines of inputs: they are on disk when it resolves. A line that can't be a text as it is (not UTF-8, or longer
   * than what is kept) comes as what is left of it, and becomes a dead letter as well.
   *
   * @throws ScorefoldError `too-many` while more is waiting than is taken, `stopping`, `disk-full`, `directory-unusable`
   */
  append(lines: readonly Original[]): Promise<Appended>;
  /** @returns null where the contact is not known */
  scores(contact: ContactId, question: Question): Promise<ContactAnswer | null>;
  /** @returns null where the contact is not known */
  explain(contact: ContactId, question: Question): Promise<ExplainAnswer | null>;
  /**
   * Score lines of all contacts of a tenant, in order of contacts and models, as the store has them.
   *
   * @param isPartial whether those of the tasks of this process will do
   * @throws ScorefoldError `elsewhere` where other processes have some of them
   */
  allScores(question: Question, isPartial?: boolean): AsyncIterable<readonly ScoreLine[]>;
  /** The topics that can be read, with their bounds. */
  topics(): Promise<readonly TopicBounds[]>;
  /**
   * Records of a topic from an offset on, as they come, until `signal` aborts; with `until`, it ends before that offset,
   * also where the records before it are no longer there.
   */
  outputs(topic: string, from: number, signal: AbortSignal, until?: number): AsyncIterable<readonly OutputRecord[]>;
  /** Null where they are in a topic of a cluster. */
  readonly deadLetters: DeadLetterTopic | null;
  /**
   * Erases a contact as of now. Resolves once that is published and stored.
   *
   * @throws ScorefoldError `elsewhere` where another process has the contact
   */
  erase(contact: ContactId, tenantId: TenantId, options: ErasureOptions): Promise<ErasureAnswer>;
  /** Resolves once everything that was appended up to `offset` is folded and published. @throws ScorefoldError `usage` without offsets */
  folded(offset: number): Promise<void>;
  /**
   * Sees that what is taken lies where the next start finds it: what nobody may have noticed yet.
   *
   * @throws ScorefoldError `directory-unusable` where the log's directory was removed, moved or replaced
   */
  checkPlace?(): Promise<void>;
  /** The metrics as text, and their content type. */
  metrics(): Promise<{ readonly text: string; readonly contentType: string }>;
}
