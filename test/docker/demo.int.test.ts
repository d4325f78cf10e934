/** What the service `demo` of docker-compose.yml does: the demo's inputs, sent over HTTP to an engine on Kafka. */
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { addressIfThere } from "../components/component.js";
import { clusterTopics } from "../e2e/cluster.js";
import { Folder, root, scorefold } from "../e2e/command.js";
import { Running } from "../engine/running.js";

const broker = await addressIfThere("kafka");
const token = "a-token-of-this-test";
const env = { SCOREFOLD_API_TOKEN: token };

it.skipIf(broker === null)(
  "the demo's inputs come to an engine on Kafka, which scores them as a replay does",
  async () => {
    const folder = new Folder();
    onTestFinished(() => folder.remove());
    const kinds = { inputs: "interaction", contacts: "profile", adjustments: "adjustment" } as const;
    const topics = await clusterTopics(folder, broker!, kinds, 3);
    const models = ["marketing-suite", "lead-fit-engagement"].map((name) => join(root, "models", `${name}.yaml`));
    const engine = await Running.start(folder, [...topics.args, "--workers", "2", "--models", ...models], { env });
    onTestFinished(async () => void (await engine.stop()));
    await engine.ready();

    const demo = ["demo", "--dir", "demo", "--contacts", "40", "--months", "1"];
    expect(await scorefold(demo, { cwd: folder.path })).toMatchObject({ code: 0 });
    const inputs = folder.lines("demo/inputs.jsonl");
    folder.writeLines("bad.jsonl", ["{", JSON.stringify({ contactId: "a", type: "email.opened", at: "5 May 2026" })]);
    const ingest = ["ingest", "demo/inputs.jsonl", "bad.jsonl", "--url", engine.url];
    const ingested = await scorefold(ingest, { cwd: folder.path, env });
    expect(ingested).toMatchObject({ code: 0, stdout: "" });
    expect(ingested.stderr).toContain(`${(inputs.length + 2).toLocaleString("en")} lines sent to ${engine.url}`);
    expect(ingested.stderr).toContain("2 bad lines (1 undecodable, 1 bad-instant); they were not taken\n");

    const scores = folder.read("demo/scores.jsonl");
    const asOf = Math.max(...inputs.map((line) => Date.parse((JSON.parse(line) as { at: string }).at)));
    const headers = { authorization: `Bearer ${token}` };
    const asked = async (path: string): Promise<string> =>
      await (await fetch(`${engine.url}${path}`, { headers })).text();
    await engine.until(async () => (await asked(`/v1/scores?asOf=${new Date(asOf).toISOString()}`)) === scores);
    expect(await asked("/metrics")).not.toMatch(/^scorefold_dead_letters_total\{/m);
    expect(await engine.stop()).toMatchObject({ code: 0 });
  },
);
