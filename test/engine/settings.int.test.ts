/** Processes of one application with different settings, as in a rolling deploy, on a real broker. */
import { describe, expect, it } from "vitest";
import type { KafkaEngine } from "../../src/engine/kafka-engine.js";
import { KafkaApp } from "../kafka/kafka-app.js";
import { Told } from "./given.js";
import {
  admin,
  bothAt,
  connected,
  contacts,
  type EngineOver,
  Engines,
  isRunning,
  kafka,
  score,
  TASKS,
  until,
  visit,
} from "./on-kafka.js";

const engines = new Engines();

/** Resolves when the process says that it waits, and why. */
async function waits(engine: KafkaEngine): Promise<string> {
  await until(() => engine.status.state === "waiting" && engine.status.detail?.startsWith("waits: ") === true);
  expect(engine.status).toMatchObject({ isUp: true, isReady: false });
  return engine.status.detail as string;
}

describe.skipIf(connected === null)("a rolling deploy", () => {
  it("that adds an input topic loses nothing, and takes effect once the last process without it has ended", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web", "calls"], TASKS);
    const [web, calls] = app.inputTopics as [string, string];
    const before: EngineOver = { inputTopics: [web] };
    const hosts = await Promise.all(["a", "b"].map((data) => engines.start(app, { ...before, data })));
    await Promise.all(hosts.map((engine) => isRunning(engine, 1)));
    await app.send("web", 0, [visit(contacts[0], 1), visit(contacts[1], 1)]);
    // The first host is started anew, with a topic more. What comes meanwhile of the topics of before is scored.
    await hosts[0]!.stop();
    const told = new Told();
    const first = await engines.start(app, { data: "a", told });
    const why = await waits(first);
    expect(why).toMatch(/the tasks are scored by other settings, with test\. In what they differ: /);
    expect(why).toContain(`input ${calls}: interaction here, not there. Once`);
    expect(told.text).toContain(why);
    await isRunning(hosts[1]!, TASKS);
    await app.send("calls", 0, [visit(contacts[0], 2), visit(contacts[1], 2)]);
    await app.send("web", 1, [visit(contacts[0], 3), visit(contacts[1], 3)]);
    await bothAt(hosts[1]!, 20);
    // The other host: now all are alike, and what nobody has read is read from its beginning.
    await hosts[1]!.stop();
    await isRunning(first);
    await bothAt(first, 30);
    expect(told.text).toContain(
      `from here on the tasks are scored by other settings: input ${calls}: interaction here`,
    );
    const second = await engines.start(app, { data: "b" });
    await Promise.all([first, second].map((engine) => isRunning(engine, 1)));
    // One of before that is started by mistake has nothing to do with any of it.
    const late = await engines.start(app, { ...before, data: "c" });
    expect(await waits(late)).toContain(`input ${calls}: not here, interaction there`);
    await app.send("calls", 1, [visit(contacts[0], 4), visit(contacts[1], 4)]);
    for (const [task, contact] of contacts.entries())
      expect(await publishedTo(app, task, 40)).toEqual(
        ["null->10", "10->20", "20->30", "30->40"].map((one) => `${contact} ${one}`),
      );
    await app.close();
  });

  it("that ends before all have changed goes on as it was", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], TASKS);
    const other: EngineOver = {
      data: "other",
      meanings: new Map([[app.inputTopics[0]!, "interaction by version 2 of its mapping = {}"]]),
      limits: { inputAheadMsMax: 60_000 },
      outputTopics: { ...app.outputTopics, deadLetters: app.named("score-changed") },
    };
    const engine = await engines.start(app);
    await isRunning(engine);
    const changed = await engines.start(app, other);
    const why = await waits(changed);
    expect(why).toContain("input ahead: 60 s here, 3600 s there");
    expect(why).toContain(`input ${app.named("web")}: interaction by version 2 of its mapping here, interaction there`);
    expect(why).toMatch(/outputs: .*score-changed here, .*dead-letters there/);
    await changed.stop();
    await app.send("web", 0, [visit(contacts[0], 1), visit(contacts[1], 1)]);
    await bothAt(engine, 10);
    // As before, also where the group was empty meanwhile.
    await engine.stop();
    const again = await engines.start(app);
    await isRunning(again);
    await waits(await engines.start(app, other));
    expect(await score(again, contacts[0])).toBe(10);
    await app.close();
  });
});

/** What was published of a task's contact, once that is up to a score. */
async function publishedTo(app: KafkaApp, task: number, wanted: number): Promise<string[]> {
  for (;;) {
    const texts = (await app.read("score-changed", task)).map((text) => JSON.parse(text));
    if (texts.at(-1)?.current === wanted)
      return texts.map(({ contactId, previous, current }) => `${contactId} ${previous}->${current}`);
  }
}
