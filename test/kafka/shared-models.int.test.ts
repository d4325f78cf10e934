/** Models on a topic, as the processes of an application learn them from each other. */
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { KafkaModels } from "../../src/kafka/shared-models.js";
import { drained } from "./drain.js";
import { connectedKafka, makeTopics } from "./kafka-app.js";

const connected = await connectedKafka();
const topic = `models-${randomUUID()}`;
const texts = new Map([
  ["lead@1", "model: lead"],
  ["fit@2", "model: fit"],
]);

afterAll(async () => {
  await connected?.admin.deleteTopics({ topics: [topic] });
  await connected?.admin.disconnect();
});

describe.skipIf(connected === null)("models of an application", () => {
  it("are found by another process, and are written once", async () => {
    const { kafka, admin } = connected!;
    await makeTopics(admin, [{ topic, numPartitions: 1 }]);
    const [one, other] = [new KafkaModels(kafka, topic), new KafkaModels(kafka, topic)];
    expect(await one.textsOf("set")).toBeNull();
    await Promise.all([one.learn("set", texts), one.learn("set", texts)]);
    expect(await other.textsOf("set")).toEqual(texts);
    expect(await other.textsOf("another set")).toBeNull();
    await other.learn("set", texts);
    await other.learn("fit alone", new Map([["fit@2", "model: fit"]]));
    expect(await one.textsOf("fit alone")).toEqual(new Map([["fit@2", "model: fit"]]));
    expect(await drained(kafka, topic)).toEqual([...texts.values(), '["lead@1","fit@2"]', '["fit@2"]']);
  });

  it("are refused with other content", async () => {
    const { kafka } = connected!;
    const changed = new Map([...texts, ["lead@1", "model: lead, changed"]]);
    await expect(new KafkaModels(kafka, topic).learn("changed", changed)).rejects.toMatchObject({
      code: "model-changed",
      message: expect.stringContaining("lead@1: another process"),
    });
  });
});
