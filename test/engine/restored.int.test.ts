/** A store that is made anew while the registry does not have a schema that it had, on a real broker. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KafkaEngine } from "../../src/engine/kafka-engine.js";
import { internalTopics } from "../../src/kafka/internal-topics.js";
import { KafkaApp } from "../kafka/kafka-app.js";
import { admin, bothAt, connected, contacts, Engines, isRunning, kafka, setOffsets, TASKS, until } from "./on-kafka.js";

const engines = new Engines();
const start = Date.UTC(2026, 0, 1);

/** A registry that takes every schema, and knows those of visits by the ids that it is told to. */
const known = new Set<number>();
let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const id = Number(/^\/schemas\/ids\/(\d+)$/.exec(request.url ?? "")?.[1] ?? 1000);
    const isKnown = request.method === "POST" || known.has(id);
    response.writeHead(isKnown ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(isKnown ? { id, schema: schemaOf(id) } : { error_code: 40403, message: "not found" }));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function schemaOf(id: number): string {
  const fields = ["id", "contactId", "type"].map((name) => ({ name, type: "string" }));
  return JSON.stringify({ type: "record", name: `visit${id}`, fields: [...fields, { name: "at", type: "long" }] });
}

/** In the wire format of registries. */
function visitBy(schema: number, contactId: string, n: number): Buffer {
  const head = Buffer.from([0, 0, 0, 0, schema]);
  const texts = [`v${n}`, contactId, "web.page_viewed"].flatMap((text) => [long(text.length), Buffer.from(text)]);
  return Buffer.concat([head, ...texts, long(start + n * 1000)]);
}

function long(value: number): Buffer {
  const bytes: number[] = [];
  let left = BigInt(value) << 1n;
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return Buffer.from([...bytes, Number(left)]);
}

/** Three visits of each contact by schema 1 and two by schema 2, scored and published by an engine that has stopped. */
async function scored(): Promise<KafkaApp> {
  for (const id of [1, 2]) known.add(id);
  const app = await KafkaApp.make(kafka, admin, ["visits"], TASKS);
  const engine = await engines.start(app, { registry: { url } });
  await isRunning(engine);
  for (const [task, contact] of contacts.entries())
    await app.send(
      "visits",
      task,
      [1, 1, 1, 2, 2].map((schema, n) => visitBy(schema, contact, n)),
    );
  await bothAt(engine, 50);
  await engines.stop();
  return app;
}

async function outputsOf(app: KafkaApp): Promise<number[]> {
  return await Promise.all([0, 1].map(async (task) => (await app.read("score-changed", task)).length));
}

async function failed(engine: KafkaEngine): Promise<string> {
  await until(() => engine.taskStatuses().filter(({ state }) => state === "failed").length === TASKS);
  return engine.taskStatuses()[0]!.detail as string;
}

describe.skipIf(connected === null)("a store that is made anew", () => {
  it("does not go on with less than was scored, and does once the schema is back", async () => {
    const app = await scored();
    const before = await outputsOf(app);
    known.delete(2);
    const why = await failed(await engines.start(app, { data: "another disk", registry: { url } }));
    expect(why).toContain(
      "5 inputs were scored up to what is committed, and 3 of them can be read: the store would lack 2",
    );
    expect(why).toContain(
      `${app.named("visits")}-0, 2 from offset 3 to 4: the schema registry has no schema with the id 2`,
    );
    await engines.stop();
    expect(await outputsOf(app)).toEqual(before);
    // The store that was here all the time needs nothing of it.
    const kept = await engines.start(app, { registry: { url } });
    await isRunning(kept);
    await bothAt(kept, 50);
    await engines.stop();
    known.add(2);
    const again = await engines.start(app, { data: "another disk", registry: { url } });
    await isRunning(again);
    await bothAt(again, 50);
    await app.close();
  });

  it("goes on with less where a person says so, by the way that is told", async () => {
    const app = await scored();
    known.delete(2);
    const why = await failed(await engines.start(app, { data: "another disk", registry: { url } }));
    expect(why).toContain("kafka-consumer-groups --reset-offsets --to-earliest --all-topics --execute");
    await engines.stop();
    const before = await outputsOf(app);
    await setOffsets(app, [...app.inputTopics, internalTopics(app.id).rekeyed], 0);
    const engine = await engines.start(app, { data: "another disk", registry: { url } });
    await isRunning(engine);
    await bothAt(engine, 30);
    await engines.stop();
    expect(await outputsOf(app)).toEqual(before.map((count) => count + 3));
    await app.close();
  });
});
