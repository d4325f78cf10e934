/** Time as the task sees it, so that a test or a demo can be its own. */
import { setTimeout as delay, setImmediate as turn } from "node:timers/promises";
import type { EpochMs } from "../events/types.js";

export interface Clock {
  /** The wall clock. It may jump, in both directions. */
  now(): EpochMs;
  /** For measuring how long something took: never jumps. In milliseconds. */
  elapsed(): number;
  /** Resolves after `ms`, or as soon as `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Lets everything else that can go on have its turn: for whoever computes for long. */
  yield(): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      if (signal?.aborted !== true) throw error;
    });
  },
  yield: async () => await turn(),
};
