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
  /** Where they were listened to before the engine was started; default: from now on. */
  readonly signals?: StopSignals;
}

/** What asks a process to end. */
export interface StopSignals {
  /** Resolves at the first. */
  readonly asked: Promise<void>;
  close(): void;
}

/**
 * Listens to SIGINT and SIGTERM: the second one ends the process at once. To be called before an engine joins others: who
 * dies of a signal while it joins is waited for by all of them.
 */
export function listenToSignals(logger: Logger): StopSignals {
  const names = ["SIGINT", "SIGTERM"] as const;
  let ask: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const onSignal = (signal: NodeJS.Signals): void => {
    process.once(signal, () => process.exit(1));
    logger.info({ signal }, "stopping; once more ends it at once");
    ask();
  };
  for (const name of names) process.once(name, onSignal);
  const close = (): void => {
    for (const name of names) process.removeListener(name, onSignal);
  };
  return { asked, close };
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
  const signals = options.signals ?? listenToSignals(logger);
  try {
    const url = await server.listen();
    await directory.announce({ pid: process.pid, url });
    options.onListening(url);
    await Promise.race([signals.asked, engine.ended()]);
  } finally {
    await directory.withdraw();
    await server.close();
    await engine.stop();
    signals.close();
  }
  await engine.ended();
}
