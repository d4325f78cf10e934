/**
 * What a task is in, and how that is shown. After an error it is shown as `retrying` until something has passed: a life
 * that begins well and fails at the same place as the one before is no better than it. What has not answered for too long
 * is shown by its name.
 */
import { ScorefoldError } from "../errors.js";
import type { EpochMs } from "../events/types.js";
import { Backoff } from "./backoff.js";
import type { Clock } from "./clock.js";
import { WaitList } from "./waits.js";

/** `waiting` is only shown: of a task that runs, and is held up by what does not answer. */
export type TaskState =
  | "starting"
  | "catching-up"
  | "rebuilding"
  | "running"
  | "waiting"
  | "retrying"
  | "stopping"
  | "stopped"
  | "failed";

/** What a life comes through before it may fail again. */
const trying: ReadonlySet<TaskState> = new Set(["starting", "catching-up", "rebuilding", "running"]);
/** Errors of the store: a commit does not mend them, a write does. */
const ofStore: ReadonlySet<string> = new Set(["disk-full", "database-failed", "database-corrupt"]);

interface Failure {
  readonly text: string;
  readonly since: EpochMs;
  readonly tries: number;
  readonly isOfStore: boolean;
}

export interface Shown {
  readonly state: TaskState;
  readonly detail: string | null;
}

export class TaskCondition {
  readonly waits: WaitList;
  readonly #clock: Clock;
  readonly #backoff = new Backoff();
  #state: TaskState = "starting";
  #detail: string | null = null;
  #failure: Failure | null = null;
  #told: TaskState | null = null;
  /** Of the life that is under way. */
  #hasCommitted = false;
  #hasWritten = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.waits = new WaitList(clock);
  }

  /** What the task does now, however it is shown. */
  get state(): TaskState {
    return this.#state;
  }

  /** Whether it has failed, and nothing has passed since. */
  get isFailing(): boolean {
    return this.#failure !== null;
  }

  get shown(): Shown {
    const failure = this.#failure;
    const isTrying = trying.has(this.#state);
    if (failure !== null && (isTrying || this.#state === "retrying"))
      return { state: "retrying", detail: told(failure) };
    const held = isTrying ? this.waits.held : null;
    if (held === null) return { state: this.#state, detail: this.#detail };
    const state = this.#state === "running" ? "waiting" : this.#state;
    return { state, detail: `waits for ${held.what} since ${instant(held.since)}` };
  }

  /** What is shown, where it is another state than this has given before; null: it is the same. */
  newlyShown(): Shown | null {
    const { shown } = this;
    if (shown.state === this.#told) return null;
    this.#told = shown.state;
    return shown;
  }

  enter(state: TaskState, detail: string | null): void {
    this.#state = state;
    this.#detail = detail;
    if (state === "starting") this.#hasCommitted = this.#hasWritten = false;
  }

  /** A life has ended with an error that may pass. @returns how long to wait before the next one */
  fail(error: unknown, text: string): number {
    const { since = this.#clock.now(), tries = 0 } = this.#failure ?? {};
    const isOfStore = error instanceof ScorefoldError && ofStore.has(error.code);
    this.#failure = { text, since, tries: tries + 1, isOfStore };
    return this.#backoff.next();
  }

  committed(): void {
    this.#hasCommitted = true;
  }

  written(): void {
    this.#hasWritten = true;
  }

  /**
   * To be told at the end of a turn: whether something has passed since the last error, so that it is forgotten.
   *
   * @param isIdle whether there is nothing left to do: all that came is folded, published and written, and all that was
   *   due has fired
   * @returns whether an error is forgotten now
   */
  endTurn(isIdle: boolean): boolean {
    const failure = this.#failure;
    const hasPassed = isIdle || (this.#hasCommitted && (this.#hasWritten || failure?.isOfStore !== true));
    if (failure === null || !hasPassed) return false;
    this.#failure = null;
    this.#backoff.reset();
    return true;
  }
}

function told({ text, since, tries }: Failure): string {
  return tries === 1 ? text : `${text} (since ${instant(since)}, tried ${tries} times)`;
}

function instant(at: EpochMs): string {
  return new Date(at).toISOString();
}
