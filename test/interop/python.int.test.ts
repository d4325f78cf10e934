/**
 * An upstream and a consumer that share nothing with the engine but Kafka, a schema registry and the shipped schemas:
 * Python, on librdkafka. Its producer chooses partitions by CRC-32, not as the Java client does.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ScoreChanged, ScoreLine } from "../../src/events/types.js";
import { partitioner } from "../../src/kafka/partitioner.js";
import { addressIfThere } from "../components/component.js";
import { clusterTopics } from "../e2e/cluster.js";
import { ended, Folder, root, scorefold } from "../e2e/command.js";
import { Running } from "../engine/running.js";

const PEER = "test/interop/peer.py";
const TASKS = 4;
const CONTACTS = 50;
const start = Date.UTC(2026, 0, 5);
const model = `model: lead
version: 1
dimensions: { engagement: { max: 400 }, fit: { max: 100 } }
total: engagement + fit
rules:
  - { id: clicked, dimension: engagement, when: email.clicked, points: 10, repeat: { within: 30d, multiplier: 0.5 } }
  - { id: paged, dimension: engagement, when: web.page_viewed, points: 3, where: [{ field: resource, contains: /pricing }] }
  - { id: asked, dimension: fit, when: form.submitted, points: { by: attributes.employees, bands: [{ from: 0, points: 5 }, { from: 100, points: 25 }] } }
grades: [{ id: cold, from: 0 }, { id: warm, from: 40 }]
salesReady: 60
`;

interface Sent {
  readonly channel: "email" | "web" | "form";
  readonly value: { readonly contactId: string; readonly at: number; readonly [name: string]: unknown };
}

interface Received {
  readonly partition: number;
  readonly key: string;
  readonly value: ScoreChanged;
}

const broker = await addressIfThere("kafka");
const registry = broker === null ? null : await addressIfThere("registry");
const python = registry === null ? null : await addressIfThere("python");

/** Of each contact some clicks, views and a form, with values of every kind that an attribute may have. */
const sent: readonly Sent[] = Array.from({ length: CONTACTS }, (_, contact) => contact).flatMap((contact) => {
  const contactId = `contact-${contact}-é`;
  const at = (n: number): number => start + n * 3_600_000 + contact;
  const clicks = Array.from({ length: 1 + (contact % 5) }, (_, i) => ({
    channel: "email" as const,
    value: { id: `c${i}`, contactId, type: "email.clicked", at: at(7 * i), attributes: { campaign: "spring", n: i } },
  }));
  const views = Array.from({ length: 2 + (contact % 7) }, (_, i) => ({
    channel: "web" as const,
    value: {
      id: `v${i}`,
      contactId,
      type: "web.page_viewed",
      at: at(3 * i + 1),
      resource: `/pricing/${i}`,
      automated: "no",
    },
  }));
  const form = {
    channel: "form" as const,
    value: {
      id: "f",
      contactId,
      type: "form.submitted",
      at: at(5),
      attributes: { employees: contact * 7, budget: 0.5, optedIn: true, note: null },
    },
  };
  return [...clicks, ...views, form];
});

async function peer(args: readonly string[], stdin = ""): Promise<string> {
  const child = spawn(python!, [join(root, PEER), ...args], { stdio: "pipe" });
  const end = ended(child);
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  const { code, stdout, stderr } = await end;
  if (code !== 0) throw new Error(`the peer has ended with ${code}: ${stderr}`);
  return stdout;
}

