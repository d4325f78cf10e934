/** What a task writes beside its offsets in each transaction: up to where timers and a change of models are published. */
import { ScorefoldError } from "../errors.js";
import type { ModelChange, Position, TimerPlace } from "../store/position.js";

const VERSION = 1;

/** Two keys of contacts, each two names of 256 bytes, escaped: below the 4,096 bytes that a log takes. */
export function encodeMetadata(
  { timer, change, inputs = null }: Pick<Position, "timer" | "change" | "inputs">,
  models: string | null,
): string {
  return JSON.stringify([
    VERSION,
    timer.all,
    timer.run === null ? null : [timer.run.until, timer.run.done],
    change === null ? null : [change.to, change.done],
    models,
    ...(inputs === null ? [] : [null, inputs]),
  ]);
}

/** The same for other offsets, of which nobody has counted the inputs. @param text empty: there is none */
export function uncounted(text: string): string {
  if (text === "") return "";
  const { models, ...position } = decodeMetadata(text);
  return encodeMetadata({ ...position, inputs: null }, models);
}

type Encoded = [
  version: number,
  all: number | null,
  run: [number, string] | null,
  change: [string, string] | null,
  models?: string | null,
  /** For losses that were accepted. */
  reserved?: null,
  inputs?: number | null,
];

/** What a task has committed. */
export interface CommittedPosition extends Position {
  /** Names the set of models that all contacts are published under, but for a change under way; null: not known. */
  readonly models: string | null;
}

/** @throws ScorefoldError `format-unknown` for what another version wrote */
export function decodeMetadata(text: string): {
  timer: TimerPlace;
  change: ModelChange | null;
  models: string | null;
  inputs?: number;
} {
  const [version, all, run, change, models, , inputs] = JSON.parse(text) as Encoded;
  if (version !== VERSION) {
    throw new ScorefoldError("format-unknown", `the committed position has version ${version}, and this is ${VERSION}`);
  }
  const position = {
    timer: { all, run: run === null ? null : { until: run[0], done: run[1] } },
    change: change === null ? null : { to: change[0], done: change[1] },
    models: models ?? null,
  };
  return inputs == null ? position : { ...position, inputs };
}
