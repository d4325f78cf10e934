/**
 * The engine that a command asks: the one that is running on the data directory, or at a URL; else the directory is
 * opened by the command itself, for as long as it takes.
 */
import { DataDirectory } from "../engine/directory.js";
import { EmbeddedEngine } from "../engine/embedded-engine.js";
import { COMMAND_PATIENCE_MS } from "../engine/patience.js";
import { ScorefoldError } from "../errors.js";
import { compile } from "../model/compile.js";
import type { Model } from "../model/types.js";
import { systemClock } from "../stream/clock.js";
import { createLogger } from "../telemetry.js";
import type { Io } from "./io.js";
import { Progress } from "./progress.js";
import { type Asked, RemoteEngine } from "./remote.js";

export interface ReachOptions {
  readonly data: string;
  readonly url?: string;
}

/** The running engine, if there is one. */
export async function runningEngine(io: Io, { data, url }: ReachOptions): Promise<RemoteEngine | null> {
  const token = io.env["SCOREFOLD_API_TOKEN"];
  if (url !== undefined) return new RemoteEngine(url, token);
  const running = await DataDirectory.runningEngine(data);
  return running === null ? null : new RemoteEngine(running.url, token);
}

/**
 * Opens the directory in this process; timers go only where they are told to.
 *
 * @param models null: those it was last run with
 */
export async function openEngine(io: Io, data: string, models: readonly Model[] | null): Promise<EmbeddedEngine> {
  const progress = new Progress(io);
  const engine = await EmbeddedEngine.start({
    directory: await DataDirectory.open(data),
    models: models?.map(compile) ?? null,
    clock: systemClock,
    timers: "manual",
    logger: createLogger("warn", io.stderr),
    patienceMs: COMMAND_PATIENCE_MS,
    onProgress: (what, done, total) =>
      progress.update(what, done, total, what === "rebuilding" ? "contacts" : "inputs"),
  });
  try {
    await engine.task.running();
  } catch (error) {
    await engine.stop();
    // Which tells the place too.
    await engine.ended();
    throw error;
  } finally {
    progress.clear();
  }
  return engine;
}

/** Asks the running engine, or the directory where none runs. */
export async function withEngine<T>(io: Io, options: ReachOptions, ask: (engine: Asked) => Promise<T>): Promise<T> {
  const running = await runningEngine(io, options);
  if (running !== null) return await ask(running);
  if (await DataDirectory.isOfCluster(options.data)) {
    throw new ScorefoldError(
      "usage",
      `${options.data} has stores of an application on Kafka, and no engine runs on it: only one that runs can be asked. ` +
        "Start it with `scorefold run --brokers`, or name one with --url",
    );
  }
  if (!(await DataDirectory.exists(options.data))) {
    throw new ScorefoldError(
      "input-missing",
      `${options.data}: there is no data of scorefold here; \`scorefold ingest\` or \`scorefold run\` makes it, ` +
        "--data names another directory, and --input asks files instead",
    );
  }
  return await whileOpen(await openEngine(io, options.data, null), ask);
}

/** Asks an engine of this process, and closes it. @throws what has ended it, rather than what waited for it */
export async function whileOpen<T>(engine: EmbeddedEngine, ask: (engine: EmbeddedEngine) => Promise<T>): Promise<T> {
  try {
    return await ask(engine);
  } catch (error) {
    await engine.stop();
    await engine.ended();
    throw error;
  } finally {
    await engine.stop();
  }
}
