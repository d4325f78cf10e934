/** Replay of files, beside what reading and parsing alone cost. */
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { formatInstant } from "../../src/events/time.js";
import { readLines } from "../../src/rebuild/lines.js";
import { replay } from "../../src/rebuild/replay.js";
import { benchModel, type Measured } from "./fold.js";
import { contactInputs, seededRandom } from "./stream.js";

const dayMs = 86_400_000;
/** Far less than a million inputs take. */
const smallMemoryBytes = 16 * 1024 * 1024;

/** Writes inputs of many contacts, mixed as a log has them: one of each contact in turn. */
export function writeInputs(file: string, count: number, inputsPerContact = 100): void {
  const random = seededRandom(42);
  const contacts = Math.max(1, Math.floor(count / inputsPerContact));
  const histories = Array.from({ length: contacts }, (_, i) =>
    contactInputs(`c${i}`, inputsPerContact, 365 * dayMs, random),
  );
  for (let place = 0; place < inputsPerContact; place++) {
    const lines = histories.map((history) =>
      JSON.stringify({ ...history[place]!, at: formatInstant(history[place]!.at) }),
    );
    appendFileSync(file, `${lines.join("\n")}\n`);
  }
}

export async function readOnly(file: string): Promise<Measured> {
  const started = performance.now();
  let count = 0;
  for await (const { lines } of readLines(file)) count += lines.length;
  return { name: "read lines", count, seconds: (performance.now() - started) / 1000 };
}

export function parseOnly(file: string): Measured {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const started = performance.now();
  let kinds = 0;
  for (const line of lines) if (JSON.parse(line).kind !== undefined) kinds += 1;
  return { name: "JSON.parse of each line", count: kinds, seconds: (performance.now() - started) / 1000 };
}

export async function replayFile(
  file: string,
  directory: string,
  how: "in memory" | "sorted on disk",
): Promise<Measured> {
  const report = await replay({
    models: [benchModel()],
    files: [file],
    scores: join(directory, "scores.jsonl"),
    outputs: join(directory, "outputs.jsonl"),
    ...(how === "in memory"
      ? { memoryBytesMax: 4 * 1024 ** 3 }
      : { memoryBytesMax: smallMemoryBytes, tempDirectory: directory }),
  });
  return { name: `replay, file to scores and outputs, ${how}`, count: report.lines, seconds: report.elapsedMs / 1000 };
}
