/** Starts servers for tests, and asks them. */
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach } from "vitest";
import type { ApiOptions } from "../../src/api/options.js";
import { type ApiServer, createServer } from "../../src/api/server.js";
import { lead } from "../fold/given.js";
import { MemoryEngine } from "./memory-engine.js";

/** 2026-06-01T00:00:00Z. */
export const now = Date.UTC(2026, 5, 1);

export const model = lead(`
model: lead
version: 3
dimensions:
  engagement: { min: 0, max: 100, decay: { halfLife: 30d } }
rules:
  - { id: clicked, dimension: engagement, when: email.clicked, points: 10 }
  - { id: booked, dimension: engagement, when: meeting.booked, points: 40 }
`);

export interface Served {
  readonly url: string;
  readonly port: number;
  readonly server: ApiServer;
  readonly engine: MemoryEngine;
}

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

/** A server on a free port over an engine of its own; closed after the test. */
export async function serve(options: ApiOptions = {}): Promise<Served> {
  const engine = new MemoryEngine([model], () => now);
  const limits = { closeMs: 5_000, ...options.limits };
  const server = await createServer(engine, { port: 0, ...options, limits });
  open.push(server);
  const url = await server.listen();
  return { url, port: Number(new URL(url).port), server, engine };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly type: string;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly json: any;
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  return {
    status: response.status,
    headers: response.headers,
    type,
    text,
    json: text !== "" && type.includes("json") && !type.includes("ndjson") ? JSON.parse(text) : undefined,
  };
}

export type SentBody = string | Uint8Array<ArrayBuffer>;

export async function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const text = typeof body === "string" || body instanceof Uint8Array ? (body as SentBody) : JSON.stringify(body);
  return await ask(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: text });
}

export function lines(body: SentBody): RequestInit {
  return { method: "POST", headers: { "content-type": "application/x-ndjson" }, body };
}

export function click(id: string, contactId = "ann", at: string | number = "2026-05-01T00:00:00Z"): object {
  return { id, contactId, type: "email.clicked", at };
}

/** Sends bytes as they are, and gives all that comes back until the server ends the connection. */
export async function raw(port: number, text: string): Promise<string> {
  const socket = await connected(port);
  socket.write(text);
  let answer = "";
  socket.on("data", (chunk: Buffer) => {
    answer += chunk.toString("utf8");
  });
  await once(socket, "close");
  return answer;
}

export async function connected(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** A GET whose answer is read by hand. */
export async function opened(url: string, headers: Readonly<Record<string, string>> = {}): Promise<IncomingMessage> {
  const request = httpRequest(url, { headers, agent: false });
  request.on("error", () => undefined).end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.on("error", () => undefined);
  return response;
}

/** Reads texts of a response until `count` events have come. */
export class Events {
  readonly #response: IncomingMessage;
  #text = "";

  constructor(response: IncomingMessage) {
    this.#response = response.setEncoding("utf8");
  }

  /** The next event or comment, without what ends it; null at the end of the stream. */
  async next(): Promise<string | null> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const event = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return event;
      }
      const chunk = this.#response.read() as string | null;
      if (chunk !== null) this.#text += chunk;
      else if (this.#response.readableEnded || this.#response.destroyed) return null;
      else await Promise.race(["readable", "end", "close"].map((name) => once(this.#response, name)));
    }
  }
}
