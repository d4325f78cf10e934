import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ask, click, connected, lines, opened, post, raw, serve } from "./serve.js";

const MB = 1024 * 1024;

describe("a request that can't be", () => {
  it.each([
    ["GET", "/nothing", 404, "not-found", null],
    ["GET", "/v1/contacts/ann", 405, "method-not-allowed", "DELETE"],
    ["PUT", "/v1/interactions", 405, "method-not-allowed", "POST"],
    ["GET", "/v1/interactions?x=1", 405, "method-not-allowed", "POST"],
    ["DELETE", "/v1/contacts/ann/scores", 405, "method-not-allowed", "GET, HEAD"],
    ["OPTIONS", "/v1/interactions", 405, "method-not-allowed", "POST"],
    ["POST", "/v1/contacts", 404, "not-found", null],
  ])("%s %s is the problem %i %s", async (method, path, status, name, allow) => {
    const { url } = await serve();
    const answer = await ask(url + path, { method });
    expect([answer.status, answer.json.type]).toEqual([status, `/problems/${name}`]);
    expect(answer.type).toContain("application/problem+json");
    expect(answer.json.instance).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
    expect(answer.headers.get("allow")).toBe(allow);
    expect((await ask(url + answer.json.type)).status).toBe(200);
  });

  it.each([
    ["text/plain", undefined],
    ["application/x-www-form-urlencoded", undefined],
    ["application/json; charset=latin1", undefined],
    ["not a type", undefined],
    ["application/json", "gzip"],
  ])("of the type %s, %s is refused", async (type, encoding) => {
    const { url, engine } = await serve();
    const headers = { "content-type": type, ...(encoding === undefined ? {} : { "content-encoding": encoding }) };
    const answer = await post(`${url}/v1/interactions`, click("e1"), headers);
    expect([answer.status, answer.json.type]).toEqual([415, "/problems/unsupported-media-type"]);
    expect(engine.appends).toBe(0);
    expect(
      (await post(`${url}/v1/interactions`, click("e1"), { "content-type": "Application/JSON; Charset=UTF-8" })).status,
    ).toBe(202);
  });

  it.each([
    ["/v1/topics", "text/html", 406],
    ["/v1/topics", "application/json;q=0, */*", 406],
    ["/v1/topics", "text/html, application/*;q=0.5", 200],
    ["/v1/scores", "application/json", 406],
    ["/v1/outputs/score-changed", "text/html", 406],
    ["/healthz", "text/html", 200],
  ])("for %s that takes only %s is answered %i", async (path, accept, status) => {
    const { url } = await serve();
    expect((await ask(url + path, { headers: { accept } })).status).toBe(status);
  });

  it("without a body, or one that is no JSON, says where", async () => {
    const { url, engine } = await serve();
    expect((await post(`${url}/v1/interactions`, " ")).json.type).toBe("/problems/empty-body");
    expect((await ask(`${url}/v1/interactions`, lines("\n \n"))).json.type).toBe("/problems/empty-body");
    const { status, json } = await post(`${url}/v1/interactions`, '[{"id":"e1"},\n {"id":}]');
    expect(status).toBe(400);
    expect(json).toMatchObject({ type: "/problems/malformed-json", line: 2, column: 8, position: 21 });
    const latin1 = new Uint8Array(Buffer.from('{"id":"\u00fc"}', "latin1"));
    expect((await post(`${url}/v1/interactions`, latin1)).json.type).toBe("/problems/not-utf8");
    expect(engine.appends).toBe(0);
  });

  it("that is not HTTP is answered as a problem, too", async () => {
    const { port, url } = await serve();
    expect(await raw(port, "what?\r\n\r\n")).toMatch(/^HTTP\/1.1 400 .*"\/problems\/malformed-http"/s);
    const long = `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`;
    expect(await raw(port, long)).toMatch(/^HTTP\/1.1 431 .*"\/problems\/headers-too-large"/s);
    expect((await ask(`${url}/healthz`)).status).toBe(200);
  });

  it("does not arrive in time", async () => {
    const { port } = await serve({ limits: { requestMs: 50 } });
    const head = "POST /v1/interactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    const answer = await raw(port, `${head}Content-Length: 10\r\n\r\n{`);
    expect(answer).toMatch(/^HTTP\/1.1 408 .*"\/problems\/request-timeout"/s);
  });
});

