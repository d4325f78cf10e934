/** What commands share that answer a question about files: they replay them, and tell how it went. */

import type { EpochMs } from "../events/types.js";
import { compile } from "../model/compile.js";
import type { Model } from "../model/types.js";
import { type ReplayOptions, type ReplayReport, replay } from "../rebuild/replay.js";
import type { Io } from "./io.js";
import { Progress } from "./progress.js";
import { counted } from "./table.js";

export interface FileOptions {
  readonly input: string[];
  readonly asOf?: EpochMs;
  readonly tenant: string;
}

/** Replays the files of a question without writing results; shows progress. */
export async function replayFor(
  io: Io,
  options: FileOptions,
  models: readonly Model[],
  hooks: Pick<ReplayOptions, "select" | "onOutput" | "onContact">,
): Promise<ReplayReport> {
  const progress = new Progress(io);
  return await replay({
    ...hooks,
    models: models.map(compile),
    files: options.input,
    stdin: io.stdin,
    ...(options.asOf === undefined ? {} : { asOf: options.asOf }),
    onProgress: ({ phase, done, total }) => progress.update(phase, done, total, phase === "read" ? "bytes" : "inputs"),
  }).finally(() => progress.clear());
}

/** Says that lines were left out, once everything else has been told. */
export function tellBadLines(io: Io, { deadLetters }: ReplayReport): void {
  if (deadLetters.total === 0) return;
  io.stderr.write(`${counted(deadLetters.total, "bad line")} left out; \`scorefold replay\` says why\n`);
}
