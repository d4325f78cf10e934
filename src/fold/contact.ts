/**
 * One contact under its models: inputs in any order in, outputs out.
 *
 * The invariant: each state is the fold of the inputs received so far, in key order, without what was retracted or
 * erased, advanced to the contact's clock; and what was published is what follows from the states. A late input takes
 * its place in the history and what comes after it is folded again; in key order there is nothing to fold again, and
 * the history need not be kept unless the contact has retractions.
 */
import { canonicalJson } from "../events/canonical.js";
import { compareInputs, compareText } from "../events/order.js";
import {
  type Cause,
  type ContactId,
  type EpochMs,
  type Input,
  type Interaction,
  type Output,
  type Profile,
  RETRACTION,
  type ScoreLine,
  type TenantId,
} from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import { decide, escaped, type Published, unpublished } from "./decide.js";
import type { Change } from "./evaluate.js";
import { advance, causeOf, fold, type OnEvaluated } from "./fold.js";
import { initial } from "./initial.js";
import { scoreLine } from "./score-line.js";
import { cloneState, encodeState, type ModelState, sizeOf } from "./state.js";

/**
 * A copy of the states is kept every so many inputs, so that a late input folds few of them again; further apart in a
 * long history, since its states are large as well and copying them must not become the work.
 */
const snapshotInputsMin = 32;
const snapshotShare = 1 / 16;
const snapshotsMax = 16;

export interface ContactFoldOptions {
  /** Keeps the history: needed for late inputs and for retractions of inputs that were folded. */
  readonly history: boolean;
}

/**
 * What became of a received input. `conflict`: another input with the same key but other content; the one with the
 * smaller canonical JSON is in force, the `loser` is not.
 */
export type Received =
  | { readonly status: "folded" | "late" | "duplicate" | "erased" }
  | { readonly status: "conflict"; readonly loser: Input };

interface Snapshot {
  /** How many inputs of the history are folded in. */
  readonly inputs: number;
  readonly states: readonly ModelState[];
}

export class ContactFold {
  readonly models: readonly CompiledModel[];
  readonly #tenantId: TenantId;
  readonly #contactId: ContactId;
  readonly #keepHistory: boolean;
  readonly #onEvaluated: readonly OnEvaluated[];
  #states: ModelState[];
  #published: Published[];
  #outputs: Output[] = [];
  #history: Input[] = [];
  #snapshots: Snapshot[] = [];
  #isFoldedAgain = false;
  #newest: Input | null = null;
  #clock: EpochMs | null = null;
  #seen = false;
  #erasedUntil: EpochMs | null = null;
  /** `at id` of what the received retractions remove. */
  readonly #retracted = new Set<string>();

  /** @param models those that apply to the tenant, in the order of their outputs and score lines. */
  constructor(models: readonly CompiledModel[], tenantId: TenantId, contactId: ContactId, options: ContactFoldOptions) {
    this.models = models;
    this.#tenantId = tenantId;
    this.#contactId = contactId;
    this.#keepHistory = options.history;
    this.#states = models.map(initial);
    this.#published = models.map(unpublished);
    this.#onEvaluated = models.map((_, i) => (at, cause, change) => this.#publish(i, at, cause, change));
  }

