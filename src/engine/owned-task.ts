/**
 * A task that the group has given to this process, for as long as it does: run, and run again after another owner has
 * fenced it, where the group says that it is still this process's.
 */
import { messageOf, ScorefoldError } from "../errors.js";
import { TaskCondition } from "../stream/condition.js";
import { Task, type TaskOptions } from "../stream/task.js";

export interface OwnedTaskOptions extends TaskOptions {
  /** Whether the group answers that the task is this process's, now. */
  readonly owns: () => Promise<boolean>;
  /** A number from 0 to 1, so that two who believe to own a task do not go on fencing each other in step. */
  readonly chance: () => number;
}

/** Between being fenced and taking the task over again, at least; up to twice as long by chance. */
const AGAIN_MS = 500;

export class OwnedTask {
  readonly number: number;
  /** Resolves when it has ended, for good, and its store is closed. */
  readonly ended: Promise<void>;
  readonly #options: OwnedTaskOptions;
  readonly #release = new AbortController();
  /** Of all its runs: one that is fenced again and again is no better for running in between. */
  readonly #condition: TaskCondition;
  #task: Task;
  #error: unknown = null;

  constructor(options: OwnedTaskOptions) {
    this.number = options.task;
    this.#options = options;
    this.#condition = options.condition ?? new TaskCondition(options.clock);
    this.#task = this.#newTask();
    this.ended = this.#run();
  }

  get task(): Task {
    return this.#task;
  }

  /** What has ended it, where nobody has asked for that; null: it goes on. */
  get error(): unknown {
    return this.#error;
  }

  get isReleased(): boolean {
    return this.#release.signal.aborted;
  }

  /** Ends it after the commit under way, with everything written. */
  async release(): Promise<void> {
    this.#release.abort();
    this.#task.stop();
    await this.ended;
  }

  async #run(): Promise<void> {
    const { chance, clock, events } = this.#options;
    for (;;) {
      try {
        await this.#task.run();
        return;
      } catch (error) {
        if (this.isReleased) return;
        if (!(error instanceof ScorefoldError) || error.code !== "fenced") {
          this.#error = error;
          events?.onNotice?.(`task ${this.number} has failed and needs a person`, error);
          return;
        }
        events?.onNotice?.(`task ${this.number} was taken over`, error);
        // A producer that has slept, or one whose id a broker has forgotten, is fenced too, and has no other owner.
        const wait = this.#condition.fail(error, messageOf(error));
        this.#condition.enter("retrying", null);
        await clock.sleep(Math.max(AGAIN_MS, wait) * (1 + chance()), this.#release.signal);
        if (this.isReleased || !(await this.#isStillOwn())) return;
        this.#task = this.#newTask();
        if (this.isReleased) return;
      }
    }
  }

  #newTask(): Task {
    return new Task({ ...this.#options, condition: this.#condition });
  }

  /** A group that does not answer must not hold up whoever wants the task to end. */
  async #isStillOwn(): Promise<boolean> {
    const { signal } = this.#release;
    const released = new Promise<false>((resolve) => {
      signal.addEventListener("abort", () => resolve(false), { once: true });
    });
    return await Promise.race([this.#options.owns(), released]);
  }
}
