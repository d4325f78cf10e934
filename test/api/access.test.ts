import { expect, it } from "vitest";
import { isLoopback, namesLoopback } from "../../src/api/loopback.js";
import { checkAccess } from "../../src/api/options.js";
import { createServer } from "../../src/api/server.js";
import { MemoryEngine } from "./memory-engine.js";
import { ask, click, now, post, raw, serve } from "./serve.js";

const token = "correct-horse-battery-staple";

it("a token is asked for everywhere but for health", async () => {
  const { url, engine } = await serve({ token });
  for (const authorization of [undefined, "", "Bearer", "Bearer wrong", `Basic ${token}`, `Bearer ${token}x`, token]) {
    const headers = authorization === undefined ? {} : { authorization };
    for (const answer of [
      await post(`${url}/v1/interactions`, click("e1"), headers as Record<string, string>),
      await ask(`${url}/metrics`, { headers }),
      await ask(`${url}/nothing`, { headers }),
    ]) {
      expect([answer.status, answer.json.type]).toEqual([401, "/problems/unauthorized"]);
      expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="scorefold"');
      expect(answer.text).not.toContain(token);
    }
  }
  expect(engine.appends).toBe(0);
  for (const path of ["/healthz", "/readyz", "/healthz?x=1"]) expect((await ask(url + path)).status).toBe(200);
  const headers = { authorization: `bearer ${token}` };
  expect((await post(`${url}/v1/interactions`, click("e1"), headers)).status).toBe(202);
});

it("on loopback only names of this machine are answered to", async () => {
  const { port } = await serve();
  const status = async (host: string): Promise<string> =>
    (await raw(port, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)).slice(9, 12);
  for (const host of ["localhost", `localhost:${port}`, "127.0.0.1:1", "[::1]:80", "LOCALHOST"]) {
    expect([host, await status(host)]).toEqual([host, "200"]);
  }
  for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", ""]) {
    expect([host, await status(host)]).toEqual([host, "421"]);
  }
});

it("no page of another origin is let in", async () => {
  const { url } = await serve();
  const { headers } = await ask(`${url}/v1/topics`, { headers: { origin: "https://evil.example" } });
  expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  expect(headers.get("x-content-type-options")).toBe("nosniff");
});

it("an address that others reach needs a token, or to be told so", async () => {
  const engine = new MemoryEngine([], () => now);
  await expect(createServer(engine, { host: "0.0.0.0" })).rejects.toMatchObject({
    code: "config-invalid",
    message: expect.stringMatching(/0\.0\.0\.0.*SCOREFOLD_API_TOKEN/),
  });
  expect(() => checkAccess({ host: "::", token })).not.toThrow();
  expect(() => checkAccess({ token: "" })).toThrow(/empty/);
  const { port } = await serve({ host: "0.0.0.0", allowAnonymous: true });
  // Behind another name it may well be reached.
  expect(await raw(port, "GET /healthz HTTP/1.1\r\nHost: scores.example\r\nConnection: close\r\n\r\n")).toMatch(
    / 200 /,
  );
});

it("loopback is what only this machine reaches", () => {
  const here = ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"];
  const elsewhere = [
    "0.0.0.0",
    "::",
    "10.0.0.1",
    "127.0.0.1.example",
    "127.0.0",
    "1127.0.0.1",
    "localhost.example",
    "",
  ];
  expect(here.filter(isLoopback)).toEqual(here);
  expect(elsewhere.filter(isLoopback)).toEqual([]);
  expect(namesLoopback(undefined)).toBe(false);
  expect(namesLoopback("::1")).toBe(false);
});