  /**
   * Takes the next input.
   * @throws Error for an input out of key order, or a retraction of a folded one, if the history is not kept.
   */
  receive(input: Input): Received {
    if (this.#erasedUntil !== null && input.at <= this.#erasedUntil) return { status: "erased" };
    if (input.kind === "profile" && input.fields === null) return this.#erase(input);
    const inOrder = this.#newest === null || compareInputs(this.#newest, input) < 0;
    if (inOrder && (this.#clock === null || input.at >= this.#clock)) {
      this.#receiveNewest(input);
      return { status: "folded" };
    }
    if (!this.#keepHistory)
      throw new Error(`input ${input.id} of ${this.#contactId} is out of order and no history is kept`);
    return this.#receiveLate(input);
  }

  /** Lets time pass up to and including `until`; what falls due on the way is evaluated and published. */
  advance(until: EpochMs): void {
    const before = this.#outputs.length;
    for (let i = 0; i < this.models.length; i++)
      advance(this.models[i]!, this.#states[i]!, until, this.#onEvaluated[i]);
    if (this.models.length > 1 && this.#outputs.length - before > 1) {
      // Each model walked its own due instants: bring them into one order of time (the sort is stable).
      this.#outputs.push(...this.#outputs.splice(before).sort((a, b) => a.at - b.at));
    }
    if (this.#clock === null || this.#clock < until) this.#clock = until;
  }

  /** The outputs since the last call, in order. */
  drain(): Output[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  /** One line a model, in the order of the models; none while no input is in force. */
  scoreLines(): ScoreLine[] {
    return this.models.flatMap((model, i) => scoreLine(model, this.#tenantId, this.#contactId, this.#states[i]!) ?? []);
  }

  /** The folded state under each model, for explaining and for comparing; not to be changed. */
  foldedStates(): readonly ModelState[] {
    return this.#states;
  }

  /** The folded states as canonical JSON, to compare by. */
  encode(): string {
    return `[${this.#states.map(encodeState).join(",")}]`;
  }

  #receiveNewest(input: Input): void {
    this.#newest = input;
    const retraction = input.kind === "interaction" && input.type === RETRACTION;
    if (this.models.length > 1 || retraction) this.advance(input.at);
    else this.#clock = input.at;
    if (this.#keepHistory) this.#history.push(input);
    if (retraction) {
      this.#retract(input);
      return;
    }
    if (this.#retracted.size > 0 && this.#retracted.has(targetKey(input))) {
      this.advance(input.at);
      return;
    }
    this.#seen = true;
    for (let i = 0; i < this.models.length; i++) fold(this.models[i]!, this.#states[i]!, input, this.#onEvaluated[i]);
    // Most contacts are folded in order to the end: only one that had to be folded again may have to be once more.
    if (this.#isFoldedAgain) this.#takeSnapshot(this.#history.length);
  }

  #retract(input: Interaction): void {
    const target = retractedKey(input);
    if (this.#retracted.has(target)) return;
    this.#retracted.add(target);
    if (!this.#keepHistory) {
      throw new Error(`retraction ${input.id} of ${this.#contactId} can't be folded: no history is kept`);
    }
    const index = this.#placeOfTarget(Number(input.attributes["at"]), target);
    if (index < 0) return;
    this.#foldAgainFrom(index);
    this.#publishDifference(input.at, causeOf(input), null);
  }

  /** The place of the first past input that a retraction names; -1: there is none. */
  #placeOfTarget(at: EpochMs, target: string): number {
    for (let place = this.#placeWhere((past) => past.at < at); place < this.#history.length; place++) {
      const past = this.#history[place]!;
      if (past.at > at) return -1;
      if (targetKey(past) === target) return place;
    }
    return -1;
  }

  #receiveLate(input: Input): Received {
    const place = this.#placeOf(input);
    const past = this.#history[place];
    let received: Received = { status: "late" };
    let what: "late" | "conflict" = "late";
    if (past !== undefined && compareInputs(past, input) === 0) {
      const pastJson = canonicalJson(past);
      const inputJson = canonicalJson(input);
      if (pastJson === inputJson) return { status: "duplicate" };
      // Canonical JSON is compared as ids are: code point order is that of the UTF-8 bytes.
      if (compareText(pastJson, inputJson) < 0) return { status: "conflict", loser: input };
      this.#history[place] = input;
      received = { status: "conflict", loser: past };
      what = "conflict";
    } else {
      this.#history.splice(place, 0, input);
    }
    if (this.#newest === null || compareInputs(this.#newest, input) < 0) this.#newest = input;
    let from = place;
    if (isRetraction(input) || (received.status === "conflict" && isRetraction(received.loser)))
      from = this.#recountRetractions(from);
    this.#foldAgainFrom(from);
    const cause: Cause = { ...causeOf(input), kind: "late" };
    if (this.#clock !== null) this.#publishDifference(this.#clock, cause, lateName(what, input));
    return received;
  }

  /** Finds what the retractions of the history remove. @returns the first place that this changes, at most `from`. */
  #recountRetractions(from: number): number {
    const before = new Set(this.#retracted);
    this.#retracted.clear();
    for (const input of this.#history) if (isRetraction(input)) this.#retracted.add(retractedKey(input));
    const changed = this.#history.findIndex((input) => {
      const key = targetKey(input);
      return before.has(key) !== this.#retracted.has(key);
    });
    return changed < 0 ? from : Math.min(from, changed);
  }

  #placeOf(input: Input): number {
    return this.#placeWhere((past) => compareInputs(past, input) < 0);
  }

  /** The first place of the history at which `isBefore` no more holds. */
  #placeWhere(isBefore: (past: Input) => boolean): number {
    let low = 0;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.#history[middle]!)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Folds the history again, muted, from the newest snapshot that is not past `from`. */
  #foldAgainFrom(from: number): void {
    this.#isFoldedAgain = true;
    while (this.#snapshots.length > 0 && this.#snapshots[this.#snapshots.length - 1]!.inputs > from)
      this.#snapshots.pop();
    const snapshot = this.#snapshots.at(-1);
    this.#states = snapshot === undefined ? this.models.map(initial) : snapshot.states.map(cloneState);
    for (let index = snapshot?.inputs ?? 0; index < this.#history.length; index++) {
      const input = this.#history[index]!;
      if (this.#isInForce(input)) {
        for (let i = 0; i < this.models.length; i++) fold(this.models[i]!, this.#states[i]!, input);
      }
      const folded = index + 1;
      if (folded < this.#history.length) this.#takeSnapshot(folded);
    }
    if (this.#clock === null) return;
    for (let i = 0; i < this.models.length; i++) advance(this.models[i]!, this.#states[i]!, this.#clock);
  }

  /** Keeps a copy of the states where one is due after so many inputs of the history. */
  #takeSnapshot(inputs: number): void {
    const since = inputs - (this.#snapshots.at(-1)?.inputs ?? 0);
    if (since < Math.max(snapshotInputsMin, inputs * snapshotShare)) return;
    // A copy costs what it holds: it is made after as much work as that, so copying never becomes the work.
    if (since < this.#states.reduce((sum, state) => sum + sizeOf(state), 0)) return;
    if (this.#snapshots.length >= snapshotsMax) this.#snapshots = this.#snapshots.filter((_, i) => i % 2 === 1);
    this.#snapshots.push({ inputs, states: this.#states.map(cloneState) });
  }

  /** Everything dated at or before `at` is gone, whenever it arrives; what is later begins a new contact. */
  #erase(erasure: Profile): Received {
    const { at, id } = erasure;
    if (!this.#keepHistory && this.#newest !== null && this.#newest.at > at)
      throw new Error(`erasure ${id} of ${this.#contactId} is out of order and no history is kept`);
    const late = this.#clock !== null && at < this.#clock;
    if (!late) this.advance(at);
    this.#erasedUntil = at;
    if (this.#isKnown()) {
      this.#outputs.push({
        kind: "ContactErased",
        id: `${this.#tenantId}/${this.#contactId}/${at}/erased`,
        tenantId: this.#tenantId,
        contactId: this.#contactId,
        at,
      });
    }
    this.#history = this.#history.filter((input) => input.at > at);
    this.#newest = this.#history.at(-1) ?? null;
    this.#snapshots = [];
    this.#seen = false;
    this.#published = this.models.map(unpublished);
    this.#recountRetractions(0);
    this.#foldAgainFrom(0);
    if (late && this.#clock !== null)
      this.#publishDifference(this.#clock, { kind: "late", id }, lateName("erasure", erasure));
    return { status: late ? "late" : "folded" };
  }

  /** Whether there is something to erase: an input in force, or something that was published. */
  #isKnown(): boolean {
    if (this.#published.some(({ score }) => score !== null)) return true;
    return this.#keepHistory ? this.#history.some((input) => this.#isInForce(input)) : this.#seen;
  }

  #isInForce(input: Input): boolean {
    return !isRetraction(input) && !this.#retracted.has(targetKey(input));
  }

  #publish(index: number, at: EpochMs, cause: Cause, change: Change): void {
    const tenantId = this.#tenantId;
    const contactId = this.#contactId;
    const occasion = { tenantId, contactId, at, cause, change, late: null };
    const outputs = decide(this.models[index]!, this.#published[index]!, this.#states[index]!, occasion);
    for (const output of outputs) this.#outputs.push(output);
  }

  /** Publishes the net difference after the past has changed. */
  #publishDifference(at: EpochMs, cause: Cause, late: string | null): void {
    const occasion = { tenantId: this.#tenantId, contactId: this.#contactId, at, cause, change: null, late };
    this.models.forEach((model, i) => {
      const published = this.#published[i]!;
      const state = this.#states[i]!;
      // Without an input in force and nothing published there is nothing to take back.
      if (state.firstSight === null && published.score === null) return;
      this.#outputs.push(...decide(model, published, state, occasion));
    });
  }
}

function isRetraction(input: Input): input is Interaction {
  return input.kind === "interaction" && input.type === RETRACTION;
}

/** Names a change of the past by the whole key of its input: inputs without an id are many. */
function lateName(what: "late" | "conflict" | "erasure", { kind, at, id }: Input): string {
  return `${what}/${kind}/${at}/${escaped(id)}`;
}

/** What a retraction would have to name to remove this input; a profile or a retraction can't be named. */
function targetKey(input: Input): string {
  return input.kind === "profile" || isRetraction(input) ? "" : `${input.at} ${input.id}`;
}

function retractedKey(retraction: Interaction): string {
  const { at, id } = retraction.attributes;
  return `${String(at)} ${String(id)}`;
}
