/** The engine on a real cluster: what it refuses to start on, whom it answers, and what it finds after a loss. */
import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DataDirectory } from "../../src/engine/directory.js";
import type { KafkaEngine } from "../../src/engine/kafka-engine.js";
import { recover } from "../../src/engine/recover.js";
import { KafkaApp } from "../kafka/kafka-app.js";
import { compiled, Told } from "./given.js";
import {
  admin,
  bothAt,
  connected,
  contacts,
  Engines,
  isRunning,
  kafka,
  score,
  TASKS,
  taskOf,
  until,
  visit,
} from "./on-kafka.js";

const engines = new Engines();

describe.skipIf(connected === null)("an engine on a cluster", () => {
  it("scores what is appended, answers, and erases", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web", "contacts"], TASKS);
    const engine = await engines.start(app);
    await isRunning(engine);
    const { offset, decoded } = await engine.append([visit(contacts[0], 1), "broken", visit(contacts[1], 2)]);
    expect([offset, decoded.map(({ ok }) => ok)]).toEqual([null, [true, false, true]]);
    await until(async () => (await score(engine, contacts[0])) === 10 && (await score(engine, contacts[1])) === 10);
    const lines = [];
    for await (const some of engine.allScores({ tenantId: "default" })) lines.push(...some);
    expect(lines.map(({ contactId }) => contactId)).toEqual([...contacts].sort());
    const { text } = await engine.metrics();
    expect(text).toContain(`scorefold_task_state{task="1",state="running"} 1`);
    expect(await engine.erase(` ${contacts[0].toUpperCase()}`, "default", { alsoLater: false })).toEqual({
      status: "unknown",
      nearest: contacts[0],
    });
    const erased = await engine.erase(contacts[0], "default", { alsoLater: false });
    expect(erased).toMatchObject({ status: "erased", laterInputs: 0, deadLetters: null, mentions: null });
    const left = erased.status === "erased" ? (erased.left ?? []) : [];
    // What was sent of it, and what was published, under the number of its task; there are no dead letters.
    expect(left.map(({ topic, partition }) => `${topic}/${partition}`).sort()).toEqual(
      [`${app.named("score-changed")}/0`, `${app.named("web")}/0`].sort(),
    );
    expect(left.every(({ start, end }) => start === 0 && end !== null && end > 0)).toBe(true);
    expect(await engine.erase(contacts[0], "default", { alsoLater: true })).toMatchObject({ status: "erased" });
    expect(await engine.scores(contacts[0], { tenantId: "default" })).toBeNull();
    expect(engine.taskStatuses()[1]!.offsets[app.named("web")]).toBe(1);
    await app.close();
  });

  it("shares its tasks with another, and has them back", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], TASKS);
    const first = await engines.start(app);
    await isRunning(first);
    await first.append(contacts.map((contact, i) => visit(contact, i)));
    await until(async () => (await score(first, contacts[0])) === 10 && (await score(first, contacts[1])) === 10);
    const second = await engines.start(app, { data: "second" });
    await isRunning(second, 1);
    await isRunning(first, 1);
    const [mine, theirs] = [first, second].map((engine) => contacts[engine.taskStatuses()[0]!.task]!) as [
      string,
      string,
    ];
    expect(mine).not.toBe(theirs);
    expect([await score(first, mine), await score(second, theirs)]).toEqual([10, 10]);
    await expect(score(first, theirs)).rejects.toMatchObject({ code: "elsewhere" });
    await expect(first.erase(theirs, "default", { alsoLater: false })).rejects.toMatchObject({ code: "elsewhere" });
    await expect(first.allScores({ tenantId: "default" }).next()).rejects.toMatchObject({ code: "elsewhere" });
    await second.stop();
    await isRunning(first);
    expect(await score(first, theirs)).toBe(10);
    await app.close();
  });

  it("takes a task back that somebody has fenced who is not in the group", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], TASKS);
    const told = new Told();
    const engine = await engines.start(app, { told });
    await isRunning(engine);
    const log = app.log();
    await log.open(taskOf(contacts[0]));
    await log.close();
    await engine.append([visit(contacts[0], 1)]);
    await until(() => told.text.includes("was taken over"));
    await isRunning(engine);
    await until(async () => (await score(engine, contacts[0])) === 10);
    expect(await engines.published(app, taskOf(contacts[0]))).toEqual([`${contacts[0]} null->10`]);
    await app.close();
  });

  it("passes inputs on that lie in another contact's partition, once", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], TASKS);
    const engine = await engines.start(app);
    await isRunning(engine);
    // All of contact 0's lie in partition 1.
    await app.send("web", 1, [visit(contacts[0], 1), visit(contacts[0], 2), visit(contacts[1], 3)]);
    await until(async () => (await score(engine, contacts[0])) === 20);
    expect((await engine.metrics()).text).toContain("scorefold_rekeyed_inputs_total 2");
    expect(await engines.published(app, 0)).toEqual([`${contacts[0]} null->10`, `${contacts[0]} 10->20`]);
    expect(await engines.published(app, 1)).toEqual([`${contacts[1]} null->10`]);
    await app.close();
  });

  it("makes a lost store anew from the topics, and publishes nothing twice", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], TASKS);
    const engine = await engines.start(app);
    await isRunning(engine);
    await engine.append([1, 2, 3, 4].flatMap((n) => contacts.map((contact) => visit(contact, n))));
    await until(async () => (await score(engine, contacts[0])) === 40 && (await score(engine, contacts[1])) === 40);
    const all = async (from: KafkaEngine): Promise<string> => {
      const lines = [];
      for await (const some of from.allScores({ tenantId: "default" })) lines.push(...some);
      return JSON.stringify(lines);
    };
    const before = await all(engine);
    await engine.stop();
    const again = await engines.start(app, { data: "another disk" });
    await isRunning(again);
    expect(await all(again)).toBe(before);
    await again.append([visit(contacts[0], 5)]);
    await until(async () => (await score(again, contacts[0])) === 50);
    expect(await engines.published(app, 0)).toEqual(
      [null, 10, 20, 30, 40].map((from) => `${contacts[0]} ${from}->${(from ?? 0) + 10}`),
    );
    await app.close();
  });

  it("makes stores anew whose directory is removed while it runs, says so, and publishes nothing twice", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], TASKS);
    const told = new Told();
    const engine = await engines.start(app, { told });
    await isRunning(engine);
    await engine.append(contacts.map((contact) => visit(contact, 1)));
    await bothAt(engine, 10);
    const tasks = join(engines.path, "tasks");
    rmSync(engines.path, { recursive: true });
    // Nothing has to come for it to be noticed.
    await until(() => [0, 1].every((task) => existsSync(join(tasks, String(task)))));
    expect(JSON.stringify(told.lines)).toMatch(
      /tasks\/0 is not the one any more that this engine has open: .*folded again from the log/,
    );
    await isRunning(engine);
    expect(statSync(tasks).mode & 0o777).toBe(0o700);
    await engine.append(contacts.map((contact) => visit(contact, 2)));
    await bothAt(engine, 20);
    for (const [task, contact] of contacts.entries())
      expect(await engines.published(app, task)).toEqual([`${contact} null->10`, `${contact} 10->20`]);
    await app.close();
  });

  it("does not start a task of which the cluster has forgotten how far it was, until it is told", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], TASKS);
    const engine = await engines.start(app);
    await isRunning(engine);
    await engine.append(contacts.map((contact) => visit(contact, 1)));
    await until(async () => (await score(engine, contacts[0])) === 10 && (await score(engine, contacts[1])) === 10);
    const options = {
      directory: await DataDirectory.open(engines.path),
      kafka,
      app: app.id,
      inputTopics: app.inputTopics,
      outputTopics: app.outputTopics,
    };
    const how = { ...options, isHistoryLocal: false, publishedUntil: "store" as const };
    await expect(recover(how)).rejects.toThrow(/has 1 members; stop/);
    await engine.stop();
    // As after a week without members.
    await admin.deleteGroups([app.id]);
    const lost = await engines.start(app);
    await until(() => lost.taskStatuses().every(({ state }) => state === "failed"));
    expect(lost.status).toMatchObject({ state: "failed", isReady: false, isUp: true });
    await expect(lost.allScores({ tenantId: "default" }).next()).rejects.toMatchObject({ code: "stopping" });
    expect(lost.status.detail).toMatch(/committed offsets are forgotten.*scorefold recover/s);
    await lost.stop();
    const recovered = await recover(how);
    expect(recovered.map(({ offsets }) => offsets?.get(app.named("web")))).toEqual([1, 1]);
    expect((await recover(how)).map(({ offsets }) => offsets)).toEqual([null, null]);
    const again = await engines.start(app);
    await isRunning(again);
    await again.append(contacts.map((contact) => visit(contact, 2)));
    await until(async () => (await score(again, contacts[0])) === 20 && (await score(again, contacts[1])) === 20);
    expect(await engines.published(app, 0)).toEqual([`${contacts[0]} null->10`, `${contacts[0]} 10->20`]);
    await app.close();
  });

  it("publishes what other models make of contacts once, also where it has never run those of before", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], TASKS);
    const second = compiled(
      "model: lead\nversion: 2\ndimensions: { score: { min: 0, max: 1000 } }\nrules:\n" +
        "  - { id: visits, when: web.page_viewed, points: 30 }\n",
    );
    const engine = await engines.start(app);
    await isRunning(engine);
    await engine.append(contacts.map((contact) => visit(contact, 1)));
    await until(async () => (await score(engine, contacts[0])) === 10 && (await score(engine, contacts[1])) === 10);
    await engine.stop();
    // Another host, with other models, and nothing on its disk.
    const other = await engines.start(app, { data: "other", models: [second] });
    await isRunning(other);
    expect([await score(other, contacts[0]), await score(other, contacts[1])]).toEqual([30, 30]);
    await other.append(contacts.map((contact) => visit(contact, 2)));
    await until(async () => (await score(other, contacts[0])) === 60 && (await score(other, contacts[1])) === 60);
    await other.stop();
    // The first one again: its store knows nothing of the change.
    const told = new Told();
    const back = await engines.start(app, { models: [second], told });
    await isRunning(back);
    expect(told.text).toContain("left behind by a change of models elsewhere");
    await back.append(contacts.map((contact) => visit(contact, 3)));
    await until(async () => (await score(back, contacts[0])) === 90 && (await score(back, contacts[1])) === 90);
    for (const task of [0, 1])
      expect(await engines.published(app, task)).toEqual(
        ["null->10", "10->30", "30->60", "60->90"].map((one) => `${contacts[task]} ${one}`),
      );
    // The same version with other content is none.
    const edited = compiled("model: lead\nversion: 2\nrules: [{ id: visits, when: web.page_viewed, points: 31 }]\n");
    const wrong = await engines.start(app, { data: "wrong", models: [edited] });
    await until(() => wrong.taskStatuses().some(({ state }) => state === "failed"));
    expect(wrong.status.detail).toContain(
      "lead@2: another process of the application runs this version with other content",
    );
    await app.close();
  });

  it("refuses stores of topics that were made anew", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web", "email"], TASKS);
    const engine = await engines.start(app);
    await isRunning(engine);
    await engine.append(contacts.map((contact) => visit(contact, 1)));
    await until(async () => (await score(engine, contacts[0])) === 10 && (await score(engine, contacts[1])) === 10);
    await engine.stop();
    await admin.deleteTopics({ topics: [app.named("web")] });
    await until(async () => !(await admin.listTopics()).includes(app.named("web")));
    await app.makeInput("web", TASKS);
    const anew = await engines.start(app);
    await until(
      () => anew.taskStatuses().length === TASKS && anew.taskStatuses().every(({ state }) => state === "failed"),
    );
    expect(anew.status.detail).toMatch(/web-\d was deleted and made anew, has 0 to 0 now/);
    await app.close();
  });
});

