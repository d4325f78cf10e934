/**
 * One life of a task: from taking it over to the first error. All that is in memory belongs to it, so after an error
 * whose outcome is not known the next life begins from what is committed, exactly as after a crash.
 *
 * A commit, step by step: 1. collect a batch of inputs, a slice of due timers, or both; 2. read the contacts that are not
 * in memory; 3. fold and decide; 4. publish outputs, dead letters and positions in one transaction, beside 1 to 3 of the
 * next batch; 5. write contacts and position to the store, gathered over several commits and beside the next ones;
 * 6. forget what 5 has written.
 *
 * The invariant: what is published is the fold of the inputs up to the committed offsets, and of time up to the
 * committed place of the timers. The store is at such a point too, the same or an earlier one. Memory may be ahead of
 * what is published, by two commits: one whose publish is not answered yet, and one that waits for its turn.
 * A write takes all that is in memory, so it begins only where the two are level; timers on their own and models go on
 * from there too.
 */
import type { ContactId, EpochMs, TenantId } from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import { countedWith, type Position, type TimerPlace } from "../store/position.js";
import type { ContactStore } from "../store/store.js";
import { advanceDue, type BatchContext, foldRecords, Gathered, mergeByTime, offsetsAfter } from "./batch.js";
import type { Clock } from "./clock.js";
import type { TaskContact } from "./contact.js";
import { HotContacts } from "./hot-contacts.js";
import type { TaskLimits } from "./limits.js";
import type { Fetched, Marks, Offsets, TaskLog } from "./log.js";
import { marksAfter } from "./marks.js";
import { encodeMetadata } from "./metadata.js";
import { checkEnds, lag, upTo } from "./offsets.js";
import type { CommitReport, WriteReport } from "./reports.js";
import { besideInputs, passedBy, Search, TimerRun } from "./timers.js";

export interface SessionOptions {
  readonly log: TaskLog;
  /** Where topics begin of which nothing is folded yet. */
  readonly starts: Offsets;
  readonly store: ContactStore;
  readonly modelsOf: (tenantId: TenantId) => readonly CompiledModel[];
  /** Names the models that contacts are published under; the second those that a change leads to. */
  readonly modelSets: readonly [now: string, next: string];
  /** The task that a contact belongs to; null: this one. */
  readonly taskOf: ((contactId: ContactId) => number) | null;
  readonly clock: Clock;
  readonly limits: TaskLimits;
  readonly onCommit: (report: CommitReport) => void;
  /** Told at once of a publish that failed: whoever waits for something else is to hear of it, by the session's next call. */
  readonly onPublishFailed: () => void;
  readonly onWrite: (report: WriteReport) => void;
}

