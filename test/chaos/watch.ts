/**
 * Asks all instances again and again which tasks they run, and notes for how long nobody said so of a task. Time in which
 * there is no broker does not count: no task can run then. Who can't reach it does not count either, whatever it says.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { PARTITIONS } from "./application.js";
import type { Instance, TaskReport } from "./instance.js";

const POLL_MS = 250;

export interface Gap {
  readonly task: number;
  readonly ms: number;
  /** Since the watch began. */
  readonly at: number;
}

export class Watch {
  readonly #instances: () => readonly Instance[];
  readonly #isCutOff: (instance: Instance) => boolean;
  readonly #began = performance.now();
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #hasBroker = true;
  /** For so long nobody runs the task, by its number. */
  readonly #without = new Array<number>(PARTITIONS).fill(0);
  /** For so long an instance that lives has had no running task. */
  readonly #idle = new Map<Instance, number>();
  #longest: Gap = { task: 0, ms: 0, at: 0 };
  #waiting: Waiting[] = [];
  readonly #limitMs: number;

  /**
   * @param isCutOff who has no way to the broker
   * @param limitMs whoever waits for tasks to run is told when one has been with nobody for so long
   */
  constructor(instances: () => readonly Instance[], isCutOff: (instance: Instance) => boolean, limitMs: number) {
    this.#instances = instances;
    this.#isCutOff = isCutOff;
    this.#limitMs = limitMs;
    this.#running = this.#run();
  }

  get longest(): Gap {
    return this.#longest;
  }

  set hasBroker(is: boolean) {
    this.#hasBroker = is;
  }

  /** Forgets what was: how long a start takes is another question. */
  reset(): void {
    this.#without.fill(0);
    this.#longest = { task: 0, ms: 0, at: 0 };
  }

  /** Resolves when a round that began after now has found every task running. */
  async allRun(): Promise<void> {
    await new Promise<void>((done, failed) => this.#waiting.push({ since: performance.now(), done, failed }));
  }

  /** Ends the waiting of all who wait. */
  fail(error: Error): void {
    for (const { failed } of this.#waiting.splice(0)) failed(error);
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let before = performance.now();
    while (!this.#ending.signal.aborted) {
      const began = performance.now();
      const instances = this.#instances();
      const reports = await Promise.all(
        instances.map(async (instance) => (this.#isCutOff(instance) ? null : await instance.tasks())),
      );
      const now = performance.now();
      const running = new Set(
        reports.flatMap((tasks) => (tasks ?? []).filter(({ state }) => state === "running").map(({ task }) => task)),
      );
      this.#noteIdle(instances, reports, now - before);
      for (let task = 0; task < PARTITIONS; task++) {
        if (running.has(task)) this.#without[task] = 0;
        else if (this.#hasBroker) this.#note(task, now - before, now);
      }
      before = now;
      if (running.size === PARTITIONS) {
        const isAnswered = ({ since }: Waiting): boolean => since <= began;
        for (const { done } of this.#waiting.filter(isAnswered)) done();
        this.#waiting = this.#waiting.filter((one) => !isAnswered(one));
      }
      await sleep(POLL_MS, undefined, { signal: this.#ending.signal }).catch(() => undefined);
    }
  }

  /**
   * There are as many tasks as instances, or more: whoever lives gets one in time. One that does not answer, or has none
   * that runs, has lost the group without knowing it.
   */
  #noteIdle(instances: readonly Instance[], reports: readonly (readonly TaskReport[] | null)[], more: number): void {
    for (const [i, instance] of instances.entries()) {
      const isIdle = instance.isLive && reports[i]?.some(({ state }) => state === "running") !== true;
      const ms = isIdle && this.#hasBroker && !this.#isCutOff(instance) ? (this.#idle.get(instance) ?? 0) + more : 0;
      this.#idle.set(instance, ms);
      const text = `instance ${instance.number} has no running task for ${Math.round(ms / 1000)} s`;
      if (ms >= 2 * this.#limitMs) this.fail(new Error(text));
    }
  }

  #note(task: number, more: number, now: number): void {
    const ms = this.#without[task]! + more;
    this.#without[task] = ms;
    if (ms > this.#longest.ms) this.#longest = { task, ms, at: now - this.#began };
    if (ms < this.#limitMs) return;
    this.fail(new Error(`nobody runs task ${task} for ${Math.round(ms / 1000)} s, with a broker there`));
  }
}

interface Waiting {
  readonly since: number;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}
