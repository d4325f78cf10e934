/** `tail`: what an engine has published, and goes on publishing. */
import { Command, InvalidArgumentError, Option } from "commander";
import { ScorefoldError } from "../../errors.js";
import { suggestion } from "../../nearest.js";
import { countArgument, dataOption, urlOption } from "../arguments.js";
import type { Io } from "../io.js";
import { type ReachOptions, runningEngine, withEngine } from "../reach.js";

interface Options extends ReachOptions {
  readonly from: "earliest" | "latest" | number;
  readonly limit?: number;
  readonly follow?: true;
  readonly offsets?: true;
}

export function tailCommand(io: Io): Command {
  return new Command("tail")
    .description("records of a topic: score-changed, threshold-crossed, dead-letters, inputs")
    .argument("<topic>", "topic")
    .addOption(dataOption(io))
    .addOption(urlOption())
    .addOption(
      new Option("--from <offset>", "earliest, latest, or an offset").default("earliest").argParser(fromArgument),
    )
    .addOption(new Option("--limit <n>", "at most so many").argParser(countArgument))
    .addOption(new Option("--follow", "go on as records come (of a running engine)"))
    .addOption(new Option("--offsets", "each record with its offset"))
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold tail threshold-crossed --follow --from latest
  $ scorefold tail dead-letters | jq -r .original > mended.jsonl
  $ scorefold tail score-changed --from 120000 --limit 10`,
    )
    .action(async (topic: string, options: Options) => {
      if (options.follow && (await runningEngine(io, options)) === null)
        throw new ScorefoldError("usage", "--follow is for a running engine: nothing comes into a directory by itself");
      await withEngine(io, options, async (engine) => {
        const topics = await engine.topics();
        const bounds = topics.find((one) => one.topic === topic);
        if (bounds === undefined) {
          const names = topics.map((one) => one.topic);
          throw new ScorefoldError(
            "usage",
            `there is no topic ${topic}${suggestion(topic, names)}: ${names.join(", ")}`,
          );
        }
        const from = options.from === "earliest" ? bounds.start : options.from === "latest" ? bounds.end : options.from;
        const end = options.follow ? Number.POSITIVE_INFINITY : bounds.end;
        if (from >= end) return;
        let left = options.limit ?? Number.POSITIVE_INFINITY;
        const abort = new AbortController();
        // A reader that goes away has what it wanted.
        io.stdout.once("error", () => abort.abort());
        const until = options.follow ? undefined : bounds.end;
        for await (const records of engine.outputs(topic, from, abort.signal, until)) {
          for (const { offset, value } of records) {
            if (left <= 0) break;
            left -= 1;
            const line = options.offsets ? JSON.stringify({ offset, value }) : value;
            if (!io.stdout.write(`${line}\n`)) await new Promise((done) => io.stdout.once("drain", done));
          }
          if (left <= 0) break;
        }
        abort.abort();
      });
    });
}

function fromArgument(text: string): Options["from"] {
  if (text === "earliest" || text === "latest") return text;
  if (!/^\d{1,15}$/.test(text))
    throw new InvalidArgumentError("Expected earliest, latest, or an offset, such as 1200.");
  return Number(text);
}
