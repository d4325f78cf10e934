/**
 * The present of one task, as its timers see it: the host's clock, where it is believed, within a bound of the log's,
 * which never goes back. How far timers are behind is measured by it too: by the host's clock alone, one that is wrong
 * would show timers that wait for nothing.
 */
import type { EpochMs } from "../events/types.js";
import type { Clock } from "./clock.js";
import { HostClock } from "./host-clock.js";
import type { TaskLimits } from "./limits.js";
import type { TaskLog } from "./log.js";

type PresentLimits = Pick<
  TaskLimits,
  "timerGraceMs" | "timerIntervalMs" | "clockAheadMsMax" | "clockJumpMsMax" | "clockSettleMs"
>;

export class Present {
  readonly #clock: Clock;
  readonly #limits: PresentLimits;
  readonly #host: HostClock;
  #now: EpochMs = Number.NEGATIVE_INFINITY;
  /** What the log's clock allowed at the last look. */
  #bound: EpochMs = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Up to here nothing is left that was due. */
  #timersDone: EpochMs | null = null;

  /** @param onNotice told of a host's clock that has jumped, and of the end of that */
  constructor(clock: Clock, limits: PresentLimits, onNotice: (text: string) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#host = new HostClock({ clock, limits, onNotice });
  }

  /** Why timers do not follow the host's clock; null: they do. */
  get doubt(): string | null {
    return this.#host.doubt;
  }

  /** How far the host's clock is ahead of the time that timers follow, where it has jumped; 0: they follow it. */
  get clockAheadMs(): number {
    return this.#host.aheadMs;
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
    const present = Math.max(this.#now, Math.min(this.#host.now, bound));
    return Math.max(0, present - this.#limits.timerGraceMs - this.#timersDone);
  }

  /** Takes what the log proves of the time. To be called where a life of the task begins. */
  async begin(log: TaskLog): Promise<void> {
    this.#host.begin(await log.newest());
    this.#host.look();
  }

  /**
   * Asks both clocks. One host with a wrong clock must not make time pass for everybody.
   *
   * @param hasContacts whether there is anybody whose time passes. Where there is nobody it may go back: a clock that was
   *   wrong before the first input has done no harm
   */
  async look(log: TaskLog, hasContacts: boolean): Promise<void> {
    this.#bound = (await log.time()) + this.#limits.clockAheadMsMax;
    const now = Math.min(this.#host.look(), this.#bound);
    this.#now = hasContacts ? Math.max(this.#now, now) : now;
    this.#lookedAt = this.#clock.elapsed();
  }

  /** All timers up to here have fired. */
  firedUntil(until: EpochMs): void {
    this.#timersDone = until;
  }
}
