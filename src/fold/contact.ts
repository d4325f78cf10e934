/**
 * One contact under its models: inputs in any order in, outputs out.
 *
 * The invariant: each state is the fold of the inputs received so far, in key order, without what was retracted or
 * erased, advanced to the contact's clock; and what was published is what follows from the states. A late input takes
 * its place in the history and what comes after it is folded again; in key order there is nothing to fold again, and
 * the history is not looked at.
 */
import { canonicalJson } from "../events/canonical.js";
import { compareInputs, compareText, keyOf } from "../events/order.js";
import type {
  Cause,
  ContactId,
  EpochMs,
  Input,
  InputKey,
  Interaction,
  Output,
  Profile,
  ScoreLine,
  TenantId,
} from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import { Conflicts } from "./conflicts.js";
import type { ContactFoldOptions, Received } from "./contact-types.js";
import { contactErased, decide, type Occasion, type Published, unpublished } from "./decide.js";
import { due } from "./due.js";
import type { Change } from "./evaluate.js";
import { advance, causeOf, fold, type OnEvaluated } from "./fold.js";
import { History, type Snapshot } from "./history.js";
import { initial } from "./initial.js";
import { conflictName, lateName } from "./late-name.js";
import type { ContactRecord } from "./record.js";
import { isRetraction, Retractions, retractedAt, retractedKey } from "./retractions.js";
import { scoreLine } from "./score-line.js";
import { cloneState, encodeState, type ModelState } from "./state.js";

export class ContactFold {
  readonly models: readonly CompiledModel[];
  /** Whose it is: another's after `restart`. */
  tenantId: TenantId = "";
  contactId: ContactId = "";
  readonly #mode: ContactFoldOptions["history"];
  #history: History;
  #states: ModelState[] = [];
  #published: Published[] = [];
  #outputs: Output[] = [];
  /** Whether nobody wants to know what is published. */
  isMuted = false;
  #isFoldedAgain = false;
  #newest: InputKey | null = null;
  #clock: EpochMs | null = null;
  #inputs = 0;
  #inForce = 0;
  #erasedUntil: EpochMs | null = null;
  #retractions = new Retractions();
  #conflicts = new Conflicts();

  /**
   * @param models those that apply to the tenant, in the order of their outputs and score lines
   * @param record where the contact stands; without one it begins. It is taken over, not copied
   */
  constructor(
    models: readonly CompiledModel[],
    tenantId: TenantId,
    contactId: ContactId,
    options: ContactFoldOptions,
    record?: ContactRecord,
  ) {
    this.models = models;
    this.#mode = options.history;
    this.#history = new History(options.history === "kept");
    this.restart(tenantId, contactId, record);
  }

  /**
   * Takes another contact in the place of the one it was, as if it were made anew.
   *
   * @param record as for the constructor; may hold the very states that `record` gave of the one before
   */
  restart(tenantId: TenantId, contactId: ContactId, record?: ContactRecord): void {
    this.tenantId = tenantId;
    this.contactId = contactId;
    this.#history = new History(this.#mode === "kept");
    this.#states = record === undefined ? this.models.map(initial) : [...record.states];
    this.#published = record === undefined ? this.models.map(unpublished) : [...record.published];
    this.#retractions = new Retractions(record?.retracted);
    this.#conflicts = new Conflicts(record?.conflicts);
    this.#outputs = [];
    this.#isFoldedAgain = false;
    this.#clock = record?.clock ?? null;
    this.#newest = record?.newest ?? null;
    this.#inputs = record?.inputs ?? 0;
    this.#inForce = record?.inForce ?? 0;
    this.#erasedUntil = record?.erasedUntil ?? null;
    if (record !== undefined) this.#history.snapshots = [...record.snapshots];
  }

  /** Where the contact stands: the very states, not copies. */
  record(): ContactRecord {
    return {
      states: this.#states,
      published: this.#published,
      clock: this.#clock,
      newest: this.#newest,
      inputs: this.#inputs,
      inForce: this.#inForce,
      erasedUntil: this.#erasedUntil,
      retracted: this.#retractions.counts,
      conflicts: this.#conflicts.contents,
      snapshots: this.#history.snapshots,
    };
  }

