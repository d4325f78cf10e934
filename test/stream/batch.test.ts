/** What was fetched of several topics, brought into one order of event time; nothing is lost where a fetch was cut. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Decoded, decodeLine } from "../../src/events/decode.js";
import { encodeOutput } from "../../src/events/encode.js";
import type { Output } from "../../src/events/types.js";
import { noTimers } from "../../src/store/position.js";
import { type BatchContext, foldRecords, Gathered, mergeByTime, offsetsAfter } from "../../src/stream/batch.js";
import { HotContacts } from "../../src/stream/hot-contacts.js";
import { defaultLimits } from "../../src/stream/limits.js";
import type { EncodedOutput, Fetched, LogRecord } from "../../src/stream/log.js";
import { openStore, visitsModel } from "./given.js";

function record(topic: string, offset: number, at: number | null): LogRecord {
  const line =
    at === null ? "no json" : `{"contactId":"ada","id":"${topic}${offset}","at":${1e12 + at},"type":"web.viewed"}`;
  const decoded: Decoded = decodeLine(line);
  return { topic, partition: 0, offset, timestamp: 0, bytes: 1, decoded, original: null, source: null };
}

function fetched(topic: string, instants: readonly (number | null)[], end: number, from = 0): Fetched {
  const records = instants.map((at, i) => record(topic, from + i, at));
  return { topic, records, next: from + instants.length, marks: [], end };
}

function told(records: readonly LogRecord[]): string[] {
  return records.map(({ topic, offset }) => `${topic}${offset}`);
}

const nothing = new Map<string, number>();

describe("foldRecords", () => {
  const line = fc.record({ contact: fc.nat(3), id: fc.nat(5), at: fc.nat(4), points: fc.nat(2), bad: fc.nat(9) });

  it("tells the same in the same order, however the log is cut into batches", async () => {
    const context = async (): Promise<BatchContext> => {
      const { store } = await openStore();
      const contacts = new HotContacts(store, () => [visitsModel()], 1e6);
      return {
        store,
        contacts,
        limits: defaultLimits,
        timer: noTimers,
        task: 0,
        taskOf: null,
        onMoved: () => undefined,
        yield: async () => undefined,
      };
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 9 })),
        async (lines, cuts) => {
          const records = lines.map(({ contact, id, at, points, bad }, offset): LogRecord => {
            const text = `{"contactId":"c${contact}","id":"v${id}","at":${1e12 + at},"type":"web.page_viewed","attributes":{"n":${points}}}`;
            const decoded = decodeLine(bad === 0 ? "no json" : text);
            return { ...record("a", offset, null), timestamp: 1e12, decoded };
          });
          const [whole, cut] = [new Gathered(), new Gathered()];
          await foldRecords(records, await context(), whole);
          const other = await context();
          const sizes = [...cuts, records.length];
          for (let from = 0, i = 0; from < records.length; from += sizes[i++]!)
            await foldRecords(records.slice(from, from + sizes[i]!), other, cut);
          expect(cut).toEqual(whole);
        },
      ),
    );
  });
});

describe("Gathered", () => {
  const of = async (into: Gathered): Promise<Gathered> => {
    const { store } = await openStore();
    const contacts = new HotContacts(store, () => [visitsModel()], 1e6);
    const records = [..."abca"].map((contact, offset): LogRecord => {
      const decoded = decodeLine(
        `{"contactId":"${contact}","id":"${offset}","at":1000000000001,"type":"web.page_viewed"}`,
      );
      return { ...record("a", offset, 1), timestamp: 1e12, decoded };
    });
    const context = { store, contacts, limits: defaultLimits, timer: noTimers, task: 0, taskOf: null };
    await foldRecords(records, { ...context, onMoved: () => undefined, yield: async () => undefined }, into);
    return into;
  };

  it("has outputs as the log encodes them, in the order of the records", async () => {
    const plain = await of(new Gathered());
    const encode = (output: Output): EncodedOutput => ({
      kind: output.kind,
      contactId: output.contactId,
      encoded: encodeOutput(output),
    });
    expect(plain.outputs.length).toBeGreaterThan(3);
    expect((await of(new Gathered({ encode }))).outputs).toEqual((plain.outputs as Output[]).map(encode));
  });

  it("has none while it is muted", async () => {
    const muted = await of(new Gathered({ isMuted: true }));
    expect([muted.inputs, muted.outputs]).toEqual([4, []]);
  });
});

describe("a batch", () => {
  it("ends before the contact that would be one too many to read, and every topic goes on there", async () => {
    const { store } = await openStore();
    const names = ["ada", "known", "ada", "bo", "known", "cy", "ada"];
    const records = names.map((name, i): LogRecord => {
      const decoded = decodeLine(`{"contactId":"${name}","id":"${i}","at":${1e12 + i},"type":"web.viewed"}`);
      return { ...record(i % 2 === 0 ? "a" : "b", i >> 1, 1), timestamp: 1e12, decoded };
    });
    const merged = { records, offsets: new Map([["a", 5], ["b", 3], ["c", 7]]) }; // biome-ignore format: one line
    const takenWith = async (readContactsMax: number): Promise<number> => {
      const limits = { ...defaultLimits, readContactsMax };
      const fresh = new HotContacts(store, () => [visitsModel()], 1e6);
      await fresh.load(["default\0known"]);
      const into = new Gathered();
      const context = {
        store,
        contacts: fresh,
        limits,
        timer: noTimers,
        task: 0,
        taskOf: null,
        onMoved: () => undefined,
        yield: async () => undefined,
      };
      const taken = await foldRecords(records, context, into);
      expect([into.records, into.inputs]).toEqual([taken, taken]);
      return taken;
    };
    expect([await takenWith(1), await takenWith(2), await takenWith(3)]).toEqual([3, 5, 7]);
    expect(offsetsAfter(merged, 7)).toBe(merged.offsets);
    expect([...offsetsAfter(merged, 5)]).toEqual([["a", 3], ["b", 2], ["c", 7]]); // biome-ignore format: one line
  });

  it("gives others their turn between two contacts, every so many inputs", async () => {
    const { store } = await openStore();
    const contacts = new HotContacts(store, () => [visitsModel()], 1e6);
    const records = [..."abbcde"].map((contact, offset): LogRecord => {
      const decoded = decodeLine(
        `{"contactId":"${contact}","id":"${offset}","at":1000000000001,"type":"web.page_viewed"}`,
      );
      return { ...record("a", offset, 1), timestamp: 1e12, decoded };
    });
    const into = new Gathered();
    const turns: number[] = [];
    await foldRecords(
      records,
      {
        store,
        contacts,
        limits: { ...defaultLimits, turnInputsMax: 2 },
        timer: noTimers,
        task: 0,
        taskOf: null,
        onMoved: () => undefined,
        yield: async () => {
          turns.push(into.inputs);
        },
      },
      into,
    );
    expect(turns).toEqual([3, 5]);
    expect(into.inputs).toBe(6);
  });
});

describe("mergeByTime", () => {
  it("takes the lowest instant of all heads, and what can't be read at once", () => {
    const merged = mergeByTime([fetched("a", [5, 1, null, 9], 4), fetched("b", [3, 7], 2)], nothing);
    expect(told(merged.records)).toEqual(["b0", "a0", "a1", "a2", "b1", "a3"]);
    expect(merged.offsets).toEqual(new Map([["a", 4], ["b", 2]])); // biome-ignore format: one line
  });

  it("stops where a topic has more than was fetched, and the rest waits", () => {
    const merged = mergeByTime([fetched("a", [1, 5], 10), fetched("b", [3, 4, 6, 7], 4)], nothing);
    expect(told(merged.records)).toEqual(["a0", "b0", "b1", "a1"]);
    expect([merged.offsets.get("a"), merged.offsets.get("b")]).toEqual([2, 2]);
  });

  it("takes a topic alone as it is, and moves over marks", () => {
    const merged = mergeByTime(
      [fetched("a", [9, 1], 5), { topic: "b", records: [], next: 7, marks: [], end: 7 }],
      nothing,
    );
    expect(told(merged.records)).toEqual(["a0", "a1"]);
    expect([merged.offsets.get("a"), merged.offsets.get("b")]).toEqual([2, 7]);
  });

  it("gives every record once, in the order of its topic, over as many fetches as it takes", () => {
    const instants = fc.array(fc.option(fc.nat(9)), { maxLength: 12 });
    const cuts = fc.infiniteStream(fc.integer({ min: 1, max: 4 }));
    fc.assert(
      fc.property(fc.tuple(instants, instants, instants), cuts, (topics, cut) => {
        let offsets: ReadonlyMap<string, number> = new Map();
        const given: string[] = [];
        for (let rounds = 0; rounds < 100; rounds++) {
          const all = topics.map((list, i) => {
            const topic = "abc"[i]!;
            const from = offsets.get(topic) ?? 0;
            const some = list.slice(from, from + (cut.next().value as number));
            return fetched(topic, some, list.length, from);
          });
          const merged = mergeByTime(all, offsets);
          given.push(...told(merged.records));
          const isOver = topics.every((list, i) => (merged.offsets.get("abc"[i]!) ?? 0) === list.length);
          // Each fetch brings at least something on.
          if (!isOver) expect(merged.records.length).toBeGreaterThan(0);
          offsets = merged.offsets;
          if (isOver) break;
        }
        topics.forEach((list, i) => {
          const topic = "abc"[i]!;
          expect(given.filter((name) => name.startsWith(topic))).toEqual(list.map((_, offset) => `${topic}${offset}`));
        });
      }),
    );
  });
});