describe("a body", () => {
  it("of 100 MB is refused before it is read, and the server lives", async () => {
    const { url, engine } = await serve();
    const big = Buffer.alloc(100 * MB, 0x20);
    const answer = await post(`${url}/v1/interactions`, big);
    expect([answer.status, answer.json.type]).toEqual([413, "/problems/body-too-large"]);
    expect(answer.json.detail).toMatch(/smaller batches.*scorefold ingest/);
    expect(engine.appends).toBe(0);
    expect((await post(`${url}/v1/interactions`, click("e1"))).status).toBe(202);
  });

  it("of 100 MB without a length is read no further than the limit", async () => {
    const { url } = await serve();
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent === 100) controller.close();
        else controller.enqueue(new Uint8Array(MB));
        sent += 1;
      },
    });
    const init = { ...lines(""), body, duplex: "half" } as RequestInit;
    const answer = await ask(`${url}/v1/interactions`, init);
    expect([answer.status, answer.json.type]).toEqual([413, "/problems/body-too-large"]);
    expect((await ask(`${url}/healthz`)).status).toBe(200);
  });

  it("is not even sent by a client that asks first", async () => {
    const { port } = await serve();
    const head =
      "POST /v1/interactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n";
    const answer = await raw(port, `${head}Expect: 100-continue\r\nContent-Length: ${100 * MB}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    const body = JSON.stringify(click("e1"));
    const small = await raw(port, `${head}Expect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    expect(small).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 202 /);
  });

  it("shares a budget with all the others", async () => {
    const { url, port, engine } = await serve({ limits: { bodiesBytesMax: 3000 } });
    const socket = await connected(port);
    const head = "POST /v1/interactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    socket.write(`${head}Content-Length: 4000\r\n\r\n${" ".repeat(2500)}`);
    const batch = Array.from({ length: 20 }, (_, i) => click(`e${i}`));
    let answer = await post(`${url}/v1/interactions`, batch);
    while (answer.status === 202) answer = await post(`${url}/v1/interactions`, batch);
    expect([answer.status, answer.json.type]).toEqual([429, "/problems/too-many"]);
    expect(answer.headers.get("retry-after")).toBe("1");
    // What an upload that breaks off has taken is given back.
    socket.destroy();
    while (answer.status === 429) answer = await post(`${url}/v1/interactions`, batch);
    expect(answer.status).toBe(202);
    expect(engine.lines.length).toBeGreaterThanOrEqual(20);
  });

  it("that breaks off appends nothing", async () => {
    const { url, port, engine } = await serve();
    for (let i = 0; i < 50; i += 1) {
      const socket = await connected(port);
      const head = "POST /v1/interactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n";
      socket.write(`${head}Content-Length: 4000\r\n\r\n${JSON.stringify(click("e1"))}\n`);
      await turn();
      socket.destroy();
    }
    expect((await ask(`${url}/healthz`)).status).toBe(200);
    expect(engine.appends).toBe(0);
  });
});

describe("many at once", () => {
  it("are all answered, each with its own offsets", async () => {
    const { url, engine } = await serve();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        post(
          `${url}/v1/interactions`,
          Array.from({ length: 50 }, (__, n) => click(`e${n}`, `c${i}`)),
        ),
      ),
    );
    expect(answers.every(({ status }) => status === 202)).toBe(true);
    const offsets = answers.flatMap(({ json }) => json.results.map(({ offset }: { offset: number }) => offset));
    expect(new Set(offsets).size).toBe(3000);
    expect(engine.lines).toHaveLength(3000);
    for (const { json } of answers.slice(0, 5)) {
      const own = json.results.map(({ offset }: { offset: number }) => JSON.parse(engine.lines[offset] as string));
      expect(new Set(own.map(({ contactId }: { contactId: string }) => contactId)).size).toBe(1);
    }
  });
});

