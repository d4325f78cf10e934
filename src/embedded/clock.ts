/** The log's clock: the host's, which never goes back here, not even when the host's does or the log is opened anew. */
import type { EpochMs } from "../events/types.js";

export class Clock {
  readonly #now: () => EpochMs;
  #latest: EpochMs;

  constructor(now: () => EpochMs, latest: EpochMs) {
    this.#now = now;
    this.#latest = latest;
  }

  /** For what is written now: nothing is stamped with an earlier instant from then on. */
  stamp(): EpochMs {
    this.#latest = this.read();
    return this.#latest;
  }

  /** Looks, and no more: a host's clock that is wrong for a moment is not held on to where nothing was written. */
  read(): EpochMs {
    return Math.max(this.#latest, this.#now());
  }
}
