/** `topics`: those that are defined, those that are there, making what is missing, and trying a mapping. */
import { Command, InvalidArgumentError, Option } from "commander";
import { namesCluster } from "../../config/kafka.js";
import {
  type Admin,
  applyTopics,
  compareTopics,
  settingsShown,
  type TopicReport,
  withAdmin,
} from "../../kafka/admin.js";
import { PARTITIONS_MAX } from "../../topics/parse.js";
import { type Topology, topicsOf, withPartitions } from "../../topics/topology.js";
import type { TopicDefinition } from "../../topics/types.js";
import { formatOption } from "../arguments.js";
import { brokersOption, clusterConfig, kafkaOf, topicsOption } from "../cluster.js";
import { type Io, painter, visible } from "../io.js";
import { mapValues } from "../map-values.js";
import { ProblemsFound } from "../problems.js";
import { counted, renderTable } from "../table.js";
import { loadInput, loadTopology } from "../topic-files.js";

interface Options {
  readonly brokers?: string;
  readonly topics?: string[];
  readonly partitions?: number;
}

interface ListOptions extends Options {
  readonly format: string;
}

interface ApplyOptions extends Options {
  readonly replication?: number;
  readonly dryRun?: true;
}

const REPLICATION_MAX = 100;

export function topicsCommand(io: Io): Command {
  return new Command("topics")
    .description("topics on Kafka: those that are defined, those that are there; make what is missing")
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold topics list
  $ scorefold topics apply --brokers localhost:9092
  $ scorefold topics map my-topics/visits.yaml values.jsonl`,
    )
    .addCommand(listCommand(io))
    .addCommand(applyCommand(io))
    .addCommand(mapCommand(io));
}

function listCommand(io: Io): Command {
  return new Command("list")
    .description("topics as they are defined and, with brokers, as they are there; exit code 3 if that differs")
    .addOption(brokersOption())
    .addOption(topicsOption())
    .addOption(partitionsOption())
    .addOption(formatOption(["table", "json"]))
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold topics list                            those that are shipped
  $ scorefold topics list --topics my-topics --brokers localhost:9092`,
    )
    .action(async (options: ListOptions) => {
      const topics = topicsOf(topologyFor(io, options));
      const reports = namesCluster(options, io.env)
        ? await withCluster(io, options, (admin) => compareTopics(admin, topics))
        : null;
      const rows = topics.map((topic, i) => ({ topic, report: reports?.[i] ?? null }));
      if (options.format === "json") for (const row of rows) io.stdout.write(`${JSON.stringify(asJson(row))}\n`);
      else io.stdout.write(reports === null ? definedTable(rows) : thereTable(rows));
      if (reports !== null) conclude(io, options, reports, options.format !== "json");
    });
}

function applyCommand(io: Io): Command {
  return new Command("apply")
    .description("make topics that are missing; never changes one that is there; exit code 3 if one differs")
    .addOption(brokersOption())
    .addOption(topicsOption())
    .addOption(partitionsOption())
    .addOption(
      new Option("--replication <n>", "copies of each partition (default: the brokers' own)").argParser(
        wholeArgument(REPLICATION_MAX),
      ),
    )
    .addOption(new Option("--dry-run", "ask whether it would work, and make nothing"))
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold topics apply --brokers localhost:9092 --partitions 24 --replication 3
  $ scorefold topics apply --brokers localhost:9092 --dry-run

The count of partitions is the most processes that can share the work, and is never changed later. Where a topic is
there and differs, the difference is told with what to do; exit code 3, also where a dry run would make something.`,
    )
    .action(async (options: ApplyOptions) => {
      const topology = topologyFor(io, options);
      const how = { replication: options.replication ?? null, isDryRun: options.dryRun === true };
      const reports = await withCluster(io, options, (admin) => applyTopics(admin, topicsOf(topology), how));
      const paint = painter(io, io.stdout);
      const style = { created: "green", missing: "yellow", same: "dim", differs: "red" } as const;
      for (const { topic, outcome } of reports)
        io.stdout.write(`${paint(style[outcome], outcome.padEnd("created".length))}  ${topic.name}\n`);
      conclude(io, options, reports, true);
    });
}

function mapCommand(io: Io): Command {
  return new Command("map")
    .description("try a mapping: values of a topic, one a line, into inputs; exit code 3 if one can't be used")
    .argument("<topic>", "file of an input topic")
    .argument("[files...]", "values as JSON lines, also .gz; - is standard input", ["-"])
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold topics map topics/examples/segment-track.yaml topics/examples/segment-track.jsonl
  $ kcat -C -e -b localhost:9092 -t visits | scorefold topics map visits.yaml > inputs.jsonl

Inputs go to standard output, as replay and ingest take them. What a mapping takes of a record itself (key, timestamp) is
missing here: a line has neither.`,
    )
    .action(async (file: string, paths: string[]) => {
      const { inputs, bad, skipped } = await mapValues(io, loadInput(file), paths);
      const count = [...skipped.values()].reduce((sum, own) => sum + own, 0);
      const more = [...(count > 0 ? [`${count} skipped`] : []), ...(bad > 0 ? [`${bad} bad`] : [])];
      io.stderr.write(`${[counted(inputs, "input"), ...more].join(", ")}\n`);
      for (const [reason, own] of skipped) io.stderr.write(`  ${own} skipped: ${visible(reason)}\n`);
      if (bad > 0) throw new ProblemsFound();
    });
}

