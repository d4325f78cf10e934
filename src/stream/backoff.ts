/** How long to wait before the next try: longer after each, until something has passed. The same for every cause. */
const WAIT_MS_MIN = 250;
const WAIT_MS_MAX = 30_000;

export class Backoff {
  #next = WAIT_MS_MIN;

  /** For the next try; the one after it waits twice as long. */
  next(): number {
    const now = this.#next;
    this.#next = Math.min(WAIT_MS_MAX, 2 * now);
    return now;
  }

  /** Something has passed. */
  reset(): void {
    this.#next = WAIT_MS_MIN;
  }
}
