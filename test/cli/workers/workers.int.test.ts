/** Several processes of the built command as one engine, on a real cluster. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadTopology } from "../../../src/cli/topic-files.js";
import { Workers } from "../../../src/cli/workers/workers.js";
import { readKafkaConfig } from "../../../src/config/kafka.js";
import { readConfig } from "../../../src/config/run.js";
import { partitioner } from "../../../src/kafka/partitioner.js";
import { createLogger } from "../../../src/telemetry.js";
import { addressOf } from "../../components/component.js";
import { Told } from "../../engine/given.js";
import { connectedKafka, KafkaApp } from "../../kafka/kafka-app.js";

const command = fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url));
const TASKS = 4;
const connected = await connectedKafka();
const { kafka, admin } = connected ?? ({} as NonNullable<typeof connected>);
const model = "model: lead\nversion: 1\nrules:\n  - { id: visits, when: web.page_viewed, points: 10 }\n";
const start = Date.UTC(2026, 0, 1);
const taskOf = partitioner("murmur2", TASKS);
/** Of each task one contact. */
const contacts = [0, 1, 2, 3].map(
  (task) => Array.from({ length: 50 }, (_, i) => `c${i}`).find((one) => taskOf(one) === task)!,
);

let path: string;
let workers: Workers;
let app: KafkaApp;
let told: Told;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "scorefold-workers-"));
});
afterEach(async () => {
  await workers?.stop();
  await app?.close();
  rmSync(path, { recursive: true, force: true });
});
afterAll(async () => await connected?.admin.disconnect());

async function started(silentSecondsMax = 30): Promise<void> {
  app = await KafkaApp.make(kafka, admin, ["web"], TASKS);
  const { scoreChanged, thresholdCrossed, deadLetters } = app.outputTopics;
  const file = (name: string, role: string, kind: string): void =>
    writeFileSync(join(path, `${name}.yaml`), `name: ${name}\nrole: ${role}\nkind: ${kind}\npartitions: ${TASKS}\n`);
  file(app.named("web"), "input", "interaction");
  file(scoreChanged, "output", "score-changed");
  file(thresholdCrossed, "output", "threshold-crossed");
  file(deadLetters, "output", "dead-letter");
  const config = readConfig({ data: join(path, "data"), logLevel: "warn" }, {});
  const cluster = readKafkaConfig({ brokers: await addressOf("kafka"), app: app.id, topics: [path] }, {});
  if (!config.ok || !cluster.ok) throw new Error("settings");
  told = new Told();
  workers = new Workers({
    command,
    count: 2,
    config: config.config,
    cluster: cluster.config,
    topology: loadTopology(cluster.config.topics),
    kafka,
    tasks: TASKS,
    models: [model],
    modelNames: ["lead@1"],
    logger: createLogger("info", told),
    silentSecondsMax,
  });
  await until(() => workers.status.isReady && workers.taskStatuses().length === TASKS);
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function visit(n: number): Promise<void> {
  await workers.append(
    contacts.map((contactId) => JSON.stringify({ id: `v${n}`, contactId, type: "web.page_viewed", at: start + n })),
  );
}

/** Null where it can't be said just now. */
async function score(contact: string): Promise<number | null> {
  const answer = await workers.scores(contact, { tenantId: "default" }).catch(() => null);
  return answer?.scores[0]?.score ?? null;
}

async function isScored(points: number): Promise<void> {
  await until(async () => (await Promise.all(contacts.map(score))).every((one) => one === points));
}

function pids(): number[] {
  return workers.processes.map(({ pid }) => pid).filter((pid) => pid !== null);
}

describe.skipIf(connected === null)("workers", () => {
  it("share the tasks, answer as one, and are started again when they die", async () => {
    await started();
    expect(workers.status).toMatchObject({ state: "running", models: ["lead@1"] });
    await visit(1);
    await isScored(10);
    const lines = [];
    for await (const some of workers.allScores({ tenantId: "default" })) lines.push(...some);
    expect(lines.map(({ contactId }) => contactId)).toEqual([...contacts].sort());
    expect((await workers.explain(contacts[0]!, { tenantId: "default" }))?.explanations).toHaveLength(1);
    const { text } = await workers.metrics();
    const folded = [...text.matchAll(/^scorefold_inputs_total\{worker="[01]"\} (\d+)$/gm)].map(([, count]) =>
      Number(count),
    );
    expect(folded).toHaveLength(2);
    expect(folded[0]! + folded[1]!).toBe(4);
    for (const task of [0, 1, 2, 3])
      expect(text).toMatch(
        new RegExp(`^scorefold_task_state\\{task="${task}",state="running",worker="[01]"\\} 1$`, "m"),
      );

    const [first] = pids();
    process.kill(first!, "SIGKILL");
    await until(() => told.text.includes("it is started again"));
    await visit(2);
    await isScored(20);
    await until(() => workers.status.isReady && workers.taskStatuses().length === TASKS);
    expect(pids()).toHaveLength(2);
    expect(pids()).not.toContain(first);
    await workers.erase(contacts[1]!, "default", { alsoLater: false });
    expect(await workers.scores(contacts[1]!, { tenantId: "default" })).toBeNull();
    // A score can be seen a moment before it is published.
    await workers.stop();
    const outputs = await Promise.all([0, 1, 2, 3].map((task) => app.read("score-changed", task)));
    // Two of each contact, and an erasure.
    expect(outputs.map((own) => own.length)).toEqual([2, 3, 2, 2]);
  });

  it("are killed and started again where they hang, told, and counted", async () => {
    // On a busy machine one that starts is silent for a while, too, and is then started again once more.
    await started(5);
    const [first] = pids();
    process.kill(first!, "SIGSTOP");
    await until(() => told.text.includes("it is started again"));
    expect(told.text).toMatch(/a worker was silent for \d+ s and was killed; it is started again/);
    await until(() => !pids().includes(first!) && workers.status.isReady && workers.taskStatuses().length === TASKS);
    expect((await workers.metrics()).text).toMatch(
      /^scorefold_worker_restarts_total\{worker="0",reason="silent"\} [1-9]\d*$/m,
    );
  });

  it("end when they are told to", async () => {
    await started();
    const all = pids();
    await workers.stop();
    for (const pid of all) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
    const { groups } = await admin.describeGroups([app.id]);
    expect(groups[0]?.members).toEqual([]);
  });
});
