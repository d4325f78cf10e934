/**
 * Feeds the demo's stream to a real engine, compressed in time: day by day, with timers following the days, showing what
 * is crossed on the way.
 */
import { existsSync } from "node:fs";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DataDirectory } from "../../engine/directory.js";
import { EmbeddedEngine } from "../../engine/embedded-engine.js";
import { ScorefoldError } from "../../errors.js";
import { DEFAULT_TENANT } from "../../events/decode.js";
import { encodeScoreLine } from "../../events/encode.js";
import type { EpochMs, Input, Json, ThresholdCrossed } from "../../events/types.js";
import type { CompiledModel } from "../../model/compile.js";
import { LineOutput } from "../../rebuild/line-output.js";
import { systemClock } from "../../stream/clock.js";
import { createLogger } from "../../telemetry.js";
import { crossingText } from "../explanation.js";
import type { painter } from "../io.js";
import { grouped, renderTable } from "../table.js";

const DAY_MS = 86_400_000;
const SHOWN_EVERY_DAYS = 14;
const APPENDED_AT_ONCE = 4096;
const OUTPUTS_READ = { recordsMax: 10_000, bytesMax: 8 * 1024 * 1024 };
/** Says that what lies in a directory is a demo's, to be cleared away by the next. */
const MARK = ".scorefold-demo";

export interface FeedOptions {
  readonly dir: string;
  readonly models: readonly CompiledModel[];
  /** In the order in which they arrive. */
  readonly inputs: readonly Input[];
  readonly start: EpochMs;
  readonly write: (text: string) => void;
  readonly paint: ReturnType<typeof painter>;
}

export interface Fed {
  readonly inputs: number;
  readonly changes: number;
  readonly crossings: number;
  readonly late: number;
  readonly duplicates: number;
  readonly seconds: number;
  /** Where the engine's clock stands afterwards: at the newest input. */
  readonly asOf: EpochMs;
  /** File of the engine's score lines. */
  readonly scores: string;
}

/** Takes away what an earlier demo left. @throws ScorefoldError where somebody else's data lie there */
export async function clearDemo(dir: string): Promise<void> {
  const isOwn = existsSync(join(dir, MARK));
  const names = await readdir(dir);
  const data = names.filter((name) => name === "log" || name === "store");
  if (data.length > 0 && !isOwn) {
    throw new ScorefoldError(
      "directory-unusable",
      `${dir}: there are data here that no demo has made; name another --dir`,
    );
  }
  if (data.length > 0 && (await DataDirectory.runningEngine(dir)) !== null)
    throw new ScorefoldError("directory-in-use", `${dir}: a demo is still up here; stop it, or name another --dir`);
  for (const name of data) await rm(join(dir, name), { recursive: true, force: true });
  await writeFile(join(dir, MARK), "Made by `scorefold demo`; the next one clears it away.\n");
}

