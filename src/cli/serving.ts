/** An engine with its HTTP API, up until a signal ends it. */
import type { Engine } from "../api/engine.js";
import { type ApiOptions, createServer } from "../api/server.js";
import type { DataDirectory } from "../engine/directory.js";
import type { Logger } from "../telemetry.js";

/** An engine that runs until it is stopped. */
export interface ServedEngine extends Engine {
  ended(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServingOptions {
  readonly engine: ServedEngine;
  readonly directory: DataDirectory;
  readonly api: ApiOptions;
  readonly logger: Logger;
  /** Called once it listens. */
  readonly onListening: (url: string) => void;
}

/**
 * Serves until SIGINT or SIGTERM, or until the engine ends by itself: then takes no more, finishes the commit under way,
 * writes everything and closes. A second signal ends the process at once: nothing is lost by that either.
 *
 * @throws what has ended the engine; ScorefoldError where the address can't be listened on
 */
export async function serveUntilStopped(options: ServingOptions): Promise<void> {
  const { engine, directory, logger } = options;
  const server = await createServer(engine, { ...options.api, logger: logger as never });
  let stop: (signal: string) => void = () => undefined;
  const stopped = new Promise<string>((done) => {
    stop = done;
  });
  const onSignal = (signal: NodeJS.Signals): void => {
    process.once(signal, () => process.exit(1));
    logger.info({ signal }, "stopping; once more ends it at once");
    stop(signal);
  };
  const signals = ["SIGINT", "SIGTERM"] as const;
  for (const signal of signals) process.once(signal, onSignal);
  try {
    const url = await server.listen();
    await directory.announce({ pid: process.pid, url });
    options.onListening(url);
    await Promise.race([stopped, engine.ended()]);
  } finally {
    await directory.withdraw();
    await server.close();
    await engine.stop();
    for (const signal of signals) process.removeListener(signal, onSignal);
  }
  await engine.ended();
}