function parsed<T>(lines: string): T[] {
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

describe.skipIf(python === null)("Python feeds an engine and reads its scores, in Avro", () => {
  const [murmur2, crc32] = (["murmur2", "crc32"] as const).map((name) => partitioner(name, TASKS)) as [
    (key: string) => number,
    (key: string) => number,
  ];
  const elsewhere = sent.filter(({ value }) => murmur2(value.contactId) !== crc32(value.contactId)).length;

  it.each([
    ["murmur2", elsewhere],
    ["crc32", 0],
  ] as const)("keyed as for %s, %i inputs are passed on", async (name, passedOn) => {
    const folder = new Folder();
    onTestFinished(() => folder.remove());
    // What it waited for when its time was out, and what the engine says of itself then.
    let step = "the engine to be ready";
    folder.write("lead.yaml", model);
    const channels = { email: "interaction", web: "interaction", form: "interaction" } as const;
    const topics = await clusterTopics(folder, broker!, channels, TASKS);
    const options = ["--workers", "2", "--models", "lead.yaml", "--schema-registry", registry!, "--partitioner", name];
    const engine = await Running.start(folder, [...topics.args, ...options]);
    onTestFinished(async () => void (await engine.stop()));
    onTestFinished(async ({ task }) => {
      if (task.result?.state === "fail") process.stderr.write(`It waited for ${step}.\n${await said(engine)}\n`);
    });
    await engine.ready();
    const records = sent.map(({ channel, value }) => ({
      topic: topics.named(channel),
      schema: `interactions.${channel}.avsc`,
      value,
    }));
    const produce = ["produce", broker!, registry!, join(root, "schemas")];
    step = "Python to send";
    await peer(produce, records.map((record) => JSON.stringify(record)).join("\n"));

    const asOf = Math.max(...sent.map(({ value }) => value.at));
    folder.writeLines(
      "inputs.jsonl",
      sent.map(({ value }) => value),
    );
    const replay = ["replay", "--model", "lead.yaml", "--input", "inputs.jsonl", "--scores", "-"];
    const replayed = await scorefold(replay, { cwd: folder.path });
    expect(replayed).toMatchObject({ code: 0 });
    step = "the scores of a replay";
    await engine.until(
      async () => (await asked(engine, `/v1/scores?asOf=${new Date(asOf).toISOString()}`)) === replayed.stdout,
    );
    expect(counts(await asked(engine, "/metrics"))).toEqual({ inputs: sent.length, rekeyed_inputs: passedOn });
    step = "the engine to stop";
    expect(await engine.stop()).toMatchObject({ code: 0 });

    step = "Python to read";
    const out = await peer(["consume", broker!, registry!, topics.named("score-changed")]);
    const received = parsed<Received>(out);
    const ids = received.map(({ value }) => value.id);
    expect(new Set(ids).size).toBe(ids.length);
    const last = new Map<string, ScoreChanged>();
    for (const { partition, key, value } of received) {
      expect([key, partition]).toEqual([value.contactId, partitioner(name, TASKS)(key)]);
      expect(value.previous).toBe(last.get(key)?.current ?? null);
      last.set(key, value);
    }
    const told = parsed<ScoreLine>(replayed.stdout).map(({ contactId, score, grade, salesReady }) => {
      const { current, grade: lastGrade, salesReady: isReady } = last.get(contactId)!;
      return { folded: [contactId, score, grade, salesReady], published: [contactId, current, lastGrade, isReady] };
    });
    expect(told).toHaveLength(CONTACTS);
    expect(told.map(({ published }) => published)).toEqual(told.map(({ folded }) => folded));
  });
});

/** What both workers have counted, of what there is more than none. */
function counts(metrics: string): Readonly<Record<string, number>> {
  const found: Record<string, number> = { inputs: 0, rekeyed_inputs: 0 };
  for (const [, name, count] of metrics.matchAll(
    /^scorefold_(inputs|rekeyed_inputs|dead_letters)_total\{.*\} (\d+)$/gm,
  ))
    found[name!] = (found[name!] ?? 0) + Number(count);
  return found;
}

async function asked(engine: Running, path: string): Promise<string> {
  return await (await fetch(`${engine.url}${path}`)).text();
}

async function said(engine: Running): Promise<string> {
  const answers = ["/v1/tasks", "/v1/scores", "/metrics"].map(
    async (path) =>
      await fetch(`${engine.url}${path}`, { signal: AbortSignal.timeout(5_000) })
        .then(async (response) => `${path}: ${response.status} ${await response.text()}`)
        .catch((error: unknown) => `${path}: ${error}`),
  );
  return `${engine.told}\n${(await Promise.all(answers)).join("\n")}`;
}
