/** Committed offsets that somebody sets while no process runs, as `kafka-consumer-groups --reset-offsets` does, on a real broker. */
import { describe, expect, it } from "vitest";
import { DataDirectory } from "../../src/engine/directory.js";
import { recover } from "../../src/engine/recover.js";
import type { ScoreChanged } from "../../src/events/types.js";
import { internalTopics } from "../../src/kafka/internal-topics.js";
import { KafkaApp } from "../kafka/kafka-app.js";
import { Told } from "./given.js";
import {
  admin,
  bothAt,
  connected,
  contacts,
  Engines,
  isRunning,
  kafka,
  setOffsets,
  TASKS,
  until,
  visit,
} from "./on-kafka.js";

const engines = new Engines();
const SCORED = 3;

/** Three visits of each contact, scored and published by an engine that has stopped. */
async function scored(): Promise<KafkaApp> {
  const app = await KafkaApp.make(kafka, admin, ["web", "calls"], TASKS);
  const engine = await engines.start(app);
  await isRunning(engine);
  for (let n = 1; n <= SCORED; n++) {
    await engine.append(contacts.map((contact) => visit(contact, n)));
    await bothAt(engine, 10 * n);
  }
  await engines.stop();
  return app;
}

async function sent(app: KafkaApp, n: number): Promise<void> {
  for (const [task, contact] of contacts.entries()) await app.send("web", task, [visit(contact, n)]);
}

async function outputs(app: KafkaApp, task: number): Promise<ScoreChanged[]> {
  await engines.stop();
  return (await app.read("score-changed", task)).map((text) => JSON.parse(text) as ScoreChanged);
}

function steps(all: readonly ScoreChanged[]): string[] {
  return all.map(({ previous, current }) => `${previous}->${current}`);
}

/** Single topics, or the whole group: with what the engine itself has said beside them. */
const some = [
  ["the input", (app: KafkaApp) => [app.named("web")]],
  ["all topics of the group", (app: KafkaApp) => [...app.inputTopics, internalTopics(app.id).rekeyed]],
] as const;
const first = ["null->10", "10->20", "20->30"];

describe.skipIf(connected === null)("offsets that were set", () => {
  it.each(some)("of %s to the latest skip nothing: what came meanwhile is published, once", async (_, topicsOf) => {
    const app = await scored();
    await sent(app, 4);
    await sent(app, 5);
    await setOffsets(app, topicsOf(app), 0);
    await setOffsets(app, [app.named("web")], SCORED + 2);
    const told = new Told();
    const engine = await engines.start(app, { told });
    await isRunning(engine);
    await bothAt(engine, 50);
    expect(told.text).toContain(`web to ${SCORED + 2}, where ${SCORED} is scored`);
    expect(told.text).toContain("no input is left out of scores");
    // Once more, with nothing set: what is committed is the engine's own again.
    await engines.stop();
    const again = new Told();
    await isRunning(await engines.start(app, { told: again }));
    expect(again.text).not.toContain("has set committed offsets");
    for (const task of [0, 1]) expect(steps(await outputs(app, task))).toEqual([...first, "30->40", "40->50"]);
    await app.close();
  });

  it.each([
    [...some[0], 0],
    [...some[1], 0],
    [...some[0], 1],
  ] as const)("of %s back publish again what follows, under the same ids (%#)", async (_, topicsOf, to) => {
    const app = await scored();
    await setOffsets(app, topicsOf(app), 0);
    await setOffsets(app, [app.named("web")], to);
    const told = new Told();
    const engine = await engines.start(app, { told });
    await isRunning(engine);
    await bothAt(engine, 30);
    expect(told.text).toContain(`web to ${to}, where ${SCORED} is scored`);
    expect(told.text).toContain("published again from there on, under the same ids");
    await sent(app, 4);
    await bothAt(engine, 40);
    for (const task of [0, 1]) {
      const all = await outputs(app, task);
      expect(steps(all)).toEqual([...first, ...first.slice(to), "30->40"]);
      const again = all.slice(SCORED, 2 * SCORED - to);
      expect(again.map(({ id }) => id)).toEqual(all.slice(to, SCORED).map(({ id }) => id));
    }
    await app.close();
  });

  it("are not taken for what was published where no store knows it, until it is told", async () => {
    const app = await scored();
    await sent(app, 4);
    await setOffsets(app, [...app.inputTopics, internalTopics(app.id).rekeyed], 1);
    await setOffsets(app, [app.named("web")], SCORED + 1);
    const lost = await engines.start(app, { data: "another disk" });
    await until(() => lost.taskStatuses().filter(({ state }) => state === "failed").length === TASKS);
    expect(lost.status.detail).toMatch(/web to 4.*no store of it here.*scorefold recover --published-until INSTANT/s);
    await lost.stop();
    const recovered = await recover({
      directory: await DataDirectory.open(engines.path),
      kafka,
      app: app.id,
      inputTopics: app.inputTopics,
      outputTopics: app.outputTopics,
      isHistoryLocal: false,
      publishedUntil: "store",
    });
    expect(recovered.map(({ offsets }) => offsets?.get(app.named("web")))).toEqual([SCORED, SCORED]);
    const engine = await engines.start(app, { data: "another disk" });
    await isRunning(engine);
    await bothAt(engine, 40);
    for (const task of [0, 1]) expect(steps(await outputs(app, task))).toEqual([...first, "30->40"]);
    await app.close();
  });

  it("to the earliest need no store: all is published again", async () => {
    const app = await scored();
    await setOffsets(app, [...app.inputTopics, internalTopics(app.id).rekeyed], 0);
    const engine = await engines.start(app, { data: "another disk" });
    await isRunning(engine);
    await bothAt(engine, 30);
    for (const task of [0, 1]) expect(steps(await outputs(app, task))).toEqual([...first, ...first]);
    await app.close();
  });
});