export class Session {
  readonly contacts: HotContacts;
  readonly #options: SessionOptions;
  #models: string;
  #folded: Position;
  #published: Position;
  /** The last batch that was published to each output topic. */
  #outputs: Marks;
  #publishing: Promise<void> = Promise.resolve();
  #publishFailed: unknown = null;
  /** While catching up nothing is published: it was, before. */
  #isMuted = false;
  #timers: TimerRun | null = null;
  #search: Search | null = null;
  #writing: Promise<void> | null = null;
  #writeFailed: unknown = null;
  #unwrittenInputs = 0;
  #writtenAt: number;
  /** When the last publish began. */
  #publishedAt = Number.NEGATIVE_INFINITY;
  #recordsMax: number;
  /** Whether the last fetch brought inputs. */
  #hasInputs = false;
  /** Since the batch under way began: time that others had. */
  #yieldedMs = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { position } = options.store;
    this.#folded = { ...position, offsets: new Map([...options.starts, ...position.offsets]) };
    this.#outputs = position.outputs;
    this.#published = this.#folded;
    this.#models = options.modelSets[0];
    this.contacts = new HotContacts(options.store, options.modelsOf, options.limits.hotBytesMax);
    this.#writtenAt = options.clock.elapsed();
    this.#recordsMax = options.limits.batchRecordsMax;
  }

  /** Up to where everything is folded and published. */
  get position(): Position {
    return this.#published;
  }

  /** Up to where inputs are folded: the same as `position`, or ahead of it. */
  get folded(): Offsets {
    return this.#folded.offsets;
  }

  /** Whether a run of the timers is under way. */
  get isFiring(): boolean {
    return this.#timers !== null || this.#search !== null || this.#folded.timer.run !== null;
  }

  /**
   * Brings what comes next, for one commit. Resolves early when `signal` aborts.
   *
   * @throws what a publish has failed with, and what the log's fetch throws
   */
  async fetch(waitMs: number, signal?: AbortSignal): Promise<Fetched[]> {
    this.#throwPublishError();
    const { log, limits } = this.#options;
    const wanted = { bytesMax: limits.batchBytesMax, recordsMax: this.#recordsMax, waitMs };
    return await log.fetch(this.#folded.offsets, wanted, signal, this.#folded.marks);
  }

  /**
   * For where all inputs are folded: waits until they are published too, and until the next commit is due. What comes
   * meanwhile is one batch then; one that was cut earlier would only wait for its turn, and leave the rest to the next.
   * Resolves early when `signal` aborts.
   */
  async rest(signal: AbortSignal): Promise<void> {
    await this.published();
    const { clock, limits } = this.#options;
    const left = this.#publishedAt + limits.commitIntervalMs - clock.elapsed();
    if (left > 0) await clock.sleep(left, signal);
  }

  /**
   * Folds what was committed and is not in the store yet: exactly up to the committed offsets, then exactly up to the
   * committed place of the timers. Muted: all of it was published before.
   */
  async catchUp(
    committed: Pick<Position, "offsets" | "timer">,
    onProgress: (done: number, total: number) => void,
  ): Promise<void> {
    const { limits } = this.#options;
    this.#isMuted = true;
    const total = lag(this.#folded.offsets, committed.offsets);
    for (;;) {
      const left = lag(this.#folded.offsets, committed.offsets);
      onProgress(total - left, total);
      if (left === 0) break;
      const fetched = await this.fetch(limits.idleWaitMs);
      const cut = fetched.map((one) => upTo(one, committed.offsets.get(one.topic) ?? 0));
      await this.commitInputs(cut);
      if (lag(this.#folded.offsets, committed.offsets) === left) checkEnds(fetched, committed.offsets);
      await this.writeIfDue();
    }
    await this.#repeatTimers(committed.timer);
    this.#isMuted = false;
  }

  /**
   * Folds what was fetched, and begins to publish it once the publish before it is answered. Where nothing was fetched
   * that answer is waited for all the same. A run of the timers that is under way goes on in the same transaction, unless
   * more inputs wait.
   *
   * @returns whether timers have gone on
   */
  async commitInputs(fetched: readonly Fetched[]): Promise<boolean> {
    this.#throwPublishError();
    // 1. Collect.
    const merged = mergeByTime(fetched, this.#folded.offsets);
    this.#hasInputs = merged.records.length > 0;
    if (merged.records.length === 0 && lag(this.#folded.offsets, merged.offsets) === 0) {
      await this.published();
      return false;
    }
    const started = this.#options.clock.elapsed();
    const gathered = this.gathered();
    this.#yieldedMs = 0;
    // 2. and 3.
    const taken = await foldRecords(merged.records, this.#context(), gathered);
    // What is left over was decoded in vain, so the next fetch asks for less.
    const wanted = taken < merged.records.length ? Math.ceil(1.25 * taken) : 2 * this.#recordsMax;
    this.#recordsMax = Math.min(this.#options.limits.batchRecordsMax, wanted);
    this.#unwrittenInputs += gathered.inputs;
    const offsets = offsetsAfter(merged, taken);
    const marks = marksAfter(this.#folded.marks, fetched, offsets);
    const isAll = fetched.every(({ topic, end }) => (offsets.get(topic) ?? 0) >= end);
    // In a transaction of its own it would be waited for by what comes meanwhile.
    const slice = this.#timers === null || !isAll ? null : await this.#fireSlice(this.#timers, gathered);
    const timer = slice?.place ?? this.#folded.timer;
    const inputs = countedWith(this.#folded, gathered.inputs);
    const position = { ...this.#folded, offsets, marks, timer, inputs };
    await this.#commit("inputs", gathered, position, started + this.#yieldedMs);
    return slice !== null;
  }

  /** For what one commit publishes. */
  gathered(): Gathered {
    const { log } = this.#options;
    return new Gathered({ isMuted: this.#isMuted, encode: log.encode && ((output) => log.encode!(output)) });
  }

  /** Lets timers go as far as they went before, muted. */
  async #repeatTimers(place: TimerPlace): Promise<void> {
    const { limits } = this.#options;
    const until = Math.max(place.all ?? Number.NEGATIVE_INFINITY, place.run?.until ?? Number.NEGATIVE_INFINITY);
    const due = new TimerRun(until, Number.isFinite(until) ? await this.#searchDue(until).found() : []);
    while (due.size > 0) {
      const keys = due.take(limits.sliceContactsMax);
      await this.contacts.load(keys);
      for (const key of keys) {
        const contact = this.contacts.get(key)!;
        const passed = passedBy(place, key);
        if (passed === null) continue;
        contact.borrow(true);
        if (!advanceDue(contact, passed)) {
          this.contacts.settle(contact);
          continue;
        }
        contact.fold.drain();
        contact.moveDue();
        this.contacts.touch(contact);
        this.contacts.settle(contact);
      }
      this.contacts.endRound();
      // The position stays where it was until all of it is repeated.
      if (this.contacts.unwritten.size >= limits.unwrittenContactsMax) await this.write();
    }
    this.#folded = { ...this.#folded, timer: place };
    this.#published = this.#folded;
    // What follows is published again, so the store has to know where that begins.
    await this.write();
  }

  /**
   * Fires a slice of what is due at or before `until`, and commits it: between two publishes, beside none. A run that was
   * begun goes to its own end first.
   *
   * @param isTold whether the place is committed also where nothing was due
   * @returns whether there is more
   */
  async fireTimers(until: EpochMs, isTold = false): Promise<boolean> {
    await this.published();
    const started = this.#options.clock.elapsed();
    const { timer } = this.#folded;
    if (timer.all !== null && until <= timer.all && timer.run === null) return false;
    if (this.#timers === null) {
      // A run that a crash has interrupted goes to its own end.
      this.#search ??= this.#searchDue(timer.run?.until ?? until);
      // Where many are due it takes a while, and who comes meanwhile is added.
      if (this.#hasInputs && (await this.#search.isLong())) return true;
      this.#timers = await this.#startTimers(this.#search);
    }
    const run = this.#timers;
    const gathered = this.gathered();
    const { fired, place } = await this.#fireSlice(run, gathered);
    const isDone = place.run === null;
    // Where nothing was due there is mostly nothing to say, and the place stays.
    const isSilent = fired === 0 && !isTold && timer.run === null && isDone;
    if (!isSilent) {
      await this.#commit("timers", gathered, { ...this.#folded, timer: place }, started);
      await this.published();
    }
    return !isDone || run.until < until;
  }

  /** Collects, reads and fires the next slice of a run. @returns how many were due, and where timers are then */
  async #fireSlice(run: TimerRun, gathered: Gathered): Promise<{ fired: number; place: TimerPlace }> {
    const { limits } = this.#options;
    const outputsMax = gathered.outputs.length + limits.sliceOutputsMax;
    const keys = run.take(this.#hasInputs ? besideInputs(run.all, limits) : limits.sliceContactsMax);
    await this.contacts.load(keys);
    let fired = 0;
    let taken = 0;
    for (const key of keys) {
      if (gathered.outputs.length >= outputsMax) break;
      taken += 1;
      const contact = this.contacts.get(key)!;
      contact.borrow(gathered.isMuted);
      // An entry of the index may be too early: then it is only put where it belongs.
      if (advanceDue(contact, run.until)) fired += 1;
      gathered.take(gathered.outputsOf(contact));
      contact.moveDue();
      this.contacts.touch(contact);
      this.contacts.settle(contact);
    }
    if (taken < keys.length) run.putBack(keys.slice(taken));
    if (run.size > 0)
      return { fired, place: { all: this.#folded.timer.all, run: { until: run.until, done: keys[taken - 1]! } } };
    this.#timers = null;
    return { fired, place: { all: run.until, run: null } };
  }

  /** Publishes the outputs of a change of models and writes it at once: step by step, so that a crash may be anywhere. */
  async commitChange(gathered: Gathered, change: Position["change"], models?: readonly string[]): Promise<void> {
    if (models !== undefined) this.#models = this.#options.modelSets[1];
    await this.#commit("models", gathered, { ...this.#folded, change }, this.#options.clock.elapsed());
    await this.write(models);
  }

  /** The same as `commitChange`, for what was published before. */
  async repeatChange(change: Position["change"]): Promise<void> {
    this.#folded = { ...this.#folded, change };
    this.#published = this.#folded;
    await this.write();
  }

  /**
   * Begins a write to the store where there is enough to write or enough time has passed, once all that is folded is
   * published.
   */
  async writeIfDue(): Promise<void> {
    this.#throwWriteError();
    const { limits, clock } = this.#options;
    const { unwritten } = this.contacts;
    const isFull = unwritten.size >= limits.unwrittenContactsMax || this.#unwrittenInputs >= limits.unwrittenInputsMax;
    const isTime = unwritten.size > 0 && clock.elapsed() - this.#writtenAt >= limits.writeIntervalMs;
    if (!isFull && !isTime) return;
    // The unwritten part is bounded: a store that is slower than the log holds the task up here.
    if (this.#writing !== null) {
      if (!isFull) return;
      await this.#writing;
      this.#throwWriteError();
    }
    await this.published();
    this.#beginWrite();
  }

  /** Publishes and writes everything to the store, and waits for it. */
  async write(models?: readonly string[]): Promise<void> {
    await this.published();
    await this.#writing;
    this.#throwWriteError();
    this.#beginWrite(models);
    await this.#writing;
    this.#throwWriteError();
  }

  /** Waits until all that is folded is published. @throws what a publish has failed with */
  async published(): Promise<void> {
    await this.#publishing;
    this.#throwPublishError();
  }

  /** Waits until no publish and no write is under way, however they end. */
  async settled(): Promise<void> {
    await this.#publishing;
    await this.#writing;
    await this.#search?.ended;
  }

  /** Takes a step that is folded as the next to be published, and begins that when the one before is answered. */
  async #commit(kind: CommitReport["kind"], gathered: Gathered, position: Position, started: number): Promise<void> {
    const { clock, onCommit } = this.#options;
    const foldMs = clock.elapsed() - started;
    this.#folded = position;
    this.contacts.endRound();
    await this.published();
    if (this.#isMuted) {
      this.#published = position;
      onCommit({ kind, isMuted: true, gathered, foldMs, publishMs: 0 });
    } else this.#publishing = this.#publish(kind, gathered, position, foldMs);
  }

  /** 4. Publish, beside what comes next. It never rejects: the session's next call throws what it has failed with. */
  async #publish(kind: CommitReport["kind"], gathered: Gathered, position: Position, foldMs: number): Promise<void> {
    const { clock, log, onCommit, onPublishFailed } = this.#options;
    const started = clock.elapsed();
    this.#publishedAt = started;
    try {
      const written = await log.publish({
        outputs: gathered.outputs,
        deadLetters: gathered.deadLetters,
        rekeyed: gathered.rekeyed,
        offsets: position.offsets,
        marks: position.marks,
        metadata: encodeMetadata(position, this.#models),
      });
      this.#outputs = new Map([...this.#outputs, ...written]);
      this.#published = { ...position, outputs: this.#outputs };
      onCommit({ kind, isMuted: false, gathered, foldMs, publishMs: clock.elapsed() - started });
    } catch (error) {
      this.#publishFailed = error;
      onPublishFailed();
    }
  }

  /** 5. Write, beside the next commits; 6. forget what is written. */
  #beginWrite(models?: readonly string[]): void {
    const { store, clock, onWrite } = this.#options;
    const started = clock.elapsed();
    const { contacts, changes } = this.contacts.beginWrite();
    const inputs = this.#unwrittenInputs;
    this.#unwrittenInputs = 0;
    this.#writtenAt = started;
    this.#writing = store
      .write(changes, this.#published, models)
      .then(() => {
        this.contacts.written();
        onWrite({ contacts, inputs, ms: clock.elapsed() - started });
      })
      .catch((error: unknown) => {
        this.#writeFailed = error;
      })
      .finally(() => {
        this.#writing = null;
      });
  }

  #throwPublishError(): void {
    if (this.#publishFailed !== null) throw this.#publishFailed;
  }

  #throwWriteError(): void {
    if (this.#writeFailed !== null) throw this.#writeFailed;
  }

  #context(): BatchContext {
    const { store, limits, clock, log, taskOf } = this.#options;
    return {
      task: log.task,
      taskOf,
      store,
      limits,
      contacts: this.contacts,
      timer: this.#folded.timer,
      onMoved: (contact) => this.#moved(contact),
      yield: async () => {
        const started = clock.elapsed();
        await clock.yield();
        this.#yieldedMs += clock.elapsed() - started;
      },
    };
  }

  /** A contact that an input made due, and that has not had its turn, has it in the run under way, or about to begin. */
  #moved(contact: TaskContact): void {
    const run = this.#timers ?? this.#search;
    if (run === null) return;
    const due = contact.due();
    if (due !== null && due <= run.until) run.add(contact.key);
  }

  /** Looks for who is due, beside what comes. */
  #searchDue(until: EpochMs): Search {
    return new Search(until, this.contacts, this.#options.store);
  }

  async #startTimers(search: Search): Promise<TimerRun> {
    const due = await search.found();
    this.#search = null;
    return new TimerRun(search.until, due, this.#folded.timer.run?.done);
  }
}
