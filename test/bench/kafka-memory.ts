/** What the engine takes in memory on a real broker, as a process of its own with all the tasks. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { kafkajs } from "../../src/kafka/kafkajs.js";
import { startKafka } from "../components/kafka/kafka.js";
import { type Memory, memoryNow, mixedLines } from "./engine.js";
import { nodeFlags } from "./flags.js";

/** From the root of the project, where the bench runs. */
const COMMAND = "dist/cli/main.js";
const MODEL = "test/bench/twenty-rules.yaml";
const TOPICS = {
  inputs: "{ role: input, kind: interaction, config: { retention.ms: -1, message.timestamp.type: LogAppendTime }",
  scores: "{ role: output, kind: score-changed",
  crossings: "{ role: output, kind: threshold-crossed",
  letters: "{ role: output, kind: dead-letter",
};
const SEND_RECORDS = 2000;
const LOOK_MS = 50;

/**
 * The largest that the process has been until it had scored so many inputs, each of any of the contacts.
 *
 * @throws Missing where there is no Kafka
 */
export async function memoryOfTasks(tasks: number, contacts: number, count: number): Promise<Memory> {
  const broker = await startKafka();
  const directory = mkdtempSync(join(tmpdir(), "scorefold-bench-"));
  try {
    const topics = join(directory, "topics");
    mkdirSync(topics);
    for (const [name, own] of Object.entries(TOPICS))
      writeFileSync(join(topics, `${name}.yaml`), `${own}, name: ${name}, partitions: ${tasks} }\n`);
    const cluster = ["--brokers", broker.address, "--topics", topics];
    execFileSync(process.execPath, [COMMAND, "topics", "apply", ...cluster], { stdio: "ignore" });
    await send(broker.address, mixedLines(count, contacts));
    const { anon, resident } = await largest([...cluster, "--data", join(directory, "data")], count);
    return { contacts, anon: Math.round(anon), resident: Math.round(resident) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
    await broker.stop();
  }
}

async function largest(args: readonly string[], count: number): Promise<Omit<Memory, "contacts">> {
  const own = ["--app", "bench", "--models", MODEL, "--workers", "1", "--port", "0", "--log-level", "warn"];
  const child = spawn(process.execPath, [...nodeFlags, COMMAND, "run", ...args, ...own], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  try {
    const url = await urlOf(child);
    let [anon, resident] = [0, 0];
    while ((await inputsOf(url)) < count) {
      const now = memoryNow(child.pid);
      anon = Math.max(anon, now.anon);
      resident = Math.max(resident, now.resident);
      await sleep(LOOK_MS);
    }
    return { anon, resident };
  } finally {
    child.kill();
    await ended;
  }
}

async function urlOf(child: ChildProcess): Promise<string> {
  let said = "";
  return await new Promise((done, failed) => {
    child.stderr!.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const url = /is up at (http:\S+):/.exec(said)?.[1];
      if (url !== undefined) done(url);
    });
    child.once("exit", (code) => failed(new Error(`the engine has ended with ${code}: ${said}`)));
  });
}

async function inputsOf(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^scorefold_inputs_total(?:\{.*\})? (\d+)$/m.exec(metrics)?.[1] ?? 0);
}

async function send(brokers: string, lines: Iterable<string>): Promise<void> {
  const { Kafka, logLevel } = kafkajs().kafkajs;
  const producer = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  let messages: { key: string; value: string }[] = [];
  const flush = async (): Promise<void> => {
    await producer.send({ topic: "inputs", messages });
    messages = [];
  };
  for (const value of lines) {
    messages.push({ key: (JSON.parse(value) as { contactId: string }).contactId, value });
    if (messages.length >= SEND_RECORDS) await flush();
  }
  if (messages.length > 0) await flush();
  await producer.disconnect();
}
