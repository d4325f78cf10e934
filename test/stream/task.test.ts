/** A task's life: it waits where it is asked to, ends with everything written, tries again, and gives way to another. */
import { beforeEach, describe, expect, it } from "vitest";
import { defaultLimits } from "../../src/stream/limits.js";
import { Broker } from "../simulator/broker.js";
import { HOUR, modelOf, start } from "./given.js";
import { OneTask } from "./one-task.js";

let one: OneTask;

function line(contactId: string, at: number): string {
  return JSON.stringify({ contactId, id: `v${at}`, at, type: "web.page_viewed" });
}

beforeEach(() => {
  one = new OneTask();
});

describe("Task", () => {
  it("says when inputs are folded, timers fired and everything written", async () => {
    const { task } = one.run();
    await one.passes(task.running());
    one.arrive(1, 2);
    await one.passes(task.foldedUpTo(new Map([["inputs", 2]])));
    expect(one.scores()).toEqual([10, 20]);
    await one.passes(task.fireUntil(start + 3 * HOUR));
    expect(one.scores()).toEqual([10, 20, 0]);
    expect(task.time).toBe(start + 3 * HOUR);
    await one.passes(task.written());
    expect(task.store?.position.timer.all).toBe(start + 3 * HOUR);
    expect((await task.contact("default\0ada")).fold.scoreLines()[0]?.score).toBe(0);
  });

  it("lets the present move on while a long run of the timers goes on beside inputs", async () => {
    let comes = false;
    const log = one.broker.connect(async (name) => {
      if (comes && name === "fetch") one.broker.append("inputs", 0, [line("ada", one.broker.now)]);
    });
    const quiet = modelOf(`
model: lead
version: 1
dimensions: { score: { min: 0, max: 1000 } }
rules:
  - { id: visits, when: web.page_viewed, points: 10 }
  - { id: quiet, inactive: 1h, points: -10 }
`);
    const limits = { ...defaultLimits, commitIntervalMs: 50, sliceBesideInputsMin: 1 };
    const { task } = one.run({ log, models: [quiet], timers: "clock", limits });
    one.broker.append(
      "inputs",
      0,
      Array.from({ length: 100 }, (_, n) => line(`c${n}`, start + 1)),
    );
    await one.passes(task.foldedUpTo(new Map([["inputs", 100]])));
    one.broker.advance(HOUR + 3000);
    one.scheduler.advance(HOUR + 3000);
    comes = true;
    const [stale, behind]: [number[], number[]] = [[], []];
    let hasBegun = false;
    while (!hasBegun || task.position!.timer.run !== null) {
      for (let turn = 0; turn < 50; turn++) await one.scheduler.settle();
      one.broker.advance(50);
      one.scheduler.advance(50);
      hasBegun ||= task.position!.timer.run !== null;
      if (!hasBegun) continue;
      stale.push(one.broker.now - task.time!);
      behind.push(task.timersBehindMs);
    }
    // It was a run of seconds, and says so.
    expect(Math.max(...behind)).toBeGreaterThan(2000);
    expect(Math.max(...stale)).toBeLessThan(1000);
    comes = false;
    task.stop();
  });

  it("ends with everything written, and those who wait hear of it", async () => {
    const { task, ended } = one.run();
    await one.passes(task.running());
    one.arrive(1);
    await one.passes(task.foldedUpTo(new Map([["inputs", 1]])));
    const waiting = expect(task.foldedUpTo(new Map([["inputs", 9]]))).rejects.toMatchObject({ code: "stopping" });
    task.stop();
    await one.passes(() => "error" in ended);
    expect(ended.error).toBeNull();
    await waiting;
    expect(one.disk.entries({ gte: "c\0", lt: "c\x01" })).toHaveLength(1);
    expect(task.state.state).toBe("stopped");
  });

  it("gives way to whoever takes it over, and fails for good", async () => {
    const first = one.run();
    await one.passes(first.task.running());
    await one.broker.connect().open(0);
    one.arrive(1);
    await one.passes(() => "error" in first.ended);
    expect(first.ended.error).toMatchObject({ code: "fenced" });
    expect(first.task.state.state).toBe("failed");
    expect(one.scores()).toEqual([]);
    // Whoever asks afterwards waits for nothing.
    for (const asked of [first.task.written(), first.task.running(), first.task.fireUntil(start)])
      await expect(asked).rejects.toMatchObject({ code: "fenced" });
  });

  it("tries again after an error that may pass, from what is committed", async () => {
    let faults = ["publish committed"];
    const log = one.broker.connect(async (name) => {
      if (name !== faults[0]) return;
      faults = faults.slice(1);
      throw new Error("connection reset");
    });
    const { task, notices } = one.run({ log });
    await one.passes(task.running());
    one.arrive(1);
    await one.passes(() => notices.length > 0);
    one.arrive(2);
    await one.passes(() => one.scores().length === 2);
    expect(one.scores()).toEqual([10, 20]);
  });

  it("says that inputs are folded when their publish is answered, and hears of one that fails while it waits", async () => {
    let answer: (error: Error | null) => void = () => undefined;
    let publishes = 0;
    const log = one.broker.connect(async (name) => {
      if (name !== "publish committed") return;
      publishes += 1;
      await new Promise<void>((done, failed) => {
        answer = (error) => (error === null ? done() : failed(error));
      });
    });
    // It would wait for inputs for eleven days.
    const { task, notices } = one.run({ log, limits: { ...defaultLimits, idleWaitMs: 1e9 } });
    await one.passes(task.running());
    for (const [id, error] of [
      [1, null],
      [2, new Error("connection reset")],
    ] as const) {
      // biome-ignore format: a pair a line
      const before = publishes;
      one.arrive(id);
      let isFolded = false;
      const folded = task.foldedUpTo(new Map([["inputs", id]])).then(() => {
        isFolded = true;
      });
      await one.passes(() => publishes === before + 1);
      expect([isFolded, task.lag, notices.length]).toEqual([false, 1, 0]);
      answer(error);
      await one.passes(error === null ? folded : () => notices.length > 0);
      expect(task.lag).toBe(error === null ? 0 : 1);
    }
    expect(one.scores()).toEqual([10, 20]);
  });

  it("goes on when the one.disk has room again, and a store that could not be opened is opened once more", async () => {
    const { task, notices } = one.run();
    await one.passes(task.running());
    one.disk.isFull = true;
    one.arrive(1);
    await one.passes(() => notices.length > 2);
    one.disk.isFull = false;
    await one.passes(task.running());
    await one.passes(task.written());
    expect(one.scores()).toEqual([10]);
    expect(one.asides).toBe(0);
  });

  it("puts a damaged store aside, and folds everything again without publishing it", async () => {
    const first = one.run();
    await one.passes(first.task.running());
    one.arrive(1, 2, 3);
    await one.passes(first.task.foldedUpTo(new Map([["inputs", 3]])));
    first.task.stop();
    await one.passes(() => "error" in first.ended);
    for (const damaged of ["m\0store", "c\0default\0ada"]) {
      one.disk.damage(damaged, (value) => `${value.slice(0, -1)}~`);
      const next = one.run();
      const known = one.scores().length;
      one.arrive(known + 1);
      await one.passes(() => one.scores().length === known + 1);
      expect(one.scores().at(-1)).toBe(10 * (known + 1));
      next.task.stop();
      await one.passes(() => "error" in next.ended);
    }
    expect(one.asides).toBe(2);
  });

  it("refuses a log that is behind the store: it has lost its end", async () => {
    const { task, ended } = one.run();
    await one.passes(task.running());
    one.arrive(1, 2);
    await one.passes(task.foldedUpTo(new Map([["inputs", 2]])));
    task.stop();
    await one.passes(() => "error" in ended);
    // A log that was restored from a copy of the day before.
    one.broker = new Broker();
    one.broker.advance(start - one.broker.now);
    one.arrive(1);
    const next = one.run();
    await one.passes(() => "error" in next.ended);
    expect(next.ended.error).toMatchObject({ code: "log-lost", retryable: false });
    expect((next.ended.error as Error).message).toContain("recover --accept-loss inputs-0");
    expect([one.asides, one.scores()]).toEqual([0, []]);
  });
});
