/**
 * Who goes on next, and what time it is. All that waits does so here: calls to the broker and to disks, and whoever
 * sleeps. One at a time is let go, chosen by the seed, so one seed is one history.
 */
import type { Clock } from "../../src/stream/clock.js";
import type { Random } from "./random.js";
import type { Step } from "./step.js";

interface Waiting {
  readonly who: string;
  readonly what: string;
  readonly go: () => void;
  readonly fail: (error: unknown) => void;
}

interface Sleeping {
  readonly until: number;
  readonly wake: () => void;
}

export class Scheduler {
  /** Milliseconds since the world began: never jumps, never goes back. */
  elapsed = 0;
  readonly #random: Random;
  readonly #waiting: Waiting[] = [];
  #sleeping: Sleeping[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  get waiting(): string {
    return this.#waiting.map(({ who, what }) => `${who}: ${what}`).join(", ");
  }

  step(who: string): Step {
    return (what) => new Promise((go, fail) => this.#waiting.push({ who, what, go, fail }));
  }

  /** @param turn what yielding waits for */
  clock(now: () => number, turn: () => Promise<void> = async () => undefined): Clock {
    return {
      now,
      elapsed: () => this.elapsed,
      sleep: (ms, signal) =>
        new Promise((awake) => {
          if (signal?.aborted === true || ms === 0) return awake();
          const wake = (): void => {
            signal?.removeEventListener("abort", wake);
            awake();
          };
          signal?.addEventListener("abort", wake);
          this.#sleeping.push({ until: this.elapsed + ms, wake });
        }),
      yield: turn,
    };
  }

  /** Lets one of those that wait go on. @returns its name, with what it was given to fail with */
  release(fault: (who: string, what: string) => Error | null): string {
    const [one] = this.#waiting.splice(this.#random.between(0, this.#waiting.length - 1), 1);
    const { who, what, go, fail } = one as Waiting;
    const error = fault(who, what);
    if (error === null) go();
    else fail(error);
    return error === null ? `${who}: ${what}` : `${who}: ${what} fails (${error.message})`;
  }

  advance(ms: number): void {
    this.elapsed += ms;
    const due = this.#sleeping.filter(({ until }) => until <= this.elapsed);
    this.#sleeping = this.#sleeping.filter(({ until }) => until > this.elapsed);
    for (const { wake } of due) wake();
  }

  /** Until nobody can go on by himself. */
  async settle(): Promise<void> {
    await new Promise(setImmediate);
  }
}
