/** What every log promises, whatever is behind it: the embedded one, the broker model, Kafka. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  brokenOriginal,
  type DeadLetter,
  encodeDeadLetter,
  ORIGINAL_BYTES_MAX,
  type Original,
} from "../../src/events/dead-letter.js";
import { encodeOutput } from "../../src/events/encode.js";
import type { Output } from "../../src/events/types.js";
import {
  type Fetched,
  type FetchLimits,
  type Log,
  type LogRecord,
  type Mark,
  METADATA_BYTES_MAX,
  type Offset,
  type Offsets,
  type TaskLog,
  type Transaction,
} from "../../src/stream/log.js";
import { lookAt, markBelow } from "../../src/stream/marks.js";

export interface LogUnderTest {
  readonly log: Log;
  /** Adds to partition 0 of the first input topic. */
  append(lines: readonly (string | Buffer)[]): Promise<unknown>;
  /** All that a consumer can read of an output topic: outputs and dead letters as JSON. */
  read(topic: string): Promise<string[]>;
  /** Lets so much time pass for whoever waits. */
  passTime(ms: number): Promise<void>;
  /** Closes the log and opens what is there again. */
  reopen(): Promise<Log>;
  /** Where the log can lose history: drops all before this offset. */
  dropBefore?(offset: Offset): Promise<void>;
  remove(): Promise<void>;
}

export type MakeLog = () => Promise<LogUnderTest>;

export const atOnce: FetchLimits = { bytesMax: 1_000_000, recordsMax: 1000, waitMs: 0 };
const waiting: FetchLimits = { ...atOnce, waitMs: 60_000 };

export function line(id: number | string): string {
  return `{"id":"${id}","contactId":"ann","at":${1_767_225_600_000},"type":"email.opened"}`;
}

export function outputOf(n: number): Output {
  const base = { id: `e${n}`, tenantId: "acme", contactId: "ann", at: n };
  return { kind: "ContactErased", ...base };
}

export function crossingOf(n: number): Output {
  return {
    kind: "ThresholdCrossed",
    eventId: `c${n}`,
    tenantId: "acme",
    contactId: "ann",
    at: n,
    model: "lead",
    version: 1,
    crossing: "threshold",
    id: "50",
    direction: "up",
    previous: null,
    current: 50,
    grade: null,
    salesReady: false,
    route: null,
    cause: { kind: "interaction", id: `i${n}`, type: "email.opened" },
  };
}

export function letterOf(n: number): DeadLetter {
  const place = { topic: "inputs", partition: 0, offset: n, source: null };
  return { reason: "undecodable", error: "no JSON", ...place, original: `line\n${n}` };
}

export function fromOffset(log: Log, offset: Offset): Offsets {
  return new Map(log.inputTopics.map((topic, i) => [topic, i === 0 ? offset : 0]));
}

/** All that the first topic has now, fetched with these limits. */
export async function fetchAll(log: Log, task: TaskLog, limits: FetchLimits, from = 0): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const { end } = (await task.bounds()).get(log.inputTopics[0] as string)!;
  for (let next = from; next < end; ) {
    const [first] = await task.fetch(fromOffset(log, next), { ...limits, waitMs: waiting.waitMs });
    if (first === undefined) throw new Error("a fetch gave no topic");
    records.push(...first.records);
    expect(first.next).toBeGreaterThan(next);
    expect(first.end).toBeGreaterThanOrEqual(first.next);
    next = first.next;
  }
  return records;
}

