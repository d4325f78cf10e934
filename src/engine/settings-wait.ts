/**
 * Whether this process waits for others of its application, whose settings are not its own. Who was given no task looks
 * for the reason, and until it is known counts as one that waits.
 */
import type { SharedSettings } from "../kafka/shared-settings.js";
import type { Clock } from "../stream/clock.js";
import type { Logger } from "../telemetry.js";

const RETRY_MS = 1_000;
const LOOKING = "was given no task, and compares its settings with those that the tasks are scored by";

export class SettingsWait {
  readonly #shared: Pick<SharedSettings, "whyWaiting">;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #reason: string | null = null;
  #look = new AbortController();

  constructor(shared: Pick<SharedSettings, "whyWaiting">, clock: Clock, logger: Logger) {
    this.#shared = shared;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Why it waits; null: it does not. */
  get reason(): string | null {
    return this.#reason;
  }

  /** The group has given so many tasks. */
  given(tasks: number): void {
    this.#look.abort();
    this.#look = new AbortController();
    if (tasks > 0) this.#reason = null;
    else void this.#findReason(this.#look.signal);
  }

  close(): void {
    this.#look.abort();
  }

  async #findReason(over: AbortSignal): Promise<void> {
    this.#reason ??= LOOKING;
    while (!over.aborted) {
      try {
        const reason = await this.#shared.whyWaiting();
        if (over.aborted) return;
        if (reason !== null && reason !== this.#reason) this.#logger.warn(reason);
        this.#reason = reason;
        return;
      } catch (error) {
        if (over.aborted) return;
        this.#logger.warn({ err: error }, "the settings of the other processes could not be read; tries again");
        await this.#clock.sleep(RETRY_MS, over);
      }
    }
  }
}
