/** The log's clock: the host's, which never goes back here, not even when the host's does or the log is opened anew. */
import type { EpochMs } from "../events/types.js";

export class Clock {
  readonly #now: () => EpochMs;
  #latest: EpochMs;

  constructor(now: () => EpochMs, latest: EpochMs) {
    this.#now = now;
    this.#latest = latest;
  }

  read(): EpochMs {
    this.#latest = Math.max(this.#latest, this.#now());
    return this.#latest;
  }
}
