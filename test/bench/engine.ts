/**
 * The engine without a broker, file to scores on disk: everything that `scorefold ingest` does, in this process, on a
 * directory of its own.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataDirectory } from "../../src/engine/directory.js";
import { EmbeddedEngine } from "../../src/engine/embedded-engine.js";
import { readLines } from "../../src/rebuild/lines.js";
import { systemClock } from "../../src/stream/clock.js";
import { createLogger } from "../../src/telemetry.js";
import { benchModel, type Measured } from "./fold.js";
import { contactInputs, seededRandom } from "./stream.js";

const dayMs = 86_400_000;
const LINES_AT_ONCE = 5_000;
const VISITS = 5;

/** Starts an engine on a new directory; timers go where they are told. */
export async function startEngine(parent: string): Promise<{ engine: EmbeddedEngine; path: string }> {
  const path = mkdtempSync(join(parent, "engine-"));
  const engine = await EmbeddedEngine.start({
    directory: await DataDirectory.open(path),
    models: [benchModel()],
    clock: systemClock,
    timers: "manual",
    logger: createLogger("warn", process.stderr),
  });
  await engine.task.running();
  return { engine, path };
}

/** What a file of inputs takes until its scores are on disk. */
export async function ingestFile(file: string, directory: string, name: string): Promise<Measured> {
  const { engine, path } = await startEngine(directory);
  const started = performance.now();
  let count = 0;
  let end = 0;
  for await (const { lines } of readLines(file)) {
    if (lines.length === 0) continue;
    const { base } = await engine.appendLines(lines);
    end = base + lines.length;
    count += lines.length;
    await engine.drained();
  }
  await engine.folded(end - 1);
  await engine.task.written();
  const seconds = (performance.now() - started) / 1000;
  await engine.stop();
  rmSync(path, { recursive: true, force: true });
  return { name, count, seconds };
}

/** Lines of one contact with `count` inputs among a hundred others, 2 % of all a little late. */
export function* botLines(count: number): Generator<string> {
  const random = seededRandom(7);
  const bot = contactInputs("bot", count, 365 * dayMs, random).map((input) => JSON.stringify(input));
  const others = Array.from({ length: 100 }, (_, i) =>
    contactInputs(`c${i}`, Math.ceil(count / 100), 365 * dayMs, random).map((input) => JSON.stringify(input)),
  );
  const held: { at: number; line: string }[] = [];
  for (let place = 0; place < count; place++) {
    for (const line of [bot[place]!, others[place % 100]![Math.floor(place / 100)]!]) {
      if (random() < 0.02) held.push({ at: place + 1 + Math.floor(random() * 200), line });
      else yield line;
    }
    while (held.length > 0 && held[0]!.at <= place) yield held.shift()!.line;
  }
  for (const { line } of held) yield line;
}

/** Lines that are made while they are taken, so that only the engine is measured in memory. */
export async function ingestLines(
  lines: Iterable<string>,
  directory: string,
  name: string,
  onChunk: (count: number, seconds: number) => void = () => undefined,
): Promise<Measured> {
  const { engine, path } = await startEngine(directory);
  const started = performance.now();
  let count = 0;
  let end = 0;
  let chunk: string[] = [];
  const append = async (): Promise<void> => {
    const { base } = await engine.appendLines(chunk);
    end = base + chunk.length;
    count += chunk.length;
    chunk = [];
    await engine.drained();
    onChunk(count, (performance.now() - started) / 1000);
  };
  for (const line of lines) {
    chunk.push(line);
    if (chunk.length >= LINES_AT_ONCE) await append();
  }
  if (chunk.length > 0) await append();
  await engine.folded(end - 1);
  await engine.task.written();
  const seconds = (performance.now() - started) / 1000;
  await engine.stop();
  rmSync(path, { recursive: true, force: true });
  return { name, count, seconds };
}

/**
 * Inputs of a year, in order of time, of so many contacts.
 *
 * @param active without it each input is of any of them, which no cache helps against; with it, of so many that follow
 *   each other, round after round: each contact comes five times, and then is not seen for long
 */
export function* mixedLines(count: number, contacts: number, active?: number): Generator<string> {
  const random = seededRandom(11);
  const types = ["email.opened", "web.page_viewed", "email.clicked", "form.submitted", "product.purchased"];
  const start = Date.UTC(2025, 0, 1);
  for (let i = 0; i < count; i++) {
    let contact = i < contacts ? i : Math.floor(random() * contacts);
    if (active !== undefined) contact = Math.floor((i * VISITS * contacts) / count + random() * active) % contacts;
    const at = start + Math.floor((i * 365 * dayMs) / count);
    const type = types[Math.floor(random() * types.length)]!;
    yield `{"id":"i${i}","contactId":"c${contact}","type":"${type}","at":${at},"resource":"/page/${i % 50}","attributes":{"amount":${i % 100}}}`;
  }
}

export interface Memory {
  readonly contacts: number;
  /** Megabytes: anonymous memory, and all that is resident (mapped tables count there). */
  readonly anon: number;
  readonly resident: number;
}

/** What a process has now, in megabytes. */
export function memoryNow(process: number | "self" = "self"): Omit<Memory, "contacts"> {
  const status = readFileSync(`/proc/${process}/status`, "utf8");
  const of = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  return { anon: of("RssAnon"), resident: of("VmRSS") };
}

/** The largest that the process has been, while it took an input of each contact, and then more of any of them. */
export async function memoryOf(contacts: number): Promise<Memory> {
  const directory = mkdtempSync(join(tmpdir(), "scorefold-bench-"));
  let [anon, resident] = [0, 0];
  const look = (): void => {
    const now = memoryNow();
    anon = Math.max(anon, now.anon);
    resident = Math.max(resident, now.resident);
  };
  try {
    await ingestLines(mixedLines(Math.max(400_000, 1.3 * contacts), contacts), directory, "", look);
    look();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return { contacts, anon: Math.round(anon), resident: Math.round(resident) };
}
