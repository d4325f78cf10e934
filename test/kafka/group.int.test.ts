/** Members of a group on a real broker: each task is somebody's, partitions of one number stay together. */
import { randomUUID } from "node:crypto";
import { connect, type Socket } from "node:net";
import { afterAll, afterEach, expect, it } from "vitest";
import { Group, letGo } from "../../src/kafka/group.js";
import { kafkajs } from "../../src/kafka/kafkajs.js";
import { addressOf } from "../components/component.js";
import { outputOf } from "../stream/log.contract.js";
import { connectedKafka, KafkaApp, makeTopics } from "./kafka-app.js";

const connected = await connectedKafka();
const { kafka, admin } = connected ?? ({} as NonNullable<typeof connected>);
let members: Group[] = [];

afterEach(async () => {
  await Promise.all(members.map((member) => member.leave()));
  members = [];
});

afterAll(async () => {
  await connected?.admin.disconnect();
});

/** A member that tells when it has been assigned what is wanted. */
function member(groupId: string, topics: readonly string[], stores: readonly number[] = []) {
  let look: () => void = () => undefined;
  const names: string[] = [];
  const group = new Group({
    kafka,
    groupId,
    topics,
    stores: () => stores,
    heartbeatMs: 200,
    onJoined: (id) => names.push(id),
    onAssigned: () => look(),
    onFailed: (error) => {
      throw error;
    },
  });
  members.push(group);
  const has = async (isWanted: (tasks: readonly number[]) => boolean): Promise<readonly number[]> =>
    await new Promise((resolve) => {
      look = () => {
        if (isWanted(group.tasks)) resolve(group.tasks);
      };
      look();
    });
  return { group, has, names };
}

it.skipIf(connected === null)("takes transactions of a member's tasks, with their offsets", async () => {
  const app = await KafkaApp.make(kafka, admin, ["inputs"], 2);
  const { group } = member(app.id, app.inputTopics);
  await group.join();
  const log = app.log();
  const task = await log.open(1);
  const offsets = new Map([[app.inputTopics[0]!, 0]]);
  await task.publish({ offsets, metadata: "m", outputs: [outputOf(1)], deadLetters: [] });
  await task.close();
  const again = await log.open(1);
  expect(await again.committed()).toEqual({ offsets, marks: new Map(), metadata: "m" });
  expect(await app.read("score-changed", 1)).toHaveLength(1);
  // Membership is as before.
  while (!(await group.owns(1)));
  await log.close();
  await app.close();
});

it.skipIf(connected === null)(
  "shares the tasks of several topics, goes to who has the stores, and moves back when a member leaves",
  async () => {
    const groupId = `group-${randomUUID()}`;
    const topics = [`${groupId}.a`, `${groupId}.b`];
    await makeTopics(
      admin,
      topics.map((topic) => ({ topic, numPartitions: 6 })),
    );
    const first = member(groupId, topics);
    await first.group.join();
    expect(first.group.tasks).toEqual([0, 1, 2, 3, 4, 5]);
    // A generation may end while it is asked: topics that are new make the group join once more.
    while (!(await first.group.owns(3)));
    const second = member(groupId, topics, [4, 5]);
    await second.group.join();
    const left = await first.has(({ length }) => length === 3);
    const others = await second.has(({ length }) => length === 3);
    expect([...left, ...others].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await first.group.owns(others[0]!)).toBe(false);
    await second.group.leave();
    expect(await first.has(({ length }) => length === 6)).toEqual([0, 1, 2, 3, 4, 5]);
    const description = await admin.describeGroups([groupId]);
    expect(description.groups[0]?.members).toHaveLength(1);
  },
);

it.skipIf(connected === null)(
  "is a member again where it was taken for dead, and joining has failed once",
  async () => {
    const groupId = `group-${randomUUID()}`;
    await makeTopics(admin, [{ topic: groupId, numPartitions: 2 }]);
    const { group, has, names } = member(groupId, [groupId]);
    await group.join();
    const { load } = kafkajs();
    const { prototype } = load("src/consumer/consumerGroup.js") as {
      readonly prototype: { joinAndSync: (this: unknown) => Promise<void> };
    };
    const { KafkaJSConnectionError } = load("src/errors.js") as {
      readonly KafkaJSConnectionError: new (text: string) => Error;
    };
    const { joinAndSync } = prototype;
    let failed = 0;
    prototype.joinAndSync = async function (): Promise<void> {
      if (failed === 0) {
        failed += 1;
        throw new KafkaJSConnectionError("the broker is going down");
      }
      await joinAndSync.call(this);
    };
    try {
      const before = names.length;
      await letGo(kafka, groupId, [names.at(-1)!]);
      await has(() => names.length > before);
      expect(failed).toBe(1);
      expect(await group.owns(1)).toBe(true);
    } finally {
      prototype.joinAndSync = joinAndSync;
    }
  },
);

it.skipIf(connected === null)(
  "stays away once it has left, whatever becomes of its connections meanwhile",
  async () => {
    const groupId = `group-${randomUUID()}`;
    await makeTopics(admin, [{ topic: groupId, numPartitions: 2 }]);
    const sockets: Socket[] = [];
    const { Kafka, logLevel } = kafkajs().kafkajs;
    const breakable = new Kafka({
      brokers: [await addressOf("kafka")],
      logLevel: logLevel.NOTHING,
      socketFactory: ({ host, port, onConnect }) => {
        const socket = connect({ host, port }, onConnect);
        sockets.push(socket);
        return socket;
      },
    });
    const assigned: number[][] = [];
    const leaver = new Group({
      kafka: breakable,
      groupId,
      topics: [groupId],
      stores: () => [],
      sessionMs: 6_000,
      heartbeatMs: 100,
      onAssigned: (tasks) => void assigned.push([...tasks]),
      onFailed: () => undefined,
    });
    await leaver.join();
    const leaving = leaver.leave();
    // As where a broker goes away in the middle of it: the client takes that for a crash, and begins anew.
    for (const socket of sockets) socket.destroy(new Error("gone"));
    await leaving.catch(() => undefined);
    const other = member(groupId, [groupId]);
    await other.group.join();
    await other.has(({ length }) => length === 2);
    // A client that begins anew does so after 300 ms, and would join in one of these heartbeats.
    for (let beats = 0; beats < 8; beats++) expect(await other.group.owns(0)).toBe(true);
    expect([other.group.tasks, leaver.tasks, assigned]).toEqual([[0, 1], [], [[0, 1]]]);
  },
);
