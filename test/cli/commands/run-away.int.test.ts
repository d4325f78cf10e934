/** `run` as a process while its broker is away: it waits, says so, and comes up; what a person has to mend ends it. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectKafka } from "../../../src/kafka/client.js";
import { addressIfThere } from "../../components/component.js";
import { ownBroker } from "../../components/kafka/kafka.js";
import { ended, Folder, start } from "../../e2e/command.js";
import { KafkaApp } from "../../kafka/kafka-app.js";

const jars = await addressIfThere("kafka-jars");
const silent = { warn: () => undefined, debug: () => undefined };

describe.skipIf(jars === null)("run, while its broker is away", () => {
  let own: Awaited<ReturnType<typeof ownBroker>>;
  let app: KafkaApp;
  let folder: Folder;
  const children: ReturnType<typeof start>[] = [];

  beforeAll(async () => {
    own = await ownBroker(jars!);
    await own.broker.start();
    const kafka = connectKafka({ brokers: [own.broker.address], clientId: "test", tls: false, sasl: null }, silent);
    const admin = kafka.admin();
    await admin.connect();
    app = await KafkaApp.make(kafka, admin, ["web"], 2);
    await app.close();
    await admin.disconnect();
  });
  afterAll(async () => await own?.remove());
  beforeEach(() => {
    folder = new Folder();
    const { scoreChanged, thresholdCrossed, deadLetters } = app.outputTopics;
    const file = (name: string, role: string, kind: string): void =>
      writeFileSync(join(folder.path, `${name}.yaml`), `name: ${name}\nrole: ${role}\nkind: ${kind}\npartitions: 2\n`);
    file(app.named("web"), "input", "interaction");
    file(scoreChanged, "output", "score-changed");
    file(thresholdCrossed, "output", "threshold-crossed");
    file(deadLetters, "output", "dead-letter");
    folder.write("lead.txt", "model: lead\nversion: 1\nrules: [{ id: v, when: web.page_viewed, points: 1 }]\n");
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    folder.remove();
  });

  function runs(workers: string): ReturnType<typeof start> {
    const cluster = ["--brokers", own.broker.address, "--app", app.id, "--topics", folder.path, "--workers", workers];
    const args = ["run", ...cluster, "--data", "data", "--models", "lead.txt", "--port", "0"];
    const child = start(args, { cwd: folder.path });
    children.push(child);
    return child;
  }

  /** Where it listens, with the line that says so. */
  async function listening(child: ReturnType<typeof start>): Promise<{ url: string; line: string }> {
    let text = "";
    for (;;) {
      const [chunk] = (await once(child.stderr, "data")) as [Buffer];
      text += chunk.toString();
      const line = text.split("\n").find((one) => one.startsWith("scorefold "));
      if (line !== undefined) return { line, url: /at (http:\S+):/.exec(line)![1]! };
    }
  }

  async function asked(url: string): Promise<{ status: number; json: Record<string, unknown> }> {
    const response = await fetch(url);
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  }

  it.each(["1", "2"])("waits with %s workers, says what for, and comes up when it is there", async (workers) => {
    await own.broker.stop("SIGTERM");
    const child = runs(workers);
    const end = ended(child);
    const { url, line } = await listening(child);
    expect(line).toContain("waits for its cluster");
    for (;;) {
      const { status, json } = await asked(`${url}/readyz`);
      expect([status, json["type"]]).toEqual([503, "/problems/not-ready"]);
      if (String(json["detail"]).includes(`ECONNREFUSED ${own.broker.address}`)) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect((await asked(`${url}/healthz`)).status).toBe(200);
    await own.broker.start();
    while ((await asked(`${url}/readyz`)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 100));
    const { json } = await asked(`${url}/v1/tasks`);
    expect(json).toMatchObject({ state: "running", lag: 0 });
    child.kill("SIGTERM");
    expect(await end).toMatchObject({ code: 0 });
  });

  it("ends with 1 and a line where topics won't do", async () => {
    writeFileSync(join(folder.path, "more.yaml"), "name: never.made\nrole: input\nkind: interaction\npartitions: 2\n");
    const { code, stderr } = await ended(runs("2"));
    expect(code).toBe(1);
    const errors = stderr.split("\n").filter((line) => line.startsWith("error: "));
    expect(errors).toEqual(["error: topic never.made is not there; `scorefold topics apply` makes it"]);
  });

  it("ends when it is told to while it waits", async () => {
    await own.broker.stop("SIGTERM");
    const child = runs("2");
    const end = ended(child);
    await listening(child);
    child.kill("SIGTERM");
    expect(await end).toMatchObject({ code: 0 });
    await own.broker.start();
  });
});
