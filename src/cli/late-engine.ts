/**
 * An engine on a cluster that may not be there yet: broker and registry are waited for as a running engine waits for them,
 * with the same back-off, and what it waits for is its state. What nobody but a person can mend ends it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type {
  Appended,
  ContactAnswer,
  EngineStatus,
  ErasureAnswer,
  ErasureOptions,
  ExplainAnswer,
  Question,
  TaskStatus,
} from "../api/engine.js";
import { ClusterEngine } from "../engine/cluster-engine.js";
import { messageOf, ScorefoldError } from "../errors.js";
import type { Original } from "../events/dead-letter.js";
import type { ContactId, ScoreLine, TenantId } from "../events/types.js";
import { systemClock } from "../stream/clock.js";
import { TaskCondition } from "../stream/condition.js";
import type { Waits } from "../stream/log.js";
import { createMetrics, type Logger } from "../telemetry.js";
import type { ServedEngine } from "./serving.js";

export interface LateOptions<E> {
  /** Tries once. */
  readonly start: (waits: Waits) => Promise<E>;
  readonly modelNames: readonly string[];
  readonly logger: Logger;
}

/** Whoever starts it hears of what is wrong with settings, where that is found so soon. */
const FIRST_MS = 5_000;
/** A try that is under way at the end may be joining a group, which is to be left again. */
const STOP_MS = 10_000;

export class LateEngine<E extends ServedEngine> extends ClusterEngine implements ServedEngine {
  readonly #options: LateOptions<E>;
  readonly #condition = new TaskCondition(systemClock);
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #engine: E | null = null;
  #isFirst = true;
  #told: () => void = () => undefined;

  private constructor(options: LateOptions<E>) {
    super();
    this.#options = options;
    this.#running = this.#run();
    this.#running.catch(() => undefined);
  }

  /** Resolves when the engine is there, or is waited for. @throws what trying again would not change */
  static async start<E extends ServedEngine>(options: LateOptions<E>): Promise<LateEngine<E>> {
    const late = new LateEngine(options);
    const over = new AbortController();
    const told = new Promise<void>((resolve) => {
      late.#told = resolve;
    });
    await Promise.race([
      late.#running,
      told,
      sleep(FIRST_MS, undefined, { signal: over.signal }).catch(() => undefined),
    ]);
    over.abort();
    return late;
  }

  /** Null: it is not there yet. */
  get engine(): E | null {
    return this.#engine;
  }

  get status(): EngineStatus {
    if (this.#engine !== null) return this.#engine.status;
    const { modelNames: models } = this.#options;
    const nothing = { isUp: false, isReady: false, lag: null, oldestInputAgeMs: null, contacts: 0, models };
    const isStopping = this.#stopping.signal.aborted;
    return { ...(isStopping ? { state: "stopping", detail: null } : this.#condition.shown), ...nothing };
  }

  taskStatuses(): readonly TaskStatus[] {
    return this.#engine?.taskStatuses() ?? [];
  }

  async ended(): Promise<void> {
    await this.#running;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    const left = new AbortController();
    const late = sleep(STOP_MS, undefined, { signal: left.signal }).catch(() => undefined);
    await (this.#engine?.stop() ?? Promise.race([this.#running.catch(() => undefined), late]));
    left.abort();
  }

  async append(lines: readonly Original[]): Promise<Appended> {
    return await this.#asked().append(lines);
  }

  async scores(contact: ContactId, question: Question): Promise<ContactAnswer | null> {
    return await this.#asked().scores(contact, question);
  }

  async explain(contact: ContactId, question: Question): Promise<ExplainAnswer | null> {
    return await this.#asked().explain(contact, question);
  }

  async *allScores(question: Question, isPartial = false): AsyncGenerator<readonly ScoreLine[]> {
    yield* this.#asked().allScores(question, isPartial);
  }

  async erase(contact: ContactId, tenantId: TenantId, options: ErasureOptions): Promise<ErasureAnswer> {
    return await this.#asked().erase(contact, tenantId, options);
  }

  async metrics(): Promise<{ readonly text: string; readonly contentType: string }> {
    if (this.#engine !== null) return await this.#engine.metrics();
    const { registry } = createMetrics(async () => ({ tasks: [], logBytes: null }));
    return { text: await registry.metrics(), contentType: registry.contentType };
  }

  #asked(): E {
    if (this.#engine !== null) return this.#engine;
    const { state, detail } = this.status;
    throw new ScorefoldError("stopping", `the engine is ${state}${detail === null ? "" : `: ${detail}`}`);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const engine = await this.#started();
    if (engine === null) return;
    this.#engine = engine;
    this.#told();
    if (signal.aborted) await engine.stop();
    await engine.ended();
  }

  /** @returns null where it was stopped before */
  async #started(): Promise<E | null> {
    const { start, logger } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        return await start(this.#condition.waits);
      } catch (error) {
        if (!(error instanceof ScorefoldError) || !error.retryable) throw error;
        const wait = this.#condition.fail(error, messageOf(error));
        this.#condition.enter("retrying", null);
        if (this.#isFirst) logger.warn({ err: error }, "the start has failed and is tried again");
        else logger.warn({ cause: messageOf(error), waitMs: wait }, "the start has failed and is tried again");
        this.#isFirst = false;
        this.#told();
        await systemClock.sleep(wait, signal);
      }
    }
    return null;
  }
}
