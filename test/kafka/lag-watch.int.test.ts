/** How far tasks are behind, as a real broker says it, whoever has them. */
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { LagWatch, type LagWatchOptions } from "../../src/kafka/lag-watch.js";
import { connectedKafka, KafkaApp } from "./kafka-app.js";

const connected = await connectedKafka();
const { kafka, admin } = connected ?? ({} as NonNullable<typeof connected>);
const HOUR = 3_600_000;
/** Producers say when: so an age is known without waiting for it. */
const createTime = [{ name: "message.timestamp.type", value: "CreateTime" }];

let watches: LagWatch[] = [];
afterEach(async () => {
  await Promise.all(watches.map((watch) => watch.close()));
  watches = [];
});
afterAll(async () => await connected?.admin.disconnect());

function watched(app: KafkaApp, over: Partial<LagWatchOptions> = {}): LagWatch {
  const watch = new LagWatch({
    kafka,
    groupId: app.id,
    topics: app.inputTopics,
    tasks: 2,
    own: () => [0],
    memberId: () => null,
    // The first time a coordinator is still loading.
    onFailed: () => undefined,
    lookMs: 50,
    ...over,
  });
  watches.push(watch);
  return watch;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function send(app: KafkaApp, name: string, partition: number, timestamps: readonly number[]): Promise<void> {
  const messages = timestamps.map((at) => ({ partition, value: "{}", timestamp: String(at) }));
  await app.producer.send({ topic: app.named(name), messages });
}

describe.skipIf(connected === null)("the lag that a broker tells", () => {
  it("goes from what is committed to the end, and says when the first of it came", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web", "email"], 2, createTime);
    const now = Date.now();
    await send(app, "web", 0, [now - 5 * HOUR, now - 4 * HOUR]);
    await send(app, "web", 0, [now - 3 * HOUR]);
    await send(app, "email", 0, [now - 2 * HOUR]);
    const watch = watched(app);
    expect([watch.of(0), watch.unassigned]).toEqual([null, []]);
    const [web, email] = [app.named("web"), app.named("email")];
    // Nothing is committed: all of it waits.
    await until(() => watch.of(0)?.oldest.size === 2);
    expect([...watch.of(0)!.positions]).toEqual([
      [web, 0],
      [email, 0],
    ]);
    expect(watch.of(0)!.ends).toEqual(
      new Map([
        [web, 3],
        [email, 1],
      ]),
    );
    expect(watch.of(0)!.oldest).toEqual(
      new Map([
        [web, now - 5 * HOUR],
        [email, now - 2 * HOUR],
      ]),
    );
    const log = app.log();
    const task = await log.open(0);
    const offsets = new Map([
      [web, 2],
      [email, 1],
    ]);
    await task.publish({ offsets, metadata: "m", outputs: [], deadLetters: [] });
    await log.close();
    await until(() => watch.of(0)?.oldest.get(web) === now - 3 * HOUR);
    expect(watch.of(0)!.positions).toEqual(offsets);
    expect(watch.of(0)!.oldest.has(email)).toBe(false);
    await app.close();
  });

  it("steps over what was aborted, and over what is gone from the topic", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], 2, createTime);
    const now = Date.now();
    const producer = kafka.producer({
      transactionalId: `${app.id}.upstream`,
      idempotent: true,
      maxInFlightRequests: 1,
    });
    await producer.connect();
    const aborted = await producer.transaction();
    const message = (at: number) => ({ partition: 0, value: "{}", timestamp: String(at) });
    await aborted.send({ topic: app.named("web"), messages: [message(now - 9 * HOUR)] });
    await aborted.abort();
    await producer.disconnect();
    await send(app, "web", 0, [now - HOUR]);
    const watch = watched(app);
    await until(() => watch.of(0)?.oldest.size === 1);
    expect([...watch.of(0)!.oldest.values()]).toEqual([now - HOUR]);
    await send(app, "web", 0, [now]);
    await admin.deleteTopicRecords({ topic: app.named("web"), partitions: [{ partition: 0, offset: "3" }] });
    await until(() => watch.of(0)?.oldest.get(app.named("web")) === now);
    await app.close();
  });

  it("is shown of tasks that nobody has: by all while the group is empty, then by its first member", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], 2, createTime);
    const now = Date.now();
    await send(app, "web", 1, [now - HOUR, now]);
    const watch = watched(app);
    await until(() => watch.of(1)?.oldest.size === 1);
    // Task 0 is this process's own, whatever the group says.
    expect(watch.unassigned).toEqual([1]);
    // A member that has nothing of what is asked for: with another topic.
    await app.makeInput("other", 2);
    const consumer = kafka.consumer({ groupId: app.id });
    const joined = new Promise<string>((resolve) =>
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => resolve(payload.memberId)),
    );
    await consumer.connect();
    await consumer.subscribe({ topics: [app.named("other")] });
    await consumer.run({ eachMessage: async () => undefined });
    const member = await joined;
    await until(() => watch.unassigned.length === 0);
    const first = watched(app, { own: () => [], memberId: () => member, tasks: 3 });
    await until(() => first.unassigned.length === 1);
    expect(first.unassigned).toEqual([2]);
    await consumer.disconnect();
    await app.close();
  });
});
