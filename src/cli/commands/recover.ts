/** `recover`: says up to where outputs were published, where the cluster has forgotten it. */
import { Command, InvalidArgumentError, Option } from "commander";
import type { GivenKafkaOptions } from "../../config/kafka.js";
import { DataDirectory } from "../../engine/directory.js";
import { type PublishedUntil, recover } from "../../engine/recover.js";
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
  readonly publishedUntil: PublishedUntil;
}

export function recoverCommand(io: Io): Command {
  const command = new Command("recover")
    .description("say up to where outputs were published, for tasks whose committed offsets have expired")
    .addOption(
      new Option("--published-until <where>", "store, nothing, or ISO 8601 with a zone")
        .makeOptionMandatory()
        .argParser(untilArgument),
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

All processes of the group have to be stopped.
${clusterHelp}`,
    )
    .action(async (options: Options) => {
      const cluster = clusterConfig(io, options);
      const recovered = await recover({
        directory: await DataDirectory.open(options.data),
        kafka: await kafkaOf(cluster, clientId(cluster), createLogger("warn", io.stderr)),
        app: cluster.app,
        ...topicsOf(loadTopology(cluster.topics), cluster),
        isHistoryLocal: cluster.isHistoryLocal,
        publishedUntil: options.publishedUntil,
      });
      for (const { task, offsets } of recovered) {
        const text =
          offsets === null
            ? "is known, and left as it is"
            : [...offsets].map(([topic, offset]) => `${topic}=${offset}`).join(" ");
        io.stdout.write(`task ${task}: ${text}\n`);
      }
    });
}

function untilArgument(text: string): PublishedUntil {
  if (text === "store" || text === "nothing") return text;
  const at = parseInstant(text);
  if (at === undefined)
    throw new InvalidArgumentError("Expected store, nothing, or ISO 8601 with a zone, such as 2026-06-30T00:00:00Z.");
  return at;
}
