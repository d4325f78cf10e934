/** A log that is not the one that was scored: the task ends, says what is affected, and goes on once that is accepted. */
import { describe, expect, it } from "vitest";
import { sealed, unsealed } from "../../src/database/checksum.js";
import { metaRow } from "../../src/store/keys.js";
import { ContactStore } from "../../src/store/store.js";
import { acceptLosses } from "../../src/stream/acceptance.js";
import { committedPosition } from "../../src/stream/metadata.js";
import { setOfStore } from "../../src/stream/models.js";
import { FOLD_VERSION } from "../../src/stream/task.js";
import { SimulatedDisk } from "../simulator/disk.js";
import { OneTask, type Running } from "./one-task.js";

/** One task that has scored `count` inputs. */
async function scored(count: number, isStopped = true): Promise<{ one: OneTask; running: Running }> {
  const one = new OneTask();
  const running = one.run();
  await one.passes(running.task.running());
  for (let i = 0; i < count; i++) {
    one.arrive(i);
    await one.passes(running.task.foldedUpTo(new Map([["inputs", i + 1]])));
  }
  await one.passes(running.task.written());
  if (!isStopped) return { one, running };
  running.task.stop();
  await one.passes(() => "error" in running.ended);
  return { one, running };
}

async function refusal(one: OneTask, running: Running = one.run()): Promise<string> {
  await one.passes(() => "error" in running.ended);
  expect(running.ended.error).toMatchObject({ code: "log-lost", retryable: false });
  return (running.ended.error as Error).message;
}

/** Accepts what a message names. */
async function accept(one: OneTask, message: string): Promise<void> {
  const topics = [...message.matchAll(/--accept-loss (\S+)-0/g)].map(([, topic]) => topic!);
  const log = one.broker.connect();
  const taskLog = await log.open(0);
  const store = await ContactStore.open(one.disk.open(), { clusterId: log.clusterId, foldVersion: FOLD_VERSION });
  await acceptLosses({
    log,
    taskLog,
    committed: committedPosition(await taskLog.committed()),
    store,
    topics: new Set(topics),
    by: "ann@host",
    at: 1,
    models: await setOfStore(store),
    fill: null,
    setStoreAside: async () => undefined,
  });
  await store.close();
}

describe("a log", () => {
  it("whose end is gone and overtaken is refused, and gone on from where it is proven", async () => {
    const { one } = await scored(5);
    one.broker.truncate("inputs", 0, 3);
    one.arrive(...Array.from({ length: 4 }, (_, i) => 100 + i));
    const message = await refusal(one);
    expect(message).toContain("inputs-0 has 0 to 7 now, and was read up to 5: other records");
    await accept(one, message);
    const { task } = one.run();
    await one.passes(task.foldedUpTo(new Map([["inputs", 7]])));
    expect(one.scores().at(-1)).toBe(90);
  });

  it("whose end is gone is refused, and gone on from what is left once that is accepted", async () => {
    const { one } = await scored(5);
    one.broker.truncate("inputs", 0, 3);
    const message = await refusal(one);
    expect(message).toContain("inputs-0 has 0 to 3 now, and was read up to 5: its end is gone");
    const before = one.scores();
    // Asked again it is refused again, and nothing has moved.
    expect(await refusal(one)).toBe(message);
    await accept(one, message);
    const { task } = one.run();
    one.arrive(100);
    await one.passes(task.foldedUpTo(new Map([["inputs", 4]])));
    expect(one.scores()).toEqual([...before, 60]);
    expect(task.losses).toMatchObject({ count: 1, last: [{ topic: "inputs", kind: "end", by: "ann@host" }] });
  });

  it("that is overtaken under a running task is not read on from", async () => {
    const { one, running } = await scored(5, false);
    one.broker.truncate("inputs", 0, 3);
    one.arrive(100, 101, 102, 103);
    await refusal(one, running);
    expect(one.scores().at(-1)).toBe(50);
  });

  it("that has lost outputs is refused, with how many", async () => {
    const { one } = await scored(5);
    const { end } = one.broker.partition("score-changed", 0);
    one.broker.truncate("score-changed", 0, end - 2);
    const message = await refusal(one);
    expect(message).toMatch(/score-changed-0 has 0 to \d+ now, and was written up to \d+: 1 outputs are gone/);
    await accept(one, message);
    const { task } = one.run();
    one.arrive(100);
    await one.passes(task.foldedUpTo(new Map([["inputs", 6]])));
    expect(one.scores().at(-1)).toBe(60);
  });

  it("that has dropped what was read goes on: nothing is known against it", async () => {
    const { one } = await scored(5);
    one.broker.dropBefore("inputs", 0, 5);
    const { task } = one.run();
    one.arrive(100);
    await one.passes(task.foldedUpTo(new Map([["inputs", 6]])));
    expect(one.scores().at(-1)).toBe(60);
  });

  it("of which nothing is lost has nothing to accept", async () => {
    const { one } = await scored(2);
    await expect(accept(one, "--accept-loss inputs-0")).rejects.toMatchObject({ code: "usage" });
  });
});

describe("a store of the format before", () => {
  /** As an earlier version has left it. */
  async function left(one: OneTask): Promise<void> {
    const database = one.disk.open();
    const meta = JSON.parse(unsealed(metaRow, (await database.get(metaRow))!)) as object;
    await database.write([{ type: "put", key: metaRow, value: sealed(JSON.stringify({ ...meta, format: 3 })) }]);
    await database.close();
  }

  it("says to stop, move it away and start, where the log has all of it", async () => {
    const { one } = await scored(3);
    await left(one);
    const { ended } = one.run();
    await one.passes(() => "error" in ended);
    expect(ended.error).toMatchObject({ code: "format-unknown" });
    expect((ended.error as Error).message).toContain(
      "Or stop, move the store away, and start: everything is folded again from the log",
    );
    // And that is so.
    one.disk = new SimulatedDisk();
    const { task } = one.run();
    one.arrive(100);
    await one.passes(task.foldedUpTo(new Map([["inputs", 4]])));
    expect(one.scores()).toEqual([10, 20, 30, 40]);
  });

  it("says not to, and why, where topics no longer hold what it has", async () => {
    const { one } = await scored(3);
    one.broker.dropBefore("inputs", 0, 2);
    await left(one);
    const { ended } = one.run();
    await one.passes(() => "error" in ended);
    expect((ended.error as Error).message).toMatch(
      /run the version that wrote it: it has inputs that the topics no longer hold \(inputs begins at 2\)/,
    );
  });
});
