/**
 * Runs of timers that are interrupted: by inputs between two slices, and by a crash. And what may go on beside a publish
 * that is not answered yet.
 */
import { beforeEach, describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../src/stream/clock.js";
import type { TaskLog, Transaction } from "../../src/stream/log.js";
import { HOUR, start } from "./given.js";
import {
  begin,
  beginAnew,
  broker,
  committed,
  crash,
  disk,
  failures,
  instantsOf,
  session,
  store,
  visit,
  visits,
} from "./one-session.js";

beforeEach(beginAnew);

/** Publishes reach the log when the test lets them. */
class Held {
  readonly begun: { readonly transaction: Transaction; readonly go: () => void; readonly fail: (e: Error) => void }[] =
    [];

  readonly through = (own: TaskLog): TaskLog => ({
    task: own.task,
    topicIds: own.topicIds,
    committed: async () => await own.committed(),
    bounds: async (topics) => await own.bounds(topics),
    fetch: async (from, limits, signal, marks) => await own.fetch(from, limits, signal, marks),
    look: async (offsets) => await own.look(offsets),
    publish: async (transaction) => {
      await new Promise<void>((go, fail) => this.begun.push({ transaction, go, fail }));
      return await own.publish(transaction);
    },
    hasPublished: async () => await own.hasPublished(),
    time: async () => await own.time(),
    newest: async () => await own.newest(),
    close: async () => await own.close(),
  });
}

/** Whether it has come to an end, once nothing goes on by itself. */
async function isOver(wait: Promise<unknown>): Promise<boolean> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  wait.then(end, end);
  await new Promise((resolve) => setImmediate(resolve));
  return over;
}

describe("a publish under way", () => {
  let held: Held;

  beforeEach(async () => {
    held = new Held();
    await begin(held.through);
  });

  it("lets the next batch be folded, which is published when it is answered", async () => {
    await visits(["a", 1]);
    expect([session.folded.get("inputs"), session.position.offsets.get("inputs")]).toEqual([1, 0]);
    const second = visits(["a", 2]);
    expect(await isOver(second)).toBe(false);
    expect(session.folded.get("inputs")).toBe(2);
    expect(held.begun).toHaveLength(1);
    held.begun[0]!.go();
    await second;
    expect(session.position.offsets.get("inputs")).toBe(1);
    expect(held.begun.map(({ transaction }) => transaction.offsets.get("inputs"))).toEqual([1, 2]);
    held.begun[1]!.go();
    await session.published();
    expect(session.position.offsets.get("inputs")).toBe(2);
    expect(instantsOf("a")).toEqual([1, 2]);
  });

  it("is waited for by everything that goes on from what is published", async () => {
    for (const next of [
      async () => await session.writeIfDue(),
      async () => await session.write(),
      async () => await session.fireTimers(start - HOUR),
      async () => await session.commitInputs(await session.fetch(0)),
      async () => await session.settled(),
    ]) {
      await visits(["a", session.folded.get("inputs")! + 1]);
      const before = disk.batches;
      const wait = next();
      expect(await isOver(wait), String(next)).toBe(false);
      expect(disk.batches).toBe(before);
      held.begun.at(-1)!.go();
      await wait;
      expect(session.position.offsets.get("inputs")).toBe(session.folded.get("inputs"));
    }
  });

  it("of timers is waited for by who fires them", async () => {
    await visits(["a", 1]);
    held.begun[0]!.go();
    const firing = session.fireTimers(start + 4 * HOUR);
    expect(await isOver(firing)).toBe(false);
    expect(session.position.timer.all).toBeNull();
    held.begun[1]!.go();
    expect(await firing).toBe(false);
    expect(session.position.timer.all).toBe(start + 4 * HOUR);
  });

  it("that fails is told at once, and nothing goes on after it", async () => {
    await visits(["a", 1]);
    const second = visits(["a", 2]);
    expect(await isOver(second)).toBe(false);
    held.begun[0]!.fail(new Error("connection reset"));
    await expect(second).rejects.toThrow("connection reset");
    expect(failures).toBe(1);
    const written = disk.batches;
    await session.settled();
    for (const next of [
      async () => await session.fetch(0),
      async () => await session.commitInputs([]),
      async () => await session.fireTimers(start + 4 * HOUR),
      async () => await session.writeIfDue(),
      async () => await session.write(),
      async () => await session.published(),
    ])
      await expect(next(), String(next)).rejects.toThrow("connection reset");
    expect(session.position.offsets.get("inputs")).toBe(0);
    expect(held.begun).toHaveLength(1);
    expect(disk.batches).toBe(written);
  });
});

