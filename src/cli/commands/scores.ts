/** `scores`: who scores what, at any instant, over files. */
import { Command, Option } from "commander";
import { ScorefoldError } from "../../errors.js";
import { encodeScoreLine } from "../../events/encode.js";
import { compareText } from "../../events/order.js";
import { formatInstant } from "../../events/time.js";
import type { ScoreLine } from "../../events/types.js";
import { suggestion } from "../../nearest.js";
import {
  asOfOption,
  countArgument,
  dataOption,
  formatOption,
  inputOption,
  type ModelOptions,
  modelOrIdOption,
  modelPaths,
  modelsOption,
  tenantOption,
  urlOption,
} from "../arguments.js";
import { csvLine } from "../csv.js";
import { shortInstant } from "../explanation.js";
import type { Io } from "../io.js";
import { loadModels } from "../models.js";
import { type FileOptions, replayFor, tellBadLines } from "../over-files.js";
import { type ReachOptions, withEngine } from "../reach.js";
import { counted, renderTable } from "../table.js";

interface Options extends ModelOptions, ReachOptions, Omit<FileOptions, "input"> {
  readonly input?: string[];
  readonly format: "table" | "json" | "csv";
  readonly sort: "score" | "contact" | "activity";
  readonly limit?: number;
  readonly grade?: string[];
}

const tableRowsDefault = 50;

export function scoresCommand(io: Io): Command {
  return new Command("scores")
    .description("scores of a tenant's contacts at any instant, highest first")
    .addOption(dataOption(io))
    .addOption(urlOption())
    .addOption(inputOption())
    .addOption(modelOrIdOption())
    .addOption(modelsOption())
    .addOption(asOfOption())
    .addOption(tenantOption())
    .addOption(new Option("--grade <ids...>", "only these grades"))
    .addOption(
      new Option("--sort <by>", "order of a table or csv (json is always by contact and model)")
        .choices(["score", "contact", "activity"])
        .default("score"),
    )
    .addOption(new Option("--limit <n>", "at most so many (default: 50 in a table, else all)").argParser(countArgument))
    .addOption(formatOption(["table", "json", "csv"]))
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold scores                                         of the data directory, or the engine that runs on it
  $ scorefold scores --model lead-fit-engagement --grade hot --format csv > call-list.csv
  $ scorefold scores --input inputs.jsonl --model models/lead-fit-engagement.yaml
  $ scorefold scores --input inputs.jsonl --as-of 2026-01-01T00:00:00Z --format json

json prints score lines, sorted by contact and model, as replay does.`,
    )
    .action(async (options: Options) => {
      if (options.input === undefined) await scoresOfEngine(io, options);
      else await scoresOfFiles(io, { ...options, input: options.input });
    });
}

async function scoresOfEngine(io: Io, options: Options): Promise<void> {
  const found: ScoreLine[] = [];
  const models = options.model ?? [undefined];
  await withEngine(io, options, async (engine) => {
    for (const model of models) {
      const asOf = options.asOf === undefined ? {} : { asOf: options.asOf };
      const question = { tenantId: options.tenant, ...(model === undefined ? {} : { model }), ...asOf };
      for await (const lines of engine.allScores(question))
        for (const line of lines) if (isWanted(line, options)) found.push(line);
    }
  });
  if (models.length > 1) found.sort(byContact);
  if (found.length === 0) io.stderr.write(`no scores of tenant ${options.tenant}\n`);
  show(io, found, options, options.asOf === undefined ? "" : ` as of ${formatInstant(options.asOf)}`);
}

async function scoresOfFiles(io: Io, options: Options & { readonly input: string[] }): Promise<void> {
  const models = loadModels(modelPaths(options));
  const grades = new Set(models.flatMap((model) => model.grades.map(({ id }) => id)));
  for (const grade of options.grade ?? []) {
    if (!grades.has(grade)) {
      throw new ScorefoldError("usage", `no model has the grade \`${grade}\`${suggestion(grade, [...grades])}`);
    }
  }
  const found: ScoreLine[] = [];
  const tenants = new Set<string>();
  const report = await replayFor(io, options, models, {
    select: (tenantId) => {
      tenants.add(tenantId);
      return tenantId === options.tenant;
    },
    onContact: ({ scoreLines }) => {
      for (const line of scoreLines) if (isWanted(line, options)) found.push(line);
    },
  });
  if (report.contacts === 0) {
    const others = [...tenants].sort().slice(0, 10).join(", ");
    io.stderr.write(
      `no inputs of tenant ${options.tenant}${others === "" ? "" : `; there are: ${others} (name one with --tenant)`}\n`,
    );
  }
  const isScored = models.some((model) => model.tenants?.includes(options.tenant) ?? true);
  if (report.contacts > 0 && !isScored) {
    const scored = models.map((model) => `${model.id}@${model.version} is for ${model.tenants?.join(", ")}`);
    io.stderr.write(`no model is for tenant ${options.tenant}: ${scored.join("; ")}\n`);
  }
  show(io, found, options, report.asOf === null ? "" : ` as of ${formatInstant(report.asOf)}`);
  tellBadLines(io, report);
}

