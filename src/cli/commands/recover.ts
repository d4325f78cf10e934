/** `recover`: a person says what the engine can't know: up to where outputs were published, and that a loss is accepted. */
import { Command, InvalidArgumentError, Option } from "commander";
import type { GivenKafkaOptions } from "../../config/kafka.js";
import { type Accepted, acceptOfDirectory, type LostPartition, lostPartition } from "../../engine/accept-loss.js";
import { DataDirectory } from "../../engine/directory.js";
import { type PublishedUntil, recover } from "../../engine/recover.js";
import { ScorefoldError } from "../../errors.js";
import { parseInstant } from "../../events/time.js";
import { createLogger } from "../../telemetry.js";
import { dataOption } from "../arguments.js";
import { clusterConfig, clusterHelp, kafkaOf, withClusterOptions } from "../cluster.js";
import type { Io } from "../io.js";
import { loadTopology } from "../topic-files.js";
import { topicsOf } from "../topics.js";
import { clientId } from "../workers/start.js";

interface Options extends GivenKafkaOptions {
  readonly data: string;
  readonly publishedUntil?: PublishedUntil;
  readonly acceptLoss?: readonly LostPartition[];
}

export function recoverCommand(io: Io): Command {
  const command = new Command("recover")
    .description("say what the engine can't know: up to where outputs were published, or that a loss is accepted")
    .addOption(
      new Option("--published-until <where>", "store, nothing, or ISO 8601 with a zone").argParser(untilArgument),
    )
    .addOption(
      new Option("--accept-loss <topic-partition>", "go on without what is lost of it; may be given again").argParser(
        lossArgument,
      ),
    )
    .addOption(dataOption(io));
  return withClusterOptions(command)
    .addHelpText(
      "after",
      `
A cluster forgets the committed offsets of a group a week after its last member has left. Then a task can't know which of
its outputs are out, and does not start. Of the tasks that have committed offsets nothing is changed.

  store     up to where the store in --data is: right where the engine was stopped in good order; after a crash, outputs of
            the last seconds before it are published a second time, under the same ids
  ISO 8601  all that had arrived by then; for a store that is lost, or outputs that are known from elsewhere
  nothing   everything is published again

--accept-loss is for tasks that have failed because the log is not the one that was scored: its end is gone, other records
are in its place, it begins behind what was read, or a topic was made anew. What is affected is in the error of the task.
Inputs that the store has stay scored; reading goes on at the last place that is proven, and what is known comes as a
duplicate. Who has accepted what, and when, is kept and shown in /v1/tasks. Without --brokers it is for the embedded log in
--data.

All processes have to be stopped.
${clusterHelp}`,
    )
    .action(async (options: Options) => {
      const { publishedUntil = null, acceptLoss: accepted = [] } = options;
      if (publishedUntil === null && accepted.length === 0)
        throw new ScorefoldError("usage", "nothing is said; name --published-until or --accept-loss");
      if (publishedUntil === null && (await DataDirectory.exists(options.data))) {
        const topics = new Set(accepted.map(({ topic }) => topic));
        tell(io, 0, await acceptOfDirectory(await DataDirectory.open(options.data), topics));
        return;
      }
      const cluster = clusterConfig(io, options);
      const recovered = await recover({
        directory: await DataDirectory.open(options.data),
        kafka: await kafkaOf(cluster, clientId(cluster), createLogger("warn", io.stderr)),
        app: cluster.app,
        ...topicsOf(loadTopology(cluster.topics), cluster),
        isHistoryLocal: cluster.isHistoryLocal,
        publishedUntil,
        accepted,
      });
      for (const one of recovered) {
        const { task, offsets, lost } = one;
        if (offsets !== null)
          io.stdout.write(`task ${task}: ${[...offsets].map(([topic, offset]) => `${topic}=${offset}`).join(" ")}\n`);
        else if (lost.length === 0) io.stdout.write(`task ${task}: is known, and left as it is\n`);
        tell(io, task, one);
      }
    });
}

function tell(io: Io, task: number, { lost, left }: Accepted): void {
  for (const { topic, position, resumed, records, isOutput } of lost) {
    const where = isOutput ? "" : `, and goes on at ${resumed}`;
    io.stdout.write(
      `${topic}-${task}: was ${isOutput ? "written" : "read"} up to ${position}${where}; ${records} records at most are accepted as lost\n`,
    );
  }
  for (const { topic } of left) io.stdout.write(`${topic}-${task}: is lost in part, too, and was not accepted\n`);
}

function lossArgument(text: string, before: readonly LostPartition[] = []): readonly LostPartition[] {
  return [...before, lostPartition(text)];
}

function untilArgument(text: string): PublishedUntil {
  if (text === "store" || text === "nothing") return text;
  const at = parseInstant(text);
  if (at === undefined)
    throw new InvalidArgumentError("Expected store, nothing, or ISO 8601 with a zone, such as 2026-06-30T00:00:00Z.");
  return at;
}