describe("the rest before the next commit, where all is folded", () => {
  let held: Held;
  let now: number;
  let sleeps: { readonly ms: number; readonly signal: AbortSignal | undefined; readonly end: () => void }[];

  beforeEach(async () => {
    held = new Held();
    now = 0;
    sleeps = [];
    const sleep: Clock["sleep"] = async (ms, signal) =>
      await new Promise<void>((end) => sleeps.push({ ms, signal, end }));
    await begin(held.through, { commitIntervalMs: 50 }, { ...systemClock, elapsed: () => now, sleep });
  });

  it("is until what is folded is published, and an interval has passed since that began", async () => {
    await visits(["a", 1]);
    const { signal } = new AbortController();
    const rest = session.rest(signal);
    now = 20;
    expect(await isOver(rest)).toBe(false);
    expect(sleeps).toHaveLength(0);
    held.begun[0]!.go();
    await expect.poll(() => sleeps.length).toBe(1);
    expect(sleeps[0]).toMatchObject({ ms: 30, signal });
    expect(await isOver(rest)).toBe(false);
    sleeps[0]!.end();
    await rest;
    expect(session.position.offsets.get("inputs")).toBe(1);
  });

  it("is none where nothing was published for longer, nor at first", async () => {
    await session.rest(new AbortController().signal);
    await visits(["a", 1]);
    held.begun[0]!.go();
    await session.published();
    now = 50;
    await session.rest(new AbortController().signal);
    expect(sleeps).toHaveLength(0);
  });

  it("tells of a publish that failed", async () => {
    await visits(["a", 1]);
    const rest = session.rest(new AbortController().signal);
    held.begun[0]!.fail(new Error("connection reset"));
    await expect(rest).rejects.toThrow("connection reset");
  });
});

