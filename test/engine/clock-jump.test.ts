/** A host whose clock jumps, under an engine on a real directory: no decay of a time that has not come is published. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EmbeddedEngine } from "../../src/engine/embedded-engine.js";
import type { ScoreChanged } from "../../src/events/types.js";
import { type Clock, systemClock } from "../../src/stream/clock.js";
import { type Opened, opened, Place, recordsOf } from "./given.js";
import { click, day, profile } from "./people.js";

const YEAR = 365 * day;
const HOUR = 3_600_000;
const start = Date.UTC(2026, 5, 1, 12);
const ada = { id: "ada", name: "Ada", mail: "ada@example.test" };

/** Time as a test has it. It passes by hand, and looks at it are counted. */
class HostTime implements Clock {
  wall = start;
  #elapsed = 0;
  #looks = 0;
  readonly sleep = systemClock.sleep;
  readonly yield = systemClock.yield;

  now(): number {
    this.#looks += 1;
    return this.wall;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  pass(ms: number): void {
    this.wall += ms;
    this.#elapsed += ms;
  }

  /** Resolves when the task has looked at the clock and done what follows, some times over. */
  async looked(): Promise<void> {
    const until = this.#looks + 20;
    while (this.#looks < until) await new Promise((done) => setTimeout(done, 5));
  }
}

let place: Place;
let host: HostTime;
let engine: EmbeddedEngine | undefined;
beforeEach(() => {
  place = new Place();
  host = new HostTime();
});
afterEach(async () => {
  await engine?.stop();
  place.remove();
});

async function run(): Promise<Opened> {
  const limits = { timerIntervalMs: 0, idleWaitMs: 2, writeIntervalMs: 0 };
  const found = await opened(place.data, { clock: host, timers: "clock", limits });
  engine = found.engine;
  await engine.task.running();
  return found;
}

/** Some inputs of now, folded and published. */
async function send(running: EmbeddedEngine, ...inputs: readonly object[]): Promise<void> {
  const { offset } = await running.append(inputs.map((input) => JSON.stringify(input)));
  await running.folded(offset + inputs.length - 1);
}

async function instantsOf(running: EmbeddedEngine): Promise<number[]> {
  return (await recordsOf(running, "score-changed")).map((text) => (JSON.parse(text) as ScoreChanged).at);
}

/** A directory with a contact that decays, left by an engine that has stopped. */
async function lived(): Promise<void> {
  const { engine: first } = await run();
  await send(first, profile(ada, start), ...[1, 2, 3].map((n) => click("ada", `c${n}`, start + n)));
  host.pass(HOUR);
  await host.looked();
  await first.stop();
}

describe("a start with a clock that is a year ahead for a second", () => {
  beforeEach(async () => {
    await lived();
    host.wall += YEAR;
  });

  it("publishes no decay of that year, says so, and scores new contacts as of now", async () => {
    const { engine: running, told } = await run();
    await host.looked();
    expect(running.status).toMatchObject({ state: "running", isReady: true });
    expect(running.status.detail).toMatch(/the host's clock says 2027-.*timers do not follow it/);
    expect(running.taskStatuses()[0]!.detail).toBe(running.status.detail);
    expect(told.text).toMatch(/the host's clock says 2027-/);
    const { text } = await running.metrics();
    expect(Number(/^scorefold_clock_ahead_seconds\{task="0"\} (.*)$/m.exec(text)?.[1])).toBe((YEAR + HOUR) / 1000);
    host.pass(1000);
    await host.looked();
    host.wall -= YEAR;
    await host.looked();
    expect(running.status.detail).toBeNull();
    await send(running, { ...profile(ada, host.wall), contactId: "new" }, click("new", "c1", host.wall));
    host.pass(2 * 60_000);
    await host.looked();
    for (const at of await instantsOf(running)) expect(at).toBeLessThanOrEqual(host.wall);
    expect(await running.scores("new", { tenantId: "default" })).toMatchObject({ asOf: host.wall });
    expect(await running.metrics()).toMatchObject({
      text: expect.stringMatching(/clock_ahead_seconds\{task="0"\} 0$/m),
    });
  });

  it("follows it once it has lasted for a minute: then a stop explains it", async () => {
    const { engine: running, told } = await run();
    host.pass(30_000);
    await host.looked();
    expect(Math.max(...(await instantsOf(running)))).toBeLessThan(start + day);
    host.pass(31_000);
    await host.looked();
    expect(running.status.detail).toBeNull();
    expect(told.text).toMatch(/has gone on evenly: timers follow it, to 2027-/);
    // Decay comes to its end within the year.
    expect((await instantsOf(running)).filter((at) => at > start + day).length).toBeGreaterThan(10);
  });
});

it("a clock that is a year ahead before anything is in the log does no harm", async () => {
  host.wall += YEAR;
  const { engine: running, told } = await run();
  await host.looked();
  host.wall -= YEAR;
  await host.looked();
  await send(running, profile(ada, host.wall), click("ada", "c1", host.wall));
  host.pass(HOUR);
  await host.looked();
  expect(await running.scores("ada", { tenantId: "default" })).toMatchObject({ asOf: host.wall });
  for (const at of await instantsOf(running)) expect(at).toBeLessThanOrEqual(host.wall);
  expect(told.text).toBe("");
});

it("a clock that jumps for a second while it runs stamps nothing, if nothing comes", async () => {
  const { engine: running } = await run();
  await send(running, profile(ada, start), click("ada", "c1", start));
  host.pass(2 * 60_000);
  await host.looked();
  host.wall += YEAR;
  await host.looked();
  host.wall -= YEAR;
  await host.looked();
  // What is dated ahead is held against the log's time.
  await send(running, click("ada", "ahead", host.wall + day));
  expect(await recordsOf(running, "dead-letters")).toEqual([expect.stringContaining('"reason":"too-far-ahead"')]);
  for (const at of await instantsOf(running)) expect(at).toBeLessThanOrEqual(host.wall);
});
