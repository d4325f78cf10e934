/** What a task's log makes of answers that one broker alone does not give. */
import { describe, expect, it } from "vitest";
import { KafkaTaskLog, type TaskLogParts } from "../../src/kafka/task-log.js";

type Offsets = { topic: string; partitions: { partition: number; offset: string }[] }[];

/** A task of the topic `t` whose cluster answers so, when asked for offsets. */
function taskOf(answers: (Offsets | Error)[]) {
  const counts = { refreshed: 0, closed: 0, disconnected: 0 };
  const cluster = {
    fetchTopicsOffset: async () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    refreshMetadata: async () => void counts.refreshed++,
    disconnect: async () => void counts.disconnected++,
  };
  const parts = {
    topics: ["t"],
    cluster,
    fetcher: { close: async () => undefined },
    producer: {
      disconnect: async () => {
        throw new Error("no");
      },
    },
    closing: new AbortController().signal,
    onClosed: () => void counts.closed++,
  };
  return { task: new KafkaTaskLog(3, parts as unknown as TaskLogParts, null as never), counts };
}

const at = (offset: number): Offsets => [{ topic: "t", partitions: [{ partition: 3, offset: String(offset) }] }];
const moved = Object.assign(new Error("not the leader"), { retriable: true, code: 6 });

describe("the bounds of topics", () => {
  it("are asked for again where a leader has moved, when it is known who leads now", async () => {
    const { task, counts } = taskOf([moved, at(2), moved, at(2), at(9)]);
    expect(await task.bounds()).toEqual(new Map([["t", { start: 2, end: 9 }]]));
    expect(counts.refreshed).toBe(2);
  });

  it("are not those of an empty topic where the broker does not tell them", async () => {
    for (const answers of [
      [[], []],
      [at(2), []],
      [at(2), [{ topic: "t", partitions: [] }]],
      [at(-1), at(9)],
    ])
      await expect(taskOf(answers).task.bounds()).rejects.toMatchObject({
        code: "log-failed",
        message: expect.stringContaining("does not tell the bounds of topic t, partition 3"),
      });
  });

  it("are not asked for again when the task is closed", async () => {
    const { task } = taskOf([moved, at(2), at(9)]);
    const bounds = task.bounds().catch((error: unknown) => error);
    await task.close().catch(() => undefined);
    expect(await bounds).toMatchObject({ code: "stopping" });
  });
});

it("is let go when it is closed, whatever becomes of its connections, and once", async () => {
  const { task, counts } = taskOf([]);
  const closed = [task.close(), task.close()];
  for (const one of closed) await expect(one).rejects.toThrow("no");
  expect(counts.closed).toBe(1);
});
