/**
 * The host's clock, as far as it can be believed. What timers have done can't be taken back, so a clock that jumps ahead
 * is not followed until the new time has lasted.
 *
 * A jump is what the host's clock goes beyond a time that is known: the newest instant that the log proves when the task
 * starts, and from then on the time that has elapsed since, by a clock that never jumps. Up to `clockJumpMsMax` it is
 * followed at once. Beyond that time goes on as it elapses, until the host's clock has gone as fast as that for
 * `clockSettleMs`: then a stop, or a machine that slept, explains it. Where nothing is known there is nothing to lose.
 */
import { formatInstant } from "../events/time.js";
import type { EpochMs } from "../events/types.js";
import type { Clock } from "./clock.js";
import type { TaskLimits } from "./limits.js";

/** How far two readings of the host's clock may be off the time that has elapsed between them: it may be set right. */
const STEADY_MS = 5_000;
const DAY_MS = 86_400_000;

/** What the host's clock said, and when by the one that never jumps. */
interface Reading {
  readonly wall: EpochMs;
  readonly elapsed: number;
}

export interface HostClockOptions {
  readonly clock: Pick<Clock, "now" | "elapsed">;
  readonly limits: Pick<TaskLimits, "clockJumpMsMax" | "clockSettleMs">;
  /** Told of a jump, and of its end. */
  readonly onNotice: (text: string) => void;
}

export class HostClock {
  readonly #options: HostClockOptions;
  /** What is known of the time, however the host's clock jumps. */
  #known: Reading | null = null;
  /** Since when the host's clock has gone as fast as the elapsed time. */
  #steady: Reading | null = null;
  #doubt: string | null = null;

  constructor(options: HostClockOptions) {
    this.#options = options;
  }

  /** Why the host's clock is not followed; null: it is. */
  get doubt(): string | null {
    return this.#doubt;
  }

  /** How far the host's clock is ahead of what is believed; 0 where it is followed. */
  get aheadMs(): number {
    return this.#doubt === null ? 0 : Math.max(0, this.#options.clock.now() - this.now);
  }

  /** The time, as it was judged at the last look. */
  get now(): EpochMs {
    const { clock } = this.#options;
    return this.#doubt === null || this.#known === null ? clock.now() : projected(this.#known, clock.elapsed());
  }

  /** Takes the newest instant that the log proves. A process that has run knows better. */
  begin(proven: EpochMs | null): void {
    if (this.#known !== null || proven === null) return;
    const { clock, limits, onNotice } = this.#options;
    const wall = clock.now();
    this.#known = { wall: proven, elapsed: clock.elapsed() };
    if (proven - wall <= limits.clockJumpMsMax) return;
    onNotice(
      `the host's clock says ${formatInstant(wall)}, and the log has a record of ${formatInstant(proven)}: one of the two ` +
        "was stamped by a wrong clock. If it is the record, inputs dated ahead are taken up to then",
    );
  }

  /** Judges the host's clock anew. @returns the time */
  look(): EpochMs {
    const { clock, limits } = this.#options;
    const reading = { wall: clock.now(), elapsed: clock.elapsed() };
    const hasJumped =
      this.#steady === null || Math.abs(reading.wall - projected(this.#steady, reading.elapsed)) > STEADY_MS;
    const steady = this.#steady === null || hasJumped ? reading : this.#steady;
    this.#steady = steady;
    const hasLasted = reading.elapsed - steady.elapsed >= limits.clockSettleMs;
    const known = this.#known === null ? reading.wall : projected(this.#known, reading.elapsed);
    const isFar = reading.wall - known > limits.clockJumpMsMax;
    if (isFar && !hasLasted) {
      if (this.#doubt === null || hasJumped) this.#doubtOf(reading.wall, known);
      return this.now;
    }
    if (this.#doubt !== null) this.#believe(reading.wall, isFar);
    // What has not lasted adds up: many small jumps are not followed any further than a large one.
    if (this.#known === null || hasLasted) this.#known = reading;
    return reading.wall;
  }

  #doubtOf(wall: EpochMs, known: EpochMs): void {
    const { clockSettleMs } = this.#options.limits;
    const days = ((wall - known) / DAY_MS).toFixed(1);
    this.#doubt =
      `the host's clock says ${formatInstant(wall)}, ${days} days beyond the newest instant that the log knows ` +
      `(${formatInstant(Math.floor(known))}): timers do not follow it until it has gone on evenly for ` +
      `${clockSettleMs / 1000} s. If it is wrong, set it right by then: what timers publish can't be taken back`;
    this.#options.onNotice(this.#doubt);
  }

  #believe(wall: EpochMs, isFar: boolean): void {
    this.#doubt = null;
    this.#options.onNotice(
      isFar
        ? `the host's clock has gone on evenly: timers follow it, to ${formatInstant(wall)}`
        : `the host's clock is back, at ${formatInstant(wall)}: timers follow it again`,
    );
  }
}

function projected({ wall, elapsed }: Reading, now: number): EpochMs {
  return wall + (now - elapsed);
}
