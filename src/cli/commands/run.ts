/** `run`: the engine, up, with its HTTP API. */
import { Command, Option } from "commander";
import { type GivenOptions, logLevels, readConfig } from "../../config/run.js";
import { DataDirectory } from "../../engine/directory.js";
import { EmbeddedEngine } from "../../engine/embedded-engine.js";
import { ScorefoldError } from "../../errors.js";
import { compile } from "../../model/compile.js";
import { systemClock } from "../../stream/clock.js";
import { createLogger } from "../../telemetry.js";
import type { Io } from "../io.js";
import { loadModels } from "../models.js";
import { Progress } from "../progress.js";
import { serveUntilStopped } from "../serving.js";
import { counted } from "../table.js";

export function runCommand(io: Io): Command {
  return new Command("run")
    .description("run the engine: inputs over HTTP, scores kept, changes published, timers by the wall clock")
    .addOption(new Option("--data <dir>", "data directory (default: data)"))
    .addOption(new Option("--models <dirs...>", "model files, or directories of them (default: models)"))
    .addOption(new Option("--host <host>", "address to listen on (default: 127.0.0.1)"))
    .addOption(new Option("--port <port>", "port to listen on; 0 is any free one (default: 7070)"))
    .addOption(new Option("--allow-anonymous", "listen on another address without asking for a token"))
    .addOption(new Option("--log-level <level>", `${logLevels.join(", ")} (default: info)`))
    .addOption(new Option("--timer-grace <duration>", "timers fire so long after their instant (default: 5s)"))
    .addOption(
      new Option("--input-ahead <duration>", "how far an input may be dated ahead of its arrival (default: 1h)"),
    )
    .addHelpText(
      "after",
      `
Examples:
  $ scorefold run
  $ curl -X POST http://127.0.0.1:7070/v1/interactions -H 'content-type: application/json' \\
      -d '{"id":"e1","contactId":"ada","type":"email.clicked","at":"2026-11-25T09:30:00Z"}'
  $ curl http://127.0.0.1:7070/v1/contacts/ada/scores

Each option can be a variable: SCOREFOLD_DATA, SCOREFOLD_MODELS, SCOREFOLD_HOST, SCOREFOLD_PORT, SCOREFOLD_LOG_LEVEL,
SCOREFOLD_TIMER_GRACE, SCOREFOLD_INPUT_AHEAD, SCOREFOLD_ALLOW_ANONYMOUS. SCOREFOLD_API_TOKEN is the token that clients
have to send; it is a variable only. SIGTERM ends it in good order, kill -9 loses nothing.`,
    )
    .action(async (options: GivenOptions) => {
      const result = readConfig(options, io.env);
      for (const warning of result.warnings) io.stderr.write(`warning: ${warning}\n`);
      if (!result.ok) throw new ScorefoldError("usage", result.problems.join("\n"));
      const { config } = result;
      const models = loadModels(config.models);
      const logger = createLogger(config.logLevel, io.stderr);
      const directory = await DataDirectory.open(config.data);
      const progress = new Progress(io);
      const engine = await EmbeddedEngine.start({
        directory,
        models: models.map(compile),
        clock: systemClock,
        timers: "clock",
        logger,
        limits: { timerGraceMs: config.timerGraceMs, inputAheadMsMax: config.inputAheadMs },
        onProgress: (what, done, total) =>
          progress.update(what, done, total, what === "rebuilding" ? "contacts" : "inputs"),
      });
      await serveUntilStopped({
        engine,
        directory,
        logger,
        api: {
          host: config.host,
          port: config.port,
          allowAnonymous: config.allowAnonymous,
          ...(config.apiToken === null ? {} : { token: config.apiToken }),
        },
        onListening: (url) => {
          logger.info({ url, data: directory.path }, "listening");
          io.stderr.write(
            `scorefold is up at ${url}: ${counted(models.length, "model")}, data in ${config.data}; ` +
              `try \`curl ${url}/readyz\`\n`,
          );
        },
      })
        .catch((error: unknown) => {
          logger.fatal({ err: error }, "ended by an error");
          throw error;
        })
        .finally(() => progress.clear());
    });
}
