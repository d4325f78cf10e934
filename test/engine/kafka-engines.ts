/** Engines on a cluster for one test, each on a directory of its own unless it says so, and ended with it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataDirectory } from "../../src/engine/directory.js";
import { KafkaEngine, type KafkaEngineOptions } from "../../src/engine/kafka-engine.js";
import { systemClock } from "../../src/stream/clock.js";
import { createLogger } from "../../src/telemetry.js";
import type { KafkaApp } from "../kafka/kafka-app.js";
import { compiled, Told } from "./given.js";

export const visits = compiled(`
model: lead
version: 1
dimensions: { score: { min: 0, max: 1000 } }
rules:
  - { id: visits, when: web.page_viewed, points: 10 }
`);

export interface EngineOver extends Partial<Omit<KafkaEngineOptions, "directory" | "app" | "logger">> {
  /** Of the directory of this test. */
  readonly data?: string;
  readonly told?: Told;
  /** What stands between the engine and its directory. */
  readonly wrap?: (directory: DataDirectory) => DataDirectory;
}

export class KafkaEngines {
  readonly path = mkdtempSync(join(tmpdir(), "scorefold-kafka-engine-"));
  readonly #running: KafkaEngine[] = [];

  async directory(data = "data"): Promise<DataDirectory> {
    return await DataDirectory.open(join(this.path, data));
  }

  async start(app: KafkaApp, given: EngineOver = {}): Promise<KafkaEngine> {
    const { data = "data", told = new Told(), wrap = (own: DataDirectory) => own, ...over } = given;
    const engine = await KafkaEngine.start({
      directory: wrap(await this.directory(data)),
      kafka: app.kafka,
      app: app.id,
      inputTopics: app.inputTopics,
      outputTopics: app.outputTopics,
      mappers: new Map(),
      meanings: new Map(),
      topicOf: () => app.inputTopics[0]!,
      partitioner: "murmur2",
      isHistoryLocal: false,
      models: [visits],
      clock: systemClock,
      logger: createLogger("info", told),
      sessionMs: 6_000,
      lagLookMs: 100,
      ...over,
    });
    this.#running.push(engine);
    return engine;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((engine) => engine.stop()));
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.path, { recursive: true, force: true });
  }
}

export function visit(contactId: string, n: number): string {
  return JSON.stringify({ id: `v${n}`, contactId, type: "web.page_viewed", at: Date.UTC(2026, 0, 1) + n * 1000 });
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
