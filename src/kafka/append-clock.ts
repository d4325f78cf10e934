/**
 * The broker's clock, as far as a client can see it: the newest instant at which a broker took a record. Where nothing
 * came for a while, a record is sent to be told one.
 */
import type { EpochMs } from "../events/types.js";

/** So long ago a broker may have told what time it is. */
const AGE_MS_MAX = 20_000;

export class AppendClock {
  readonly #ask: () => Promise<EpochMs>;
  readonly #elapsed: () => number;
  #newest: EpochMs = Number.NEGATIVE_INFINITY;
  #toldAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | null = null;

  /**
   * @param ask sends a record, and gives the instant at which the broker took it
   * @param elapsed in milliseconds, never jumps
   */
  constructor(ask: () => Promise<EpochMs>, elapsed: () => number) {
    this.#ask = ask;
    this.#elapsed = elapsed;
  }

  /** Takes the instant at which a broker took a record that was read: it may be long ago. */
  see(at: EpochMs): void {
    if (at > this.#newest) this.#newest = at;
  }

  /** Takes the instant at which a broker took a record just now. */
  told(at: EpochMs): void {
    this.#toldAt = this.#elapsed();
    this.see(at);
  }

  /** Never goes back. */
  async time(): Promise<EpochMs> {
    if (this.#elapsed() - this.#toldAt > AGE_MS_MAX) {
      this.#asking ??= this.#ask()
        .then((at) => this.told(at))
        .finally(() => {
          this.#asking = null;
        });
      await this.#asking;
    }
    return this.#newest;
  }
}
