/** What all routes share. */
import type { Bodies } from "./body.js";
import type { Engine, EngineStatus } from "./engine.js";
import type { ApiLimits } from "./options.js";
import { Problem, retryable } from "./problems.js";
import type { Streams } from "./streams.js";

export interface ApiContext {
  readonly engine: Engine;
  readonly limits: ApiLimits;
  readonly bodies: Bodies;
  readonly streams: Streams;
}

/** @throws Problem `failed`, `stopping` or `not-ready`, where the engine takes no inputs and no questions */
export function requireUp({ status }: Engine): void {
  if (!status.isUp) refuse(status);
}

/** The same, where any of the tasks is not running. */
export function requireReady({ status }: Engine): void {
  if (!status.isReady) refuse(status);
}

function refuse(status: EngineStatus): never {
  const { state, detail, lag, oldestInputAgeMs } = status;
  const told = detail === null ? "" : `: ${detail}`;
  if (state === "failed") throw new Problem("failed", `the engine has failed${told}`, { state, lag, oldestInputAgeMs });
  if (state === "stopping" || state === "stopped")
    throw retryable("stopping", `the engine is ${state}${told}`, { state });
  throw retryable("not-ready", `the engine is ${state}${told}`, { state, lag, oldestInputAgeMs });
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** The formats of the answer; without it, whatever the client says it takes is not looked at. */
    readonly produces?: readonly string[];
  }
}