describe.skipIf(connected === null)("topics that won't do", () => {
  it("are told all at once", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], TASKS);
    await app.makeInput("email", TASKS + 1);
    await app.makeInput("short", TASKS, [
      { name: "retention.ms", value: "3600000" },
      { name: "cleanup.policy", value: "compact,delete" },
    ]);
    const inputTopics = ["web", "email", "short", "gone"].map((name) => app.named(name));
    const started = engines.start(app, { inputTopics });
    await expect(started).rejects.toMatchObject({ code: "config-invalid" });
    const lines = await started.catch((error: Error) => error.message.split("\n"));
    expect(lines).toEqual([
      expect.stringContaining(`${app.named("gone")} is not there; \`scorefold topics apply\` makes it`),
      expect.stringMatching(/equal numbers of partitions.*web has 2, .*email has 3, .*short has 2/),
      expect.stringContaining("score-changed has 2 partitions, fewer than the 3"),
      expect.stringContaining("threshold-crossed has 2 partitions, fewer than the 3"),
      expect.stringContaining("dead-letters has 2 partitions, fewer than the 3"),
      expect.stringContaining("short is compacted"),
      expect.stringMatching(/short drops inputs \(retention.ms=3600000\).*--history local/),
    ]);
    await app.close();
  });

  it("may be so where the stores are said to be the history", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], TASKS, [{ name: "retention.ms", value: "3600000" }]);
    const told = new Told();
    await expect(engines.start(app)).rejects.toMatchObject({ code: "config-invalid" });
    const engine = await engines.start(app, { isHistoryLocal: true, told });
    expect(told.text).toContain("the stores are the only copies");
    // What was scored goes from the topic; then a lost store can't be made anew, and that is told.
    await isRunning(engine);
    await engine.append(contacts.map((contact) => visit(contact, 1)));
    await until(async () => (await score(engine, contacts[0])) === 10 && (await score(engine, contacts[1])) === 10);
    await engine.stop();
    await admin.fetchTopicMetadata({ topics: [app.named("web")] });
    await admin.deleteTopicRecords({
      topic: app.named("web"),
      partitions: [0, 1].map((partition) => ({ partition, offset: "1" })),
    });
    const lost = await engines.start(app, { isHistoryLocal: true, data: "lost" });
    await until(
      () => lost.taskStatuses().length === TASKS && lost.taskStatuses().every(({ state }) => state === "failed"),
    );
    expect(lost.status.detail).toMatch(/web-\d has \d+ to \d+ now, and was read up to 0: what is between is gone/);
    await lost.stop();
    const kept = await engines.start(app, { isHistoryLocal: true });
    await isRunning(kept);
    expect(await score(kept, contacts[0])).toBe(10);
    await app.close();
  });
});
