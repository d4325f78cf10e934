/**
 * A small engine in memory, of the real decoder and the real fold: answers are computed, not canned. What a test has to
 * hold up or to break can be held up and broken.
 */

import type {
  Appended,
  ContactAnswer,
  DeadLetterTopic,
  Engine,
  EngineStatus,
  ErasureAnswer,
  ErasureOptions,
  ExplainAnswer,
  LeftInTopic,
  OutputRecord,
  Question,
  TaskStatus,
  TopicBounds,
} from "../../src/api/engine.js";
import { ScorefoldError } from "../../src/errors.js";
import { encodeDeadLetter, type Original } from "../../src/events/dead-letter.js";
import { type Decoded, decodeLine, tooLarge } from "../../src/events/decode.js";
import { encodeOutput } from "../../src/events/encode.js";
import { compareText } from "../../src/events/order.js";
import type { ContactId, EpochMs, Input, Output, ScoreLine, TenantId } from "../../src/events/types.js";
import { ContactFold } from "../../src/fold/contact.js";
import { explain } from "../../src/fold/explain.js";
import type { CompiledModel } from "../../src/model/compile.js";
import { nearest } from "../../src/nearest.js";
import { noLosses } from "../../src/store/position.js";

interface Topic {
  readonly start: number;
  readonly values: string[];
}

const READ_RECORDS = 100;

export class MemoryEngine implements Engine {
  status: EngineStatus;
  hasOffsets = true;
  /** Empty, until a test puts those of a log there; null as on a cluster. */
  deadLetters: DeadLetterTopic | null = {
    list: async () => ({ letters: [], next: null }),
    show: async () => null,
    drop: async () => ({ letters: 0, lines: 0 }),
  };
  /** Resolved before anything is appended or folded: tests put promises of their own here. */
  appendGate: Promise<void> = Promise.resolve();
  foldGate: Promise<void> = Promise.resolve();
  /** Thrown by the next call of each. */
  appendError: unknown;
  scoresError: unknown;
  appends = 0;
  /** Streams of outputs that somebody reads. */
  readers = 0;
  /** What an erasure says to be left in topics; null: nothing. */
  left: readonly LeftInTopic[] | null = null;
  readonly lines: Original[] = [];
  readonly topicsByName = new Map<string, Topic>();
  readonly #models: readonly CompiledModel[];
  readonly #inputs = new Map<string, Input[]>();
  readonly #folds = new Map<string, ContactFold>();
  readonly #now: () => EpochMs;
  #folding: Promise<void> = Promise.resolve();
  #waiting = new Set<() => void>();
  #erasures = 0;

  constructor(models: readonly CompiledModel[], now: () => EpochMs) {
    this.#models = models;
    this.#now = now;
    const names = models.map(({ model }) => `${model.id}@${model.version}`);
    this.status = {
      state: "running",
      detail: null,
      isUp: true,
      isReady: true,
      lag: 0,
      oldestInputAgeMs: 0,
      contacts: 0,
      models: names,
    };
    for (const name of ["score-changed", "threshold-crossed", "dead-letters"]) {
      this.topicsByName.set(name, { start: 0, values: [] });
    }
  }

  taskStatuses(): readonly TaskStatus[] {
    const { state, detail, lag, oldestInputAgeMs, contacts } = this.status;
    const offsets = { inputs: this.lines.length };
    return [{ task: 0, state, detail, lag, oldestInputAgeMs, contacts, offsets, timersBehindMs: 0, losses: noLosses }];
  }

