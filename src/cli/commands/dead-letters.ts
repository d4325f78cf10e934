/** `dead-letters`: what could not be used, found, shown, and taken out for good. */
import { Command, InvalidArgumentError, Option } from "commander";
import type { DeadLetterEntry, DeadLetterFilter, DeadLetterTopic } from "../../api/engine.js";
import { ScorefoldError } from "../../errors.js";
import { deadLetterReasons } from "../../events/decode.js";
import { formatInstant } from "../../events/time.js";
import { canAsk, isAgreed } from "../agreement.js";
import { countArgument, dataOption, formatOption, urlOption } from "../arguments.js";
import { type Io, visible } from "../io.js";
import { type ReachOptions, withEngine } from "../reach.js";
import { counted, renderTable } from "../table.js";

interface FilterOptions extends ReachOptions {
  readonly reason?: string[];
  readonly source?: string;
  readonly containing?: string;
}

interface ListOptions extends FilterOptions {
  readonly from: number;
  readonly limit: number;
  readonly format: "table" | "json";
}

const PAGE = 500;
const LIMIT_DEFAULT = 50;

export function deadLettersCommand(io: Io): Command {
  return new Command("dead-letters")
    .description("what could not be used: list it, show it, take it out for good")
    .addCommand(listCommand(io))
    .addCommand(showCommand(io))
    .addCommand(dropCommand(io))
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold dead-letters list --reason undecodable --source visits.csv
  $ scorefold dead-letters list --containing 'ada@example.org'
  $ scorefold dead-letters show 17
  $ scorefold dead-letters drop --containing 'ada@example.org' && scorefold compact

An id is the offset in the topic dead-letters. --containing looks for a text in the line as it was sent: not a pattern,
without case, and without the difference between two spellings of one letter. \`drop\` takes a dead letter out of the log
with the line that it is of; \`scorefold compact\` then takes the bytes out of the files.`,
    );
}

function listCommand(io: Io): Command {
  return filtered(new Command("list"), io)
    .description("dead letters: id, place, time, reason, source, and the beginning of the line")
    .addOption(new Option("--from <id>", "the first id").default(0).argParser(countArgument))
    .addOption(new Option("--limit <n>", "at most so many").default(LIMIT_DEFAULT).argParser(countArgument))
    .addOption(formatOption(["table", "json"]))
    .action(async (options: ListOptions) => {
      await withEngine(io, options, async ({ deadLetters }) => {
        const { from, limit, format } = options;
        const found: DeadLetterEntry[] = [];
        let next: number | null = from;
        while (next !== null && found.length < limit) {
          const page = await topicOf(deadLetters).list(filterOf(options), next, Math.min(PAGE, limit - found.length));
          found.push(...page.letters);
          next = page.next;
        }
        io.stdout.write(format === "json" ? found.map((one) => `${JSON.stringify(one)}\n`).join("") : tableOf(found));
        if (next !== null) io.stderr.write(`there are more: --from ${next}, or another --limit\n`);
      });
    });
}

function showCommand(io: Io): Command {
  return new Command("show")
    .description("one dead letter, whole, as JSON")
    .argument("<id>", "its id", countArgument)
    .addOption(dataOption(io))
    .addOption(urlOption())
    .action(async (id: number, options: ReachOptions) => {
      await withEngine(io, options, async ({ deadLetters }) => {
        const found = await topicOf(deadLetters).show(id);
        if (found === null)
          throw new ScorefoldError("input-missing", `there is no dead letter ${id}; it may have been dropped`);
        const letter = JSON.parse(found.value) as object;
        io.stdout.write(`${JSON.stringify({ id, at: formatInstant(found.at), ...letter }, null, 2)}\n`);
      });
    });
}

function dropCommand(io: Io): Command {
  return filtered(new Command("drop"), io)
    .description("take dead letters out of the log for good, with the lines that they are of")
    .argument("[ids...]", "their ids", idsArgument)
    .addOption(new Option("--yes", "without a question, also at a terminal"))
    .action(async (ids: number[] | undefined, options: FilterOptions & { yes?: true }) => {
      const filter = { ...filterOf(options), ...(ids === undefined || ids.length === 0 ? undefined : { ids }) };
      if (Object.keys(filter).length === 0)
        throw new ScorefoldError("usage", "say which: ids, --reason, --source or --containing");
      await withEngine(io, options, async ({ deadLetters }) => {
        const topic = topicOf(deadLetters);
        if (options.yes === undefined && canAsk(io)) {
          const count = await countOf(topic, filter);
          if (count === 0) return void io.stderr.write("there are none\n");
          if (!(await isAgreed(io, `drop ${counted(count, "dead letter")} for good?`)))
            return void io.stderr.write("nothing was dropped\n");
        }
        const { letters, lines } = await topic.drop(filter);
        const rest = letters === 0 ? "" : "; `scorefold compact` takes the bytes out of the files";
        io.stderr.write(
          `${counted(letters, "dead letter")} dropped, with ${counted(lines, "line")} of inputs${rest}\n`,
        );
      });
    });
}

function filtered(command: Command, io: Io): Command {
  return command
    .addOption(dataOption(io))
    .addOption(urlOption())
    .addOption(new Option("--reason <reasons...>", "only these reasons").choices(deadLetterReasons))
    .addOption(new Option("--source <source>", "only of this file, or of a line of it, as visits.jsonl:6"))
    .addOption(
      new Option("--containing <text>", "only those whose line holds this text (no pattern; without case)").argParser(
        textArgument,
      ),
    );
}

function filterOf({ reason, source, containing }: FilterOptions): DeadLetterFilter {
  return {
    ...(reason === undefined ? undefined : { reasons: reason }),
    ...(source === undefined ? undefined : { source }),
    ...(containing === undefined ? undefined : { containing }),
  };
}

async function countOf(topic: DeadLetterTopic, filter: DeadLetterFilter): Promise<number> {
  let count = 0;
  for (let next: number | null = 0; next !== null; ) {
    const page = await topic.list(filter, next, PAGE);
    count += page.letters.length;
    next = page.next;
  }
  return count;
}

function topicOf(topic: DeadLetterTopic | null): DeadLetterTopic {
  if (topic !== null) return topic;
  throw new ScorefoldError(
    "usage",
    "dead letters of an engine on Kafka are in its topic there: its consumers read them",
  );
}

function tableOf(letters: readonly DeadLetterEntry[]): string {
  const columns = [
    { title: "id", align: "right" as const },
    { title: "place" },
    { title: "time" },
    { title: "reason" },
    { title: "source", widthMax: 40 },
    { title: "line", widthMax: 70 },
  ];
  const rows = letters.map(({ id, topic, partition, offset, at, reason, source, preview }) => {
    return [String(id), `${topic}-${partition}@${offset}`, formatInstant(at), reason, source ?? "", visible(preview)];
  });
  return renderTable(columns, rows);
}

function textArgument(text: string): string {
  if (text === "") throw new InvalidArgumentError("Expected a text.");
  return text;
}

function idsArgument(text: string, before: number[] | undefined): number[] {
  return [...(before ?? []), countArgument(text)];
}
