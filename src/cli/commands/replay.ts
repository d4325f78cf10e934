/** `replay`: files of inputs in, scores and outputs out. */
import { Command, InvalidArgumentError, Option } from "commander";
import { ScorefoldError } from "../../errors.js";
import { formatInstant } from "../../events/time.js";
import type { EpochMs } from "../../events/types.js";
import { compile } from "../../model/compile.js";
import { replay } from "../../rebuild/replay.js";
import { asOfOption, inputOption, type ModelOptions, modelOption, modelPaths, modelsOption } from "../arguments.js";
import type { Io } from "../io.js";
import { filesAt, loadModels } from "../models.js";
import { Progress } from "../progress.js";
import { describeReport } from "../report.js";

interface Options extends ModelOptions {
  readonly input: string[];
  readonly asOf?: EpochMs;
  readonly scores: string;
  readonly outputs?: string;
  readonly deadLetters?: string;
  readonly temp?: string;
  readonly memory?: number;
}

export function replayCommand(io: Io): Command {
  return new Command("replay")
    .description("score files of inputs: the same inputs, in any order, give the same bytes")
    .addOption(modelOption())
    .addOption(modelsOption())
    .addOption(inputOption().makeOptionMandatory())
    .addOption(asOfOption())
    .addOption(new Option("--scores <file>", "where score lines go; - is standard output").default("-"))
    .addOption(
      new Option("--outputs <file>", "where ScoreChanged, ThresholdCrossed and ContactErased go (default: nowhere)"),
    )
    .addOption(
      new Option("--dead-letters <file>", "where bad lines go (default: SCORES.dead-letters.jsonl, if there are any)"),
    )
    .addOption(new Option("--temp <dir>", "where inputs are sorted that do not fit in memory (default: the system's)"))
    .addOption(
      new Option(
        "--memory <mb>",
        "sort on disk above so many MB of inputs (default: 512, less where the heap is small)",
      ).argParser(megabytes),
    )
    .addHelpText(
      "after",
      `
Examples:
  Score a month of exports under two models, and keep what crossed a threshold:
    $ scorefold replay --model models/marketing-suite.yaml models/commerce.yaml \\
        --input export-*.jsonl.gz --scores scores.jsonl --outputs outputs.jsonl
  What were the scores at the turn of the year? (Inputs at that very instant count.)
    $ scorefold replay --input inputs.jsonl --as-of 2026-01-01T00:00:00+01:00 --scores -

An input line:
  {"kind":"interaction","id":"e1","tenantId":"acme","contactId":"c1","type":"email.clicked",
   "at":"2026-06-01T09:30:00Z","resource":"/pricing","attributes":{"campaign":"june"}}

Bad lines cost nothing but themselves: each goes to the dead-letter file with its reason and original.`,
    )
    .action(async (options: Options) => {
      if (options.scores === "-" && options.outputs === "-") {
        throw new ScorefoldError("usage", "scores and outputs can't both go to standard output; name a file for one");
      }
      if (options.deadLetters === "-") throw new ScorefoldError("usage", "dead letters go to a file; name one");
      const models = loadModels(modelPaths(options)).map(compile);
      const progress = new Progress(io);
      const report = await replay({
        models,
        files: options.input,
        kept: modelPaths(options).flatMap((path) => filesAt(path, "models")),
        stdin: io.stdin,
        scores: options.scores === "-" ? io.stdout : options.scores,
        ...(options.asOf === undefined ? {} : { asOf: options.asOf }),
        ...(options.outputs === undefined ? {} : { outputs: options.outputs === "-" ? io.stdout : options.outputs }),
        ...(options.deadLetters === undefined ? {} : { deadLetters: options.deadLetters }),
        ...(options.temp === undefined ? {} : { tempDirectory: options.temp }),
        ...(options.memory === undefined ? {} : { memoryBytesMax: options.memory * 1024 * 1024 }),
        onProgress: ({ phase, done, total }) =>
          progress.update(phase === "read" ? "reading" : "folding", done, total, phase === "read" ? "bytes" : "inputs"),
      })
        .catch((error: unknown) => {
          throw options.outputs !== undefined && isReaderGone(error)
            ? new ScorefoldError("incomplete", `the reader of the scores went away: ${options.outputs} was not written`)
            : error;
        })
        .finally(() => progress.clear());
      const asOf = report.asOf === null ? "" : ` as of ${formatInstant(report.asOf)}`;
      const shown = models.slice(0, modelsNamedMax).map(({ model }) => `${model.id}@${model.version}`);
      const names =
        shown.join(", ") + (models.length > shown.length ? ` and ${models.length - shown.length} more` : "");
      io.stderr.write(
        `${names}${asOf}: ${describeReport(
          report,
          models.map(({ model }) => model),
        )}`,
      );
    });
}

/** So many models are named in the summary. */
const modelsNamedMax = 8;

function isReaderGone(error: unknown): boolean {
  const cause = error instanceof ScorefoldError ? error.cause : error;
  return cause instanceof Error && "code" in cause && cause.code === "EPIPE";
}

function megabytes(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError("Expected a number of megabytes above 0, such as 512.");
  return value;
}
