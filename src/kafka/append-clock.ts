/**
 * The broker's clock, as far as a client can see it: the newest instant at which a broker took a record. Where nothing
 * came for a while, a record is sent to be told one.
 */
import type { EpochMs } from "../events/types.js";

/** So old the newest instant may be. */
const AGE_MS_MAX = 20_000;

export class AppendClock {
  readonly #ask: () => Promise<EpochMs>;
  readonly #elapsed: () => number;
  #newest: EpochMs = Number.NEGATIVE_INFINITY;
  #seenAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | null = null;

  /**
   * @param ask sends a record, and gives the instant at which the broker took it
   * @param elapsed in milliseconds, never jumps
   */
  constructor(ask: () => Promise<EpochMs>, elapsed: () => number) {
    this.#ask = ask;
    this.#elapsed = elapsed;
  }

  /** Takes an instant at which a broker took a record. */
  see(at: EpochMs): void {
    this.#seenAt = this.#elapsed();
    if (at > this.#newest) this.#newest = at;
  }

  /** Never goes back. */
  async time(): Promise<EpochMs> {
    if (this.#elapsed() - this.#seenAt > AGE_MS_MAX) {
      this.#asking ??= this.#ask()
        .then((at) => this.see(at))
        .finally(() => {
          this.#asking = null;
        });
      await this.#asking;
    }
    return this.#newest;
  }
}
