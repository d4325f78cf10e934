/**
 * The engine without a broker: the embedded log, the store, and the one task between them, in one process on one
 * directory.
 */
import type {
  Appended,
  ContactAnswer,
  Engine,
  EngineStatus,
  ExplainAnswer,
  OutputRecord,
  Question,
  TopicBounds,
} from "../api/engine.js";
import type { Database } from "../database/database.js";
import { EmbeddedLog, INPUTS } from "../embedded/log.js";
import { ScorefoldError } from "../errors.js";
import type { Original } from "../events/dead-letter.js";
import type { ContactId, EpochMs, Profile, ScoreLine, TenantId } from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import type { Clock } from "../stream/clock.js";
import type { TaskLimits } from "../stream/limits.js";
import { Task, type TaskState } from "../stream/task.js";
import { createMetrics, type Logger, type Metrics } from "../telemetry.js";
import { erasedInLog } from "./compaction.js";
import type { DataDirectory } from "./directory.js";
import { allScores, explanationOf, scoresOf } from "./queries.js";

/** Inputs that wait in memory to be folded; beyond it, those who append wait, or are asked to come again. */
const UNREAD_BYTES_MAX = 16 * 1024 * 1024;
/** Records of an output topic read at once. */
const OUTPUTS_READ = 512;
const OUTPUTS_READ_BYTES = 1024 * 1024;

export interface EmbeddedEngineOptions {
  readonly directory: DataDirectory;
  /** Null: those the store was last run with. */
  readonly models: readonly CompiledModel[] | null;
  readonly clock: Clock;
  /** `clock`: timers follow the clock once caught up. `manual`: they go where `fireUntil` says. */
  readonly timers: "clock" | "manual";
  readonly logger: Logger;
  readonly limits?: Partial<TaskLimits>;
  readonly onProgress?: (what: "catching-up" | "rebuilding", done: number, total: number) => void;
}

export class EmbeddedEngine implements Engine {
  readonly #options: EmbeddedEngineOptions;
  readonly #database: Database;
  readonly #log: EmbeddedLog;
  readonly #task: Task;
  readonly #metrics: Metrics;
  #ended: Promise<void> = Promise.resolve();
  #error: unknown = null;
  #isStopping = false;
  readonly #counts = { late: 0, duplicates: 0 };

