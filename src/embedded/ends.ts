/** Where each topic ends, with which row, and who waits for it to end further on. */
import { ScorefoldError } from "../errors.js";
import type { Bounds, Offset, Topic } from "../stream/log.js";
import { NO_LINK } from "./rows.js";

/** The longest a timer can wait; a longer one would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The end of a topic, and the link of its last row. */
export interface End {
  readonly offset: Offset;
  readonly link: number;
}

export const noEnd: End = { offset: 0, link: NO_LINK };

export class Ends {
  readonly #ends: Map<Topic, End>;
  readonly #waiting = new Set<() => void>();

  constructor(ends: ReadonlyMap<Topic, End>) {
    this.#ends = new Map(ends);
  }

  /** @throws ScorefoldError `usage` where there is no such topic */
  of(topic: Topic): Offset {
    return this.last(topic).offset;
  }

  /** @throws ScorefoldError `usage` where there is no such topic */
  last(topic: Topic): End {
    const end = this.#ends.get(topic);
    if (end !== undefined) return end;
    throw new ScorefoldError(
      "usage",
      `there is no topic ${topic}; the topics are ${[...this.#ends.keys()].join(", ")}`,
    );
  }

  bounds(topics: Iterable<Topic> = this.#ends.keys()): ReadonlyMap<Topic, Bounds> {
    // Nothing is ever dropped from the beginning.
    return new Map([...topics].map((topic) => [topic, { start: 0, end: this.of(topic) }]));
  }

  /** What is before `end` can be read from now on. */
  move(topic: Topic, end: End): void {
    this.#ends.set(topic, end);
    for (const wake of this.#waiting) wake();
  }

  /** Resolves when the topic ends behind `offset`, when one of the signals aborts, or when the time is over. */
  async whenBehind(topic: Topic, offset: Offset, stops: readonly AbortSignal[], waitMs = TIMER_MS_MAX): Promise<void> {
    const isOver = (): boolean => this.of(topic) > offset || stops.some((stop) => stop.aborted);
    if (isOver() || waitMs <= 0) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        for (const stop of stops) stop.removeEventListener("abort", end);
        resolve();
      };
      const wake = (): void => {
        if (isOver()) end();
      };
      const timer = setTimeout(end, Math.min(waitMs, TIMER_MS_MAX));
      this.#waiting.add(wake);
      for (const stop of stops) stop.addEventListener("abort", end);
    });
  }
}
