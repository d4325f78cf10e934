/**
 * A store that grows: the rate of each million inputs, the longest write, and the commits, to see that nothing gets
 * slower with what is there already.
 *
 *   npm run bench -- grow                        2 million inputs of 40,000 contacts
 *   BENCH_GROW_INPUTS=50000000 npm run bench -- grow    50 million, of a million contacts
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataDirectory } from "../../src/engine/directory.js";
import { EmbeddedEngine } from "../../src/engine/embedded-engine.js";
import { systemClock } from "../../src/stream/clock.js";
import { createLogger } from "../../src/telemetry.js";
import { memoryNow, mixedLines } from "./engine.js";
import { benchModel } from "./fold.js";

const MILLION = 1_000_000;
const LINES_AT_ONCE = 5_000;
/** Contacts that do something at a time, of all of them. */
const ACTIVE = 5_000;

export interface Growth {
  readonly inputs: number;
  readonly perSecond: number;
  readonly longestWriteMs: number;
  readonly commitP99Ms: number;
  readonly anonMb: number;
  readonly residentMb: number;
}

/** @param onMillion called with what each million took, as it is done */
export async function grow(inputs: number, contacts: number, onMillion: (growth: Growth) => void): Promise<void> {
  const parent = process.env["BENCH_DIR"] ?? tmpdir();
  const path = mkdtempSync(join(parent, "scorefold-grow-"));
  let commits: number[] = [];
  let longestWriteMs = 0;
  const engine = await EmbeddedEngine.start({
    directory: await DataDirectory.open(path),
    models: [benchModel()],
    clock: systemClock,
    timers: "manual",
    logger: createLogger("warn", process.stderr),
    onCommit: ({ foldMs, publishMs }) => void commits.push(foldMs + publishMs),
    onWrite: ({ ms }) => {
      longestWriteMs = Math.max(longestWriteMs, ms);
    },
  });
  try {
    await engine.task.running();
    let began = performance.now();
    let count = 0;
    let chunk: string[] = [];
    for (const line of mixedLines(inputs, contacts, ACTIVE)) {
      chunk.push(line);
      if (chunk.length < LINES_AT_ONCE) continue;
      await engine.appendLines(chunk);
      count += chunk.length;
      chunk = [];
      await engine.drained();
      if (count % MILLION !== 0 && count < inputs) continue;
      await engine.folded(count - 1);
      const seconds = (performance.now() - began) / 1000;
      commits.sort((a, b) => a - b);
      const memory = memoryNow();
      onMillion({
        inputs: count,
        perSecond: (((count - 1) % MILLION) + 1) / seconds,
        longestWriteMs,
        commitP99Ms: commits[Math.floor(commits.length * 0.99)] ?? 0,
        anonMb: memory.anon,
        residentMb: memory.resident,
      });
      commits = [];
      longestWriteMs = 0;
      began = performance.now();
    }
  } finally {
    await engine.stop();
    rmSync(path, { recursive: true, force: true });
  }
}
