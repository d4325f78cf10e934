/** `run`: the engine, up, with its HTTP API; embedded, or on a cluster where one is named. */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import { type GivenKafkaOptions, namesCluster } from "../../config/kafka.js";
import { type Config, type GivenOptions, logLevels, readConfig, taskLimitsOf } from "../../config/run.js";
import { DataDirectory } from "../../engine/directory.js";
import { EmbeddedEngine } from "../../engine/embedded-engine.js";
import { ScorefoldError } from "../../errors.js";
import { openCluster } from "../../kafka/start.js";
import { compile } from "../../model/compile.js";
import { printModel } from "../../model/print.js";
import type { Model } from "../../model/types.js";
import { systemClock } from "../../stream/clock.js";
import type { Waits } from "../../stream/log.js";
import { createLogger, type Logger } from "../../telemetry.js";
import { clusterConfig, clusterHelp, kafkaOf, withClusterOptions } from "../cluster.js";
import type { Io } from "../io.js";
import { LateEngine } from "../late-engine.js";
import { loadModels } from "../models.js";
import { Progress } from "../progress.js";
import { listenToSignals, type ServedEngine, type StopSignals, serveUntilStopped } from "../serving.js";
import { counted } from "../table.js";
import { loadTopology } from "../topic-files.js";
import { topicsOf } from "../topics.js";
import { type ClusterStart, clientId, startOnCluster } from "../workers/start.js";
import { Workers } from "../workers/workers.js";

/** What an engine is started with. */
interface Start {
  readonly config: Config;
  readonly models: readonly Model[];
  readonly directory: DataDirectory;
  readonly logger: Logger;
  readonly progress: Progress;
}

export function runCommand(io: Io): Command {
  const command = new Command("run")
    .description("run the engine: inputs over HTTP or from Kafka, scores kept, changes published, timers by the clock")
    .addOption(new Option("--data <dir>", "data directory (default: data)"))
    .addOption(new Option("--models <dirs...>", "model files, or directories of them (default: models)"))
    .addOption(new Option("--host <host>", "address to listen on (default: 127.0.0.1)"))
    .addOption(new Option("--port <port>", "port to listen on; 0 is any free one (default: 7070)"))
    .addOption(new Option("--allow-anonymous", "listen on another address without asking for a token"))
    .addOption(new Option("--log-level <level>", `${logLevels.join(", ")} (default: info)`))
    .addOption(new Option("--timer-grace <duration>", "timers fire so long after their instant (default: 5s)"))
    .addOption(
      new Option("--clock-jump <duration>", "how far the host's clock may jump before timers wait (default: 1d)"),
    )
    .addOption(
      new Option("--input-ahead <duration>", "how far an input may be dated ahead of its arrival (default: 1h)"),
    );
  return withClusterOptions(command)
    .addOption(new Option("--partitioner <name>", "how inputs are keyed: murmur2, crc32, fnv1a (default: murmur2)"))
    .addOption(new Option("--workers <n>", "processes that share this host's tasks (default: one a core)"))
    .addOption(new Option("--history <where>", "log, or local: topics may drop inputs that a store has (default: log)"))
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold run
  $ curl -X POST http://127.0.0.1:7070/v1/interactions -H 'content-type: application/json' \\
      -d '{"id":"e1","contactId":"ada","type":"email.clicked","at":"2026-11-25T09:30:00Z"}'
  $ curl http://127.0.0.1:7070/v1/contacts/ada/scores
  $ scorefold run --brokers kafka-1:9092,kafka-2:9092 --app scores --data /var/lib/scorefold

Without --brokers the engine is embedded: its own log, one process. With it, any number of processes with the same --app
share the tasks, one for each partition of the input topics. \`scorefold topics apply\` makes the topics.

Each option can be a variable: SCOREFOLD_DATA, SCOREFOLD_MODELS, SCOREFOLD_HOST, SCOREFOLD_PORT, SCOREFOLD_LOG_LEVEL,
SCOREFOLD_TIMER_GRACE, SCOREFOLD_CLOCK_JUMP, SCOREFOLD_INPUT_AHEAD, SCOREFOLD_ALLOW_ANONYMOUS, SCOREFOLD_PARTITIONER,
SCOREFOLD_WORKERS, SCOREFOLD_HISTORY.
SCOREFOLD_API_TOKEN is the token that clients have to send; it is a variable only, and so are SCOREFOLD_KAFKA_SESSION_TIMEOUT
(20s), after which others take the tasks of a process that is silent, and SCOREFOLD_KAFKA_COMMIT_INTERVAL (50ms), from one
transaction of a task to the next. SIGTERM ends it in good order, kill -9 loses nothing.
${clusterHelp}`,
    )
    .action(async (options: GivenOptions & GivenKafkaOptions) => {
      const result = readConfig(options, io.env);
      for (const warning of result.warnings) io.stderr.write(`warning: ${warning}\n`);
      if (!result.ok) throw new ScorefoldError("usage", result.problems.join("\n"));
      const { config } = result;
      const models = loadModels(config.models);
      const start: Start = {
        config,
        models,
        logger: createLogger(config.logLevel, io.stderr),
        directory: await DataDirectory.open(config.data),
        progress: new Progress(io),
      };
      if (!namesCluster(options, io.env)) return await served(io, start, await embedded(start));
      const signals = listenToSignals(start.logger);
      try {
        await served(io, start, await onKafka(io, start, options), signals);
      } finally {
        signals.close();
      }
    });
}

