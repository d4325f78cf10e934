/** An application on topics, or a data directory, that are not those that its scores were made with, on a real broker. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
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
  score,
  TASKS,
  until,
  visit,
} from "./on-kafka.js";

const engines = new Engines();

async function grow(topics: readonly string[], count: number): Promise<void> {
  await admin.createPartitions({ topicPartitions: topics.map((topic) => ({ topic, count })) });
  await until(async () => {
    const { topics: found } = await admin.fetchTopicMetadata({ topics: [...topics] });
    return found.every(({ partitions }) => partitions.length === count);
  });
}

/** With a score of 10 for both contacts, published by an engine that has stopped. */
async function scored(): Promise<KafkaApp> {
  const app = await KafkaApp.make(kafka, admin, ["web"], TASKS);
  const engine = await engines.start(app);
  await isRunning(engine);
  await engine.append(contacts.map((contact) => visit(contact, 1)));
  await bothAt(engine, 10);
  await engines.stop();
  return app;
}

describe.skipIf(connected === null)("partitions added while no process runs", () => {
  it("keep everything from starting, with its store or without, and the way out that is told is one", async () => {
    const app = await scored();
    // The inputs alone; then all that somebody may add to who tries to put it right.
    for (const more of [[app.named("web")], Object.values(app.outputTopics), [internalTopics(app.id).rekeyed]]) {
      await grow(more, TASKS + 1);
      for (const data of ["", "another disk"]) {
        const started = engines.start(app, { data });
        await expect(started).rejects.toMatchObject({ code: "config-invalid" });
        await expect(started).rejects.toThrow(
          `were made with ${TASKS} partitions, and ${app.named("web")} has ${TASKS + 1}`,
        );
        await expect(started).rejects.toThrow(/The way out is a new application, over the same inputs/);
      }
    }
    expect(await engines.published(app, 0)).toEqual([`${contacts[0]} null->10`]);
    expect(await engines.published(app, TASKS)).toEqual([]);
    // Another name, another directory, other outputs; the inputs are those that are there.
    const anew = await KafkaApp.make(kafka, admin, [], TASKS + 1);
    const engine = await engines.start(anew, { inputTopics: app.inputTopics, data: "anew" });
    await isRunning(engine, TASKS + 1);
    await bothAt(engine, 10);
    await Promise.all([app.close(), anew.close()]);
  });

  it("also where only the application's own topic has them", async () => {
    const app = await scored();
    const { rekeyed } = internalTopics(app.id);
    await grow([rekeyed], TASKS + 1);
    await expect(engines.start(app)).rejects.toThrow(`${rekeyed} has ${TASKS + 1}`);
    await app.close();
  });

  it("are told where outputs have them, which hurts nothing", async () => {
    const app = await scored();
    await grow([app.named("score-changed")], TASKS + 1);
    const told = new Told();
    const engine = await engines.start(app, { told });
    await isRunning(engine);
    expect(told.text).toContain(`score-changed has ${TASKS + 1} partitions, and the inputs have ${TASKS}`);
    await engine.append([visit(contacts[0], 2)]);
    await until(async () => (await score(engine, contacts[0])) === 20);
    expect(await engines.published(app, 0)).toEqual([`${contacts[0]} null->10`, `${contacts[0]} 10->20`]);
    await app.close();
  });
});

describe.skipIf(connected === null)("another partitioner", () => {
  it("than that of the scores keeps everything from starting", async () => {
    const app = await scored();
    await expect(engines.start(app, { partitioner: "crc32" })).rejects.toThrow(
      /made with the partitioner murmur2, and this process has crc32.*start with --partitioner murmur2/,
    );
    await app.close();
  });
});

describe.skipIf(connected === null)("the data directory of another application", () => {
  it("is refused by name, and so are stores that somebody has brought from there", async () => {
    const app = await scored();
    const other = await KafkaApp.make(kafka, admin, ["calls"], TASKS);
    const started = engines.start(other);
    await expect(started).rejects.toMatchObject({ code: "directory-unusable" });
    await expect(started).rejects.toThrow(
      new RegExp(`of application ${app.id} on .*, and this is application ${other.id}`),
    );
    await rm(join(engines.path, "tasks", "application.json"));
    const engine = await engines.start(other);
    await until(
      () => engine.taskStatuses().length === TASKS && engine.taskStatuses().every(({ state }) => state === "failed"),
    );
    expect(engine.status.detail).toContain(`the store is that of application ${app.id} (`);
    expect(engine.status.detail).toContain(
      `and this is application ${other.id}: name the data directory of ${other.id}`,
    );
    expect(await engines.published(other, 0)).toEqual([]);
    await Promise.all([app.close(), other.close()]);
  });
});
