/** What an application finds when it starts, on a real broker. */
import type { Admin, Kafka } from "kafkajs";
import { afterAll, describe, expect, it, vi } from "vitest";
import { internalTopics } from "../../src/kafka/internal-topics.js";
import { openCluster } from "../../src/kafka/start.js";
import { connectedKafka, KafkaApp, makeTopics } from "./kafka-app.js";

const connected = await connectedKafka();
const { kafka, admin } = connected ?? ({} as NonNullable<typeof connected>);

afterAll(async () => {
  await connected?.admin.disconnect();
});

/** A client whose admins tell how often they look at topics. */
function watched(looks: (name: string) => void): Kafka {
  const own = (): Admin => {
    const made = kafka.admin();
    for (const name of ["describeConfigs", "createTopics"] as const) {
      const call = made[name].bind(made) as (of: never) => Promise<never>;
      vi.spyOn(made, name).mockImplementation(async (of: unknown) => {
        looks(name);
        return await call(of as never);
      });
    }
    return made;
  };
  return new Proxy(kafka, { get: (target, key) => (key === "admin" ? own : Reflect.get(target, key)) });
}

describe.skipIf(connected === null)("an application that starts", () => {
  it("makes what it has for itself the first time, and then looks once", async () => {
    const app = await KafkaApp.make(kafka, admin, ["visits"], 2);
    await app.close();
    const checked = { inputs: app.inputTopics, outputs: app.outputTopics, isHistoryLocal: false };
    const asked: string[] = [];
    const open = async () =>
      await openCluster(
        watched((name) => void asked.push(name)),
        app.id,
        checked,
        "murmur2",
      );
    const { tasks, internal, topicIds } = await open();
    expect(tasks).toBe(2);
    expect([...topicIds.keys()].sort()).toEqual([internal.rekeyed, ...app.inputTopics].sort());
    expect(asked.splice(0)).toEqual(["describeConfigs", "createTopics", "describeConfigs"]);
    expect((await open()).topicIds).toEqual(topicIds);
    expect(asked).toEqual(["describeConfigs"]);
  });

  it("refuses what another process has made for it with another count", async () => {
    const app = await KafkaApp.make(kafka, admin, ["visits"], 2);
    await app.close();
    const { rekeyed } = internalTopics(app.id);
    await makeTopics(admin, [
      { topic: rekeyed, numPartitions: 3, configEntries: [{ name: "retention.ms", value: "-1" }] },
    ]);
    const checked = { inputs: app.inputTopics, outputs: app.outputTopics, isHistoryLocal: false };
    await expect(openCluster(kafka, app.id, checked, "murmur2")).rejects.toMatchObject({
      code: "config-invalid",
      message: expect.stringContaining(`${rekeyed} has 3`),
    });
  });
});
