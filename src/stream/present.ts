/**
 * The present of one task, as its timers see it: the host's clock within a bound of the log's, which never goes back. How
 * far timers are behind is measured by it too: by the host's clock alone, one that is wrong would show timers that wait
 * for nothing.
 */
import type { EpochMs } from "../events/types.js";
import type { Clock } from "./clock.js";
import type { TaskLimits } from "./limits.js";
import type { TaskLog } from "./log.js";

export class Present {
  readonly #clock: Clock;
  readonly #limits: Pick<TaskLimits, "timerGraceMs" | "timerIntervalMs" | "clockAheadMsMax">;
  #now: EpochMs = Number.NEGATIVE_INFINITY;
  /** What the log's clock allowed at the last look. */
  #bound: EpochMs = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Up to here nothing is left that was due. */
  #timersDone: EpochMs | null = null;

  constructor(clock: Clock, limits: Pick<TaskLimits, "timerGraceMs" | "timerIntervalMs" | "clockAheadMsMax">) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** As of the last look; null before the first. */
  get now(): EpochMs | null {
    return Number.isFinite(this.#now) ? this.#now : null;
  }

  /** What is due until here has had its grace. */
  get dueUntil(): EpochMs {
    return this.#now - this.#limits.timerGraceMs;
  }

  /** Whether it is time to look again at what is due. */
  get isLookDue(): boolean {
    return this.#clock.elapsed() - this.#lookedAt >= this.#limits.timerIntervalMs;
  }

  /** How far timers are behind the present, beyond their grace. It grows on while the task looks no more. */
  get timersBehindMs(): number {
    if (this.now === null || this.#timersDone === null) return 0;
    const bound = this.#bound + this.#clock.elapsed() - this.#lookedAt;
    const present = Math.max(this.#now, Math.min(this.#clock.now(), bound));
    return Math.max(0, present - this.#limits.timerGraceMs - this.#timersDone);
  }

  /** Asks both clocks. One host with a wrong clock must not make time pass for everybody. */
  async look(log: TaskLog): Promise<void> {
    this.#bound = (await log.time()) + this.#limits.clockAheadMsMax;
    this.#now = Math.max(this.#now, Math.min(this.#clock.now(), this.#bound));
    this.#lookedAt = this.#clock.elapsed();
  }

  /** All timers up to here have fired. */
  firedUntil(until: EpochMs): void {
    this.#timersDone = until;
  }
}
