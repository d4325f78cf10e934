/** What a task writes beside its offsets in each transaction: up to where timers and a change of models are published. */
import { ScorefoldError } from "../errors.js";
import type { ModelChange, Position, TimerPlace } from "../store/position.js";

const VERSION = 1;

/** Two keys of contacts, each two names of 256 bytes, escaped: below the 4,096 bytes that a log takes. */
export function encodeMetadata({ timer, change }: Position): string {
  return JSON.stringify([
    VERSION,
    timer.all,
    timer.run === null ? null : [timer.run.until, timer.run.done],
    change === null ? null : [change.to, change.done],
  ]);
}

type Encoded = [version: number, all: number | null, run: [number, string] | null, change: [string, string] | null];

/** @throws ScorefoldError `format-unknown` for what another version wrote */
export function decodeMetadata(text: string): { timer: TimerPlace; change: ModelChange | null } {
  const [version, all, run, change] = JSON.parse(text) as Encoded;
  if (version !== VERSION) {
    throw new ScorefoldError("format-unknown", `the committed position has version ${version}, and this is ${VERSION}`);
  }
  return {
    timer: { all, run: run === null ? null : { until: run[0], done: run[1] } },
    change: change === null ? null : { to: change[0], done: change[1] },
  };
}
