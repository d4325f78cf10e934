/**
 * A log on Kafka that is not the log it was: a partition that a disk was put back of, a topic made anew under a running
 * engine, inputs that retention has taken. Nothing is scored over the gap; what is said says how to go on.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lostPartition } from "../../src/engine/accept-loss.js";
import { DataDirectory } from "../../src/engine/directory.js";
import type { KafkaEngine } from "../../src/engine/kafka-engine.js";
import { recover } from "../../src/engine/recover.js";
import type { ScoreChanged } from "../../src/events/types.js";
import { connectKafka } from "../../src/kafka/client.js";
import { membersOf } from "../../src/kafka/offsets.js";
import { addressIfThere } from "../components/component.js";
import { type LocalBroker, ownBroker } from "../components/kafka/kafka.js";
import { KafkaApp } from "../kafka/kafka-app.js";
import { admin, connected, contacts, Engines, isRunning, kafka, score, TASKS, until, visit } from "./on-kafka.js";

const engines = new Engines();
const jars = connected === null ? null : await addressIfThere("kafka-jars");
const contact = contacts[0];

/** Visits of the first contact, which lie in partition 0, with numbers of their own. */
function visits(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => visit(contact, from + i));
}

/** Resolves when task 0 has failed. @returns with what */
async function failed(engine: KafkaEngine): Promise<string> {
  const own = () => engine.taskStatuses().find(({ task }) => task === 0);
  await until(() => own()?.state === "failed");
  return own()!.detail!;
}

/** Does what a failed task says, and nothing else. */
async function accept(app: KafkaApp, detail: string, path: string): Promise<void> {
  const command = /`scorefold recover((?: --accept-loss \S+)+)`/.exec(detail);
  expect(command, detail).not.toBeNull();
  // Who was a member before the broker was restarted may be one until its session ends.
  await until(async () => (await membersOf(app.kafka, app.id)) === 0);
  await recover({
    directory: await DataDirectory.open(path),
    kafka: app.kafka,
    app: app.id,
    inputTopics: app.inputTopics,
    outputTopics: app.outputTopics,
    isHistoryLocal: false,
    publishedUntil: null,
    accepted: command![1]!.trim().replaceAll("--accept-loss ", "").split(" ").map(lostPartition),
  });
}

/** The scores that were published, each after the one before. */
async function chain(app: KafkaApp): Promise<(number | null)[]> {
  const outputs = (await app.read("score-changed", 0)).map((text) => JSON.parse(text) as ScoreChanged);
  for (const [i, { previous }] of outputs.entries()) expect(previous).toBe(outputs[i - 1]?.current ?? null);
  return outputs.map(({ current }) => current);
}

describe.skipIf(jars === null)("a partition that was put back to an older copy", () => {
  let broker: LocalBroker;
  let remove: () => Promise<void>;
  let app: KafkaApp;
  let copies: string;

  beforeEach(async () => {
    ({ broker, remove } = await ownBroker(jars!));
    await broker.start();
    copies = mkdtempSync(join(tmpdir(), "scorefold-log-lost-"));
    const silent = { warn: () => undefined, debug: () => undefined };
    const own = connectKafka({ brokers: [broker.address], clientId: "test", tls: false, sasl: null }, silent);
    const its = own.admin();
    await its.connect();
    app = await KafkaApp.make(own, its, ["web"], TASKS);
  });
  afterEach(async () => {
    await engines.stop();
    await Promise.allSettled([app.close(), app.admin.disconnect()]);
    await remove();
    rmSync(copies, { recursive: true, force: true });
  });

  async function stopBroker(): Promise<void> {
    await broker.stop("SIGTERM");
  }

  /** Three inputs are in the copy, two more were scored. */
  async function scored(): Promise<KafkaEngine> {
    const first = await engines.start(app);
    await isRunning(first);
    await app.send("web", 0, visits(0, 3));
    await until(async () => (await score(first, contact)) === 30);
    await engines.stop();
    await stopBroker();
    cpSync(broker.partitionPath(app.named("web"), 0), join(copies, "web-0"), { recursive: true });
    await broker.start();
    const engine = await engines.start(app);
    await isRunning(engine);
    await app.send("web", 0, visits(100, 2));
    // Published, too: what is folded and not committed is nobody's loss.
    await until(async () => (await chain(app)).at(-1) === 50);
    return engine;
  }

  async function putBack(): Promise<void> {
    await stopBroker();
    const path = broker.partitionPath(app.named("web"), 0);
    rmSync(path, { recursive: true });
    cpSync(join(copies, "web-0"), path, { recursive: true });
    await broker.start();
  }

  it("and overtaken while the engine was stopped, is refused, and gone on from once a person has said so", async () => {
    await scored();
    await engines.stop();
    await putBack();
    // One by one: the offsets before 5 are others' now.
    for (const line of visits(200, 4)) await app.send("web", 0, [line]);
    const refused = await engines.start(app);
    const detail = await failed(refused);
    expect(detail).toContain(`${app.named("web")}-0 has 0 to 7 now, and was read up to 5: other records`);
    expect(detail).toMatch(/at most \d+ inputs are affected, of \S+Z to \S+Z/);
    await engines.stop();
    expect((await chain(app)).at(-1)).toBe(50);
    await accept(app, detail, engines.path);
    const again = await engines.start(app);
    await isRunning(again);
    // What was lost stays scored, all that came since is, and nothing twice.
    await until(async () => (await score(again, contact)) === 90);
    await engines.stop();
    expect((await chain(app)).at(-1)).toBe(90);
    const another = await engines.start(app);
    await isRunning(another);
    expect(another.taskStatuses().find(({ task }) => task === 0)!.losses).toMatchObject({
      count: 1,
      last: [{ topic: app.named("web"), kind: "other", position: 5, by: expect.stringContaining("@") }],
    });
    expect((await another.metrics()).text).toContain(`scorefold_accepted_losses{task="0"} 1`);
    expect(await score(another, contact)).toBe(90);
  }, 120_000);

  it("under a running engine is refused before anything of it is scored", async () => {
    const engine = await scored();
    await putBack();
    for (const line of visits(200, 4)) await app.send("web", 0, [line]);
    const detail = await failed(engine);
    expect(detail).toContain(`${app.named("web")}-0 has 0 to`);
    expect(detail).toMatch(/was read up to 5: (its end is gone|other records)/);
    await engines.stop();
    expect((await chain(app)).at(-1)).toBe(50);
  }, 120_000);
});

