/**
 * A task: one partition of the log, scored. It runs until it is stopped, and begins anew from what is committed after an
 * error that may pass.
 *
 * States: starting (taking over, opening the store), catching-up (folding what is published already, muted),
 * rebuilding (models have changed), running, retrying (after an error that may pass, until something has passed),
 * waiting (for what does not answer), stopping, stopped, failed.
 */
import { messageOf, ScorefoldError } from "../errors.js";
import type { EpochMs } from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import type { ContactKey } from "../store/keys.js";
import { type Losses, noLosses, type Position } from "../store/position.js";
import type { ContactStore } from "../store/store.js";
import type { Clock } from "./clock.js";
import { TaskCondition, type TaskState } from "./condition.js";
import type { TaskContact } from "./contact.js";
import { defaultLimits, type TaskLimits } from "./limits.js";
import type { Log, Offsets, TaskLog } from "./log.js";
import { type CommittedPosition, committedPosition } from "./metadata.js";
import { changeModels, checkNotMidway, ModelSet, modelsOfStore, publishedOfChange, sharedModels } from "./models.js";
import { lag } from "./offsets.js";
import { Places } from "./places.js";
import { Present } from "./present.js";
import type { CommitReport } from "./reports.js";
import { checkRestored, RestoredLess, UnreadRecords } from "./restored.js";
import { Session } from "./session.js";
import { ownCommitted } from "./set-offsets.js";
import { openStoreOf, type StorePlace } from "./store-opening.js";
import type { TaskEvents } from "./task-events.js";
import { type TimerRequest, Waiters } from "./waiters.js";
import { openWatched, watchedPlace } from "./watched-parts.js";

/** Of the fold's meaning and the layout of its states. Another number makes every contact be folded again. */
export const FOLD_VERSION = 2;

export type { TaskState } from "./condition.js";
export type { TaskEvents } from "./task-events.js";

export interface TaskOptions {
  readonly log: Log;
  readonly task: number;
  readonly store: StorePlace;
  /** Null: those that the store was last run with. */
  readonly models: readonly CompiledModel[] | null;
  readonly clock: Clock;
  /** `clock`: timers follow the wall clock once caught up. `manual`: they go where `fireUntil` says. */
  readonly timers: "clock" | "manual";
  readonly limits?: Partial<TaskLimits>;
  readonly events?: TaskEvents;
  /** Of whoever had the task before it in this process, where it is to be gone on with. */
  readonly condition?: TaskCondition;
  /** Who is erased, of whom the log has nothing left: by hash, until when. For a store that begins anew. */
  readonly erased?: () => Promise<ReadonlyMap<string, EpochMs>>;
}

export class Task {
  readonly #options: TaskOptions;
  readonly #limits: TaskLimits;
  #wanted: ModelSet;
  readonly #stop = new AbortController();
  #wake = new AbortController();
  readonly #condition: TaskCondition;
  #session: Session | null = null;
  #store: ContactStore | null = null;
  #log: TaskLog | null = null;
  #lag = 0;
  /** Where the log ended at the last fetch of this life; null: there was none yet. */
  #ends: Offsets | null = null;
  readonly #present: Present;
  #fireUntil: TimerRequest[] = [];
  #writes: Omit<TimerRequest, "until">[] = [];
  readonly #waiters = new Waiters();
  #newest: EpochMs | null = null;
  #published: Offsets | null = null;
  /** Of what is committed, in this life. */
  #unread = new UnreadRecords();

  constructor(options: TaskOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#condition = options.condition ?? new TaskCondition(options.clock);
    this.#present = new Present(options.clock, this.#limits, (text) => options.events?.onClock?.(text));
    this.#wanted = new ModelSet(options.models ?? []);
  }

