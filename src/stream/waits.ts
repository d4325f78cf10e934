/** What is waited for just now, and since when: so that whatever does not answer can be named. */
import type { EpochMs } from "../events/types.js";
import type { Clock } from "./clock.js";
import type { Waits } from "./log.js";

/** What answers later than that holds up whoever waits for it. */
const HELD_MS = 10_000;
/** After a try that has failed the next one comes within it, and is the same wait. */
const BETWEEN_TRIES_MS = 5_000;
/** What is asked for by something that waits begins so long after it, at most. */
const INNER_MS = 1_000;

export interface Wait {
  readonly what: string;
  readonly since: EpochMs;
}

interface Timed extends Wait {
  /** The same as `since`, by a clock that never jumps. */
  readonly elapsed: number;
}

export class WaitList implements Waits {
  readonly #clock: Clock;
  readonly #open = new Set<Timed>();
  /** By what did not answer: the wait whose last try has failed. */
  readonly #failed = new Map<string, { readonly wait: Timed; readonly at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async during<T>(what: string, work: Promise<T>): Promise<T> {
    const wait = this.#failedLately(what) ?? { what, since: this.#clock.now(), elapsed: this.#clock.elapsed() };
    // Each has its own, though several may have begun with the same.
    const own = { ...wait };
    this.#open.add(own);
    try {
      const result = await work;
      this.#failed.delete(what);
      return result;
    } catch (error) {
      this.#failed.set(what, { wait, at: this.#clock.elapsed() });
      throw error;
    } finally {
      this.#open.delete(own);
    }
  }

  /** What has not answered for too long; of several the one that was asked last, which the others wait for. */
  get held(): Wait | null {
    const failed = [...this.#failed.keys()].flatMap((what) => this.#failedLately(what) ?? []);
    const now = this.#clock.elapsed();
    const all = [...this.#open, ...failed].sort((a, b) => b.elapsed - a.elapsed);
    if (!all.some(({ elapsed }) => now - elapsed > HELD_MS)) return null;
    return all.find(({ elapsed }) => now - elapsed > HELD_MS - INNER_MS) ?? null;
  }

  #failedLately(what: string): Timed | null {
    const failed = this.#failed.get(what);
    if (failed === undefined) return null;
    if (this.#clock.elapsed() - failed.at < BETWEEN_TRIES_MS) return failed.wait;
    this.#failed.delete(what);
    return null;
  }
}

/**
 * The same object, with every promise that its methods give as a wait.
 *
 * @param names what a method waits for; null: not told
 */
export function watched<T extends object>(target: T, waits: Waits, names: (method: string) => string | null): T {
  const known = new Map<PropertyKey, unknown>();
  const watchedMethod = (key: string, method: (...given: unknown[]) => unknown): unknown => {
    const what = names(key);
    if (what === null) return method.bind(target);
    return (...given: unknown[]) => {
      const result = method.apply(target, given);
      return result instanceof Promise ? waits.during(what, result) : result;
    };
  };
  return new Proxy(target, {
    get: (_, key) => {
      const found: unknown = Reflect.get(target, key, target);
      if (typeof found !== "function") return found;
      // Some are called for every output.
      const before = known.get(key);
      if (before !== undefined) return before;
      const method = watchedMethod(String(key), found as (...given: unknown[]) => unknown);
      known.set(key, method);
      return method;
    },
  });
}
