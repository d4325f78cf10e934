import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { ask, click, connected, Events, opened, post, serve } from "../serve.js";

const topic = "/v1/outputs/score-changed";

describe("topics", () => {
  it("are told with their bounds", async () => {
    const { url } = await serve();
    await post(`${url}/v1/interactions?wait=folded`, click("e1"));
    const { json } = await ask(`${url}/v1/topics`);
    expect(json.topics).toContainEqual({ topic: "score-changed", start: 0, end: 1 });
  });
});

describe("a stream of events", () => {
  it("gives what is there and what comes, with offset and kind", async () => {
    const { url } = await serve();
    await post(`${url}/v1/interactions?wait=folded`, click("e1"));
    const response = await opened(`${url}${topic}?from=earliest`);
    expect(response.headers).toMatchObject({ "content-type": "text/event-stream", "cache-control": "no-store" });
    const events = new Events(response);
    expect(await events.next()).toBe("retry: 2000");
    expect(await events.next()).toMatch(/^id: 0\nevent: ScoreChanged\ndata: \{"kind":"ScoreChanged",.*"id":"e1".*\}$/);
    await post(`${url}/v1/interactions`, click("e2"));
    expect(await events.next()).toMatch(/^id: 1\nevent: ScoreChanged\ndata: .*"id":"e2"/);
    response.destroy();
  });

  it("begins with what comes next, unless told otherwise", async () => {
    const { url } = await serve();
    await post(`${url}/v1/interactions?wait=folded`, [click("e1"), click("e2"), click("e3")]);
    const latest = new Events(await opened(`${url}${topic}`));
    const second = new Events(await opened(`${url}${topic}?from=1`));
    const resumed = new Events(await opened(`${url}${topic}?from=0`, { "last-event-id": "1" }));
    const fresh = new Events(await opened(`${url}${topic}?from=0`, { "last-event-id": "" }));
    for (const events of [latest, second, resumed, fresh]) await events.next();
    expect(await second.next()).toMatch(/^id: 1\n/);
    expect(await resumed.next()).toMatch(/^id: 2\n/);
    expect(await fresh.next()).toMatch(/^id: 0\n/);
    await post(`${url}/v1/interactions`, click("e4"));
    expect(await latest.next()).toMatch(/^id: 3\n/);
  });

  it("says something of no meaning while there is nothing to say", async () => {
    const { url } = await serve({ limits: { heartbeatMs: 5 } });
    const events = new Events(await opened(`${url}${topic}`));
    await events.next();
    expect(await events.next()).toBe(":");
    expect(await events.next()).toBe(":");
  });

  it("lets the engine's records go when the client goes", async () => {
    const { url, engine } = await serve();
    const response = await opened(`${url}${topic}`);
    await new Events(response).next();
    await engine.until(() => engine.readers === 1);
    response.destroy();
    await engine.until(() => engine.readers === 0);
  });

  it("ends when the server closes", async () => {
    const { url, server, engine } = await serve();
    const events = new Events(await opened(`${url}${topic}`));
    await events.next();
    await server.close();
    expect(await events.next()).toBeNull();
    expect(engine.readers).toBe(0);
  });

  it("is one of at most so many", async () => {
    const { url, engine } = await serve({ limits: { streamsMax: 2 } });
    const streams = [await opened(`${url}${topic}`), await opened(`${url}${topic}`)];
    const third = await ask(`${url}${topic}`);
    expect([third.status, third.json.type]).toEqual([503, "/problems/too-many-streams"]);
    expect(third.headers.get("retry-after")).toBe("1");
    await engine.until(() => engine.readers === 2);
    streams[0]!.destroy();
    await engine.until(() => engine.readers === 1);
    const again = await opened(`${url}${topic}`);
    expect(again.statusCode).toBe(200);
  });

  it("that is not read holds little, and is cut off", async () => {
    const { engine, url, port } = await serve({ limits: { stalledMs: 50 } });
    const value = JSON.stringify({ kind: "ScoreChanged", text: "x".repeat(100_000) });
    let given = 0;
    let isOver = false;
    engine.outputs = async function* () {
      try {
        for (let offset = 0; ; offset += 1) {
          given += 1;
          yield [{ offset, value }];
        }
      } finally {
        isOver = true;
      }
    };
    const socket = await connected(port);
    socket.pause();
    socket.write(`GET ${topic} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    // Nothing is read here, so only what the sockets hold could be sent when the cut comes.
    const ended = once(socket, "close");
    await asksUntil(url, () => isOver);
    expect(given * value.length).toBeLessThan(32 * 1024 * 1024);
    socket.resume();
    await ended;
  });
});

/** Asks the server something else, which gives everything its turn, until the condition holds. */
async function asksUntil(url: string, condition: () => boolean): Promise<void> {
  while (!condition()) await ask(`${url}/healthz`);
}

describe("lines", () => {
  it("up to the present end are for scripts", async () => {
    const { url, engine } = await serve();
    const ids = Array.from({ length: 250 }, (_, i) => `c${i}`);
    await post(
      `${url}/v1/interactions?wait=folded`,
      ids.map((id) => click("e1", id)),
    );
    const answer = await ask(`${url}${topic}?format=ndjson&until=end`);
    expect(answer.type).toBe("application/x-ndjson");
    const { values } = engine.topicsByName.get("score-changed")!;
    expect(answer.text).toBe(values.map((value) => `${value}\n`).join(""));
    const some = await ask(`${url}${topic}?until=end&from=248`, { headers: { accept: "application/x-ndjson" } });
    expect(some.text.trim().split("\n")).toEqual(values.slice(248));
    expect((await ask(`${url}/v1/outputs/threshold-crossed?format=ndjson&until=end`)).text).toBe("");
  });

  it("are cut, not ended, when the server stops before their end", async () => {
    const { url, engine, server } = await serve();
    for (let i = 0; i < 3; i += 1) engine.publish("score-changed", `{"kind":"ScoreChanged","n":${i}}`);
    engine.outputs = async function* (_topic, _from, signal) {
      yield [{ offset: 0, value: "{}" }];
      if (!signal.aborted) await once(signal, "abort");
    };
    const answer = ask(`${url}${topic}?format=ndjson&until=end`);
    const failed = expect(answer).rejects.toThrow();
    await asksUntil(url, () => engine.readers === 0);
    await server.close();
    await failed;
  });
});

describe("what can't be", () => {
  it.each([
    ["/v1/outputs/nothing", 404, "unknown-topic"],
    ["/v1/outputs/score-changed?from=soon", 400, "bad-parameter"],
    ["/v1/outputs/score-changed?from=1", 416, "offset-out-of-range"],
    ["/v1/outputs/dead-letters?from=1", 416, "offset-out-of-range"],
    ["/v1/outputs/score-changed?until=now", 400, "bad-parameter"],
    ["/v1/outputs/score-changed?format=xml", 400, "bad-parameter"],
  ])("GET %s is the problem %i %s", async (path, status, name) => {
    const { url, engine } = await serve();
    engine.topicsByName.set("dead-letters", { start: 5, values: ["{}"] });
    const answer = await ask(url + path);
    expect([answer.status, answer.json.type]).toEqual([status, `/problems/${name}`]);
    if (status === 416) expect(answer.json).toMatchObject({ start: expect.any(Number), end: expect.any(Number) });
  });

  it("a Last-Event-ID that is none is a problem", async () => {
    const { url } = await serve();
    const { status } = await ask(`${url}${topic}`, { headers: { "last-event-id": "x" } });
    expect(status).toBe(400);
  });
});