  private constructor(options: EmbeddedEngineOptions, database: Database, log: EmbeddedLog) {
    this.#options = options;
    this.#database = database;
    this.#log = log;
    this.#metrics = createMetrics(async () => ({
      lag: this.#task.lag,
      contacts: this.#task.store?.counts.contacts ?? 0,
      hotContacts: this.#task.memory.contacts,
      hotBytes: this.#task.memory.bytes,
      storeBytes: (await this.#task.store?.size()) ?? 0,
      logBytes: await this.#log.size(),
      timersBehind: this.#task.timersBehindMs / 1000,
      state: this.#task.state.state,
    }));
    this.#task = this.#makeTask();
  }

  /**
   * Opens the directory's log and starts the task.
   *
   * @throws ScorefoldError `directory-in-use`, `database-corrupt`, `format-unknown`, `disk-full`, ...
   */
  static async start(options: EmbeddedEngineOptions): Promise<EmbeddedEngine> {
    const database = await options.directory.openLog();
    try {
      const { clock } = options;
      const log = await EmbeddedLog.open(database, { now: () => clock.now(), memoryBytesMax: UNREAD_BYTES_MAX });
      const engine = new EmbeddedEngine(options, database, log);
      engine.#run();
      return engine;
    } catch (error) {
      await database.close();
      throw error;
    }
  }

  /** What became of inputs since the engine started. */
  get counts(): { readonly late: number; readonly duplicates: number } {
    return this.#counts;
  }

  get log(): EmbeddedLog {
    return this.#log;
  }

  get task(): Task {
    return this.#task;
  }

  get status(): EngineStatus {
    const { state, detail } = this.#task.state;
    return {
      state,
      detail,
      isReady: state === "running" && !this.#isStopping,
      lag: this.#task.lag,
      contacts: this.#task.store?.counts.contacts ?? 0,
      models: this.#task.models.names,
    };
  }

  /** Resolves when the engine has ended. @throws what has ended it, unless it was `stop` */
  async ended(): Promise<void> {
    await this.#ended;
    if (this.#error !== null) throw this.#error;
  }

  /** Ends the task after the commit under way, with everything written, and closes the directory. */
  async stop(): Promise<void> {
    if (!this.#isStopping) {
      this.#isStopping = true;
      this.#task.stop();
    }
    await this.#ended;
  }

  async append(lines: readonly Original[]): Promise<Appended> {
    if (this.#log.unreadBytes > UNREAD_BYTES_MAX)
      throw new ScorefoldError(
        "too-many",
        "more inputs are waiting than are taken at once; send them again in a while",
      );
    const { base, decoded } = await this.appendLines(lines);
    return { offset: base, decoded };
  }

  /** The same for lines of a file, at the pace at which they are folded. */
  async appendLines(lines: readonly Original[], source: { name: string; firstLine: number } | null = null) {
    if (this.#isStopping) throw new ScorefoldError("stopping", "the engine is stopping");
    return await this.#log.append(lines, source);
  }

  /** Resolves when whoever appends lines of files may go on. */
  async drained(): Promise<void> {
    await this.#whileRunning(this.#log.drained(UNREAD_BYTES_MAX / 2));
  }

  async scores(contact: ContactId, question: Question): Promise<ContactAnswer | null> {
    return await scoresOf(this.#task, contact, question);
  }

  async explain(contact: ContactId, question: Question): Promise<ExplainAnswer | null> {
    return await explanationOf(this.#task, contact, question);
  }

  allScores(question: Question): AsyncIterable<readonly ScoreLine[]> {
    return allScores(this.#task, question);
  }

  async topics(): Promise<readonly TopicBounds[]> {
    return [...this.#log.topics].map(([topic, { start, end }]) => ({ topic, start, end }));
  }

  async *outputs(
    topic: string,
    from: number,
    signal: AbortSignal,
    until = Number.POSITIVE_INFINITY,
  ): AsyncGenerator<readonly OutputRecord[]> {
    let next = from;
    while (!signal.aborted && next < until) {
      const read = await this.#log.read(topic, next, { recordsMax: OUTPUTS_READ, bytesMax: OUTPUTS_READ_BYTES });
      next = read.next;
      const records = read.records.filter(({ offset }) => offset < until);
      if (records.length > 0) yield records;
      else if (next >= read.end && next < until) await this.#log.whenMore(topic, next, signal);
    }
  }

  async erase(contact: ContactId, tenantId: TenantId): Promise<void> {
    const at = this.#options.timers === "clock" ? this.#options.clock.now() : await this.#newestOf(contact, tenantId);
    const erasure: Profile = { kind: "profile", id: "", tenantId, contactId: contact, at, fields: null };
    const { offset, decoded } = await this.append([JSON.stringify(erasure)]);
    const [refused] = decoded.filter(({ ok }) => !ok);
    if (refused?.ok === false) throw new ScorefoldError("usage", refused.error);
    await this.folded(offset);
    await this.#task.written();
  }

  async folded(offset: number): Promise<void> {
    await this.#whileRunning(this.#task.foldedUpTo(new Map([[INPUTS, offset + 1]])));
  }

  async metrics(): Promise<{ text: string; contentType: string }> {
    const { registry } = this.#metrics;
    return { text: await registry.metrics(), contentType: registry.contentType };
  }

  /** Without a clock of its own an erasure is dated after all that is known of the contact. */
  async #newestOf(contactId: ContactId, tenantId: TenantId): Promise<EpochMs> {
    const now = this.#options.clock.now();
    const answer = await scoresOf(this.#task, contactId, { tenantId });
    return Math.max(now, answer?.asOf ?? now);
  }

  #run(): void {
    const end = async (): Promise<void> => {
      await this.#log.close();
      await this.#database.close();
    };
    this.#ended = this.#task
      .run()
      .catch((error: unknown) => {
        this.#error = error;
        this.#options.logger.fatal({ err: error }, "the task has ended");
      })
      .finally(end);
  }

  /** What waits for a task that has ended is told why. */
  async #whileRunning(wait: Promise<void>): Promise<void> {
    await wait.catch((error: unknown) => {
      throw this.#error ?? error;
    });
  }

  #makeTask(): Task {
    const { directory, models, clock, timers, logger, limits, onProgress } = this.#options;
    const metrics = this.#metrics;
    return new Task({
      log: this.#log,
      task: 0,
      store: { open: () => directory.openStore(), setAside: () => directory.setStoreAside() },
      models,
      clock,
      timers,
      ...(limits === undefined ? {} : { limits }),
      erased: () => erasedInLog(this.#database),
      events: {
        onState: (state: TaskState, detail) => logger.info({ state, detail }, `task is ${state}`),
        onNotice: (text, error) => {
          metrics.failures.inc();
          logger.warn(error === undefined ? {} : { err: error }, text);
        },
        onProgress: (what, done, total) => onProgress?.(what, done, total),
        onCommit: ({ kind, gathered, foldMs, publishMs }) => {
          this.#counts.late += gathered.late;
          this.#counts.duplicates += gathered.duplicates;
          metrics.commits.inc({ kind });
          metrics.inputs.inc(gathered.inputs);
          metrics.late.inc(gathered.late);
          metrics.duplicates.inc(gathered.duplicates);
          metrics.erased.inc(gathered.erased);
          for (const { kind: output } of gathered.outputs) metrics.outputs.inc({ kind: output });
          for (const { reason } of gathered.deadLetters) metrics.deadLetters.inc({ reason });
          metrics.foldSeconds.observe({ kind }, foldMs / 1000);
          metrics.commitSeconds.observe({ kind }, publishMs / 1000);
        },
        onWrite: ({ ms }) => metrics.writeSeconds.observe(ms / 1000),
      },
    });
  }
}