  async append(lines: readonly Original[]): Promise<Appended> {
    this.appends += 1;
    await this.appendGate;
    if (this.appendError !== undefined) throw this.appendError;
    const offset = this.lines.length;
    const decoded = lines.map(decodeOriginal);
    for (const line of lines) this.lines.push(line);
    this.#folding = this.#folding.then(async () => {
      await this.foldGate;
      for (const [i, one] of decoded.entries()) this.#take(one, lines[i]!, offset + i);
      this.#wake();
    });
    return { offset, decoded };
  }

  async folded(): Promise<void> {
    await this.#folding;
  }

  async scores(contactId: ContactId, question: Question): Promise<ContactAnswer | null> {
    await this.#folding;
    if (this.scoresError !== undefined) throw this.scoresError;
    const found = this.#at(contactId, question);
    return found === null ? null : { asOf: found.asOf, scores: found.fold.scoreLines().filter(of(question)) };
  }

  async explain(contactId: ContactId, question: Question): Promise<ExplainAnswer | null> {
    await this.#folding;
    const found = this.#at(contactId, question);
    if (found === null) return null;
    const { fold, asOf, timeline } = found;
    const explanations = fold.models.flatMap((model, i) => {
      if (question.model !== undefined && model.model.id !== question.model) return [];
      return explain(model, question.tenantId, contactId, fold.foldedStates()[i]!) ?? [];
    });
    return { asOf, explanations, timeline };
  }

  async *allScores(question: Question): AsyncIterable<readonly ScoreLine[]> {
    await this.#folding;
    if (this.scoresError !== undefined) throw this.scoresError;
    const keys = [...this.#folds.keys()].filter((key) => key.startsWith(`${question.tenantId}\0`)).sort(compareText);
    for (const key of keys) yield this.#folds.get(key)!.scoreLines().filter(of(question));
  }

  async topics(): Promise<readonly TopicBounds[]> {
    return [...this.topicsByName].map(([topic, { start, values }]) => ({ topic, start, end: start + values.length }));
  }

  async *outputs(
    name: string,
    from: number,
    signal: AbortSignal,
    until = Number.POSITIVE_INFINITY,
  ): AsyncIterable<readonly OutputRecord[]> {
    const { start, values } = this.topicsByName.get(name)!;
    this.readers += 1;
    try {
      for (let next = from; next < until && !signal.aborted; ) {
        const end = Math.min(start + values.length, until, next + READ_RECORDS);
        if (next === end) {
          await this.#more(signal);
          continue;
        }
        const records: OutputRecord[] = [];
        for (; next < end; next += 1) records.push({ offset: next, value: values[next - start]! });
        yield records;
      }
    } finally {
      this.readers -= 1;
      this.#wake();
    }
  }

  async erase(contactId: ContactId, tenantId: TenantId, { alsoLater }: ErasureOptions): Promise<ErasureAnswer> {
    await this.#folding;
    const known = this.#folds.get(`${tenantId}\0${contactId}`);
    if (known === undefined) return { status: "unknown", nearest: nearest(contactId, this.#idsOf(tenantId)) ?? null };
    const newest = known.record().newest?.at ?? this.#now();
    const until = alsoLater ? Math.max(this.#now(), newest) : this.#now();
    this.#erasures += 1;
    const id = `erasure-${this.#erasures}`;
    await this.append([JSON.stringify({ kind: "profile", id, tenantId, contactId, at: until, fields: null })]);
    await this.#folding;
    return { status: "erased", until, laterInputs: known.inputs, deadLetters: 0, mentions: 0, left: this.left };
  }

  #idsOf(tenantId: TenantId): ContactId[] {
    const keys = [...this.#folds.keys()].map((key) => key.split("\0"));
    return keys.flatMap(([tenant, contact]) => (tenant === tenantId ? [contact!] : []));
  }

  async metrics(): Promise<{ readonly text: string; readonly contentType: string }> {
    return { text: `inputs_total ${this.lines.length}\n`, contentType: "text/plain; version=0.0.4; charset=utf-8" };
  }

  /** Puts a record into a topic as if it had been published. */
  publish(topic: string, value: string): void {
    this.topicsByName.get(topic)!.values.push(value);
    this.#wake();
  }

  /** Resolves when `condition` holds, which is looked at whenever something was published or let go. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#more(undefined);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  async #more(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return;
    await new Promise<void>((resolve) => {
      this.#waiting.add(resolve);
      signal?.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  #take(decoded: Decoded, original: Original, offset: number): void {
    if (!decoded.ok) {
      const place = { topic: "inputs", partition: 0, offset, source: null };
      const { reason, error } = decoded;
      this.publish("dead-letters", encodeDeadLetter({ reason, error, ...place, original }));
      return;
    }
    const { input } = decoded;
    const key = `${input.tenantId}\0${input.contactId}`;
    const fold = this.#folds.get(key) ?? this.#fold(input.tenantId, input.contactId);
    this.#folds.set(key, fold);
    const received = fold.receive(input);
    if (received.status !== "duplicate") this.#inputs.set(key, [...(this.#inputs.get(key) ?? []), input]);
    for (const output of fold.drain()) {
      this.publish(output.kind === "ThresholdCrossed" ? "threshold-crossed" : "score-changed", encodeOutput(output));
    }
    this.status = { ...this.status, contacts: this.#folds.size };
  }

  #at(
    contactId: ContactId,
    { tenantId, asOf = this.#now() }: Question,
  ): { fold: ContactFold; asOf: EpochMs; timeline: Output[] } | null {
    const inputs = this.#inputs.get(`${tenantId}\0${contactId}`);
    if (inputs === undefined) return null;
    const fold = this.#fold(tenantId, contactId);
    for (const input of inputs.filter(({ at }) => at <= asOf)) fold.receive(input);
    fold.advance(asOf);
    return { fold, asOf, timeline: fold.drain() };
  }

  #fold(tenantId: TenantId, contactId: ContactId): ContactFold {
    return new ContactFold(this.#models, tenantId, contactId, { history: "kept" });
  }
}

/** Of an engine that has more waiting than it takes. */
export function tooMany(): ScorefoldError {
  return new ScorefoldError("too-many", "64 MB of inputs are waiting; send again later");
}

function of({ model }: Question): (line: ScoreLine) => boolean {
  return (line) => model === undefined || line.model === model;
}

function decodeOriginal(original: Original): Decoded {
  if (typeof original === "string") return decodeLine(original);
  if (original.isUtf8) return tooLarge(original.bytes);
  return { ok: false, reason: "undecodable", error: "the line is not UTF-8" };
}
