import { expect, it } from "vitest";
import { problemNames } from "../../../src/api/problems.js";
import { ScorefoldError } from "../../../src/errors.js";
import { ask, click, post, serve } from "../serve.js";

it("health is of the process, readiness of the engine", async () => {
  const { url, engine } = await serve();
  expect((await ask(`${url}/healthz`)).json).toEqual({ status: "ok", state: "running" });
  expect((await ask(`${url}/readyz`)).json).toMatchObject({ status: "ready", state: "running", models: ["lead@3"] });
  engine.status = { ...engine.status, state: "catching-up", isUp: false, isReady: false, lag: 7 };
  expect((await ask(`${url}/healthz`)).status).toBe(200);
  const ready = await ask(`${url}/readyz`);
  expect([ready.status, ready.json.type]).toEqual([503, "/problems/not-ready"]);
  expect(ready.json).toMatchObject({ state: "catching-up", lag: 7 });
  // A restart mends no task, and would end those that run beside it.
  engine.status = { ...engine.status, state: "failed", detail: "task 1: the log is damaged" };
  const health = await ask(`${url}/healthz`);
  expect([health.status, health.json]).toEqual([200, { status: "ok", state: "failed" }]);
  const failed = await ask(`${url}/readyz`);
  expect([failed.status, failed.json.type, failed.json.lag]).toEqual([503, "/problems/failed", 7]);
  expect(failed.json.detail).toContain("task 1: the log is damaged");
});

it("readiness is not said of a log whose directory is gone", async () => {
  const { url, engine } = await serve();
  Object.assign(engine, {
    checkPlace: async () => {
      throw new ScorefoldError("directory-unusable", "/data/log was removed; put it back");
    },
  });
  const { status, json } = await ask(`${url}/readyz`);
  expect([status, json.type, json.detail]).toEqual([503, "/problems/failed", "/data/log was removed; put it back"]);
});

it("metrics are the engine's", async () => {
  const { url } = await serve();
  await post(`${url}/v1/interactions`, click("e1"));
  const { type, text } = await ask(`${url}/metrics`);
  expect([type, text]).toEqual(["text/plain; version=0.0.4; charset=utf-8", "inputs_total 1\n"]);
});

it("every problem has an explanation", async () => {
  const { url } = await serve();
  for (const name of problemNames) {
    const { status, text } = await ask(`${url}/problems/${name}`);
    expect([name, status]).toEqual([name, 200]);
    expect(text).toMatch(/^.+\nStatus \d{3} .+\n\n.+\n$/);
  }
  expect((await ask(`${url}/problems/toString`)).status).toBe(404);
});

it("the root links to what there is", async () => {
  const { url } = await serve();
  const { json } = await ask(`${url}/`);
  for (const path of Object.values<string>(json).filter((one) => one.startsWith("/") && !one.includes("{"))) {
    const { status } = await ask(url + path);
    expect([path, status]).toEqual([
      path,
      ["/v1/inputs", "/v1/interactions", "/v1/profiles", "/v1/adjustments"].includes(path) ? 405 : 200,
    ]);
  }
});

it("HEAD is GET without a body", async () => {
  const { url } = await serve();
  for (const path of ["/", "/healthz", "/readyz", "/metrics", "/v1/topics"]) {
    const answer = await ask(url + path, { method: "HEAD" });
    expect([path, answer.status, answer.text]).toEqual([path, 200, ""]);
  }
});
