/** HTTP ingest: batches from clients in a process of their own, each answered once it is on disk. */
import { fork } from "node:child_process";
import { rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { fileURLToPath } from "node:url";
import { createServer } from "../../src/api/server.js";
import { startEngine } from "./engine.js";
import type { Measured } from "./fold.js";

const CLIENTS = 8;
const BATCH = 500;

/** Serves an engine here; the clients run in a child. */
export async function ingestOverHttp(directory: string, count: number): Promise<Measured> {
  const { engine, path } = await startEngine(directory);
  const server = await createServer(engine, { port: 0 });
  const url = await server.listen();
  const child = fork(fileURLToPath(import.meta.url), [url, String(count)], { stdio: "inherit" });
  const seconds = await new Promise<number>((done, failed) => {
    child.once("message", (message) => done(message as number));
    child.once("error", failed);
    child.once("exit", (code) => failed(new Error(`the clients ended with code ${code}`)));
  });
  await server.close();
  await engine.stop();
  rmSync(path, { recursive: true, force: true });
  return { name: `HTTP ingest, durable, ${CLIENTS} clients, batches of ${BATCH}`, count, seconds };
}

async function send(url: string, count: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const start = Date.UTC(2025, 0, 1);
  let next = 0;
  const bodyFrom = (from: number): string => {
    const items: string[] = [];
    for (let i = from; i < Math.min(count, from + BATCH); i++) {
      items.push(
        `{"id":"i${i}","contactId":"c${i % 10_000}","type":"email.clicked","at":${start + i * 1000},"resource":"/offer/${i % 20}","attributes":{"campaign":"june"}}`,
      );
    }
    return `[${items.join(",")}]`;
  };
  const post = (body: string): Promise<number> =>
    new Promise((done, failed) => {
      const call = request(
        `${url}/v1/interactions?results=refused`,
        {
          method: "POST",
          agent,
          headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
        },
        (response) => {
          response.resume();
          response.once("end", () => done(response.statusCode ?? 0));
        },
      );
      call.once("error", failed);
      call.end(body);
    });
  const client = async (): Promise<void> => {
    for (let from = next; from < count; from = next) {
      next += BATCH;
      const body = bodyFrom(from);
      for (let status = await post(body); status !== 202; status = await post(body)) {
        if (status !== 429) throw new Error(`answered with status ${status}`);
        await new Promise((done) => setTimeout(done, 50));
      }
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return (performance.now() - began) / 1000;
}

const [, , url, count] = process.argv;
if (process.send !== undefined && url?.startsWith("http") === true) {
  process.send(await send(url, Number(count)));
  process.disconnect();
}
