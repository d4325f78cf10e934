/** What an engine on a cluster says of tasks that run, that have failed, and that hang: as brokers say it. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectedKafka, KafkaApp } from "../kafka/kafka-app.js";
import { compiled } from "./given.js";
import { HangingDisk } from "./hanging-disk.js";
import { KafkaEngines, until, visit } from "./kafka-engines.js";

const connected = await connectedKafka();
const { kafka, admin } = connected ?? ({} as NonNullable<typeof connected>);
const HOUR = 3_600_000;

let engines: KafkaEngines;
beforeEach(() => {
  engines = new KafkaEngines();
});
afterEach(async () => await engines.end());
afterAll(async () => await connected?.admin.disconnect());

async function sendOld(app: KafkaApp, ids: readonly number[]): Promise<void> {
  const timestamp = String(Date.now() - 2 * HOUR);
  const messages = ids.map((n) => ({ partition: 0, key: "ada", value: visit("ada", n), timestamp }));
  await app.producer.send({ topic: app.named("web"), messages });
}

describe.skipIf(connected === null)("how far a task is behind", () => {
  it("is told of one that has failed, and inputs that came since count", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], 1, [
      { name: "message.timestamp.type", value: "CreateTime" },
    ]);
    const engine = await engines.start(app);
    await sendOld(app, [1, 2]);
    await until(() => engine.taskStatuses()[0]?.offsets[app.named("web")] === 2);
    expect(engine.status).toMatchObject({ state: "running", lag: 0, oldestInputAgeMs: 0 });
    const { text } = await engine.metrics();
    expect(text).toContain('scorefold_lag_inputs{task="0"} 0');
    expect(text).toContain('scorefold_oldest_input_age_seconds{task="0"} 0');
    await engine.stop();
    // The same version with other content: the task fails before it has asked for anything.
    const edited = compiled("model: lead\nversion: 1\nrules: [{ id: visits, when: web.page_viewed, points: 31 }]\n");
    const failed = await engines.start(app, { models: [edited] });
    await until(() => failed.taskStatuses()[0]?.state === "failed");
    await sendOld(app, [3, 4, 5]);
    await until(() => failed.status.lag === 3);
    expect(failed.status).toMatchObject({ state: "failed", isReady: false });
    await until(() => failed.status.oldestInputAgeMs !== null);
    expect(failed.status.oldestInputAgeMs).toBeGreaterThanOrEqual(2 * HOUR);
    expect(failed.taskStatuses()[0]).toMatchObject({ lag: 3, offsets: { [app.named("web")]: 2 } });
    const told = await failed.metrics();
    expect(told.text).toContain('scorefold_lag_inputs{task="0"} 3');
    expect(told.text).toMatch(/^scorefold_oldest_input_age_seconds\{task="0"\} 72\d\d/m);
    await app.close();
  });

  it("is told of one that hangs with what it has fetched, by all that is in the topic", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], 1, [
      { name: "message.timestamp.type", value: "CreateTime" },
    ]);
    const disk = new HangingDisk();
    const limits = { unwrittenInputsMax: 1, batchRecordsMax: 2 };
    const engine = await engines.start(app, { limits, wrap: (directory) => disk.of(directory) });
    await until(() => engine.status.isReady);
    disk.hangs();
    await sendOld(app, [1, 2, 3, 4]);
    await disk.isAsked;
    await sendOld(app, [5, 6, 7, 8, 9]);
    const folded = (): number => engine.taskStatuses()[0]!.offsets[app.named("web")]!;
    await until(() => engine.status.lag === 9 - folded() && folded() < 9);
    await until(() => (engine.status.oldestInputAgeMs ?? 0) >= 2 * HOUR);
    // Let go, it goes on.
    disk.goesOn();
    await until(() => engine.status.lag === 0);
    await app.close();
  });
});
