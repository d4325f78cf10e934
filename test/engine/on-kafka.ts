/** Engines on the broker of the tests, each run with directories of its own. */
import { afterAll, afterEach, beforeEach } from "vitest";
import type { KafkaEngine } from "../../src/engine/kafka-engine.js";
import type { ScoreChanged } from "../../src/events/types.js";
import { clusterOf } from "../../src/kafka/cluster.js";
import { partitioner } from "../../src/kafka/partitioner.js";
import { connectedKafka, type KafkaApp } from "../kafka/kafka-app.js";
import { type EngineOver, KafkaEngines, until, visits } from "./kafka-engines.js";

export { type EngineOver, until, visit } from "./kafka-engines.js";
export const model = visits;
export const TASKS = 2;
export const taskOf = partitioner("murmur2", TASKS);
/** Of each task one contact. */
export const contacts = [0, 1].map(
  (task) => Array.from({ length: 20 }, (_, i) => `c${i}`).find((one) => taskOf(one) === task)!,
) as [string, string];

export const connected = await connectedKafka();
export const { kafka, admin } = connected ?? ({} as NonNullable<typeof connected>);

/** The engines of a test, all ended after it, and their directory. To be made once in a file. */
export class Engines {
  #own!: KafkaEngines;

  constructor() {
    beforeEach(() => {
      this.#own = new KafkaEngines();
    });
    afterEach(async () => await this.#own.end());
    afterAll(async () => await connected?.admin.disconnect());
  }

  get path(): string {
    return this.#own.path;
  }

  /** On the test's directory itself, if `data` names none below it. */
  async start(app: KafkaApp, { data = ".", ...over }: EngineOver = {}): Promise<KafkaEngine> {
    return await this.#own.start(app, { data, ...over });
  }

  async stop(): Promise<void> {
    await this.#own.stop();
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

export async function isRunning(engine: KafkaEngine, tasks = TASKS): Promise<void> {
  await until(() => engine.status.isReady && engine.taskStatuses().length === tasks);
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