  get state(): { readonly state: TaskState; readonly detail: string | null } {
    const { state, detail } = this.#condition.shown;
    return { state, detail: detail ?? this.#present.doubt };
  }

  /** Inputs in the log that are not folded and published yet, as of the last fetch. */
  get lag(): number {
    return this.#lag;
  }

  get models(): ModelSet {
    return this.#wanted;
  }

  get store(): ContactStore | null {
    return this.#store;
  }

  /** Up to where inputs are folded and timers have fired; null before the task has started. */
  get position(): Position | null {
    return this.#session?.position ?? null;
  }

  /** Up to where inputs are published, also between two lives; null: not known yet. */
  get published(): Offsets | null {
    return this.#published;
  }

  /** The ends of the input topics, as of the last fetch of this life; null: there was none yet. */
  get ends(): Offsets | null {
    return this.#ends;
  }

  /** How far timers are behind the clock that they follow, beyond their grace; 0 where they follow none. */
  get timersBehindMs(): number {
    return this.#options.timers === "manual" ? 0 : this.#present.timersBehindMs;
  }

  /** How far the wall clock is ahead of the time that timers follow, where it has jumped; 0: they follow it. */
  get clockAheadMs(): number {
    return this.#options.timers === "manual" ? 0 : this.#present.clockAheadMs;
  }

  /** What is lost of its log, and was accepted as lost; as far as the store knows. */
  get losses(): Losses {
    return this.#store?.position.losses ?? noLosses;
  }

  /** Contacts in memory, and what they take. */
  get memory(): { readonly contacts: number; readonly bytes: number } {
    const contacts = this.#session?.contacts;
    return { contacts: contacts?.count ?? 0, bytes: contacts?.bytes ?? 0 };
  }

  /** The present, as timers see it: the wall clock, or how far they were told to go; null: not known yet. */
  get time(): EpochMs | null {
    const { now } = this.#present;
    if (this.#options.timers === "clock" && now !== null) return now;
    return this.#session?.position.timer.all ?? null;
  }

  /** Runs until `stop`, or an error that will not pass. */
  async run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#live();
      } catch (error) {
        await this.#end();
        await this.#setAsideIfUnfit(error);
        if (!this.#mayPass(error)) {
          this.#enter("failed", messageOf(error));
          this.#abandon(error);
          throw error;
        }
        const wait = this.#condition.fail(error, messageOf(error));
        this.#enter("retrying", messageOf(error));
        this.#options.events?.onNotice?.("the task has failed and tries again", error);
        await this.#options.clock.sleep(wait, this.#stop.signal);
      }
    }
    this.#enter("stopped", null);
    this.#abandon(new ScorefoldError("stopping", "the task has stopped"));
  }

  /** Ends `run` after the commit that is under way, with everything written. */
  stop(): void {
    this.#enter("stopping", null);
    this.#stop.abort();
    this.#wake.abort();
  }

  /** Lets timers go up to and including `at`, once all inputs of now are folded. Resolves when that is published. */
  async fireUntil(at: EpochMs): Promise<void> {
    await this.#waiters.promised((done, failed) => {
      this.#fireUntil.push({ until: at, done, failed });
      this.#wake.abort();
    });
  }

  /** Resolves once everything that is folded and published now is in the store. */
  async written(): Promise<void> {
    await this.#waiters.promised((done, failed) => {
      this.#writes.push({ done, failed });
      this.#wake.abort();
    });
  }

  /** Resolves once everything up to these offsets is folded and published. */
  async foldedUpTo(offsets: ReadonlyMap<string, number>): Promise<void> {
    await this.#waiters.until(() => this.#session !== null && lag(this.#session.position.offsets, offsets) === 0);
  }

  /** Resolves once all inputs of the log are folded and published. */
  async caughtUp(): Promise<void> {
    await this.#waiters.until(() => this.#condition.state === "running" && this.#ends !== null && this.#lag === 0);
  }

  /** Resolves once the task runs, with all models folded. @throws what has ended it before */
  async running(): Promise<void> {
    await this.#waiters.until(() => this.#condition.state === "running");
  }

  /**
   * A contact as it stands, from memory or the store. Not to be changed: encode or clone what is to go on.
   *
   * @throws ScorefoldError `stopping` while there is none to ask
   */
  async contact(key: ContactKey): Promise<TaskContact> {
    const session = this.#session;
    if (session === null || this.#condition.state !== "running")
      throw new ScorefoldError("stopping", `the task can't answer yet: it is ${this.#condition.shown.state}`);
    return await session.contacts.loaded(key);
  }

  /** The newest instant of an input since the task started. */
  get newest(): EpochMs | null {
    return this.#newest;
  }

  async #live(): Promise<void> {
    const { log, task, clock } = this.#options;
    this.#enter("starting", null);
    this.#ends = null;
    this.#unread = new UnreadRecords();
    // Taken over first, so that what is committed is the last word of whoever had the task before.
    const taskLog = await openWatched(log, task, this.#condition.waits);
    this.#log = taskLog;
    const starts = new Map([...(await taskLog.bounds())].map(([topic, { start }]) => [topic, start]));
    const { erased, events, timers } = this.#options;
    const place = watchedPlace(this.#options.store, this.#condition.waits);
    const onNotice = (text: string): void => events?.onNotice?.(text);
    const reading = { place, log, taskLog, foldVersion: FOLD_VERSION, starts, onNotice };
    const committed = committedPosition(await ownCommitted(reading));
    this.#published = new Map([...starts, ...(committed?.offsets ?? [])]);
    if (timers === "clock") await this.#present.begin(taskLog);
    const store = await openStoreOf({
      ...reading,
      committed,
      wanted: this.#wanted.id,
      ...(erased === undefined ? {} : { erased }),
    });
    this.#store = store;
    const before = await this.#modelsBefore(store, committed);
    if (this.#options.models === null) this.#wanted = before;
    const isNew = store.models.length === 0 && store.counts.contacts === 0;
    if (isNew) await store.write([], store.position, before.names);
    // A change that was begun is also ended by going back.
    const isChange = store.position.change !== null || before.id !== this.#wanted.id || store.isOfOtherFold;
    const session = (set: ModelSet): Session =>
      new Session({
        modelSets: [before.id, this.#wanted.id],
        log: taskLog,
        starts,
        store,
        modelsOf: set.of,
        taskOf: log.taskOf,
        clock,
        limits: this.#limits,
        onCommit: (report) => this.#onCommit(report),
        onPublishFailed: () => this.#wake.abort(),
        onWrite: (report) => {
          this.#condition.written();
          this.#options.events?.onWrite?.(report);
        },
      });
    this.#session = session(before);
    if (committed !== null) {
      this.#enter("catching-up", null);
      await this.#session.catchUp(committed, (done, total) => {
        if (this.#stop.signal.aborted) throw new ScorefoldError("stopping", "stopped while catching up");
        this.#options.events?.onProgress?.("catching-up", done, total);
      });
      if (log.origin !== null) checkRestored(task, committed, this.#session.position, this.#unread);
    }
    if (isChange) {
      this.#enter("rebuilding", null);
      await this.#session.write();
      this.#session = session(this.#wanted);
      const isDone = await changeModels({
        store,
        session: this.#session,
        before,
        wanted: this.#wanted,
        sliceContactsMax: this.#limits.sliceContactsMax,
        published: publishedOfChange(committed, before),
        onProgress: (done, total) => this.#options.events?.onProgress?.("rebuilding", done, total),
        shouldStop: () => this.#stop.signal.aborted,
      });
      if (!isDone) return await this.#end();
    }
    this.#enter("running", null);
    this.#settle();
    await this.#loop(taskLog, this.#session, new Places(clock, [taskLog, store]));
    await this.#session.write();
    await this.#end();
  }

  async #loop(log: TaskLog, session: Session, places: Places): Promise<void> {
    let hasMoreTimers = false;
    let isFolded = false;
    let hasInputs = false;
    while (!this.#stop.signal.aborted) {
      if (this.#wake.signal.aborted) this.#wake = new AbortController();
      if (isFolded && (!hasMoreTimers || hasInputs)) await session.rest(this.#wake.signal);
      const waitMs = hasMoreTimers || (isFolded && this.#fireUntil.length > 0) ? 0 : this.#limits.idleWaitMs;
      const fetched = await session.fetch(waitMs, this.#wake.signal);
      await places.look();
      hasInputs = fetched.some(({ records }) => records.length > 0);
      this.#ends = new Map(fetched.map(({ topic, end }) => [topic, end]));
      this.#settle();
      // Here the publish under way has had the fetch to come through, and there is nothing beyond it to wait for.
      await session.writeIfDue();
      const hasFired = await session.commitInputs(fetched);
      isFolded = lag(session.folded, this.#ends) === 0;
      // While inputs wait, their own time is what passes, contact by contact.
      if (hasFired) await this.#passTime(log, session);
      hasMoreTimers = isFolded && (hasFired || (await this.#fireTimers(log, session, hasMoreTimers)));
      if (this.#writes.length > 0) await this.#write(session);
      if (this.#condition.isFailing) this.#endTurn(session, isFolded && !hasMoreTimers);
    }
  }

  /** @param isDone whether all that has come is folded, and nothing is due */
  #endTurn(session: Session, isDone: boolean): void {
    const isPublished = lag(session.position.offsets, this.#ends ?? new Map()) === 0;
    const isIdle = isDone && isPublished && session.contacts.unwritten.size === 0;
    if (this.#condition.endTurn(isIdle)) this.#tellShown();
  }

  async #write(session: Session): Promise<void> {
    const asked = this.#writes.splice(0);
    try {
      await session.write();
    } catch (error) {
      for (const { failed } of asked) failed(error);
      throw error;
    }
    for (const { done } of asked) done();
  }

  /** @param hasMore what it has returned before @returns whether there is more that is due */
  async #fireTimers(log: TaskLog, session: Session, hasMore: boolean): Promise<boolean> {
    const wanted = this.#fireUntil[0];
    if (this.#options.timers === "manual") {
      if (wanted === undefined) return false;
      if (await session.fireTimers(wanted.until, true)) return true;
      this.#fireUntil.shift();
      wanted.done();
      return this.#fireUntil.length > 0;
    }
    // After an error nothing has passed before what is due has been looked at.
    const isBegun = hasMore || session.isFiring || this.#condition.isFailing;
    if (!isBegun && !this.#present.isLookDue) return false;
    await this.#passTime(log, session);
    const until = this.#present.dueUntil;
    const isMore = await session.fireTimers(until);
    if (!isMore) this.#present.firedUntil(until);
    return isMore;
  }

  async #passTime(log: TaskLog, session: Session): Promise<void> {
    if (this.#options.timers === "manual") return;
    const { counts, position } = this.#store as ContactStore;
    const hasContacts = counts.contacts > 0 || lag(position.offsets, session.folded) > 0;
    await this.#present.look(log, hasContacts);
  }

  /** The models that contacts of the store are under, or begin under where it is new: those that are published. */
  async #modelsBefore(store: ContactStore, committed: CommittedPosition | null): Promise<ModelSet> {
    const shared = this.#options.log.models;
    const isNew = store.models.length === 0 && store.counts.contacts === 0;
    if (shared !== null) await shared.learn(this.#wanted.id, this.#wanted.texts);
    const published = committed?.models ?? null;
    if (shared !== null || !isNew) checkNotMidway(committed, store.position.change, this.#wanted);
    const isOther = shared !== null && isNew && published !== null && published !== this.#wanted.id;
    const before = isOther ? await sharedModels(shared, published) : null;
    const own = await modelsOfStore(store, this.#wanted, before);
    return isNew && this.#options.models !== null ? (before ?? this.#wanted) : own;
  }

  /** Ends the life that is under way; what is in memory is forgotten. */
  async #end(): Promise<void> {
    await this.#session?.settled();
    this.#session = null;
    const [store, log] = [this.#store, this.#log];
    this.#store = null;
    this.#log = null;
    await store?.close();
    await log?.close();
  }

  #mayPass(error: unknown): boolean {
    if (this.#stop.signal.aborted) return true;
    return error instanceof ScorefoldError && (error.retryable || error.code === "database-corrupt");
  }

  async #setAsideIfUnfit(error: unknown): Promise<void> {
    const isDamaged = error instanceof ScorefoldError && error.code === "database-corrupt";
    if ((!isDamaged && !(error instanceof RestoredLess)) || this.#stop.signal.aborted) return;
    const where = await this.#options.store.setAside();
    const text = isDamaged
      ? `is damaged: put aside in ${where}, and everything is folded again from the log`
      : `was made of less than was scored: put aside in ${where}`;
    this.#options.events?.onNotice?.(`the store ${text}`, error);
  }

  #onCommit(report: CommitReport): void {
    const { newest, deadLetters } = report.gathered;
    if (report.isMuted) this.#unread.note(deadLetters);
    if (newest !== null && (this.#newest === null || newest > this.#newest)) this.#newest = newest;
    if (!report.isMuted) this.#condition.committed();
    if (!report.isMuted && this.#session !== null) this.#published = this.#session.position.offsets;
    this.#options.events?.onCommit?.(report);
    this.#settle();
  }

  #enter(state: TaskState, detail: string | null): void {
    if (this.#stop.signal.aborted && state !== "stopped" && state !== "failed") return;
    this.#condition.enter(state, detail);
    this.#tellShown();
    this.#options.events?.onState?.(state, detail);
  }

  #tellShown(): void {
    const shown = this.#condition.newlyShown();
    if (shown !== null) this.#options.events?.onShown?.(shown.state, shown.detail);
  }

  /** Tells those who wait for what holds now. */
  #settle(): void {
    if (this.#session !== null && this.#ends !== null) this.#lag = lag(this.#session.position.offsets, this.#ends);
    this.#waiters.wake();
  }

  #abandon(error: unknown): void {
    this.#waiters.end(error);
    for (const { failed } of [...this.#fireUntil, ...this.#writes]) failed(error);
    this.#writes = [];
    this.#fireUntil = [];
  }
}
