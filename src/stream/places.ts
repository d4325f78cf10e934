/** Looks now and then whether what a task writes still lies where the next start looks for it. */
import type { Clock } from "./clock.js";

/** Between two looks; a write looks by itself. */
const LOOK_INTERVAL_MS = 1_000;

export class Places {
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #parts: readonly { checkPlace?(): Promise<void> }[];
  #lookedAt: number;

  /** @param parts the store, and the log where it lies on this host */
  constructor(clock: Pick<Clock, "elapsed">, parts: readonly { checkPlace?(): Promise<void> }[]) {
    this.#clock = clock;
    this.#parts = parts;
    this.#lookedAt = clock.elapsed();
  }

  /** @throws ScorefoldError `directory-unusable` for a log, `database-failed` for a store, that was moved or removed */
  async look(): Promise<void> {
    const now = this.#clock.elapsed();
    if (now - this.#lookedAt < LOOK_INTERVAL_MS) return;
    this.#lookedAt = now;
    for (const part of this.#parts) await part.checkPlace?.();
  }
}
