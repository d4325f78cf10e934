/** Readers of outputs that never read: what is held for them is bounded, and those beyond it are ended and told. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ask, connected, Events, opened, type Served, serve } from "./serve.js";

const topic = "/v1/outputs/score-changed";
const KIB = 1024;
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A topic without an end, of records of one length; counts who reads it. */
function endless({ engine }: Served, batchBytes: number, count: number) {
  const reading = { begun: 0, ended: [] as number[] };
  const value = JSON.stringify({ kind: "ScoreChanged", text: "x".repeat(batchBytes / count) });
  engine.topics = async () => [{ topic: "score-changed", start: 0, end: 1_000_000 }];
  engine.outputs = async function* (_topic, from) {
    const number = reading.begun++;
    try {
      for (let offset = from; ; offset += count)
        yield Array.from({ length: count }, (_, i) => ({ offset: offset + i, value }));
    } finally {
      reading.ended.push(number);
    }
  };
  return reading;
}

/** Asks for the topic, and reads nothing. */
async function neverReads(port: number, query: string): Promise<Socket> {
  const socket = await connected(port);
  sockets.push(socket);
  socket.pause();
  socket.write(`GET ${topic}?from=0${query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  return socket;
}

/** Asks the server something else, which gives everything its turn, until it holds. */
async function until({ url }: Served, holds: () => boolean): Promise<void> {
  while (!holds()) await ask(`${url}/healthz`);
}

async function restOf(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("utf8").on("data", (some: string) => {
    text += some;
  });
  socket.resume();
  await once(socket, "close");
  return text;
}

/** What the trailer of an answer says; null: there is none. */
function nextOffset(text: string): number | null {
  const [, next] = /scorefold-next-offset: (\d+)\r\n/i.exec(text.slice(-200)) ?? [];
  return next === undefined ? null : Number(next);
}

/** Whether the answer was ended, and not cut off. */
function isWhole(text: string): boolean {
  return /\r\n0\r\n/.test(text.slice(-200));
}

describe("a hundred readers that never read", () => {
  it("have no more held for them than is allowed, and who reads is served all the same", async () => {
    const streamsBytesMax = 512 * KIB;
    const served = await serve({ limits: { streamsBytesMax, streamsMax: 200, stalledMs: 600_000 } });
    const reading = endless(served, 60 * KIB, 20);
    for (let i = 0; i < 100; i++) await neverReads(served.port, i % 2 === 0 ? "" : "&format=ndjson");
    let most = 0;
    await until(served, () => {
      most = Math.max(most, served.server.heldBytes);
      return reading.ended.length >= 80;
    });
    expect(most).toBeGreaterThan(streamsBytesMax / 4);
    expect(most).toBeLessThanOrEqual(streamsBytesMax);
    // It may be ended for others as well, and goes on where it was, as every client of events does.
    for (let next = 1; next < 200; ) {
      const events = new Events(await opened(`${served.url}${topic}`, { "last-event-id": String(next - 1) }));
      for (let event = await events.next(); event !== null && next < 200; event = await events.next()) {
        if (!event.startsWith("id:")) continue;
        expect(event.slice(0, event.indexOf("\n"))).toBe(`id: ${next}`);
        next += 1;
      }
    }
  });
});

describe("a reader that is ended for others", () => {
  /** What the first one that is ended finds when it reads at last: others have come that never read either. */
  async function ended(query: string): Promise<string> {
    const served = await serve({ limits: { streamsBytesMax: 200 * KIB, stalledMs: 600_000 } });
    const reading = endless(served, 60 * KIB, 20);
    while (reading.ended.length === 0) {
      const count = reading.begun;
      if (count < 20) await neverReads(served.port, query);
      await until(served, () => reading.begun > count || reading.ended.length > 0);
    }
    return await restOf(sockets[reading.ended[0]!]!);
  }

  it("is told at the end of what it was sent where to go on", async () => {
    const text = await ended("");
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    const [, last] =
      /: ended: too much was held for readers that do not read; go on with Last-Event-ID: (\d+)\n\n/.exec(text)!;
    expect(Number(last)).toBe(ids.at(-1));
    expect(ids).toEqual(ids.map((_, i) => i));
    expect(nextOffset(text)).toBe(ids.length);
    // As a whole answer: a proxy need not take it for a failure.
    expect(isWhole(text)).toBe(true);
  });

  it("is told in the trailer, where it reads lines", async () => {
    const text = await ended("&format=ndjson");
    const lines = text.match(/\{"kind":"ScoreChanged","text":"x+"\}\n/g)!;
    expect(nextOffset(text)).toBe(lines.length);
  });

  it("is cut off where that can't be said: it wanted all there is", async () => {
    const text = await ended("&format=ndjson&until=end");
    expect(text.slice(0, 12)).toBe("HTTP/1.1 200");
    expect(isWhole(text)).toBe(false);
  });
});
