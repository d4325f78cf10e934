/**
 * The engine without a broker: the embedded log, the store, and the one task between them, in one process on one
 * directory.
 */
import type {
  Appended,
  ContactAnswer,
  Engine,
  EngineStatus,
  ErasureAnswer,
  ErasureOptions,
  ExplainAnswer,
  OutputRecord,
  Question,
  TaskStatus,
  TopicBounds,
} from "../api/engine.js";
import type { Database } from "../database/database.js";
import { EmbeddedLog, INPUTS } from "../embedded/log.js";
import { ScorefoldError } from "../errors.js";
import type { Original } from "../events/dead-letter.js";
import type { DeadLetterReason } from "../events/decode.js";
import type { ContactId, Profile, ScoreLine, TenantId } from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import { ContactStore } from "../store/store.js";
import type { Clock } from "../stream/clock.js";
import type { TaskLimits } from "../stream/limits.js";
import type { CommitReport, WriteReport } from "../stream/reports.js";
import { FOLD_VERSION, Task } from "../stream/task.js";
import { createMetrics, type Logger, type Metrics } from "../telemetry.js";
import { erasedInLog } from "./compaction.js";
import { DeadLettersOfLog, lettersOf } from "./dead-letters.js";
import type { DataDirectory } from "./directory.js";
import { doubted } from "./doubted.js";
import { EmbeddedLag } from "./embedded-lag.js";
import { eraseContact } from "./erasure.js";
import { Patience, withRoom } from "./patience.js";
import { allScores, explanationOf, scoresOf } from "./queries.js";
import { countingEvents, measured, statusOf } from "./task-metrics.js";

/** Inputs that wait in memory to be folded; beyond it, those who append are asked to come again. */
const UNREAD_BYTES_MAX = 16 * 1024 * 1024;
/** Whoever has a file to read goes on below it: decoded, an input takes several times what its line does. */
const PACE_BYTES = 1024 * 1024;
/** Records of an output topic read at once: so much is held for each reader that is slow. */
const OUTPUTS_READ = 512;
const OUTPUTS_READ_BYTES = 64 * 1024;

export interface EmbeddedEngineOptions {
  readonly directory: DataDirectory;
  /** Null: those the store was last run with. */
  readonly models: readonly CompiledModel[] | null;
  readonly clock: Clock;
  /** `clock`: timers follow the clock once caught up. `manual`: they go where `fireUntil` says. */
  readonly timers: "clock" | "manual";
  readonly logger: Logger;
  readonly limits?: Partial<TaskLimits>;
  /** How long what may pass is tried before the engine ends, where nothing has passed since; default: for ever. */
  readonly patienceMs?: number;
  /** Told of each commit and each write to the store, beside the metrics. */
  readonly onCommit?: (report: CommitReport) => void;
  readonly onWrite?: (report: WriteReport) => void;
  readonly onProgress?: (what: "catching-up" | "rebuilding", done: number, total: number) => void;
}

export interface EngineCounts {
  readonly late: number;
  readonly duplicates: number;
  readonly deadLetters: ReadonlyMap<DeadLetterReason, number>;
}

export class EmbeddedEngine implements Engine {
  readonly hasOffsets = true;
  readonly deadLetters: DeadLettersOfLog;
  readonly #options: EmbeddedEngineOptions;
  readonly #database: Database;
  readonly #log: EmbeddedLog;
  readonly #task: Task;
  readonly #metrics: Metrics;
  readonly #lag: EmbeddedLag;
  readonly #patience: Patience;
  #ended: Promise<void> = Promise.resolve();
  #error: unknown = null;
  #isStopping = false;
  readonly #counts = { late: 0, duplicates: 0, deadLetters: new Map<DeadLetterReason, number>() };
  /** What a question has found of the store that is open; the task learns of it when it writes. */
  #damage: ScorefoldError | null = null;
  #mending: Promise<void> | null = null;
  #onStoreOpened: () => void = () => undefined;

