/** Topics made and compared on a real broker. */
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { loadTopology } from "../../src/cli/topic-files.js";
import {
  applyTopics,
  compareTopics,
  describeTopics,
  type TopicReport,
  waitForTopics,
  withAdmin,
} from "../../src/kafka/admin.js";
import { connectKafka } from "../../src/kafka/client.js";
import { checkTopics, lookAtTopics } from "../../src/kafka/topic-check.js";
import type { TopicDefinition } from "../../src/topics/types.js";
import { topicOf } from "../topics/given.js";
import { connectedKafka } from "./kafka-app.js";

const connected = await connectedKafka();
const { kafka, admin } = connected ?? ({} as NonNullable<typeof connected>);
const making = { replication: null, isDryRun: false };

afterAll(async () => {
  await connected?.admin.disconnect();
});

function topic(name: string, partitions: number, config: string): TopicDefinition {
  return topicOf(`name: ${name}\nrole: input\npartitions: ${partitions}\nconfig: { ${config} }\n`);
}

function outcomes(reports: readonly TopicReport[]): string[] {
  return reports.map(({ outcome }) => outcome);
}

describe.skipIf(connected === null)("topics on a broker", () => {
  const keep = "retention.ms: -1, message.timestamp.type: LogAppendTime";

  it("are made once, with their settings, and ready as soon as that is told", async () => {
    const topics = ["a", "b"].map((one) => topic(`admin-${randomUUID()}-${one}`, 3, keep));
    expect(outcomes(await compareTopics(admin, topics))).toEqual(["missing", "missing"]);
    const dry = await applyTopics(admin, topics, { ...making, isDryRun: true });
    expect(outcomes(dry)).toEqual(["missing", "missing"]);
    const made = await applyTopics(admin, topics, making);
    expect(outcomes(made)).toEqual(["created", "created"]);
    expect(made[0]?.state).toMatchObject({ partitions: 3, replication: 1 });
    expect(Object.fromEntries(made[0]!.state!.config)).toEqual({
      "retention.ms": "-1",
      "cleanup.policy": "delete",
      "message.timestamp.type": "LogAppendTime",
      "max.message.bytes": "1048588",
    });
    const producer = kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 0 } });
    await producer.connect();
    for (const { name } of topics)
      await producer.send({ topic: name, messages: [0, 1, 2].map((partition) => ({ partition, value: "{}" })) });
    await producer.disconnect();
    expect(outcomes(await applyTopics(admin, topics, making))).toEqual(["same", "same"]);
  });

  it("are left as they are where they differ, while what is missing is made", async () => {
    const name = `admin-${randomUUID()}`;
    const lists = topic(name, 2, `${keep}, cleanup.policy: "compact,delete", min.cleanable.dirty.ratio: 0.50`);
    await applyTopics(admin, [lists], making);
    const sameInOtherWords = topic(name, 2, 'cleanup.policy: "delete,compact", min.cleanable.dirty.ratio: 0.5');
    const other = topic(name, 5, `retention.ms: 5000, message.timestamp.type: LogAppendTime, x.y: 1`);
    const missing = topic(`${name}-new`, 1, keep);
    const reports = await applyTopics(admin, [other, missing], making);
    expect(outcomes(reports)).toEqual(["differs", "created"]);
    expect(reports[0]?.differences).toEqual([
      { setting: "partitions", wanted: "5", found: "2" },
      { setting: "retention.ms", wanted: "5000", found: "-1" },
      { setting: "x.y", wanted: "1", found: null },
    ]);
    const after = await describeTopics(admin, [name]);
    expect(after.get(name)).toMatchObject({ partitions: 2 });
    expect(after.get(name)?.config.get("retention.ms")).toBe("-1");
    expect(outcomes(await compareTopics(admin, [sameInOtherWords]))).toEqual(["same"]);
  });

  it("that somebody else makes at the same moment are no error", async () => {
    const shared = Array.from({ length: 4 }, () => topic(`admin-${randomUUID()}`, 2, keep));
    const sets = [[], [], [topic(`admin-${randomUUID()}`, 2, keep)]].map((own) => [...shared, ...own]);
    const reports = await Promise.all(
      sets.map(async (topics) => await withAdmin(kafka, async (own) => await applyTopics(own, topics, making))),
    );
    const made = reports.flatMap(outcomes);
    expect(made.filter((one) => one === "created")).toHaveLength(shared.length + 1);
    expect(made.filter((one) => one === "same")).toHaveLength(2 * shared.length);
  });

  it.each([true, false])("that the broker refuses are told with its reason (dry run: %s)", async (isDryRun) => {
    const good = topic(`admin-${randomUUID()}`, 1, keep);
    const bad = topic(`admin-${randomUUID()}`, 1, "no.such.setting: 1");
    const error = await applyTopics(admin, [good, bad], { ...making, isDryRun }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "log-failed" });
    const lines = (error as Error).message.split("\n");
    expect(lines[0]).toBe(`topic ${bad.name} can't be made: Unknown topic config name: no.such.setting`);
    expect(lines.slice(1)).toEqual(isDryRun ? [] : [`(made: ${good.name})`]);
    if (!isDryRun) await waitForTopics(admin, [good.name]);
    expect((await describeTopics(admin, [good.name, bad.name])).size).toBe(isDryRun ? 0 : 1);
  });

  it("that are shipped are such that an engine starts on them", async () => {
    const { inputs, scoreChanged, thresholdCrossed, deadLetters } = loadTopology(null);
    const prefix = `admin-${randomUUID()}.`;
    const shipped = [...inputs, scoreChanged, thresholdCrossed, deadLetters];
    const topics = shipped.map((own) => ({ ...own, name: `${prefix}${own.name}`, partitions: 2 }));
    await applyTopics(admin, topics, making);
    const outputs = {
      scoreChanged: `${prefix}${scoreChanged.name}`,
      thresholdCrossed: `${prefix}${thresholdCrossed.name}`,
      deadLetters: `${prefix}${deadLetters.name}`,
    };
    const checked = { inputs: inputs.map(({ name }) => `${prefix}${name}`), outputs, isHistoryLocal: false };
    const found = await lookAtTopics(admin, [...checked.inputs, ...Object.values(outputs)]);
    expect(checkTopics(found, checked)).toEqual({ tasks: 2, notices: [] });
  });

  it("can't have more copies than there are brokers", async () => {
    const topics = [topic(`admin-${randomUUID()}`, 1, keep)];
    await expect(applyTopics(admin, topics, { ...making, replication: 99 })).rejects.toThrow(/can't be made: .*99/);
  });
});

it("says which cluster can't be reached", async () => {
  const silent = { warn: () => undefined, debug: () => undefined };
  const nowhere = connectKafka({ brokers: ["127.0.0.1:1"], clientId: "test", tls: false, sasl: null }, silent);
  const error = await withAdmin(nowhere, async () => undefined).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "log-failed", message: expect.stringMatching(/127\.0\.0\.1:1/) });
});
