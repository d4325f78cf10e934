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
