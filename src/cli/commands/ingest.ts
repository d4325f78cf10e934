/** `ingest`: files of inputs into the log of an engine, folded and published. */
import { Command, InvalidArgumentError, Option } from "commander";
import type { EmbeddedEngine } from "../../engine/embedded-engine.js";
import { type IngestReport, ingestFiles, type LineSink, type Until } from "../../engine/ingest.js";
import { ScorefoldError } from "../../errors.js";
import { formatInstant, parseInstant } from "../../events/time.js";
import { dataOption, type ModelOptions, modelOption, modelPaths, modelsOption, urlOption } from "../arguments.js";
import type { Io } from "../io.js";
import { loadModels } from "../models.js";
import { Progress } from "../progress.js";
import { openEngine, type ReachOptions, runningEngine, whileOpen } from "../reach.js";
import type { RemoteEngine } from "../remote.js";
import { counted, grouped } from "../table.js";

interface Options extends ModelOptions, ReachOptions {
  readonly until?: Until;
}

export function ingestCommand(io: Io): Command {
  return new Command("ingest")
    .description("take files of inputs into the engine: logged, folded, published")
    .argument("<files...>", "inputs as JSON lines, also .gz; - is standard input")
    .addOption(dataOption(io))
    .addOption(urlOption())
    .addOption(modelOption())
    .addOption(modelsOption())
    .addOption(
      new Option(
        "--until <instant>",
        "how far time goes on afterwards: last (input), now, or ISO 8601 (default: last)",
      ).argParser(untilArgument),
    )
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold ingest export-*.jsonl.gz                        into ./data, under the models in ./models
  $ scorefold ingest history.jsonl --until now                and let decay and windows go on to the present
  $ crm-export | scorefold ingest - --url http://127.0.0.1:7070

Where an engine runs on the directory, the lines are sent to it; its timers follow the wall clock. Lines that came before
change nothing, so an ingest that was broken off is simply done again. Bad lines go to the topic dead-letters:
\`scorefold tail dead-letters\` shows them.`,
    )
    .action(async (files: string[], options: Options) => {
      const started = performance.now();
      const running = await runningEngine(io, options);
      const taken = { lines: 0 };
      const act = async (): Promise<void> => {
        if (running !== null) await ingestRemotely(io, running, files, options, { started, taken });
        else await ingestHere(io, files, options, { started, taken });
      };
      await act().catch((error: unknown) => {
        if (!(error instanceof ScorefoldError) || taken.lines === 0) throw error;
        const text = `${error.message}; ${counted(taken.lines, "line")} had been taken by then`;
        throw new ScorefoldError(error.code, text, { cause: error });
      });
    });
}

/** Of an ingest that is under way. */
interface UnderWay {
  readonly started: number;
  /** Counted as they are on disk. */
  readonly taken: { lines: number };
}

async function ingestHere(
  io: Io,
  files: readonly string[],
  options: Options,
  { started, taken }: UnderWay,
): Promise<void> {
  const models = loadModels(modelPaths(options));
  await whileOpen(await openEngine(io, options.data, models), async (engine) => {
    const report = await readInto(io, counting(hereSink(engine), taken), files);
    if (report.end !== null) await engine.folded(report.end - 1);
    const until = instantOf(options.until ?? "last", engine);
    if (until !== null) await engine.task.fireUntil(until);
    await engine.task.written();
    const seconds = (performance.now() - started) / 1000;
    const { contacts } = engine.status;
    const at = until === null ? "" : `, as of ${formatInstant(until)}`;
    io.stderr.write(
      `${counted(report.lines, "line")} taken in ${seconds.toFixed(1)} s${rate(report, seconds)}: ` +
        `${counted(contacts, "contact")} in ${options.data} under ${engine.status.models.join(", ")}${at}\n`,
    );
    tell(io, report, engine.counts.deadLetters);
  });
}

async function ingestRemotely(
  io: Io,
  running: RemoteEngine,
  files: readonly string[],
  options: Options,
  { started, taken }: UnderWay,
): Promise<void> {
  if (options.until !== undefined)
    throw new ScorefoldError(
      "usage",
      "--until is for a directory without an engine: the one that runs follows the clock",
    );
  const sink: LineSink = { append: (lines) => running.append(lines), ready: async () => undefined };
  const report = await readInto(io, counting(sink, taken), files);
  if (report.end !== null) await running.folded(report.end - 1);
  const seconds = (performance.now() - started) / 1000;
  io.stderr.write(
    `${counted(report.lines, "line")} sent to ${running.url} in ${seconds.toFixed(1)} s${rate(report, seconds)}\n`,
  );
  // A cluster has no place for lines that can't be used: who sends them is told, and they go nowhere.
  const isOnCluster = report.end === null && report.lines > 0;
  tell(io, report, report.refused, isOnCluster ? "they were not taken" : undefined);
}

async function readInto(io: Io, sink: LineSink, files: readonly string[]): Promise<IngestReport> {
  const progress = new Progress(io);
  const onProgress = (bytes: number, total: number | undefined): void =>
    progress.update("ingesting", bytes, total, "bytes");
  return await ingestFiles(sink, { files, stdin: io.stdin, onProgress }).finally(() => progress.clear());
}

/** The same, with the lines counted that are on disk. */
function counting(sink: LineSink, taken: { lines: number }): LineSink {
  return {
    append: async (lines, source) => {
      const appended = await sink.append(lines, source);
      taken.lines += lines.length;
      return appended;
    },
    ready: async () => await sink.ready(),
  };
}

function hereSink(engine: EmbeddedEngine): LineSink {
  return {
    append: async (lines, source) => {
      const { base, decoded } = await engine.appendLines(lines, source);
      return { end: base + lines.length, decoded: decoded as never };
    },
    ready: () => engine.drained(),
  };
}

function rate({ lines }: IngestReport, seconds: number): string {
  return seconds > 0 ? ` (${grouped(Math.round(lines / seconds))} lines/s)` : "";
}

function tell(
  io: Io,
  { emptyFiles }: IngestReport,
  refused: ReadonlyMap<string, number>,
  where = "`scorefold tail dead-letters` shows them",
): void {
  for (const file of emptyFiles) io.stderr.write(`  ${file}: empty\n`);
  const total = [...refused.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return;
  const reasons = [...refused].map(([reason, count]) => `${grouped(count)} ${reason}`).join(", ");
  io.stderr.write(`  ${counted(total, "bad line")} (${reasons}); ${where}\n`);
}

function instantOf(until: Until, { task }: EmbeddedEngine): number | null {
  if (until === "now") return Date.now();
  if (until !== "last") return until;
  const { newest, time } = task;
  return newest === null ? time : Math.max(newest, time ?? newest);
}

function untilArgument(text: string): Until {
  if (text === "last" || text === "now") return text;
  const at = parseInstant(text);
  if (at === undefined)
    throw new InvalidArgumentError("Expected last, now, or an ISO 8601 instant with a zone, 2026-06-30T00:00:00Z.");
  return at;
}