export async function feed(options: FeedOptions): Promise<Fed> {
  const started = performance.now();
  const { dir, models, inputs, start } = options;
  const engine = await EmbeddedEngine.start({
    directory: await DataDirectory.open(dir),
    models,
    clock: systemClock,
    timers: "manual",
    logger: createLogger("warn", process.stderr),
    // The days of the demo are not those of this machine's calendar.
    limits: { inputAheadMsMax: Number.POSITIVE_INFINITY },
  });
  try {
    await engine.task.running();
    const show = new Show(options, engine);
    let day = start + DAY_MS;
    let asOf = start;
    let from = 0;
    for (let i = 0; i <= inputs.length; i++) {
      const at = inputs[i]?.at ?? Number.POSITIVE_INFINITY;
      if (i < inputs.length && at < day && i - from < APPENDED_AT_ONCE) continue;
      if (i > from) {
        const lines = inputs.slice(from, i);
        const { base } = await engine.appendLines(lines.map((input) => JSON.stringify(input)));
        await engine.folded(base + lines.length - 1);
        for (const input of lines) asOf = Math.max(asOf, input.at);
        from = i;
      }
      if (at < day) continue;
      // What time does on that day; the last day ends with the newest input.
      await engine.task.fireUntil(i < inputs.length ? Math.max(asOf, day - 1) : asOf);
      await show.day(day, i);
      while (i < inputs.length && at >= day) day += DAY_MS;
    }
    const scores = join(dir, "engine-scores.jsonl");
    await writeScores(engine, asOf, scores);
    const { late, duplicates } = engine.counts;
    const ends = engine.log.topics;
    return {
      inputs: inputs.length,
      changes: ends.get("score-changed")?.end ?? 0,
      crossings: ends.get("threshold-crossed")?.end ?? 0,
      late,
      duplicates,
      asOf,
      scores,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await engine.stop();
  }
}

async function writeScores(engine: EmbeddedEngine, asOf: EpochMs, path: string): Promise<void> {
  const output = await LineOutput.open(path);
  try {
    for await (const lines of engine.allScores({ tenantId: DEFAULT_TENANT, asOf })) {
      for (const line of lines) output.append(encodeScoreLine(line));
      if (output.isFull) await output.flush();
    }
    await output.commit();
  } finally {
    await output.discard();
  }
}

/** What the engine publishes while it is fed. */
class Show {
  readonly #options: FeedOptions;
  readonly #engine: EmbeddedEngine;
  readonly #names: ReadonlyMap<string, string>;
  #next = 0;
  #days = 0;

  constructor(options: FeedOptions, engine: EmbeddedEngine) {
    this.#options = options;
    this.#engine = engine;
    this.#names = namesOf(options.inputs);
  }

  async day(day: EpochMs, fed: number): Promise<void> {
    this.#days += 1;
    if (this.#days % SHOWN_EVERY_DAYS !== 0) return;
    const { write, paint } = this.#options;
    const crossings = await this.#crossings();
    const date = new Date(day - 1).toISOString().slice(0, 10);
    const shown = notable(crossings);
    const rows = shown.map((crossing, i) => [
      i === 0 ? date : "",
      i === 0 ? grouped(fed) : "",
      i === 0 ? grouped(crossings.length) : "",
      isUp(crossing) ? "▲" : "▼",
      `${crossing.previous ?? 0} -> ${crossing.current}`,
      crossingText(crossing),
      this.#names.get(crossing.contactId) ?? crossing.contactId,
      crossing.cause.type ?? crossing.cause.kind,
    ]);
    const [titles, underline, ...body] = renderTable(columns, rows).trimEnd().split("\n");
    const isFirst = this.#days === SHOWN_EVERY_DAYS;
    const head = isFirst ? [titles ?? "", underline ?? ""] : [];
    const lines = body.map((line, i) => paint(isUp(shown[i]!) ? "green" : "red", line));
    write([...head, ...lines].map((line) => `  ${line}\n`).join(""));
  }

  /** The crossings since the last time. */
  async #crossings(): Promise<ThresholdCrossed[]> {
    const found: ThresholdCrossed[] = [];
    for (;;) {
      const { records, next, end } = await this.#engine.log.read("threshold-crossed", this.#next, OUTPUTS_READ);
      for (const { value } of records) found.push(JSON.parse(value) as ThresholdCrossed);
      this.#next = next;
      if (next >= end) return found;
    }
  }
}

const byTime: ReadonlySet<string> = new Set(["decay", "expiry", "inactivity"]);

/** The highest that somebody has risen to by what he did, and the furthest that time alone took somebody down. */
function notable(crossings: readonly ThresholdCrossed[]): ThresholdCrossed[] {
  const named = crossings.filter(({ crossing }) => crossing === "trigger" || crossing === "salesReady");
  const ups = named.filter((one) => isUp(one) && one.cause.type !== undefined).sort((a, b) => b.current - a.current);
  const fall = ({ current, previous }: ThresholdCrossed): number => (previous ?? 0) - current;
  const downs = named.filter((one) => !isUp(one) && byTime.has(one.cause.kind)).sort((a, b) => fall(b) - fall(a));
  return [...ups.slice(0, 1), ...downs.slice(0, 1)];
}

function isUp({ current, previous }: ThresholdCrossed): boolean {
  return current > (previous ?? 0);
}

/** Of fixed width, so that rows printed one after another stand below each other. */
const columns = [
  { title: "until     " },
  { title: " inputs", align: "right" },
  { title: "crossings", align: "right" },
  { title: "" },
  { title: " score  " },
  { title: "among them            ", widthMax: 22 },
  { title: "who                   ", widthMax: 22 },
  { title: "because of", widthMax: 20 },
] as const;

function namesOf(inputs: readonly Input[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const input of inputs) {
    if (input.kind !== "profile" || input.fields === null) continue;
    const name: Json | undefined = input.fields["name"];
    if (typeof name === "string") names.set(input.contactId, name);
  }
  return names;
}