  /**
   * From which instant on `receive(input)` has to see the history; null: it is there, or is not needed. To be asked
   * again after `load`: what was loaded may show that more is needed.
   */
  needs(input: Input): EpochMs | null {
    if (this.#inputs === 0) return null;
    if (this.#erasedUntil !== null && input.at <= this.#erasedUntil) return null;
    const isErasure = input.kind === "profile" && input.fields === null;
    // What is before an erasure is gone, so only what comes after it is to be folded again.
    if (isErasure) return this.#newest !== null && this.#newest.at > input.at ? this.#lacking(input.at) : null;
    let from = this.#isInOrder(input) ? null : input.at;
    if (isRetraction(input)) from = this.#earlier(from, input);
    if (from === null) return null;
    const lacking = this.#lacking(from);
    if (lacking !== null || this.#isInOrder(input)) return lacking;
    const past = this.#history.inputs[this.#history.placeOf(input)];
    // The same key with other content: if a retraction loses, what it removed comes back.
    if (past === undefined || compareInputs(past, input) !== 0 || !isRetraction(past)) return null;
    return this.#lacking(this.#earlier(from, past) ?? from);
  }

  /** The snapshot from which on `load` needs the inputs, for a change at `at`; null: from the first one. */
  snapshotBefore(at: EpochMs): Snapshot | null {
    return this.#history.snapshotBefore(at);
  }

  /**
   * Brings back a part of the history.
   *
   * @param base what `snapshotBefore` gave, with its states
   * @param inputs everything after `base` to the newest, in key order
   */
  load(base: Snapshot | null, inputs: Input[]): void {
    this.#history.base = base;
    this.#history.inputs = inputs;
    this.#history.isLoaded = true;
  }

  /** A write has ended: what the store has of snapshots need not be held. */
  written(): void {
    for (const snapshot of this.#history.snapshots) if (snapshot.status === "writing") snapshot.status = "stored";
    this.#history.releaseStates();
  }

  get erasedUntil(): EpochMs | null {
    return this.#erasedUntil;
  }

  /** Whether `record`, with the states of no snapshot, is all that there is to know. */
  get isAtRest(): boolean {
    const { isLoaded, snapshots } = this.#history;
    return !isLoaded && this.#outputs.length === 0 && snapshots.every(({ status }) => status === "stored");
  }

  /** How many inputs the history has. */
  get inputs(): number {
    return this.#inputs;
  }

  unload(): void {
    if (this.#mode === "stored") this.#history.unload();
  }

  /** Takes the next input. @throws Error for an input that needs a history that is not there */
  receive(input: Input): Received {
    if (this.#erasedUntil !== null && input.at <= this.#erasedUntil) return { status: "erased" };
    if (input.kind === "profile" && input.fields === null) return this.#erase(input);
    if (this.#isInOrder(input)) {
      this.#receiveNewest(input);
      return { status: "folded" };
    }
    return this.#receiveLate(input);
  }

  /** Notes that an input was received of whose key another content has come, which is left out. */
  noteConflict(input: Input): void {
    this.#conflicts.note(input, canonicalJson(input));
  }

  /** The next instant at which time alone changes something under any of the models; null: never. */
  due(): EpochMs | null {
    let next: EpochMs | null = null;
    for (let i = 0; i < this.models.length; i++) {
      const at = due(this.models[i]!, this.#states[i]!);
      if (at !== null && (next === null || at < next)) next = at;
    }
    return next;
  }

  /** Lets time pass up to and including `until`; what falls due on the way is evaluated and published. */
  advance(until: EpochMs): void {
    const before = this.#outputs.length;
    for (let i = 0; i < this.models.length; i++) advance(this.models[i]!, this.#states[i]!, until, this.#publisher(i));
    if (this.models.length > 1 && this.#outputs.length - before > 1) {
      // Each model walked its own due instants: bring them into one order of time (the sort is stable).
      this.#outputs.push(...this.#outputs.splice(before).sort((a, b) => a.at - b.at));
    }
    if (this.#clock === null || this.#clock < until) this.#clock = until;
  }

  /**
   * Folds the loaded history, whole, under models that have not seen it, and publishes the net difference to what was
   * published before, under an earlier version or not at all.
   *
   * @param unseen indexes of these models
   * @param passed how far timers have gone
   * @param before for each of these models what was published, in terms of the model and its new state
   */
  change(
    unseen: readonly number[],
    passed: EpochMs | null,
    before: (index: number, state: ModelState) => Published,
  ): void {
    this.#history.snapshots = [];
    for (const index of unseen) {
      const model = this.models[index]!;
      const state = initial(model);
      for (const input of this.#history.inputs) {
        // What is in force is never a retraction.
        if (this.#isInForce(input)) fold(model, state, input);
      }
      if (this.#clock !== null) advance(model, state, this.#clock);
      this.#states[index] = state;
      this.#published[index] = before(index, state);
      for (let at = due(model, state); at !== null && at <= (passed ?? at - 1); at = due(model, state)) {
        advance(model, state, at);
        if (this.#clock === null || this.#clock < at) this.#clock = at;
      }
    }
    if (this.#clock !== null) this.#publishDifference(this.#clock, { kind: "model" }, null, unseen);
  }

  /** The outputs since the last call, in order. */
  drain(): Output[] {
    if (this.#outputs.length === 0) return [];
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  /** One line a model, in the order of the models; none while no input is in force. */
  scoreLines(): ScoreLine[] {
    return this.models.flatMap((model, i) => scoreLine(model, this.tenantId, this.contactId, this.#states[i]!) ?? []);
  }

  /** The folded state under each model, for explaining and for comparing; not to be changed. */
  foldedStates(): readonly ModelState[] {
    return this.#states;
  }

  /** The folded states as canonical JSON, to compare by. */
  encode(): string {
    return `[${this.#states.map(encodeState).join(",")}]`;
  }

  #isInOrder(input: Input): boolean {
    if (this.#newest !== null && compareInputs(this.#newest, input) >= 0) return false;
    return this.#clock === null || input.at >= this.#clock;
  }

  #lacking(from: EpochMs): EpochMs | null {
    return this.#history.covers(from) ? null : from;
  }

  /** The earlier of `from` and what a retraction names, if that can be in the history. */
  #earlier(from: EpochMs | null, retraction: Interaction): EpochMs | null {
    const at = retractedAt(retraction);
    if (this.#newest === null || at > this.#newest.at) return from;
    return from === null ? at : Math.min(from, at);
  }

  #receiveNewest(input: Input): void {
    const retraction = isRetraction(input);
    const isInForce = !retraction && !this.#retractions.removes(input);
    if (this.models.length > 1 || !isInForce) this.advance(input.at);
    else this.#clock = input.at;
    if (isInForce) {
      this.#inForce += 1;
      for (let i = 0; i < this.models.length; i++) fold(this.models[i]!, this.#states[i]!, input, this.#publisher(i));
    }
    // Counted last: what time does on the way comes before the input, whether a timer lets it pass or the input does.
    this.#newest = keyOf(input);
    this.#inputs += 1;
    if (this.#history.isLoaded) this.#history.inputs.push(input);
    if (retraction) this.#retract(input);
    if (!isInForce) return;
    // In memory most contacts are folded in order to the end: only one that had to be folded again may have to be
    // once more.
    if (this.#isFoldedAgain || this.#mode === "stored")
      this.#history.take(this.#states, input, this.#inputs, this.#inForce);
  }

  #retract(input: Interaction): void {
    if (!this.#retractions.add(input)) return;
    if (this.#mode === "none")
      throw new Error(`retraction ${input.id} of ${this.contactId} can't be folded: no history is kept`);
    const index = this.#history.isLoaded ? this.#history.placeOfTarget(retractedAt(input), retractedKey(input)) : -1;
    if (index < 0) return;
    this.#foldAgainFrom(index);
    this.#publishDifference(input.at, causeOf(input), null);
  }

  #receiveLate(input: Input): Received {
    const history = this.#history;
    if (!history.isLoaded) {
      if (this.#inputs > 0 || this.#mode === "none") throw this.#outOfOrder("input", input);
      this.load(null, []);
    }
    const place = history.placeOf(input);
    const past = history.inputs[place];
    let received: Received = { status: "late" };
    let name = lateName("late", input);
    if (past !== undefined && compareInputs(past, input) === 0) {
      const pastJson = canonicalJson(past);
      const inputJson = canonicalJson(input);
      if (pastJson === inputJson) return { status: "duplicate" };
      // Canonical JSON is compared as ids are: code point order is that of the UTF-8 bytes.
      const holds = compareText(pastJson, inputJson) < 0;
      this.#conflicts.note(input, holds ? pastJson : inputJson);
      if (holds) return { status: "conflict", loser: input };
      history.inputs[place] = input;
      received = { status: "conflict", loser: past };
      // A third content may take the place of this one.
      name = conflictName(input, inputJson);
    } else {
      history.inputs.splice(place, 0, input);
      this.#inputs += 1;
    }
    if (this.#newest === null || compareInputs(this.#newest, input) < 0) this.#newest = keyOf(input);
    let from = place;
    const moved = (retraction: Interaction): void => {
      const target = history.placeOfTarget(retractedAt(retraction), retractedKey(retraction));
      if (target >= 0) from = Math.min(from, target);
    };
    if (isRetraction(input) && this.#retractions.add(input)) moved(input);
    if (received.status === "conflict" && isRetraction(received.loser) && this.#retractions.remove(received.loser))
      moved(received.loser);
    this.#foldAgainFrom(from);
    const cause: Cause = { ...causeOf(input), kind: "late" };
    if (this.#clock !== null) this.#publishDifference(this.#clock, cause, name);
    return received;
  }

  /** Folds the history again, muted, from the newest snapshot that is not past `from`. */
  #foldAgainFrom(from: number): void {
    this.#isFoldedAgain = true;
    const history = this.#history;
    const snapshot = history.rewind(from);
    this.#states = snapshot?.states == null ? this.models.map(initial) : snapshot.states.map(cloneState);
    this.#inForce = snapshot?.inForce ?? 0;
    for (let index = (snapshot?.inputs ?? 0) - history.before; index < history.inputs.length; index++) {
      const input = history.inputs[index]!;
      if (this.#isInForce(input)) {
        this.#inForce += 1;
        for (let i = 0; i < this.models.length; i++) fold(this.models[i]!, this.#states[i]!, input);
      }
      if (index + 1 < history.inputs.length)
        history.take(this.#states, input, history.before + index + 1, this.#inForce);
    }
    if (this.#clock === null) return;
    for (let i = 0; i < this.models.length; i++) advance(this.models[i]!, this.#states[i]!, this.#clock);
  }

  /** Everything dated at or before `at` is gone, whenever it arrives; what is later begins a new contact. */
  #erase(erasure: Profile): Received {
    const { at, id } = erasure;
    const history = this.#history;
    const isLast = this.#newest === null || this.#newest.at <= at;
    if (!isLast && !history.isLoaded) throw this.#outOfOrder("erasure", erasure);
    const late = this.#clock !== null && at < this.#clock;
    if (!late) this.advance(at);
    this.#erasedUntil = at;
    if (this.#isKnown() && !this.isMuted) this.#outputs.push(contactErased(this.tenantId, this.contactId, at));
    const left = isLast ? [] : history.inputs.filter((input) => input.at > at);
    history.snapshots = [];
    if (history.isLoaded || isLast) this.load(null, left);
    this.#inputs = left.length;
    this.#newest = left.length === 0 ? null : keyOf(left[left.length - 1]!);
    this.#published = this.models.map(unpublished);
    this.#conflicts.erase(at);
    this.#retractions = new Retractions();
    for (const input of left) if (isRetraction(input)) this.#retractions.add(input);
    // Nothing is left to have a clock: what comes later begins a new contact, at its own instant.
    if (left.length === 0) this.#clock = null;
    this.#foldAgainFrom(0);
    if (this.#mode === "none") history.unload();
    if (late && this.#clock !== null)
      this.#publishDifference(this.#clock, { kind: "late", id }, lateName("erasure", erasure));
    return { status: late ? "late" : "folded" };
  }

  #outOfOrder(what: string, { id }: Input): Error {
    const history = this.#mode === "none" ? "no history is kept" : "its history was not loaded";
    return new Error(`${what} ${id} of ${this.contactId} is out of order and ${history}`);
  }

  /** Whether there is something to erase: an input in force, or something that was published. */
  #isKnown(): boolean {
    return this.#inForce > 0 || this.#published.some(({ score }) => score !== null);
  }

  #isInForce(input: Input): boolean {
    return !isRetraction(input) && !this.#retractions.removes(input);
  }

  /** Made when it is needed: one kept for each contact would be a good part of what a contact takes in memory. */
  #publisher(index: number): OnEvaluated {
    return (at, cause, change) => this.#publish(index, at, cause, change);
  }

  #publish(index: number, at: EpochMs, cause: Cause, change: Change): void {
    const occasion = this.#occasion(at, cause, change, null);
    const outputs = this.isMuted ? null : this.#outputs;
    decide(this.models[index]!, this.#published[index]!, this.#states[index]!, occasion, outputs);
  }

  /** Publishes the net difference after the past has changed. */
  #publishDifference(at: EpochMs, cause: Cause, late: string | null, of?: readonly number[]): void {
    const occasion = this.#occasion(at, cause, null, late);
    this.models.forEach((model, i) => {
      if (of?.includes(i) === false) return;
      const published = this.#published[i]!;
      const state = this.#states[i]!;
      // Without an input in force and nothing published there is nothing to take back.
      if (state.firstSight === null && published.score === null) return;
      decide(model, published, state, occasion, this.isMuted ? null : this.#outputs);
    });
  }

  #occasion(at: EpochMs, cause: Cause, change: Change | null, late: string | null): Occasion {
    const { tenantId, contactId } = this;
    const { digest } = this.#conflicts;
    const after = digest === null ? this.#inputs : `${this.#inputs}.${digest}`;
    return { tenantId, contactId, at, cause, change, late, since: this.#erasedUntil, after };
  }
}