describe.skipIf(connected === null)("a topic", () => {
  it("made anew under a running engine is not read on from the old offset, and nothing is committed of it", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], TASKS);
    const engine = await engines.start(app);
    await isRunning(engine);
    await app.send("web", 0, visits(0, 2));
    await until(async () => (await score(engine, contact)) === 20);
    await admin.deleteTopics({ topics: [app.named("web")] });
    await until(async () => !(await admin.listTopics()).includes(app.named("web")));
    await app.makeInput("web", TASKS);
    for (const line of visits(100, 5)) await app.send("web", 0, [line]);
    const detail = await failed(engine);
    expect(detail).toContain(`${app.named("web")}-0 was deleted and made anew, has 0 to`);
    await engines.stop();
    expect((await chain(app)).at(-1)).toBe(20);
    const log = app.log();
    expect((await (await log.open(0)).committed())?.offsets.get(app.named("web")) ?? 2).toBe(2);
    await log.close();
    await app.close();
  });

  it("made anew while nobody ran is refused, and taken from its beginning once a person has said so", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], TASKS);
    const engine = await engines.start(app);
    await isRunning(engine);
    await app.send("web", 0, visits(0, 2));
    await until(async () => (await score(engine, contact)) === 20);
    await engines.stop();
    await admin.deleteTopics({ topics: [app.named("web")] });
    await until(async () => !(await admin.listTopics()).includes(app.named("web")));
    await app.makeInput("web", TASKS);
    // One of them was scored already: it is a duplicate.
    await app.send("web", 0, [...visits(300, 3), ...visits(1, 1)]);
    const refused = await engines.start(app);
    const detail = await failed(refused);
    expect(detail).toContain(`${app.named("web")}-0 was deleted and made anew, has 0 to 4`);
    await engines.stop();
    expect((await chain(app)).at(-1)).toBe(20);
    await accept(app, detail, engines.path);
    const again = await engines.start(app);
    await until(async () => again.status.isReady && (await score(again, contact)) === 50);
    await engines.stop();
    expect((await chain(app)).at(-1)).toBe(50);
    await app.close();
  });

  it("whose retention has taken what was not read yet says what, and goes on behind it once that is accepted", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], TASKS);
    const engine = await engines.start(app);
    await isRunning(engine);
    await app.send("web", 0, visits(0, 2));
    await until(async () => (await score(engine, contact)) === 20);
    await engines.stop();
    for (const line of visits(100, 4)) await app.send("web", 0, [line]);
    await admin.fetchTopicMetadata({ topics: [app.named("web")] });
    await admin.deleteTopicRecords({ topic: app.named("web"), partitions: [{ partition: 0, offset: "4" }] });
    const detail = await failed(await engines.start(app));
    expect(detail).toMatch(/web-0 has 4 to 6 now, and was read up to 2: what is between is gone.*at most 2 inputs/);
    await engines.stop();
    await accept(app, detail, engines.path);
    const again = await engines.start(app);
    await until(async () => again.status.isReady && (await score(again, contact)) === 40);
    await engines.stop();
    expect((await chain(app)).at(-1)).toBe(40);
    await app.close();
  });
});
