/** `explain`: where every point of a contact's score comes from, at any instant. */
import { Command, Option } from "commander";
import { ScorefoldError } from "../../errors.js";
import { formatInstant } from "../../events/time.js";
import type { Output } from "../../events/types.js";
import { type Explanation, explain } from "../../fold/explain.js";
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
import { renderExplanation, renderTimeline } from "../explanation.js";
import { type Io, painter } from "../io.js";
import { loadModels } from "../models.js";
import { type FileOptions, replayFor, tellBadLines } from "../over-files.js";
import { type ReachOptions, withEngine } from "../reach.js";

interface Options extends ModelOptions, ReachOptions, Omit<FileOptions, "input"> {
  readonly input?: string[];
  readonly format: "text" | "json";
  readonly timeline: number;
}

const timelineDefault = 20;

export function explainCommand(io: Io): Command {
  return new Command("explain")
    .description("where every point of a contact's score comes from, and what time will change next")
    .argument("<contact>", "contact id")
    .addOption(dataOption(io))
    .addOption(urlOption())
    .addOption(inputOption())
    .addOption(modelOrIdOption())
    .addOption(modelsOption())
    .addOption(asOfOption())
    .addOption(tenantOption())
    .addOption(
      new Option("--timeline <n>", "so many of the latest changes").default(timelineDefault).argParser(countArgument),
    )
    .addOption(formatOption(["text", "json"]))
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold explain c-00042                       in the data directory, or the engine that runs on it
  $ scorefold explain c-00042 --input inputs.jsonl --model models/marketing-suite.yaml
  $ scorefold explain c-00042 --input inputs.jsonl --as-of 2026-03-01T00:00:00Z     why was it lower in March?

The lines of a dimension always sum to its points before its range is applied; \`cut\` is what the range cut off.`,
    )
    .action(async (contactId: string, options: Options) => {
      if (options.input === undefined) await explainFromEngine(io, contactId, options);
      else await explainFromFiles(io, contactId, { ...options, input: options.input });
    });
}

async function explainFromEngine(io: Io, contactId: string, options: Options): Promise<void> {
  const explanations: Explanation[] = [];
  const outputs: Output[] = [];
  await withEngine(io, options, async (engine) => {
    for (const model of options.model ?? [undefined]) {
      const asOf = options.asOf === undefined ? {} : { asOf: options.asOf };
      const question = { tenantId: options.tenant, ...(model === undefined ? {} : { model }), ...asOf };
      const answer = await engine.explain(contactId, question);
      explanations.push(...(answer?.explanations ?? []));
      outputs.push(...(answer?.timeline ?? []));
    }
  });
  if (explanations.length === 0) {
    const until = options.asOf === undefined ? "" : ` as of ${formatInstant(options.asOf)}`;
    throw new ScorefoldError("input-missing", `contact ${contactId} of tenant ${options.tenant} has no score${until}`);
  }
  show(io, explanations, outputs, options);
}

async function explainFromFiles(
  io: Io,
  contactId: string,
  options: Options & { readonly input: string[] },
): Promise<void> {
  const models = loadModels(modelPaths(options));
  const outputs: Output[] = [];
  const explanations: Explanation[] = [];
  const tenants = new Set<string>();
  const report = await replayFor(io, options, models, {
    select: (tenant, contact) => {
      if (contact === contactId) tenants.add(tenant);
      return contact === contactId && tenant === options.tenant;
    },
    onOutput: (output) => outputs.push(output),
    onContact: ({ fold }) => {
      fold.foldedStates().forEach((state, i) => {
        const explanation = explain(fold.models[i]!, options.tenant, contactId, state);
        if (explanation !== null) explanations.push(explanation);
      });
    },
  });
  tellBadLines(io, report);
  if (explanations.length === 0) throw new ScorefoldError("input-missing", nothingFound(contactId, options, tenants));
  show(io, explanations, outputs, options);
}

function show(io: Io, explanations: readonly Explanation[], outputs: readonly Output[], options: Options): void {
  if (options.format === "json") {
    for (const explanation of explanations) io.stdout.write(`${JSON.stringify(explanation)}\n`);
    return;
  }
  const paint = painter(io, io.stdout);
  for (const [i, explanation] of explanations.entries()) {
    const { model, version } = explanation.score;
    const own = outputs.filter(
      (output) => output.kind !== "ContactErased" && output.model === model && output.version === version,
    );
    io.stdout.write(`${i > 0 ? "\n" : ""}${renderExplanation(explanation, paint)}`);
    if (options.timeline > 0) io.stdout.write(`\n${renderTimeline(own, options.timeline, paint)}`);
  }
}

function nothingFound(contactId: string, options: Options, tenants: ReadonlySet<string>): string {
  if (tenants.has(options.tenant)) {
    return `contact ${contactId} of tenant ${options.tenant} has no score at that instant: nothing it did is in force by then, or no model is for its tenant`;
  }
  const others = [...tenants].sort();
  const hint = others.length > 0 ? `; it is in tenant ${others.join(", ")} (name it with --tenant)` : "";
  const until = options.asOf === undefined ? "" : ` up to ${formatInstant(options.asOf)}`;
  return `there is no input of contact ${contactId} in tenant ${options.tenant}${until}${hint}`;
}