describe("closing", () => {
  it("lets requests under way finish, and takes no more", async () => {
    const { url, server, engine } = await serve();
    let open = (): void => undefined;
    engine.appendGate = new Promise((resolve) => {
      open = resolve;
    });
    const underWay = Array.from({ length: 8 }, (_, i) => post(`${url}/v1/interactions`, click(`e${i}`)));
    while (engine.appends < 8) await turn();
    const closed = server.close();
    await expect(ask(`${url}/healthz`)).rejects.toThrow();
    open();
    const answers = await Promise.all(underWay);
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(202));
    expect(answers.every(({ headers }) => headers.get("connection") === "close")).toBe(true);
    await closed;
    await server.close();
  });

  it("takes nothing more on a connection that is open", async () => {
    const { port, server, engine } = await serve();
    let open = (): void => undefined;
    engine.appendGate = new Promise((resolve) => {
      open = resolve;
    });
    const body = JSON.stringify(click("e1"));
    const one = `POST /v1/interactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const socket = await connected(port);
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.write(one);
    while (engine.appends < 1) await turn();
    const closed = server.close();
    socket.write(one);
    open();
    await once(socket, "close");
    await closed;
    expect(text).toMatch(/^HTTP\/1.1 202 /);
    expect(engine.appends).toBe(1);
  });

  it("does not wait for ever", async () => {
    const { url, server, engine } = await serve({ limits: { closeMs: 20 } });
    engine.appendGate = new Promise(() => undefined);
    const stuck = expect(post(`${url}/v1/interactions`, click("e1"))).rejects.toThrow();
    while (engine.appends < 1) await turn();
    await server.close();
    await stuck;
  });

  it("does not wait for connections that have asked nothing", async () => {
    const { port, server } = await serve({ limits: { closeMs: 2 ** 30 } });
    const socket = await connected(port);
    await server.close();
    expect(socket.destroyed || (await once(socket, "close"))).toBeTruthy();
  });

  it("under load loses no answer of what was taken", async () => {
    const { url, server, engine } = await serve();
    const accepted: string[] = [];
    let stopped = 0;
    const clients = Array.from({ length: 8 }, async (_, client) => {
      for (let n = 0; ; n += 1) {
        const id = `e${client}-${n}`;
        try {
          const { status } = await post(`${url}/v1/interactions`, click(id));
          if (status === 202) accepted.push(id);
          else expect(status).toBe(503);
        } catch {
          stopped += 1;
          return;
        }
      }
    });
    while (engine.appends < 200) await turn();
    const stream = await opened(`${url}/v1/outputs/score-changed`);
    stream.resume();
    await server.close();
    await Promise.all(clients);
    expect(stopped).toBe(8);
    const known = new Set(engine.lines.map((line) => JSON.parse(line as string).id));
    expect(accepted.filter((id) => !known.has(id))).toEqual([]);
    // Each client may have lost at most the answer that it was waiting for.
    expect(known.size - accepted.length).toBeLessThanOrEqual(8);
  });
});

it("logs what failed, without bodies, tokens and ids of contacts", async () => {
  const logged: unknown[] = [];
  const logger: Record<string, unknown> = { level: "info" };
  for (const level of ["fatal", "error", "warn", "info", "debug", "trace"]) {
    logger[level] = (...parts: unknown[]) => logged.push([level, ...parts]);
  }
  logger["child"] = () => logger;
  const token = "a-token-that-is-secret";
  const { url, engine } = await serve({ token, logger: logger as never });
  engine.scoresError = new Error("broken inside");
  const headers = { authorization: `Bearer ${token}` };
  const { json } = await ask(`${url}/v1/contacts/ann-smith/scores`, { headers });
  await ask(`${url}/v1/contacts/ann-smith/scores`);
  expect(json.detail).not.toContain("inside");
  const text = JSON.stringify(logged, (_key, value) => (value instanceof Error ? value.message : value));
  expect(text).toContain("broken inside");
  expect(text).toContain(json.instance.replace("urn:uuid:", ""));
  expect(text).not.toMatch(/ann-smith|a-token/);
});

it("answers a request whose client sends its body slowly", async () => {
  const { url } = await serve();
  const request = httpRequest(`${url}/v1/interactions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    agent: false,
  });
  const answered = once(request, "response") as Promise<[IncomingMessage]>;
  for (const letter of JSON.stringify(click("e1"))) {
    request.write(letter);
    await turn();
  }
  request.end();
  const [response] = await answered;
  expect(response.statusCode).toBe(202);
  response.resume();
});
