/** A start that waits for what is away: what is said meanwhile, what ends it, and that it can be told to end. */
import { expect, it } from "vitest";
import { LateEngine } from "../../src/cli/late-engine.js";
import type { ServedEngine } from "../../src/cli/serving.js";
import { ScorefoldError } from "../../src/errors.js";
import { registeredAvro } from "../../src/kafka/avro.js";
import { createLogger } from "../../src/telemetry.js";
import { MemoryEngine } from "../api/memory-engine.js";
import { compiled, Told } from "../engine/given.js";
import { SilentRegistry } from "../engine/silent-registry.js";

const models = [compiled("model: lead\nversion: 1\nrules: [{ id: v, when: web.page_viewed, points: 1 }]\n")];

function memoryEngine(): ServedEngine & { readonly isStopped: () => boolean } {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let isStopped = false;
  return Object.assign(new MemoryEngine(models, () => 0), {
    ended: async () => await ended,
    stop: async () => {
      isStopped = true;
      end();
    },
    isStopped: () => isStopped,
  });
}

function late(start: () => Promise<ServedEngine>, told = new Told()) {
  return LateEngine.start({ start, modelNames: ["lead@1"], logger: createLogger("info", told) });
}

const away = (): ScorefoldError => new ScorefoldError("log-failed", "connecting to Kafka: connect ECONNREFUSED");

it("is up in its own time where broker or registry are away, and says what it waits for", async () => {
  const told = new Told();
  let tries = 0;
  let come: () => void = () => undefined;
  const isThere = new Promise<void>((resolve) => {
    come = resolve;
  });
  const engine = await late(async () => {
    tries += 1;
    if (tries < 3) throw away();
    await isThere;
    return memoryEngine();
  }, told);
  expect(engine.status).toMatchObject({
    state: "retrying",
    isUp: false,
    isReady: false,
    lag: null,
    models: ["lead@1"],
  });
  expect(engine.status.detail).toContain("connect ECONNREFUSED");
  await expect(engine.scores("ada", { tenantId: "default" })).rejects.toMatchObject({ code: "stopping" });
  expect((await engine.metrics()).text).toContain("process_start_time_seconds");
  come();
  while (engine.engine === null) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(engine.status).toMatchObject({ state: "running", isReady: true });
  expect([tries, told.text.split("\n")]).toEqual([3, Array(2).fill("the start has failed and is tried again")]);
  await engine.stop();
  await engine.ended();
});

it("waits for a schema registry that is away, by its address, until outputs are registered", async () => {
  const registry = await SilentRegistry.start();
  let url = "http://127.0.0.1:1";
  const topics = { scoreChanged: "score-changed", thresholdCrossed: "threshold-crossed", deadLetters: "dead-letters" };
  const engine = await LateEngine.start({
    start: async (waits) => {
      await registeredAvro({ url }, topics, () => 0, waits);
      return memoryEngine();
    },
    modelNames: ["lead@1"],
    logger: createLogger("info", new Told()),
  });
  expect(engine.status).toMatchObject({ state: "retrying", isReady: false });
  expect(engine.status.detail).toContain("the schema registry at http://127.0.0.1:1: ");
  url = registry.url;
  while (engine.engine === null) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(engine.status.isReady).toBe(true);
  await engine.stop();
  await registry.close();
});

it("ends with what nobody but a person can mend, at once or after it has waited", async () => {
  const wrong = new ScorefoldError("config-invalid", "topic web is not there");
  const fails = async (): Promise<ServedEngine> => {
    throw wrong;
  };
  await expect(late(fails)).rejects.toBe(wrong);
  let tries = 0;
  const engine = await late(async () => {
    tries += 1;
    throw tries === 1 ? away() : wrong;
  });
  await expect(engine.ended()).rejects.toBe(wrong);
});

it("ends when it is told to, also in the middle of a try, which is ended when it comes through", async () => {
  let come: (engine: ServedEngine) => void = () => undefined;
  let tries = 0;
  const engine = await late(async () => {
    tries += 1;
    if (tries === 1) throw away();
    return await new Promise<ServedEngine>((resolve) => {
      come = resolve;
    });
  });
  while (tries < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  const stopped = engine.stop();
  expect(engine.status.state).toBe("stopping");
  const started = memoryEngine();
  come(started);
  await stopped;
  await engine.ended();
  expect(started.isStopped()).toBe(true);
});