describe("a run of the timers", () => {
  it("takes fewer contacts at a time while inputs come", async () => {
    await begin((own) => own, { sliceContactsMax: 3, sliceBesideInputsMin: 1 });
    await visits(["a", 1], ["m", 1], ["z", 1]);
    expect(await session.fireTimers(start + 4 * HOUR)).toBe(true);
    expect(session.position.timer.run?.done).toBe("default\0a");
    await session.commitInputs(await session.fetch(0));
    expect(await session.fireTimers(start + 4 * HOUR)).toBe(false);
    expect(session.position.timer).toEqual({ all: start + 4 * HOUR, run: null });
  });

  it("goes on in the transaction of the inputs that come meanwhile, once no more of them wait", async () => {
    const held = new Held();
    await begin(held.through, { batchRecordsMax: 1 });
    const step = async (): Promise<boolean> => {
      const fired = await session.commitInputs(await session.fetch(0));
      held.begun.at(-1)!.go();
      await session.published();
      return fired;
    };
    const lines = ["a", "m", "z", "q", "r"].map((contactId) => visit(contactId, 1));
    broker.append("inputs", 0, lines.slice(0, 3));
    expect([await step(), await step(), await step()]).toEqual([false, false, false]);
    const firing = session.fireTimers(start + 4 * HOUR);
    await expect.poll(() => held.begun.length).toBe(4);
    held.begun.at(-1)!.go();
    expect(await firing).toBe(true);
    broker.append("inputs", 0, lines.slice(3));
    expect([await step(), session.position.timer.run?.done]).toEqual([false, "default\0a"]);
    expect([await step(), session.position.timer.run?.done]).toEqual([true, "default\0m"]);
    expect(held.begun).toHaveLength(6);
    expect(await committed()).toEqual(session.position);
    expect(instantsOf("m")).toEqual([1, 2 * HOUR + 1]);
    while (session.isFiring) {
      broker.append("inputs", 0, [visit("b", 5 * HOUR)]);
      await step();
    }
    expect(session.position.timer).toEqual({ all: start + 4 * HOUR, run: null });
    for (const contactId of ["q", "r", "z"]) expect(instantsOf(contactId)).toEqual([1, 2 * HOUR + 1]);
  });

  it("gives a contact its turn that an input between two slices has made due", async () => {
    await visits(["a", 1], ["z", 1]);
    expect(await session.fireTimers(start + 4 * HOUR)).toBe(true);
    expect(session.position.timer.run?.done).toBe("default\0a");
    await visits(["m", 5]);
    while (await session.fireTimers(start + 4 * HOUR));
    expect(session.position.timer).toEqual({ all: start + 4 * HOUR, run: null });
    expect(instantsOf("a")).toEqual([1, 2 * HOUR + 1]);
    expect(instantsOf("m")).toEqual([5, 2 * HOUR + 5]);
    expect(instantsOf("z")).toEqual([1, 2 * HOUR + 1]);
  });

  it("that a crash has interrupted never goes back to who had a turn, however early the index has them", async () => {
    await visits(["a", 1], ["m", 1], ["z", 1]);
    await session.write();
    // The index goes on having a as due two hours after the first visit.
    await visits(["a", HOUR]);
    await session.write();
    await session.fireTimers(start + 2.5 * HOUR);
    await session.fireTimers(start + 2.5 * HOUR);
    expect((await committed()).timer.run?.done).toBe("default\0m");
    await crash({ isStoreLost: false });
    expect(await session.fireTimers(start + 2.5 * HOUR)).toBe(false);
    expect(instantsOf("m")).toEqual([1, 2 * HOUR + 1]);
    expect(instantsOf("z")).toEqual([1, 2 * HOUR + 1]);
  });

  it("is repeated to where later runs went, also where the store was in the middle of one", async () => {
    await visits(["a", 1], ["m", 1], ["b", HOUR]);
    expect(await session.fireTimers(start + 2.5 * HOUR)).toBe(true);
    await session.write();
    expect(store.position.timer.run).toEqual({ until: start + 2.5 * HOUR, done: "default\0a" });
    while (await session.fireTimers(start + 4 * HOUR));
    expect(instantsOf("b")).toEqual([HOUR, 3 * HOUR]);
    await crash({ isStoreLost: false });
    expect(await session.fireTimers(start + 5 * HOUR)).toBe(false);
    expect(instantsOf("m")).toEqual([1, 2 * HOUR + 1]);
    expect(instantsOf("b")).toEqual([HOUR, 3 * HOUR]);
  });
});

describe("a batch", () => {
  it("is never asked to be larger than its bound, also after one that was cut", async () => {
    const asked: number[] = [];
    const noting = (own: TaskLog): TaskLog => ({
      ...new Held().through(own),
      fetch: async (from, limits, signal) => {
        asked.push(limits.recordsMax);
        return await own.fetch(from, limits, signal);
      },
      publish: async (transaction) => await own.publish(transaction),
    });
    await begin(noting, { batchRecordsMax: 10, readContactsMax: 9 });
    const lines = Array.from({ length: 40 }, (_, n) => `{"contactId":"c${n}","at":${start},"type":"web.page_viewed"}`);
    broker.append("inputs", 0, lines);
    while ((session.folded.get("inputs") ?? 0) < 40) await session.commitInputs(await session.fetch(0));
    await session.published();
    expect(asked.length).toBeGreaterThan(4);
    expect(Math.max(...asked)).toBe(10);
  });
});
