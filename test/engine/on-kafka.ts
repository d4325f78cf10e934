/** Engines on the broker of the tests, each run with directories of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach } from "vitest";
import { DataDirectory } from "../../src/engine/directory.js";
import { KafkaEngine, type KafkaEngineOptions } from "../../src/engine/kafka-engine.js";
import type { ScoreChanged } from "../../src/events/types.js";
import { clusterOf } from "../../src/kafka/cluster.js";
import { partitioner } from "../../src/kafka/partitioner.js";
import { systemClock } from "../../src/stream/clock.js";
import { createLogger } from "../../src/telemetry.js";
import { connectedKafka, type KafkaApp } from "../kafka/kafka-app.js";
import { compiled, Told } from "./given.js";

export const model = compiled(`
model: lead
version: 1
dimensions: { score: { min: 0, max: 1000 } }
rules:
  - { id: visits, when: web.page_viewed, points: 10 }
`);
export const TASKS = 2;
export const taskOf = partitioner("murmur2", TASKS);
/** Of each task one contact. */
export const contacts = [0, 1].map(
  (task) => Array.from({ length: 20 }, (_, i) => `c${i}`).find((one) => taskOf(one) === task)!,
) as [string, string];
const start = Date.UTC(2026, 0, 1);

export interface Over extends Partial<Omit<KafkaEngineOptions, "directory" | "kafka" | "app" | "logger">> {
  /** A directory below that of the test, or another; that of the test itself if it is left out. */
  readonly data?: string;
  readonly told?: Told;
}

export const connected = await connectedKafka();
export const { kafka, admin } = connected ?? ({} as NonNullable<typeof connected>);

/** The engines of a test, all ended after it, and their directory. To be made once in a file. */
export class Engines {
  path = "";
  #running: KafkaEngine[] = [];

  constructor() {
    beforeEach(() => {
      this.path = mkdtempSync(join(tmpdir(), "scorefold-kafka-engine-"));
    });
    afterEach(async () => {
      await this.stop();
      rmSync(this.path, { recursive: true, force: true });
    });
    afterAll(async () => await connected?.admin.disconnect());
  }

  async start(app: KafkaApp, { data, told, ...over }: Over = {}): Promise<KafkaEngine> {
    const engine = await KafkaEngine.start({
      directory: await DataDirectory.open(join(this.path, data ?? ".")),
      kafka: app.kafka,
      app: app.id,
      inputTopics: app.inputTopics,
      outputTopics: app.outputTopics,
      mappers: new Map(),
      meanings: new Map(),
      topicOf: () => app.inputTopics[0]!,
      partitioner: "murmur2",
      isHistoryLocal: false,
      models: [model],
      clock: systemClock,
      logger: createLogger("info", told ?? new Told()),
      sessionMs: 6_000,
      ...over,
    });
    this.#running.push(engine);
    return engine;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((engine) => engine.stop()));
  }

  /** What was published of a task's contacts. Ends all engines first: a score can be seen a moment before it is out. */
  async published(app: KafkaApp, task: number): Promise<string[]> {
    await this.stop();
    const texts = await app.read("score-changed", task);
    return texts.map((text) => {
      const { contactId, previous, current } = JSON.parse(text) as ScoreChanged;
      return `${contactId} ${previous}->${current}`;
    });
  }
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

export async function isRunning(engine: KafkaEngine, tasks = TASKS): Promise<void> {
  await until(() => engine.status.isReady && engine.taskStatuses().length === tasks);
}

export function visit(contactId: string, n: number): string {
  return JSON.stringify({ id: `v${n}`, contactId, type: "web.page_viewed", at: start + n * 1000 });
}

export async function score(engine: KafkaEngine, contact: string): Promise<number | null> {
  const answer = await engine.scores(contact, { tenantId: "default" });
  return answer?.scores[0]?.score ?? null;
}

/** Resolves when both contacts stand at a score. */
export async function bothAt(engine: KafkaEngine, wanted: number): Promise<void> {
  await until(async () => {
    const found = [await score(engine, contacts[0]), await score(engine, contacts[1])];
    return found.every((one) => one === wanted);
  });
}

interface Coordinator {
  offsetCommit(of: object): Promise<unknown>;
}

/** As `kafka-consumer-groups --reset-offsets` does it: as nobody of the group, and with no word beside the offset. */
export async function setOffsets(app: KafkaApp, topics: readonly string[], offset: number): Promise<void> {
  const cluster = clusterOf(kafka);
  await cluster.connect();
  const coordinator = (await cluster.findGroupCoordinator({ groupId: app.id })) as unknown as Coordinator;
  const partitions = [0, 1].map((partition) => ({ partition, offset: String(offset) }));
  await coordinator.offsetCommit({
    groupId: app.id,
    groupGenerationId: -1,
    memberId: "",
    topics: topics.map((topic) => ({ topic, partitions })),
  });
  await cluster.disconnect();
}