async function embedded({ config, models, directory, logger, progress }: Start): Promise<ServedEngine> {
  return await EmbeddedEngine.start({
    directory,
    models: models.map(compile),
    clock: systemClock,
    timers: "clock",
    logger,
    limits: taskLimitsOf(config),
    onProgress: (what, done, total) =>
      progress.update(what, done, total, what === "rebuilding" ? "contacts" : "inputs"),
  });
}

/** One process, or one that serves and others that score; broker and registry are waited for. */
async function onKafka(io: Io, { config, models, logger }: Start, options: GivenKafkaOptions): Promise<ServedEngine> {
  const cluster = clusterConfig(io, options);
  const topology = loadTopology(cluster.topics);
  const compiled = models.map(compile);
  const modelNames = models.map(({ id, version }) => `${id}@${version}`).sort();
  const start = async (waits: Waits): Promise<ServedEngine> =>
    cluster.workers === 1
      ? await startOnCluster({ config, cluster, topology, models: compiled, logger, waits })
      : await severalWorkers({ config, cluster, topology, models: compiled, logger, waits }, models, modelNames);
  return await LateEngine.start({ start, modelNames, logger });
}

async function severalWorkers(
  start: ClusterStart,
  models: readonly Model[],
  modelNames: readonly string[],
): Promise<ServedEngine> {
  const { config, cluster, topology, logger, waits } = start;
  const kafka = await kafkaOf(cluster, clientId(cluster), logger);
  const { inputTopics: inputs, outputTopics: outputs } = topicsOf(topology, cluster);
  // What is wrong with the topics is told once, and before anything is started.
  const checked = { inputs, outputs, isHistoryLocal: cluster.isHistoryLocal };
  const opened = openCluster(kafka, cluster.app, checked, cluster.partitioner);
  const { tasks } = await waits.during("the brokers", opened);
  const count = Math.min(tasks, cluster.workers ?? availableParallelism());
  if (count === 1) return await startOnCluster(start);
  const command = fileURLToPath(new URL("../main.js", import.meta.url));
  return new Workers({
    command,
    count,
    config,
    cluster,
    topology,
    kafka,
    tasks,
    models: models.map(printModel),
    modelNames,
    logger,
  });
}

async function served(
  io: Io,
  { config, models, directory, logger, progress }: Start,
  engine: ServedEngine,
  signals?: StopSignals,
): Promise<void> {
  const { host, port, allowAnonymous, apiToken } = config;
  await serveUntilStopped({
    engine,
    directory,
    logger,
    ...(signals === undefined ? undefined : { signals }),
    api: { host, port, allowAnonymous, ...(apiToken === null ? {} : { token: apiToken }) },
    onListening: (url) => {
      logger.info({ url, data: directory.path }, "listening");
      const isLate = engine instanceof LateEngine && engine.engine === null;
      io.stderr.write(
        `scorefold ${isLate ? "waits for its cluster," : "is up"} at ${url}: ${counted(models.length, "model")}, data in ${config.data}; ` +
          `try \`curl ${url}/readyz\`\n`,
      );
    },
  })
    .catch((error: unknown) => {
      logger.fatal({ err: error }, "ended by an error");
      throw error;
    })
    .finally(() => progress.clear());
}
