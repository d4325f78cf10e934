/**
 * Numbers that look random and are the same in every run: mulberry32, a 32-bit generator with one word of state. Good
 * enough to draw people and clicks from; not for secrets.
 */
export class Random {
  #state: number;

  /** @param seed any integer; the lower 32 bits count. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** At least 0, below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** True in this share of all draws. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  /** An integer from `from` to `to`, both included. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  /** Waiting times: many short, few long. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)] as T;
  }

  /** The same items in another order (Fisher and Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const order = items.slice();
    for (let last = order.length - 1; last > 0; last -= 1) {
      const drawn = this.integer(0, last);
      const item = order[drawn] as T;
      order[drawn] = order[last] as T;
      order[last] = item;
    }
    return order;
  }

  /** Draws an item by its share; shares need not sum to 1. */
  weighted<T extends { readonly share: number }>(items: readonly T[]): T {
    let left = this.next() * items.reduce((sum, { share }) => sum + share, 0);
    for (const item of items) {
      left -= item.share;
      if (left < 0) {
        return item;
      }
    }
    return items.at(-1) as T;
  }
}

/** A generator of its own for each part of a whole, so that one more contact does not change the others. */
export function randomOf(seed: number, part: number): Random {
  // Knuth's multiplicative hash keeps neighbouring parts apart.
  return new Random((seed ^ Math.imul(part + 1, 2_654_435_761)) >>> 0);
}
