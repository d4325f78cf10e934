import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeOutput } from "../../src/events/encode.js";
import type { FetchLimits } from "../../src/stream/log.js";
import {
  atOnce,
  crossingOf,
  describeLog,
  fetchAll,
  fromOffset,
  line,
  originalOf,
  outputOf,
} from "../stream/log.contract.js";
import { Broker, type BrokerOptions } from "./broker.js";

function underTest(options: BrokerOptions) {
  return async () => {
    const broker = new Broker(options);
    let log = broker.connect();
    const input = broker.inputTopics[0] as string;
    return {
      log,
      append: async (lines: readonly (string | Buffer)[]) => broker.append(input, 0, lines.map(originalOf)),
      read: async (topic: string) => broker.read(topic).map(({ value }) => value),
      passTime: async (ms: number) => {
        // The fetch has to be waiting before time passes.
        await new Promise(setImmediate);
        broker.advance(ms);
      },
      reopen: async () => {
        await log.close();
        log = broker.connect();
        return log;
      },
      dropBefore: async (offset: number) => broker.dropBefore(input, 0, offset),
      remove: async () => await log.close(),
    };
  };
}

describeLog("the broker model", underTest({}));
describeLog("the broker model with several topics and tasks", underTest({ inputTopics: ["mails", "forms"], tasks: 3 }));
describeLog("the broker model that cuts and delays", () => {
  let turn = 0;
  const step = async (): Promise<void> => {
    turn += 1;
    for (let i = 0; i < (turn * 7) % 5; i++) await new Promise(setImmediate);
  };
  return underTest({ step, cut: (records) => 1 + ((records * 5 + turn) % 3) })();
});

const empty = { offsets: new Map([["inputs", 0]]), metadata: "", outputs: [], deadLetters: [] };

