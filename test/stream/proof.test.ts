/** A log that is not the one that was scored: the task ends, says what is affected, and goes on once that is accepted. */
import { describe, expect, it } from "vitest";
import { ContactStore } from "../../src/store/store.js";
import { acceptLosses } from "../../src/stream/acceptance.js";
import { committedPosition } from "../../src/stream/metadata.js";
import { setOfStore } from "../../src/stream/models.js";
import { FOLD_VERSION } from "../../src/stream/task.js";
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
});
