/** Who waits for a task to come to something. Where nothing more will come of it, they are told why. */
import type { EpochMs } from "../events/types.js";

/** Timers are to go up to an instant. */
export interface TimerRequest {
  readonly until: EpochMs;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

interface Waiter {
  readonly holds: () => boolean;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export class Waiters {
  #waiting: readonly Waiter[] = [];
  /** Why nothing comes any more; null: it may. */
  #over: { readonly error: unknown } | null = null;

  /** Resolves when `holds` does, which is looked at whenever `wake` is called. @throws what `end` was told, before that */
  async until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    await this.promised((done, failed) => {
      this.#waiting = [...this.#waiting, { holds, done, failed }];
    });
  }

  /** What somebody else keeps and answers, as long as there is anybody to do so. */
  async promised(ask: (done: () => void, failed: (error: unknown) => void) => void): Promise<void> {
    if (this.#over !== null) throw this.#over.error;
    await new Promise<void>(ask);
  }

  /** Tells those whose condition holds now. */
  wake(): void {
    if (this.#waiting.length === 0) return;
    const met = this.#waiting.filter(({ holds }) => holds());
    this.#waiting = this.#waiting.filter((waiter) => !met.includes(waiter));
    for (const { done } of met) done();
  }

  /** Tells all, and whoever asks later, that it never will. */
  end(error: unknown): void {
    this.#over = { error };
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { failed } of waiting) failed(error);
  }
}