describe("Broker", () => {
  it("has marks in its topics, over which a reader goes", async () => {
    const broker = new Broker();
    const task = await broker.connect().open(0);
    await task.publish({ ...empty, outputs: [outputOf(1), crossingOf(1)] });
    await task.publish({ ...empty, outputs: [outputOf(2), outputOf(3)] });
    expect(broker.read("score-changed").map(({ offset }) => offset)).toEqual([0, 2, 3]);
    expect(broker.partition("score-changed", 0).bounds).toEqual({ start: 0, end: 5 });
    broker.appendInTransaction("inputs", 0, [line("x")])("aborted");
    broker.append("inputs", 0, [line("a")]);
    broker.appendInTransaction("inputs", 0, [line("b")])("committed");
    const log = broker.connect();
    const [first] = await task.fetch(fromOffset(log, 0), atOnce);
    expect(first?.records.map(({ offset }) => offset)).toEqual([2, 3]);
    expect(first).toMatchObject({ next: 5, end: 5 });
    expect(await task.fetch(fromOffset(log, 4), atOnce)).toMatchObject([
      { topic: "inputs", records: [], next: 5, end: 5 },
    ]);
  });

  it("shows nothing behind an open transaction, and wakes who waits when it ends", async () => {
    const broker = new Broker();
    const log = broker.connect();
    const task = await log.open(0);
    const end = broker.appendInTransaction("inputs", 0, [line("a")]);
    broker.append("inputs", 0, [line("b")]);
    expect((await task.bounds()).get("inputs")).toEqual({ start: 0, end: 0 });
    const fetching = task.fetch(fromOffset(log, 0), { ...atOnce, waitMs: 1000 });
    end("committed");
    expect((await fetching)[0]?.records).toHaveLength(2);
  });

  it("does not say how a publish ended that it did not answer", async () => {
    for (const failing of ["publish", "publish written", "publish committed"]) {
      let isFailing = true;
      const broker = new Broker({
        step: async (name) => {
          if (isFailing && name === failing) throw new Error("connection reset");
        },
      });
      const log = broker.connect();
      const task = await log.open(0);
      const publishing = task.publish({ ...empty, metadata: "1", outputs: [outputOf(1)] });
      await expect(publishing).rejects.toMatchObject({ code: "log-failed", retryable: true });
      isFailing = false;
      await expect(task.publish(empty)).rejects.toMatchObject({ code: "log-failed" });
      const isThere = failing === "publish committed";
      const owner = await log.open(0);
      expect((await owner.committed())?.metadata).toBe(isThere ? "1" : undefined);
      await owner.publish({ ...empty, outputs: [outputOf(2)] });
      const expected = (isThere ? [1, 2] : [2]).map((n) => encodeOutput(outputOf(n)));
      expect(broker.read("score-changed").map(({ value }) => value)).toEqual(expected);
    }
  });

  it("lets nothing of a fenced owner through, whenever the next one comes", async () => {
    for (const held of ["publish", "publish written", "publish committed"]) {
      let go = (): void => undefined;
      let isHeld = true;
      const broker = new Broker({
        step: async (name) => {
          if (!isHeld || name !== held) return;
          isHeld = false;
          await new Promise<void>((resolve) => {
            go = resolve;
          });
        },
      });
      const log = broker.connect();
      const old = await log.open(0);
      const publishing = old.publish({ ...empty, metadata: "old", outputs: [outputOf(1)] }).then(
        () => "published",
        (error: { code: string }) => error.code,
      );
      await new Promise(setImmediate);
      const owner = await log.open(0);
      const isThere = (await owner.committed()) !== null;
      go();
      expect(await publishing).toBe(held === "publish committed" ? "published" : "fenced");
      expect(isThere).toBe(held === "publish committed");
      expect(broker.read("score-changed")).toHaveLength(isThere ? 1 : 0);
    }
  });

  it("keeps tasks apart", async () => {
    const broker = new Broker({ tasks: 2 });
    const log = broker.connect();
    const [zero, one] = [await log.open(0), await log.open(1)];
    broker.append("inputs", 1, [line("a")]);
    expect(await fetchAll(log, zero, atOnce)).toEqual([]);
    expect((await fetchAll(log, one, atOnce)).map(({ partition }) => partition)).toEqual([1]);
    await one.publish({ ...empty, outputs: [outputOf(1)] });
    expect(await zero.committed()).toBeNull();
    expect(broker.read("score-changed", 1)).toHaveLength(1);
    expect(broker.read("score-changed", 0)).toEqual([]);
    await zero.publish(empty);
  });

  it("starves no topic, and gives each record once, whatever the cuts", async () => {
    const topics = ["mails", "forms", "shops"];
    const property = fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 5 })), { maxLength: 10 }),
      fc.array(fc.nat(9), { minLength: 1 }),
      fc.integer({ min: 1, max: 8 }),
      async (batches, cuts, recordsMax) => {
        let turn = 0;
        const broker = new Broker({ inputTopics: topics, cut: () => cuts[turn++ % cuts.length] as number });
        const log = broker.connect();
        let made = 0;
        for (const [topic, count] of batches) {
          const lines = Array.from({ length: count }, () => line(made++));
          broker.append(topics[topic] as string, 0, lines, made % 2);
        }
        const task = await log.open(0);
        const limits: FetchLimits = { bytesMax: 400, recordsMax, waitMs: 0 };
        const from = new Map(topics.map((topic) => [topic, 0]));
        const seen: string[] = [];
        for (let rounds = 0; ; rounds++) {
          expect(rounds).toBeLessThanOrEqual(made + 3);
          const fetched = await task.fetch(from, limits);
          for (const { topic, records, next } of fetched) {
            for (const { decoded } of records) if (decoded.ok) seen.push(decoded.input.id);
            from.set(topic, next);
          }
          if (fetched.every(({ next, end }) => next === end)) break;
        }
        expect(seen.sort()).toEqual(Array.from({ length: made }, (_, i) => String(i)).sort());
      },
    );
    await fc.assert(property);
  });

  it("answers nothing to a process that is gone, and its transaction hangs until the next owner comes", async () => {
    let isHeld = true;
    let go = (): void => undefined;
    const broker = new Broker({
      step: async (name) => {
        if (!isHeld || name !== "publish written") return;
        await new Promise<void>((resolve) => {
          go = resolve;
        });
      },
    });
    const log = broker.connect();
    const task = await log.open(0);
    let answers = 0;
    const count = (): void => {
      answers += 1;
    };
    task.publish({ ...empty, outputs: [outputOf(1)] }).then(count, count);
    task.fetch(fromOffset(log, 0), { ...atOnce, waitMs: 10 }).then(count, count);
    await new Promise(setImmediate);
    expect(broker.partition("score-changed", 0)).toMatchObject({ end: 1, stable: 0 });
    log.kill();
    isHeld = false;
    go();
    broker.advance(10);
    await new Promise(setImmediate);
    expect(answers).toBe(0);
    const owner = await broker.connect().open(0);
    expect(await owner.committed()).toBeNull();
    expect(broker.read("score-changed")).toEqual([]);
    expect(broker.partition("score-changed", 0)).toMatchObject({ end: 2, stable: 2 });
  });
});
