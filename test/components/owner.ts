/** Owns the components of a run of tests: starts what is asked for, and stops it when the run has ended. */
import { existsSync, mkdtempSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answer, type Component, Missing, RUN_DIRECTORY } from "./component.js";
import { kafkaJars, startKafka } from "./kafka/kafka.js";
import { preparePython } from "./python/python.js";
import { startRegistry } from "./registry/registry.js";
import { startToxiproxy } from "./toxiproxy/toxiproxy.js";

const starts: Readonly<Record<string, () => Promise<Component>>> = {
  kafka: startKafka,
  "kafka-jars": kafkaJars,
  registry: startRegistry,
  python: preparePython,
  toxiproxy: startToxiproxy,
};

export default function setup(): () => Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "scorefold-test-run-"));
  process.env[RUN_DIRECTORY] = directory;
  const started = new Map<string, Promise<Component | null>>();
  const start = async (name: string): Promise<Component | null> => {
    try {
      const component = await starts[name]!();
      answer(directory, `${name}.details`, JSON.stringify(component.details ?? null));
      answer(directory, `${name}.ready`, component.address);
      return component;
    } catch (error) {
      const text = error instanceof Missing ? error.message : String(error instanceof Error ? error.stack : error);
      answer(directory, `${name}.missing`, text);
      return null;
    }
  };
  const watcher = watch(directory, () => {
    for (const name of Object.keys(starts)) {
      if (!started.has(name) && existsSync(join(directory, `${name}.wanted`))) started.set(name, start(name));
    }
  });
  return async () => {
    watcher.close();
    for (const component of started.values()) await (await component)?.stop();
    rmSync(directory, { recursive: true, force: true });
  };
}
