/** A worker: an engine on a cluster that answers the process that has started it, and ends with it. */
import { createServer } from "../../api/server.js";
import type { KafkaEngine } from "../../engine/kafka-engine.js";
import { messageOf, ScorefoldError } from "../../errors.js";
import { checkModel } from "../../model/check.js";
import { type CompiledModel, compile } from "../../model/compile.js";
import type { Waits } from "../../stream/log.js";
import { createLogger } from "../../telemetry.js";
import type { Io } from "../io.js";
import { LateEngine } from "../late-engine.js";
import type { FromWorker, ToWorker } from "./messages.js";
import { startOnCluster } from "./start.js";

/** Between two looks at whether there is something new to tell. */
const STATUS_MS = 250;
/** Between two words that it is alive. */
const ALIVE_MS = 1_000;

/** Runs until the parent says so, or is gone. @throws ScorefoldError `usage` where nobody has started it as a worker */
export async function runWorker(io: Io): Promise<void> {
  const { send } = process;
  if (send === undefined) throw new ScorefoldError("usage", "workers are started by `scorefold run`");
  const tell = (message: FromWorker): void => void send.call(process, message, () => undefined);
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.once("disconnect", stop);
  process.once("SIGTERM", stop);
  // A terminal sends it to all processes; what it means for this one the parent says.
  process.on("SIGINT", () => undefined);
  const start = await new Promise<Extract<ToWorker, { kind: "start" }> | null>((resolve) => {
    process.on("message", (message: ToWorker) => {
      if (message.kind === "start") resolve(message);
      if (message.kind === "stop") stop();
    });
    stopping.signal.addEventListener("abort", () => resolve(null));
  });
  if (start === null) return;
  try {
    await serve(io, start, stopping.signal, tell);
  } catch (error) {
    const code = error instanceof ScorefoldError ? error.code : "internal";
    const isFinal = error instanceof ScorefoldError && !error.retryable && code !== "internal";
    tell({ kind: "failed", message: messageOf(error), code, isFinal });
    throw error;
  } finally {
    process.removeAllListeners("message");
    if (process.connected) process.disconnect?.();
  }
}

async function serve(
  io: Io,
  { worker, config, cluster, topology, models, token }: Extract<ToWorker, { kind: "start" }>,
  stopping: AbortSignal,
  tell: (message: FromWorker) => void,
): Promise<void> {
  const logger = createLogger(config.logLevel, io.stderr).child({ worker });
  const own = { config, cluster, topology, models: models.map(compiled), logger };
  const modelNames = own.models.map(({ model }) => `${model.id}@${model.version}`).sort();
  const start = async (waits: Waits): Promise<KafkaEngine> => await startOnCluster({ ...own, waits });
  const engine = await LateEngine.start({ start, modelNames, logger });
  const server = await createServer(engine, { host: "127.0.0.1", port: 0, token });
  let told = "";
  const beat = setInterval(() => tell({ kind: "alive" }), ALIVE_MS);
  const look = setInterval(() => {
    const { status } = engine;
    const tasks = engine.taskStatuses();
    const text = JSON.stringify([status, tasks]);
    if (text !== told) tell({ kind: "status", status, tasks });
    told = text;
  }, STATUS_MS);
  process.on("message", (message: ToWorker) => {
    if (message.kind !== "metrics") return;
    const { request } = message;
    const values = engine.engine?.metricValues() ?? Promise.resolve([]);
    void values.then((own) => tell({ kind: "metrics", request, values: own }));
  });
  try {
    tell({ kind: "up", url: await server.listen() });
    const asked = new Promise<void>((resolve) => {
      if (stopping.aborted) resolve();
      else stopping.addEventListener("abort", () => resolve());
    });
    await Promise.race([asked, engine.ended()]);
  } finally {
    clearInterval(look);
    clearInterval(beat);
    await server.close();
    await engine.stop();
  }
  await engine.ended();
}

function compiled(text: string): CompiledModel {
  const checked = checkModel(text, "a model of the parent");
  if (!checked.ok) throw new ScorefoldError("internal", "a model that was checked is not one");
  return compile(checked.model);
}
