/** How far the one task of the embedded log is behind, by what is in the log. */
import { type EmbeddedLog, INPUTS } from "../embedded/log.js";
import type { EpochMs } from "../events/types.js";
import type { Clock } from "../stream/clock.js";
import type { Offset } from "../stream/log.js";
import type { Task } from "../stream/task.js";
import { lagOf, type TaskLag } from "./task-lag.js";

/** Between two looks at when the log took the input that comes next. */
const LOOK_MS = 1_000;

export class EmbeddedLag {
  readonly #log: EmbeddedLog;
  readonly #task: Task;
  readonly #clock: Clock;
  /** The input that came next at the last look. */
  #next: { readonly offset: Offset; readonly at: EpochMs } | null = null;

  constructor(log: EmbeddedLog, task: Task, clock: Clock) {
    this.#log = log;
    this.#task = task;
    this.#clock = clock;
  }

  get now(): TaskLag {
    const ends = new Map([[INPUTS, this.#log.topics.get(INPUTS)?.end ?? 0]]);
    const oldest = new Map(this.#next === null ? [] : [[INPUTS, this.#next.at]]);
    const { published } = this.#task;
    const place = published === null ? null : { positions: published, ends, oldest };
    return lagOf(this.#task, place, this.#clock.now());
  }

  /** Looks again and again until `signal` aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // What can't be read is told by the task, which has to read it too.
      await this.look().catch(() => undefined);
      await this.#clock.sleep(LOOK_MS, signal);
    }
  }

  async look(): Promise<void> {
    const offset = this.#task.published?.get(INPUTS) ?? null;
    const end = this.#log.topics.get(INPUTS)?.end ?? 0;
    if (offset === null || offset >= end || this.#next?.offset === offset) return;
    this.#next = { offset, at: await this.#log.timestampAt(offset) };
  }
}
