/** Topics of the application's own that are deleted: what is said, and that the one way back leads back. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TaskStatus } from "../../src/api/engine.js";
import { lostPartition } from "../../src/engine/accept-loss.js";
import type { KafkaEngine } from "../../src/engine/kafka-engine.js";
import { recover } from "../../src/engine/recover.js";
import { type InternalTopics, internalTopics } from "../../src/kafka/internal-topics.js";
import { partitioner } from "../../src/kafka/partitioner.js";
import { connectedKafka, KafkaApp } from "../kafka/kafka-app.js";
import { KafkaEngines, until, visit } from "./kafka-engines.js";

const connected = await connectedKafka();
const { kafka, admin } = connected ?? ({} as NonNullable<typeof connected>);

let engines: KafkaEngines;
beforeEach(() => {
  engines = new KafkaEngines();
});
afterEach(async () => await engines.end());
afterAll(async () => await connected?.admin.disconnect());

async function isGone(topic: string): Promise<void> {
  await until(async () => !(await admin.listTopics()).includes(topic));
}

async function scored(engine: KafkaEngine, score: number): Promise<void> {
  await until(async () => {
    const answer = await engine.scores("ada", { tenantId: "default" }).catch(() => null);
    return answer?.scores[0]?.score === score;
  });
}

describe.skipIf(connected === null)("a topic of the application's own that is deleted", () => {
  it.each([
    "clock",
    "models",
  ] as const)("%s is made again by the next start, and nothing is lost by it", async (name) => {
    const app = await KafkaApp.make(kafka, admin, ["web"], 1);
    const engine = await engines.start(app);
    await until(() => engine.status.isReady);
    await app.send("web", 0, [visit("ada", 1)]);
    await scored(engine, 10);
    await engine.stop();
    const topic = internalTopics(app.id)[name satisfies keyof InternalTopics];
    await admin.deleteTopics({ topics: [topic] });
    await isGone(topic);
    const again = await engines.start(app);
    await until(() => again.status.isReady);
    await app.send("web", 0, [visit("ada", 2)]);
    await scored(again, 20);
    await again.stop();
    expect(await app.read("score-changed")).toHaveLength(2);
    await app.close();
  });

  it("with inputs that were passed on is gone on without by what the messages say, and nothing is published twice", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], 2);
    const other = partitioner("murmur2", 2)("ada") === 0 ? 1 : 0;
    const engine = await engines.start(app);
    await until(() => engine.status.isReady && engine.taskStatuses().length === 2);
    // In a partition where they do not belong.
    await app.send("web", other, [visit("ada", 1), visit("ada", 2)]);
    await scored(engine, 20);
    await engine.stop();
    const { rekeyed } = internalTopics(app.id);
    await admin.deleteTopics({ topics: [rekeyed] });
    await isGone(rekeyed);
    const said: string[] = [];
    let back = await engines.start(app);
    for (;;) {
      await until(() => back.taskStatuses().length === 2 && back.taskStatuses().every(isSettled));
      const failed = back.taskStatuses().filter(({ state }) => state === "failed");
      if (failed.length === 0) break;
      await back.stop();
      const commands = new Set(
        failed.map(({ detail }) => /`scorefold recover ([^`]+)`/.exec(detail ?? "")?.[1] ?? detail!),
      );
      for (const command of commands) await recovers(app, command);
      said.push(...commands);
      // A message that leads to where it was said is no way back.
      expect(new Set(said).size).toBe(said.length);
      back = await engines.start(app);
    }
    await app.send("web", other, [visit("ada", 3)]);
    await scored(back, 30);
    await back.stop();
    const outputs = await Promise.all([0, 1].map((task) => app.read("score-changed", task)));
    expect(outputs.flat()).toHaveLength(3);
    await app.close();
  });

  /** As the command does, with the options of a message. */
  async function recovers(app: KafkaApp, options: string): Promise<void> {
    const words = options.split(" ");
    const after = (name: string): string[] => words.flatMap((word, i) => (word === name ? [words[i + 1]!] : []));
    expect(words.length).toBe(2 * (after("--published-until").length + after("--accept-loss").length));
    await recover({
      directory: await engines.directory(),
      kafka,
      app: app.id,
      inputTopics: app.inputTopics,
      outputTopics: app.outputTopics,
      isHistoryLocal: false,
      publishedUntil: after("--published-until").includes("store") ? "store" : null,
      accepted: after("--accept-loss").map(lostPartition),
    });
  }
});

function isSettled({ state }: TaskStatus): boolean {
  return state === "failed" || state === "running";
}