function partitionsOption(): Option {
  return new Option("--partitions <n>", "of inputs and outputs (default: as their files say)").argParser(
    wholeArgument(PARTITIONS_MAX),
  );
}

function wholeArgument(max: number): (text: string) => number {
  return (text) => {
    if (!/^[1-9]\d{0,8}$/.test(text) || Number(text) > max)
      throw new InvalidArgumentError(`Expected a whole number from 1 to ${max}.`);
    return Number(text);
  };
}

function topologyFor(io: Io, { topics, partitions }: Options): Topology {
  const variable = io.env["SCOREFOLD_TOPICS"] ?? "";
  const topology = loadTopology(topics ?? (variable === "" ? null : [variable]));
  return partitions === undefined ? topology : withPartitions(topology, partitions);
}

async function withCluster<T>(io: Io, { brokers }: Options, work: (admin: Admin) => Promise<T>): Promise<T> {
  const config = clusterConfig(io, brokers === undefined ? {} : { brokers });
  // What the client gives up on is thrown; each of its tries before that would be a line.
  const logger = { warn: () => undefined, debug: () => undefined };
  return await withAdmin(await kafkaOf(config, "scorefold", logger), work);
}

interface Row {
  readonly topic: TopicDefinition;
  /** Null where no cluster was asked. */
  readonly report: TopicReport | null;
}

function asJson({ topic, report }: Row): object {
  const { name, role, key, partitions, config } = topic;
  const there = report?.state;
  return {
    topic: name,
    role,
    kind: topic.kind,
    key,
    partitions,
    config: Object.fromEntries(config),
    mapping: topic.role === "input" ? (topic.mapping?.version ?? null) : null,
    ...(report === null
      ? undefined
      : {
          there: there == null ? null : { ...there, config: Object.fromEntries(there.config) },
          differences: report.differences,
        }),
  };
}

function definedTable(rows: readonly Row[]): string {
  const cells = rows.map(({ topic }) => [
    topic.name,
    topic.role,
    topic.kind,
    String(topic.partitions),
    topic.role === "input" && topic.mapping !== null ? `version ${topic.mapping.version}` : "",
    [...topic.config].map(([name, value]) => `${name}=${value}`).join(" "),
  ]);
  const titles = ["topic", "role", "values", "partitions", "mapping", "settings"];
  return renderTable(
    titles.map((title) => ({ title, align: title === "partitions" ? "right" : "left" })),
    cells,
  );
}

function thereTable(rows: readonly Row[]): string {
  const cells = rows.map(({ topic, report }) => [
    topic.name,
    topic.role,
    report?.outcome ?? "",
    ...(report?.state == null ? [] : [String(report.state.partitions), String(report.state.replication)]),
    ...(report?.state == null ? [] : settingsShown.map((name) => report.state?.config.get(name) ?? "")),
  ]);
  const counts = ["partitions", "copies"];
  const titles = ["topic", "role", "is", ...counts, ...settingsShown];
  return renderTable(
    titles.map((title) => ({ title, align: counts.includes(title) ? "right" : "left" })),
    cells,
  );
}

/** Tells what differs with what to do, then the sum. @throws ProblemsFound where not all is as it is defined */
function conclude(io: Io, options: Options, reports: readonly TopicReport[], tellsDifferences: boolean): void {
  const brokers = options.brokers ?? io.env["SCOREFOLD_KAFKA_BROKERS"] ?? "";
  if (tellsDifferences) for (const report of reports) io.stdout.write(describeDifferences(report, brokers));
  const count = (outcome: TopicReport["outcome"]): number => reports.filter((one) => one.outcome === outcome).length;
  const parts = (["created", "missing", "same", "differs"] as const)
    .map((outcome) => [count(outcome), outcome === "differs" && count(outcome) > 1 ? "differ" : outcome] as const)
    .filter(([own]) => own > 0)
    .map(([own, outcome]) => `${own} ${outcome}`);
  io.stderr.write(`${counted(reports.length, "topic")}: ${parts.join(", ")}\n`);
  if (count("missing") + count("differs") > 0) throw new ProblemsFound();
}

function describeDifferences({ topic, differences }: TopicReport, brokers: string): string {
  return differences
    .map(({ setting, wanted, found }) => {
      const what = `${topic.name}: ${setting} is ${found ?? "not known to the broker"}, defined is ${wanted}\n`;
      if (setting === "partitions") return `${what}${partitionsAdvice(found)}`;
      if (found === null) return `${what}  remove it from the topic's file\n`;
      return `${what}${configAdvice(topic.name, setting, wanted, found, brokers)}`;
    })
    .join("");
}

function partitionsAdvice(found: string | null): string {
  return (
    "  a topic is not grown or shrunk under an engine: contacts would come to tasks that do not have their history;\n" +
    `  define ${found} for all inputs and outputs (--partitions ${found}), or make a new topic and copy the records into it\n`
  );
}

function configAdvice(name: string, setting: string, wanted: string, found: string, brokers: string): string {
  const value = wanted.includes(",") ? `[${wanted}]` : wanted;
  const command = `kafka-configs.sh --bootstrap-server ${brokers} --alter --entity-type topics --entity-name ${name}`;
  return `  ${command} --add-config ${quoted(`${setting}=${value}`)}\n  or define ${setting}: ${found} in the topic's file\n`;
}

/** For a shell: what is in a file may be anything. */
function quoted(text: string): string {
  return /^[\w.,=:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