function isWanted({ grade }: ScoreLine, options: Options): boolean {
  return options.grade === undefined || options.grade.includes(grade ?? "");
}

function byContact(a: ScoreLine, b: ScoreLine): number {
  return compareText(a.contactId, b.contactId) || compareText(a.model, b.model) || a.version - b.version;
}

function show(io: Io, found: ScoreLine[], options: Options, asOf: string): void {
  const lines = options.format === "json" ? found : sorted(found, options.sort);
  const limit = options.limit ?? (options.format === "table" ? tableRowsDefault : lines.length);
  print(io, lines.slice(0, limit), options.format);
  const rest = lines.length > limit ? `, ${counted(limit, "is", "are")} shown (--limit ${lines.length} shows all)` : "";
  if (options.format === "table") io.stderr.write(`${counted(lines.length, "score")}${asOf}${rest}\n`);
}

function sorted(lines: ScoreLine[], by: Options["sort"]): ScoreLine[] {
  // The lines come sorted by contact and model, and the sort is stable.
  if (by === "score") return lines.sort((a, b) => b.score - a.score);
  if (by === "activity") return lines.sort((a, b) => (b.lastActivityAt ?? -Infinity) - (a.lastActivityAt ?? -Infinity));
  return lines;
}

function print(io: Io, lines: readonly ScoreLine[], format: Options["format"]): void {
  switch (format) {
    case "json":
      for (const line of lines) io.stdout.write(`${encodeScoreLine(line)}\n`);
      return;
    case "csv": {
      const titles = ["tenantId", "contactId", "model", "version", "score", "grade", "salesReady", "suppressed"];
      io.stdout.write(csvLine([...titles, "lastActivityAt", "dimensions"]));
      for (const line of lines) {
        const { tenantId, contactId, model, version, score, grade, salesReady, suppressed } = line;
        const fields = [tenantId, contactId, model, version, score, grade ?? "", salesReady, suppressed];
        io.stdout.write(csvLine([...fields, instant(line), dimensionsText(line)]));
      }
      return;
    }
    case "table":
      io.stdout.write(
        renderTable(
          [
            { title: "contact", widthMax: 40 },
            { title: "model", widthMax: 30 },
            { title: "score", align: "right" },
            { title: "grade", widthMax: 20 },
            { title: "ready" },
            { title: "dimensions", widthMax: 50 },
            { title: "last activity" },
          ],
          lines.map((line) => [
            line.contactId,
            `${line.model}@${line.version}`,
            String(line.score),
            line.grade ?? "",
            line.suppressed ? "suppressed" : line.salesReady ? "yes" : "",
            dimensionsText(line),
            line.lastActivityAt === null ? "" : shortInstant(line.lastActivityAt),
          ]),
        ),
      );
  }
}

function instant({ lastActivityAt }: ScoreLine): string {
  return lastActivityAt === null ? "" : formatInstant(lastActivityAt);
}

function dimensionsText({ dimensions }: ScoreLine): string {
  const entries = Object.entries(dimensions);
  return entries.length < 2 ? "" : entries.map(([id, points]) => `${id} ${points}`).join(", ");
}
