/** Kafka as a log, on a real broker. */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { encodeOutput } from "../../src/events/encode.js";
import { describeLog, fromOffset, type LogUnderTest, outputOf } from "../stream/log.contract.js";
import { connectedKafka, KafkaApp } from "./kafka-app.js";

const connected = await connectedKafka();
const { kafka, admin } = connected ?? ({} as NonNullable<typeof connected>);

afterAll(async () => {
  await connected?.admin.disconnect();
});

async function make(): Promise<LogUnderTest> {
  const app = await KafkaApp.make(kafka, admin, ["inputs", "more"], 1);
  let log = app.log();
  return {
    log,
    append: async (lines) => await app.send("inputs", 0, lines),
    read: async (topic) => await app.read(topic),
    passTime: async (ms) => await pause(ms),
    reopen: async () => {
      await log.close();
      log = app.log();
      return log;
    },
    dropBefore: async (offset) => {
      const partitions = [{ partition: 0, offset: String(offset) }];
      const topic = app.named("inputs");
      // The client deletes only where it knows the leader, and does not ask for it.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions });
    },
    remove: async () => {
      await log.close();
      await app.close();
    },
  };
}

describe.skipIf(connected === null)("on a broker", () => {
  describeLog("Kafka", make);

  it("takes only what can be read for published", async () => {
    const app = await KafkaApp.make(kafka, admin, ["inputs"], 1);
    const log = app.log();
    const task = await log.open(0);
    expect(await task.hasPublished()).toBe(false);
    expect(await task.committed()).toBeNull();
    const transactionalId = `${app.id}.crashed`;
    const crashed = kafka.producer({ transactionalId, maxInFlightRequests: 1, idempotent: true });
    await crashed.connect();
    const transaction = await crashed.transaction();
    await transaction.send({ topic: app.named("score-changed"), messages: [{ partition: 0, value: "never" }] });
    // Begun again, it is over also in the eyes of those who read.
    const next = kafka.producer({ transactionalId, maxInFlightRequests: 1, idempotent: true });
    await next.connect();
    await (await next.transaction()).abort();
    await Promise.all([crashed.disconnect(), next.disconnect()]);
    expect(await task.hasPublished()).toBe(false);
    await task.publish({ offsets: fromOffset(log, 0), metadata: "", outputs: [outputOf(1)], deadLetters: [] });
    // A broker answers a commit before everybody can read it.
    await expect.poll(async () => await task.hasPublished()).toBe(true);
    await log.close();
    await app.close();
  });

  it("lets no task be opened while it is closed", async () => {
    const app = await KafkaApp.make(kafka, admin, ["inputs"], 1);
    const log = app.log();
    const opening = log.open(0).catch((error: unknown) => error);
    await log.close();
    expect(await opening).toMatchObject({ code: "stopping" });
    await app.close();
  });

  it("ends a fetch that waits when it is closed, and closes once", async () => {
    const under = await make();
    const task = await under.log.open(0);
    const limits = { bytesMax: 1e6, recordsMax: 10, waitMs: 60_000 };
    const waiting = task.fetch(fromOffset(under.log, 0), limits).catch((error: unknown) => error);
    await Promise.all([task.close(), under.log.close()]);
    expect(await waiting).toMatchObject({ code: "stopping" });
    await under.remove();
  });

  it("publishes megabytes of text of which a character takes three bytes", async () => {
    const under = await make();
    const task = await under.log.open(0);
    const contactId = "\u4eba".repeat(80);
    const outputs = Array.from({ length: 3000 }, (_, i) => ({ ...outputOf(i), contactId }));
    await task.publish({ offsets: fromOffset(under.log, 0), metadata: "", outputs, deadLetters: [] });
    expect(await under.read("score-changed")).toEqual(outputs.map(encodeOutput));
    await under.remove();
  });
});
