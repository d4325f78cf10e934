/** What a task writes beside its offsets in each transaction: up to where timers and a change of models are published. */
import { ScorefoldError } from "../errors.js";
import type { EpochMs } from "../events/types.js";
import type { TimerPlace } from "../store/position.js";
import { type Loss, type Losses, type LossKind, type ModelChange, noLosses, type Position } from "../store/position.js";
import type { Committed } from "./log.js";

const VERSION = 1;
/** Of losses, beside two keys of contacts, each two names of 256 bytes, escaped: below what a log takes. */
const LOSSES_BYTES_MAX = 1200;

export function encodeMetadata(
  { timer, change, losses, inputs = null }: Pick<Position, "timer" | "change" | "losses" | "inputs">,
  models: string | null,
): string {
  return JSON.stringify([
    VERSION,
    timer.all,
    timer.run === null ? null : [timer.run.until, timer.run.done],
    change === null ? null : [change.to, change.done],
    models,
    ...(losses.count === 0 && inputs === null ? [] : [losses.count === 0 ? null : encodeLosses(losses)]),
    ...(inputs === null ? [] : [inputs]),
  ]);
}

/** The same for other offsets, of which nobody has counted the inputs. @param text empty: there is none */
export function uncounted(text: string): string {
  if (text === "") return "";
  const { models, ...position } = decodeMetadata(text);
  return encodeMetadata({ ...position, inputs: null }, models);
}

type EncodedLoss = [
  topic: string,
  kind: LossKind,
  position: number,
  resumed: number,
  records: number,
  since: EpochMs | null,
  until: EpochMs | null,
  by: string,
  at: EpochMs,
];

type Encoded = [
  version: number,
  all: number | null,
  run: [number, string] | null,
  change: [string, string] | null,
  models?: string | null,
  losses?: [count: number, records: number, last: EncodedLoss[]] | null,
  inputs?: number | null,
];

/** What a task has committed. */
export interface CommittedPosition extends Omit<Position, "outputs"> {
  /** Names the set of models that all contacts are published under, but for a change under way; null: not known. */
  readonly models: string | null;
}

/** What was committed, read. @throws ScorefoldError `format-unknown` for what another version wrote */
export function committedPosition(committed: Committed | null): CommittedPosition | null {
  if (committed === null) return null;
  const { offsets, marks, metadata } = committed;
  return { offsets, marks, ...decodeMetadata(metadata) };
}

/** @throws ScorefoldError `format-unknown` for what another version wrote */
export function decodeMetadata(text: string): {
  timer: TimerPlace;
  change: ModelChange | null;
  models: string | null;
  losses: Losses;
  inputs?: number;
} {
  const [version, all, run, change, models, losses, inputs] = JSON.parse(text) as Encoded;
  if (version !== VERSION) {
    throw new ScorefoldError("format-unknown", `the committed position has version ${version}, and this is ${VERSION}`);
  }
  const position = {
    timer: { all, run: run === null ? null : { until: run[0], done: run[1] } },
    change: change === null ? null : { to: change[0], done: change[1] },
    models: models ?? null,
    losses: losses == null ? noLosses : decodeLosses(losses),
  };
  return inputs == null ? position : { ...position, inputs };
}

/** As many of the newest as there is room for; how many there were is always told. */
function encodeLosses({ count, records, last }: Losses): NonNullable<Encoded[5]> {
  const encoded: EncodedLoss[] = [];
  let bytes = 0;
  for (const { topic, kind, position, resumed, records: own, since, until, by, at } of last.toReversed()) {
    const one: EncodedLoss = [topic, kind, position, resumed, own, since, until, by, at];
    bytes += Buffer.byteLength(JSON.stringify(one)) + 1;
    if (bytes > LOSSES_BYTES_MAX) break;
    encoded.unshift(one);
  }
  return [count, records, encoded];
}

function decodeLosses([count, records, last]: NonNullable<Encoded[5]>): Losses {
  return { count, records, last: last.map(decodeLoss) };
}

function decodeLoss([topic, kind, position, resumed, records, since, until, by, at]: EncodedLoss): Loss {
  return { topic, kind, position, resumed, records, since, until, by, at };
}
