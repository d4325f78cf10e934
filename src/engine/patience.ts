/**
 * How long a command waits for what may pass, such as a disk that is full: for a bounded time, and then it ends and says
 * why, once. An engine that is to stay up has none of it, and tries for ever.
 */
import { statfs } from "node:fs/promises";
import { type ErrorCode, ScorefoldError } from "../errors.js";
import type { Clock } from "../stream/clock.js";

/** Of a command, in its own process or asking an engine. */
export const COMMAND_PATIENCE_MS = 10_000;
const WAIT_MS_MIN = 250;
const WAIT_MS_MAX = 2_000;

export class Patience {
  readonly #clock: Clock;
  readonly #msMax: number;
  readonly #onOver: () => void;
  /** When the first of the failures was since which nothing has passed; null: there is none. */
  #since: number | null = null;
  #over: unknown = null;

  /**
   * @param msMax Infinity: for ever
   * @param onOver told once, where it has come to its end
   */
  constructor(clock: Clock, msMax: number, onOver: () => void = () => undefined) {
    this.#clock = clock;
    this.#msMax = msMax;
    this.#onOver = onOver;
  }

  /** Whether it has an end: then what fails meanwhile need not be told, since the end will be. */
  get isBounded(): boolean {
    return Number.isFinite(this.#msMax);
  }

  /** What was given up on; null: nothing. */
  get over(): unknown {
    return this.#over;
  }

  /** Something has failed that may pass. */
  failed(error: unknown): void {
    const now = this.#clock.elapsed();
    this.#since ??= now;
    if (now - this.#since >= this.#msMax && this.#over === null) this.#end(error);
  }

  #end(error: unknown): void {
    this.#over = error;
    this.#onOver();
  }

  /** Something has passed: what was to be written is. */
  passed(): void {
    this.#since = null;
  }

  /** Does it, again and again where it fails with what may pass. @throws what it threw, in the end */
  async trying<T>(act: () => Promise<T>, passing: readonly ErrorCode[] = ["disk-full", "database-failed"]): Promise<T> {
    const began = this.#clock.elapsed();
    for (let wait = WAIT_MS_MIN; ; wait = Math.min(WAIT_MS_MAX, 2 * wait)) {
      try {
        return await act();
      } catch (error) {
        const mayPass = error instanceof ScorefoldError && passing.includes(error.code);
        if (!mayPass || !this.isBounded || this.#over !== null) throw error;
        if (this.#clock.elapsed() - began >= this.#msMax) {
          this.#end(error);
          throw error;
        }
        await this.#clock.sleep(wait);
      }
    }
  }
}

/** The same error; of a full disk with how much is free, and what to do. */
export async function withRoom(path: string, error: unknown): Promise<unknown> {
  if (!(error instanceof ScorefoldError) || error.code !== "disk-full") return error;
  const { bavail, bsize } = await statfs(path).catch(() => ({ bavail: Number.NaN, bsize: 1 }));
  const megabytes = ((bavail * bsize) / 1e6).toFixed(1);
  const free = Number.isNaN(bavail) ? "" : ` (${megabytes} MB are free there; a quota or a limit on files counts, too)`;
  const text = `${path}: the disk is full; make room${free}, and do it again: what comes twice counts once`;
  return new ScorefoldError("disk-full", text, { cause: error });
}