  private constructor(options: EmbeddedEngineOptions, database: Database, log: EmbeddedLog) {
    this.#options = options;
    this.#database = database;
    this.#log = log;
    this.#patience = new Patience(options.clock, options.patienceMs ?? Number.POSITIVE_INFINITY, () =>
      this.#task.stop(),
    );
    this.deadLetters = new DeadLettersOfLog(log, database);
    this.#metrics = createMetrics(async () => ({
      tasks: [await measured(0, this.#task, this.#lag.now)],
      logBytes: await this.#log.size(),
    }));
    this.#task = this.#makeTask();
    this.#lag = new EmbeddedLag(log, this.#task, options.clock);
  }

  /**
   * Opens the directory's log and starts the task.
   *
   * @throws ScorefoldError `directory-in-use`, `database-corrupt`, `format-unknown`, `disk-full`, ...
   */
  static async start(options: EmbeddedEngineOptions): Promise<EmbeddedEngine> {
    const { clock, directory } = options;
    const database = await directory.openLog().catch(async (error: unknown) => {
      throw await withRoom(directory.path, error);
    });
    try {
      const log = await EmbeddedLog.open(database, { now: () => clock.now(), memoryBytesMax: UNREAD_BYTES_MAX });
      const engine = new EmbeddedEngine(options, database, log);
      engine.#run();
      return engine;
    } catch (error) {
      await database.close();
      throw await withRoom(directory.path, inDirectory(directory.path, error));
    }
  }

  /** What became of inputs since the engine started. */
  get counts(): EngineCounts {
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
    const isReady = state === "running" && !this.#isStopping;
    return {
      state,
      detail,
      isUp: isReady,
      isReady,
      ...this.#lag.now,
      contacts: this.#task.store?.counts.contacts ?? 0,
      models: this.#task.models.names,
    };
  }

  taskStatuses(): readonly TaskStatus[] {
    return [statusOf(0, this.#task, this.#lag.now)];
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

  async append(lines: readonly Original[]): Promise<Appended & { readonly offset: number }> {
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
    const appended = this.#patience.trying(async () => await this.#log.append(lines, source));
    return await this.#whileRunning(appended);
  }

  /** Resolves when whoever appends lines of files may go on. */
  async drained(): Promise<void> {
    await this.#whileRunning(this.#log.drained(PACE_BYTES));
  }

  async scores(contact: ContactId, question: Question): Promise<ContactAnswer | null> {
    return await this.#asked(() => scoresOf(this.#task, contact, question));
  }

  async explain(contact: ContactId, question: Question): Promise<ExplainAnswer | null> {
    return await this.#asked(() => explanationOf(this.#task, contact, question));
  }

  async *allScores(question: Question): AsyncGenerator<readonly ScoreLine[]> {
    let after: ContactId | undefined;
    for (;;) {
      try {
        for await (const lines of allScores(this.#task, question, after)) {
          yield lines;
          after = lines.at(-1)?.contactId ?? after;
        }
        return;
      } catch (error) {
        await this.#mended(error);
      }
    }
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
      const records = read.records.filter(({ offset }) => offset < until).map(alone);
      if (records.length > 0) yield records;
      else if (next >= read.end && next < until) await this.#log.whenMore(topic, next, signal);
    }
  }

  async erase(contactId: ContactId, tenantId: TenantId, options: ErasureOptions): Promise<ErasureAnswer> {
    // What came before is known first: whether there is anything to erase, and of when.
    await this.#whileRunning(this.#task.foldedUpTo(new Map([[INPUTS, this.#log.topics.get(INPUTS)?.end ?? 0]])));
    const append = async (erasure: Profile): Promise<void> => {
      const { offset, decoded } = await this.append([JSON.stringify(erasure)]);
      const [refused] = decoded.filter(({ ok }) => !ok);
      if (refused?.ok === false) throw new ScorefoldError("usage", refused.error);
      await this.folded(offset);
    };
    const letters = await lettersOf(this.#log, tenantId, contactId);
    const parts = {
      task: this.#task,
      tasks: [this.#task],
      now: this.#options.clock.now(),
      letters,
      left: null,
      append,
    };
    return await this.#asked(() => eraseContact(parts, contactId, tenantId, options));
  }

  async folded(offset: number): Promise<void> {
    await this.#whileRunning(this.#task.foldedUpTo(new Map([[INPUTS, offset + 1]])));
  }

  async checkPlace(): Promise<void> {
    await this.#log.checkPlace();
  }

  async metrics(): Promise<{ text: string; contentType: string }> {
    const { registry } = this.#metrics;
    return { text: await registry.metrics(), contentType: registry.contentType };
  }

  /** Asks, and where that finds the store damaged, asks again once it is made anew. */
  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      await this.#mended(error);
      return await ask();
    }
  }

  /** Has the task put aside a store that a question has found damaged. @throws what is no damage, or can't be waited for */
  async #mended(error: unknown): Promise<void> {
    if (!(error instanceof ScorefoldError) || error.code !== "database-corrupt") throw error;
    this.#mending ??= this.#mend(error).finally(() => {
      this.#mending = null;
    });
    // Folding everything again may take long: only a command waits for it.
    if (this.#options.timers === "manual") return await this.#mending;
    this.#mending.catch(() => undefined);
    throw new ScorefoldError("stopping", "the store is damaged and is being made anew from the log; ask again later", {
      cause: error,
    });
  }

  async #mend(damage: ScorefoldError): Promise<void> {
    const isAnew = new Promise<void>((done) => {
      this.#onStoreOpened = done;
    });
    this.#damage = damage;
    await this.#task.written().catch(() => undefined);
    await Promise.race([isAnew, this.#ended]);
    await this.#whileRunning(this.#task.caughtUp());
  }

  /** Refuses to begin a store anew for a command that does not know under which models. */
  async #openStore(): Promise<Database> {
    const database = await this.#options.directory.openStore();
    const expected = { clusterId: this.#log.clusterId, foldVersion: FOLD_VERSION };
    // One that can't be read is for the task to deal with.
    const store = await ContactStore.open(database, expected).catch(() => null);
    const folded = store?.position.offsets.get(INPUTS) ?? 0;
    const end = this.#log.topics.get(INPUTS)?.end ?? 0;
    const isLost = this.#options.models === null && store?.models.length === 0 && folded === 0 && end > 0;
    if (!isLost) {
      this.#damage = null;
      this.#onStoreOpened();
      return doubted(database, () => this.#damage);
    }
    await database.close();
    throw new ScorefoldError(
      "input-missing",
      `${this.#options.directory.path}: the store is gone, and under which models it was folded; \`scorefold run\` ` +
        "makes it anew from the log under the models in --models",
    );
  }

  #run(): void {
    const isOver = new AbortController();
    const watching = this.#lag.watch(isOver.signal);
    const end = async (): Promise<void> => {
      isOver.abort();
      await watching;
      await this.#log.close();
      await this.#database.close();
    };
    this.#ended = this.#task
      .run()
      .then(async () => {
        const { over } = this.#patience;
        if (over !== null) this.#error = await withRoom(this.#options.directory.path, over);
      })
      .catch((error: unknown) => {
        this.#error = inDirectory(this.#options.directory.path, error);
      })
      .finally(end);
  }

  /** What waits for a task that has ended is told why. */
  async #whileRunning<T>(wait: Promise<T>): Promise<T> {
    return await wait.catch(async (error: unknown) => {
      if (this.#patience.over !== null) await this.#ended;
      throw this.#error ?? error;
    });
  }

  #makeTask(): Task {
    const { directory, models, clock, timers, logger, limits, onProgress } = this.#options;
    const counting = countingEvents(this.#metrics, logger, clock);
    const patience = this.#patience;
    return new Task({
      log: this.#log,
      task: 0,
      store: { open: () => this.#openStore(), setAside: () => directory.setStoreAside() },
      models,
      clock,
      timers,
      ...(limits === undefined ? {} : { limits }),
      erased: () => erasedInLog(this.#database),
      events: {
        ...counting,
        onNotice: (text, error) => {
          const mayPass = error instanceof ScorefoldError && error.retryable;
          if (mayPass) patience.failed(error);
          // The end will be told: a line for each time it was tried helps nobody.
          if (!mayPass || !patience.isBounded) counting.onNotice(text, error);
        },
        onProgress: (what, done, total) => onProgress?.(what, done, total),
        onCommit: (report) => {
          this.#options.onCommit?.(report);
          counting.onCommit(report);
          if (!report.isMuted) this.#count(report);
        },
        onWrite: (report) => {
          patience.passed();
          this.#options.onWrite?.(report);
          counting.onWrite(report);
        },
      },
    });
  }

  #count({ gathered }: CommitReport): void {
    const { deadLetters } = this.#counts;
    for (const { reason } of gathered.deadLetters) deadLetters.set(reason, (deadLetters.get(reason) ?? 0) + 1);
    this.#counts.late += gathered.late;
    this.#counts.duplicates += gathered.duplicates;
  }
}

/** A record by itself: its text may be a part of a row of a megabyte, which it would keep in memory. */
function alone({ offset, value }: OutputRecord): OutputRecord {
  return { offset, value: Buffer.from(value).toString() };
}

/** What the log or the store says of itself, with the place. */
function inDirectory(path: string, error: unknown): unknown {
  const codes = ["log-corrupt", "format-unknown", "history-lost", "log-lost"];
  if (!(error instanceof ScorefoldError) || !codes.includes(error.code) || error.message.includes(path)) return error;
  return new ScorefoldError(error.code, `${path}: ${error.message}`, { cause: error });
}
