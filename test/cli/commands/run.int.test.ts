/** `run` on a real cluster, as a process. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { addressOf } from "../../components/component.js";
import { ended, Folder, start } from "../../e2e/command.js";
import { connectedKafka, KafkaApp } from "../../kafka/kafka-app.js";

const connected = await connectedKafka();
const { kafka, admin } = connected ?? ({} as NonNullable<typeof connected>);

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder.remove());
afterAll(async () => await connected?.admin.disconnect());

async function runs(app: KafkaApp, data: string): Promise<ReturnType<typeof start>> {
  const { scoreChanged, thresholdCrossed, deadLetters } = app.outputTopics;
  const file = (name: string, role: string, kind: string): void =>
    writeFileSync(join(folder.path, `${name}.yaml`), `name: ${name}\nrole: ${role}\nkind: ${kind}\npartitions: 1\n`);
  file(app.named("web"), "input", "interaction");
  file(scoreChanged, "output", "score-changed");
  file(thresholdCrossed, "output", "threshold-crossed");
  file(deadLetters, "output", "dead-letter");
  const models = folder.write(
    "lead.txt",
    "model: lead\nversion: 1\nrules: [{ id: v, when: web.page_viewed, points: 1 }]\n",
  );
  const cluster = ["--brokers", await addressOf("kafka"), "--app", app.id, "--topics", folder.path, "--workers", "1"];
  return start(["run", ...cluster, "--data", data, "--models", models, "--port", "0"], { cwd: folder.path });
}

async function state(app: KafkaApp): Promise<{ state: string; members: number }> {
  const [group] = (await admin.describeGroups([app.id])).groups;
  return { state: group!.state, members: group!.members.length };
}

describe.skipIf(connected === null)("run", () => {
  it("leaves the group where it is told to end while it joins", async () => {
    const app = await KafkaApp.make(kafka, admin, ["web"], 1);
    const first = await runs(app, "first");
    const firstEnded = ended(first);
    while ((await state(app)).state !== "Stable") await once(first.stderr, "data");
    const second = await runs(app, "second");
    const secondEnded = ended(second);
    // The one that is there joins again with its next heartbeat; until then the group waits.
    while ((await state(app)).state === "Stable" && second.exitCode === null) await new Promise(setImmediate);
    second.kill("SIGTERM");
    expect(await secondEnded).toMatchObject({ code: 0 });
    expect(await state(app)).toMatchObject({ members: 1 });
    first.kill("SIGTERM");
    expect(await firstEnded).toMatchObject({ code: 0 });
    expect(await state(app)).toMatchObject({ members: 0 });
    await app.close();
  });
});