function sha256Of(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What the bytes of a line are kept as. */
export function originalOf(line: string | Buffer): Original {
  if (typeof line === "string") return line;
  return brokenOriginal(line.subarray(0, ORIGINAL_BYTES_MAX), line.length, sha256Of(line));
}

function idsOf(records: readonly LogRecord[]): string[] {
  return records.map(({ decoded }) => (decoded.ok ? decoded.input.id : decoded.reason));
}

export function describeLog(name: string, makeLog: MakeLog): void {
  describe(`${name} as a log`, () => {
    let under: LogUnderTest;
    let log: Log;
    beforeEach(async () => {
      under = await makeLog();
      log = under.log;
    });
    afterEach(async () => {
      await under.remove();
    });

    function transaction(parts: Partial<Transaction>, offset = 0): Transaction {
      return { offsets: fromOffset(log, offset), metadata: "", outputs: [], deadLetters: [], ...parts };
    }

    describe("inputs", () => {
      it("are fetched once, in order, at offsets that only grow, whatever the cuts", async () => {
        const batches = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 6 });
        const limits = fc.record({
          bytesMax: fc.integer({ min: 1, max: 1500 }),
          recordsMax: fc.integer({ min: 1, max: 20 }),
          waitMs: fc.constant(0),
        });
        const task = await log.open(0);
        let from = 0;
        let made = 0;
        await fc.assert(
          fc.asyncProperty(batches, limits, async (counts, limit) => {
            const ids: string[] = [];
            for (const count of counts) {
              const some = Array.from({ length: count }, () => String(made++));
              ids.push(...some);
              await under.append(some.map(line));
            }
            const records = await fetchAll(log, task, limit, from);
            expect(idsOf(records)).toEqual(ids);
            for (const { offset } of records) {
              expect(offset).toBeGreaterThanOrEqual(from);
              from = offset + 1;
            }
            expect(idsOf(await fetchAll(log, task, limit)).length).toBe(made);
          }),
          { numRuns: 15 },
        );
      });

      it("come with their place, and with their original only where they are broken", async () => {
        const large = Buffer.alloc(ORIGINAL_BYTES_MAX + 1, "x");
        const foreign = Buffer.from([0x7b, 0xff, 0x7d]);
        await under.append([line("a"), "no json", large, foreign]);
        const records = await fetchAll(log, await log.open(0), atOnce);
        expect(idsOf(records)).toEqual(["a", "undecodable", "too-large", "undecodable"]);
        expect(records.map(({ original }) => original)).toEqual([
          null,
          "no json",
          { bytes: large.length, sha256: sha256Of(large), head: "x".repeat(ORIGINAL_BYTES_MAX), isUtf8: true },
          { bytes: 3, sha256: sha256Of(foreign), head: "{\ufffd}", isUtf8: false, base64: "e/99" },
        ]);
        for (const record of records) {
          expect(record).toMatchObject({ topic: log.inputTopics[0], partition: 0 });
          expect(record.bytes).toBeGreaterThan(0);
          expect(Number.isInteger(record.timestamp)).toBe(true);
        }
      });

      it("come at least one at a time, however small the limit, and one entry a topic", async () => {
        await under.append([line("a"), line("b")]);
        const task = await log.open(0);
        const fetched = await task.fetch(fromOffset(log, 0), { bytesMax: 1, recordsMax: 100, waitMs: 0 });
        expect(fetched.map(({ topic }) => topic)).toEqual(log.inputTopics);
        expect(idsOf(fetched[0]?.records ?? [])).toEqual(["a"]);
      });

      it("wake a fetch that waits for them", async () => {
        const task = await log.open(0);
        const fetching = task.fetch(fromOffset(log, 0), waiting);
        await under.append([line("a")]);
        const [first] = await fetching;
        expect(idsOf(first?.records ?? [])).toEqual(["a"]);
      });

      it("are not waited for longer than told, nor after the signal", async () => {
        const task = await log.open(0);
        const fetching = task.fetch(fromOffset(log, 0), { ...atOnce, waitMs: 5 });
        await under.passTime(5);
        expect((await fetching)[0]).toMatchObject({ records: [], next: 0, end: 0 });
        const stop = new AbortController();
        const stopped = task.fetch(fromOffset(log, 0), waiting, stop.signal);
        stop.abort();
        expect((await stopped)[0]).toMatchObject({ records: [], next: 0 });
        expect((await task.fetch(fromOffset(log, 0), waiting, stop.signal))[0]?.records).toEqual([]);
      });

      it("have bounds", async () => {
        const task = await log.open(0);
        const first = log.inputTopics[0] as string;
        expect((await task.bounds()).get(first)).toEqual({ start: 0, end: 0 });
        await under.append([line("a"), line("b")]);
        expect([...(await task.bounds()).keys()]).toEqual(log.inputTopics);
        const { end } = (await task.bounds()).get(first) ?? { end: 0 };
        const last = (await fetchAll(log, task, atOnce)).at(-1);
        expect(end).toBeGreaterThan(last?.offset ?? 0);
      });

      it("are refused from an offset that the log does not have", async () => {
        await under.append([line("a"), line("b"), line("c")]);
        const task = await log.open(0);
        const beyond = task.fetch(fromOffset(log, 1000), atOnce);
        await expect(beyond).rejects.toMatchObject({ code: "log-failed" });
        if (under.dropBefore === undefined) return;
        await under.dropBefore(2);
        await expect(task.fetch(fromOffset(log, 1), atOnce)).rejects.toMatchObject({ code: "log-failed" });
        expect((await task.bounds()).get(log.inputTopics[0] as string)?.start).toBe(2);
        expect(idsOf(await fetchAll(log, task, atOnce, 2))).toEqual(["c"]);
      });
    });

    describe("marks", () => {
      /** One fetch of all that the first topic has. */
      async function fetchedFrom(task: TaskLog, offset = 0): Promise<Fetched> {
        const [first] = await task.fetch(fromOffset(log, offset), waiting);
        if (first === undefined) throw new Error("a fetch gave no topic");
        return first;
      }

      it("are of all batches that a fetch has passed, and each is found again where it lies", async () => {
        const task = await log.open(0);
        await under.append([line("a"), "no json"]);
        await under.append([line("b")]);
        const topic = log.inputTopics[0] as string;
        const marks: Mark[] = [];
        for (let next = 0; next < 3; ) {
          const fetched = await fetchedFrom(task, next);
          marks.push(...fetched.marks);
          expect(markBelow(marks, fetched.next)).not.toBeNull();
          next = fetched.next;
        }
        const last = markBelow(marks, 3) as Mark;
        expect(last.base).toBeLessThan(3);
        expect((await lookAt(task, new Map([[topic, last]]))).get(topic)).toBe("same");
        // Whoever has taken a part of a batch has its mark, too.
        expect(markBelow(marks, 1)?.base).toBe(0);
        const again = await (await under.reopen()).open(0);
        for (const mark of marks) expect((await again.look(new Map([[topic, mark.base]]))).get(topic)).toEqual(mark);
      });

      it("are not found where nothing lies, or something else", async () => {
        const task = await log.open(0);
        await under.append([line("a")]);
        const topic = log.inputTopics[0] as string;
        const mark = (await fetchedFrom(task)).marks.at(-1) as Mark;
        const found = async (other: Mark): Promise<unknown> =>
          (await lookAt(task, new Map([[topic, other]]))).get(topic);
        expect(await found({ ...mark, base: 1000 })).toBe("nothing");
        expect(await found({ ...mark, checksum: 1 })).toBe("other");
        expect(await found({ ...mark, at: mark.at + 1 })).toBe("other");
        if (under.dropBefore === undefined) return;
        await under.append([line("b")]);
        await under.dropBefore(1);
        expect(await found(mark)).toBe("dropped");
      });

      it("are kept beside the offsets that they prove", async () => {
        const task = await log.open(0);
        await under.append([line("a")]);
        const mark = (await fetchedFrom(task)).marks.at(-1) as Mark;
        const marks = new Map([[log.inputTopics[0] as string, mark]]);
        const most = "\u00e9".repeat(METADATA_BYTES_MAX / 2);
        await task.publish(transaction({ marks, metadata: most }, 1));
        expect(await task.committed()).toEqual({ offsets: fromOffset(log, 1), marks, metadata: most });
        const again = await (await under.reopen()).open(0);
        expect(await again.committed()).toEqual({ offsets: fromOffset(log, 1), marks, metadata: most });
      });

      it("of outputs are told by who publishes them", async () => {
        const task = await log.open(0);
        const first = await task.publish(transaction({ outputs: [outputOf(1), crossingOf(2)] }));
        const then = await task.publish(transaction({ outputs: [outputOf(3), outputOf(4)] }));
        expect([first.size, then.size]).toEqual([2, 1]);
        const again = await (await under.reopen()).open(0);
        for (const marks of [first, then])
          for (const finding of (await lookAt(again, marks)).values()) expect(finding).toBe("same");
        const [topic, last] = [...then][0] as [string, Mark];
        const gone = new Map([[topic, { ...last, base: last.base + 100 }]]);
        expect([...(await lookAt(again, gone)).values()]).toEqual(["nothing"]);
      });
    });

    describe("transactions", () => {
      it("are there as a whole: outputs, dead letters and positions", async () => {
        const task = await log.open(0);
        expect(await task.committed()).toBeNull();
        const parts = { outputs: [outputOf(1), crossingOf(2), outputOf(3)], deadLetters: [letterOf(4)], metadata: "m" };
        await under.append([line("a"), line("b")]);
        await task.publish(transaction(parts, 2));
        expect(await task.committed()).toEqual({ offsets: fromOffset(log, 2), marks: new Map(), metadata: "m" });
        expect(await under.read("score-changed")).toEqual([outputOf(1), outputOf(3)].map(encodeOutput));
        expect(await under.read("threshold-crossed")).toEqual([encodeOutput(crossingOf(2))]);
        expect(await under.read("dead-letters")).toEqual([encodeDeadLetter(letterOf(4))]);
        await task.publish(transaction({ metadata: "" }, 2));
        expect(await task.committed()).toEqual({ offsets: fromOffset(log, 2), marks: new Map(), metadata: "" });
      });

      it("follow each other in the order of their calls", async () => {
        const task = await log.open(0);
        await Promise.all(
          [1, 2, 3].map((n) => task.publish(transaction({ outputs: [outputOf(n)], metadata: `${n}` }))),
        );
        expect(await under.read("score-changed")).toEqual([1, 2, 3].map((n) => encodeOutput(outputOf(n))));
        expect((await task.committed())?.metadata).toBe("3");
      });

      it("take metadata of so many bytes and no more", async () => {
        const task = await log.open(0);
        const most = "\u00e9".repeat(METADATA_BYTES_MAX / 2);
        await task.publish(transaction({ metadata: most }));
        const more = task.publish(transaction({ metadata: `${most}x`, outputs: [outputOf(1)] }));
        await expect(more).rejects.toMatchObject({ code: "internal" });
        expect((await task.committed())?.metadata).toBe(most);
        expect(await under.read("score-changed")).toEqual([]);
        await task.publish(transaction({ metadata: "still open" }));
      });

      it("of an owner who was replaced leave nothing, and what it published before is there", async () => {
        const old = await log.open(0);
        await old.publish(transaction({ outputs: [outputOf(1)], metadata: "old" }));
        const owner = await log.open(0);
        expect((await owner.committed())?.metadata).toBe("old");
        const late = old.publish(transaction({ outputs: [outputOf(2)], metadata: "late" }));
        await expect(late).rejects.toMatchObject({ code: "fenced", retryable: false });
        await owner.publish(transaction({ outputs: [outputOf(3)], metadata: "new" }));
        expect(await under.read("score-changed")).toEqual([1, 3].map((n) => encodeOutput(outputOf(n))));
        expect((await owner.committed())?.metadata).toBe("new");
      });

      it("that are under way when the task is opened are there before it is, or never", async () => {
        const old = await log.open(0);
        const publishing = old.publish(transaction({ outputs: [outputOf(1)], metadata: "old" })).then(
          () => true,
          (error: unknown) => {
            const { code } = error as { code: string };
            expect(["fenced", "log-failed"]).toContain(code);
            return code === "fenced" ? false : null;
          },
        );
        const owner = await log.open(0);
        const seen = await owner.committed();
        const isPublished = await publishing;
        // Where the broker was between the two it does not say which of them was first.
        if (isPublished !== null) expect(seen !== null).toBe(isPublished);
        expect(await under.read("score-changed")).toHaveLength(seen === null ? 0 : 1);
        expect(await owner.committed()).toEqual(seen);
      });
    });

    it("keeps everything when it is closed and opened again, and takes nothing while it is closed", async () => {
      const task = await log.open(0);
      await under.append([line("a"), "broken"]);
      const before = await fetchAll(log, task, atOnce);
      await task.publish(transaction({ outputs: [outputOf(1)], metadata: "m" }, 1));
      const again = await under.reopen();
      expect(again.clusterId).toBe(log.clusterId);
      const owner = await again.open(0);
      expect(await owner.committed()).toEqual({ offsets: fromOffset(log, 1), marks: new Map(), metadata: "m" });
      expect(await fetchAll(again, owner, atOnce)).toEqual(before);
      expect(await under.read("score-changed")).toEqual([encodeOutput(outputOf(1))]);
      await expect(task.publish(transaction({}))).rejects.toMatchObject({ code: "stopping" });
      await expect(log.open(0)).rejects.toMatchObject({ code: "stopping" });
    });

    it("refuses what is asked of a task that is closed", async () => {
      const task = await log.open(0);
      await task.close();
      await expect(task.fetch(fromOffset(log, 0), atOnce)).rejects.toMatchObject({ code: "stopping" });
      await expect(task.publish(transaction({}))).rejects.toMatchObject({ code: "stopping" });
    });

    it("has a clock that does not go back", async () => {
      const task = await log.open(0);
      const before = await task.time();
      await under.append([line("a")]);
      const [record] = await fetchAll(log, task, atOnce);
      const after = await task.time();
      expect(record?.timestamp).toBeGreaterThanOrEqual(before);
      expect(after).toBeGreaterThanOrEqual(record?.timestamp ?? 0);
    });
  });
}
