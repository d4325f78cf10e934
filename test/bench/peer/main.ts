/**
 * `scorefold run` as another stream processor's measuring script starts what it measures: by flags of its own, with marks
 * on standard output when the first record is taken, and when all tasks are running.
 *
 *   node dist-bench/test/bench/peer/main.js --bootstrap HOST:PORT --app-id ID --input TOPIC --score-topic TOPIC
 *     --threshold-topic TOPIC --state-dir DIR [--registry URL] [--workers N]
 *
 * The model beside it is the job of the measuring script, and the mapping reads its inputs.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { kafkajs } from "../../../src/kafka/kafkajs.js";
import { nodeFlags } from "../flags.js";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const command = join(root, "dist", "cli", "main.js");
const model = join(root, "test", "bench", "peer", "engagement.yaml");
const PARTITIONS = 4;
const LOOK_MS = 20;
const text = { type: "string" } as const;

const { values: given } = parseArgs({
  // Flags of other jobs and of other processors mean nothing here.
  strict: false,
  options: {
    bootstrap: text,
    "app-id": text,
    input: text,
    "score-topic": text,
    "threshold-topic": text,
    "state-dir": text,
    registry: text,
    workers: text,
  },
});

function flag(name: string): string {
  const value = given[name];
  if (typeof value !== "string") throw new Error(`--${name} is missing`);
  return value;
}

function deadLetters(): string {
  return `${flag("app-id")}-dead-letters`;
}

/** Files of the topics that the script has made, and of one for dead letters. */
function writeTopics(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const topic = (name: string, more: string): void =>
    writeFileSync(join(directory, `${name}.yaml`), `name: ${name}\npartitions: ${PARTITIONS}\n${more}`);
  topic(flag("score-topic"), "role: output\nkind: score-changed\n");
  topic(flag("threshold-topic"), "role: output\nkind: threshold-crossed\n");
  topic(deadLetters(), "role: output\nkind: dead-letter\n");
  topic(
    flag("input"),
    `role: input
kind: interaction
mapping:
  version: 1
  inputs:
    - fields:
        id: { from: id }
        contactId: { from: contactId }
        tenantId: { from: tenantId }
        type: { from: type }
        at: { from: occurredAt, format: ms }
        resource: { from: resource }
        attributes: { from: attributes }
`,
  );
}

/** Prints the marks. Asks often until both are out, and then no more. */
async function mark(url: string, isOver: () => boolean): Promise<void> {
  let hasFirst = false;
  let isRunning = false;
  while (!isOver() && !(hasFirst && isRunning)) {
    const answer = await fetch(`${url}/v1/tasks`).catch(() => null);
    const tasks = ((await answer?.json().catch(() => null)) as { tasks?: Task[] } | null)?.tasks ?? [];
    const now = Date.now();
    if (!isRunning && tasks.length === PARTITIONS && tasks.every(({ state }) => state === "running")) {
      isRunning = true;
      process.stdout.write(`RUNNING ${now}\n`);
    }
    if (!hasFirst && tasks.some(({ offsets }) => (offsets[flag("input")] ?? 0) > 0)) {
      hasFirst = true;
      process.stdout.write(`FIRST_RECORD ${now}\n`);
    }
    await sleep(LOOK_MS);
  }
}

interface Task {
  readonly state: string;
  readonly offsets: Readonly<Record<string, number>>;
}

/** The script has made the other topics, as whoever deploys this would have. */
async function makeDeadLetters(): Promise<void> {
  const { Kafka, logLevel } = kafkajs().kafkajs;
  const admin = new Kafka({ brokers: [flag("bootstrap")], logLevel: logLevel.ERROR }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: deadLetters(), numPartitions: PARTITIONS, replicationFactor: 1 }] });
  await admin.disconnect();
}

function engine(topics: string): ChildProcess {
  const registry = given["registry"] === undefined ? [] : ["--schema-registry", flag("registry")];
  const workers = given["workers"] === undefined ? [] : ["--workers", flag("workers")];
  const args = ["--brokers", flag("bootstrap"), "--app", flag("app-id"), "--topics", topics, ...registry];
  const own = [
    "--models",
    model,
    "--data",
    flag("state-dir"),
    "--port",
    "0",
    "--history",
    "local",
    "--log-level",
    "warn",
  ];
  return spawn(process.execPath, [...nodeFlags, command, "run", ...args, ...own, ...workers], {
    stdio: ["ignore", "inherit", "pipe"],
    env: { ...process.env, MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: "262144" },
  });
}

const topics = join(flag("state-dir"), "..", `${flag("app-id")}-topics`);
writeTopics(topics);
await makeDeadLetters();
const child = engine(topics);
let isOver = false;
process.on("SIGTERM", () => child.kill("SIGTERM"));
process.on("SIGINT", () => child.kill("SIGTERM"));
child.stderr!.on("data", (chunk: Buffer) => {
  process.stderr.write(chunk);
  const url = /is up at (http:\S+):/.exec(chunk.toString())?.[1];
  if (url !== undefined) void mark(url, () => isOver);
});
child.on("exit", (code) => {
  isOver = true;
  process.exitCode = code ?? 1;
});
