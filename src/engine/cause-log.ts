/**
 * What is said again and again, said once a minute: each cause by one line, the first with its stack, later ones with how
 * often it came meanwhile. What differs in numbers alone is one cause.
 */
import { messageOf } from "../errors.js";
import type { Logger } from "../telemetry.js";

const REPEAT_MS = 60_000;
/** Causes that are kept; of more than these the first line of each is said. */
const CAUSES_MAX = 100;

interface Said {
  at: number;
  more: number;
}

export class CauseLog {
  readonly #logger: Logger;
  readonly #elapsed: () => number;
  readonly #said = new Map<string, Said>();

  /** @param elapsed milliseconds, of a clock that never jumps */
  constructor(logger: Logger, elapsed: () => number) {
    this.#logger = logger;
    this.#elapsed = elapsed;
  }

  warn(text: string, error?: unknown): void {
    const key = `${text} ${error === undefined ? "" : messageOf(error)}`.replace(/\d+/g, "0");
    const now = this.#elapsed();
    const before = this.#said.get(key);
    if (before === undefined) {
      if (this.#said.size >= CAUSES_MAX) this.#said.clear();
      this.#said.set(key, { at: now, more: 0 });
      this.#logger.warn(error === undefined ? {} : { err: error }, text);
    } else if (now - before.at < REPEAT_MS) before.more += 1;
    else {
      const { more } = before;
      this.#said.set(key, { at: now, more: 0 });
      this.#logger.warn({ cause: error === undefined ? null : messageOf(error), more }, text);
    }
  }
}
