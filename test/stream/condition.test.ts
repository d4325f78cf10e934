/** How a task is shown: after an error until something has passed, and while something does not answer. */
import { beforeEach, describe, expect, it } from "vitest";
import { ScorefoldError } from "../../src/errors.js";
import type { Clock } from "../../src/stream/clock.js";
import { TaskCondition } from "../../src/stream/condition.js";
import { start } from "./given.js";

let now: number;
let condition: TaskCondition;
beforeEach(() => {
  now = 0;
  condition = new TaskCondition({ now: () => start + now, elapsed: () => now } as Clock);
});

const denied = new ScorefoldError("log-failed", "denied");
const full = new ScorefoldError("disk-full", "no room");

function fails(error: ScorefoldError): number {
  const wait = condition.fail(error, error.message);
  condition.enter("retrying", error.message);
  return wait;
}

/** As a life begins that comes to run. */
function runs(): void {
  for (const state of ["starting", "catching-up", "running"] as const) condition.enter(state, null);
}

/** Of what never answers. */
function waitsFor(what: string): { answer: () => void; fail: () => void } {
  let answer: () => void = () => undefined;
  let fail: () => void = () => undefined;
  const work = new Promise<void>((resolve, reject) => {
    answer = resolve;
    fail = () => reject(new Error("reset"));
  });
  condition.waits.during(what, work).catch(() => undefined);
  return { answer: () => answer(), fail: () => fail() };
}

describe("after an error", () => {
  it("it is retrying until a commit has passed, though it runs in between, and waits longer each time", () => {
    const waits: number[] = [];
    for (let n = 0; n < 9; n++) {
      now = 1_000 * n;
      waits.push(fails(denied));
      runs();
      expect([condition.state, condition.endTurn(false), condition.shown.state]).toEqual([
        "running",
        false,
        "retrying",
      ]);
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(condition.shown.detail).toBe(`denied (since ${new Date(start).toISOString()}, tried 9 times)`);
    condition.committed();
    expect([condition.endTurn(false), condition.shown]).toEqual([true, { state: "running", detail: null }]);
    expect(fails(denied)).toBe(250);
  });

  it("nothing left to do is as good as a commit", () => {
    fails(denied);
    runs();
    expect([condition.endTurn(true), condition.shown.state]).toEqual([true, "running"]);
  });

  it("a commit of the life before does not count, and of a store that could not write neither does one without a write", () => {
    runs();
    condition.committed();
    fails(full);
    runs();
    expect(condition.endTurn(false)).toBe(false);
    condition.committed();
    expect(condition.endTurn(false)).toBe(false);
    condition.written();
    expect(condition.endTurn(false)).toBe(true);
  });

  it("what ends it is shown as it is", () => {
    fails(denied);
    condition.enter("failed", "for good");
    expect(condition.shown).toEqual({ state: "failed", detail: "for good" });
    condition.enter("stopping", null);
    expect(condition.shown.state).toBe("stopping");
  });
});

describe("what does not answer", () => {
  const since = new Date(start).toISOString();

  it("is named after a while, until it answers", async () => {
    runs();
    const { answer } = waitsFor("the schema registry at http://registry:8081");
    now = 10_000;
    expect(condition.shown).toEqual({ state: "running", detail: null });
    now += 1;
    const detail = `waits for the schema registry at http://registry:8081 since ${since}`;
    expect(condition.shown).toEqual({ state: "waiting", detail });
    condition.enter("catching-up", null);
    expect(condition.shown).toEqual({ state: "catching-up", detail });
    condition.enter("running", null);
    answer();
    await Promise.resolve();
    await Promise.resolve();
    expect(condition.shown).toEqual({ state: "running", detail: null });
  });

  it("is the same wait from try to try, and what it is asked for is named rather than who waits for that", async () => {
    runs();
    waitsFor("the brokers");
    now = 1;
    const first = waitsFor("broker 1");
    now = 30_000;
    first.fail();
    await Promise.resolve();
    await Promise.resolve();
    now = 32_000;
    expect(condition.shown.detail).toContain("waits for broker 1 since");
    waitsFor("broker 1");
    now = 33_000;
    expect(condition.shown.detail).toBe(`waits for broker 1 since ${new Date(start + 1).toISOString()}`);
  });

  it("does not hide behind others of its name that answer", async () => {
    runs();
    waitsFor("the disk of the store");
    now = 5_000;
    waitsFor("the disk of the store").answer();
    await Promise.resolve();
    now = 10_001;
    expect(condition.shown.detail).toBe(`waits for the disk of the store since ${since}`);
  });
});
