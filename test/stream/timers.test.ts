/** How far a contact has passed, and a run of the timers that goes through contacts by their keys. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TaskContact } from "../../src/stream/contact.js";
import { besideInputs, passedBy, Search, TimerRun } from "../../src/stream/timers.js";
import { compareText } from "../oracle/order.js";

const keys = fc.array(fc.constantFrom("a", "ab", "b", "c", "\uff5e", "\u{1f600}", "d", "e"), { maxLength: 12 });

describe("passedBy", () => {
  it("is where the run is for those that had their turn, and where all are for the others", () => {
    const place = { all: 5, run: { until: 9, done: "b" } };
    expect(["a", "b", "ba"].map((key) => passedBy(place, key))).toEqual([9, 9, 5]);
    expect(passedBy({ all: null, run: null }, "a")).toBeNull();
    expect(passedBy({ all: 5, run: null }, "a")).toBe(5);
  });

  it("compares keys by their UTF-8 bytes", () => {
    const place = { all: null, run: { until: 9, done: "\uff5e" } };
    expect(passedBy(place, "\u{1f600}")).toBeNull();
  });
});

describe("a slice beside inputs", () => {
  it("is small, and larger where very many are due, up to what a slice may have", () => {
    const limits = { sliceBesideInputsMin: 100, sliceContactsMax: 1000 };
    expect([1, 20_000, 100_000, 10_000_000].map((left) => besideInputs(left, limits))).toEqual([100, 100, 391, 1000]);
    expect(besideInputs(20_000, { sliceBesideInputsMin: 2, sliceContactsMax: 1 })).toBe(1);
  });
});

describe("Search", () => {
  const contact = (key: string, at: number | null) => ({ key, due: () => at }) as unknown as TaskContact;
  const memory = { ahead: () => [contact("a", 1), contact("b", 6), contact("c", null)].values() };

  it("finds who is due in memory and in the store, and takes who becomes due meanwhile", async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    async function* due(until: number): AsyncGenerator<string[]> {
      expect(until).toBe(5);
      yield ["d"];
      yield ["e"];
      await gate;
      yield ["f"];
    }
    const search = new Search(5, memory, { due });
    expect(await search.isLong()).toBe(true);
    search.add("z");
    go();
    expect([...(await search.found())].sort()).toEqual(["a", "d", "e", "f", "z"]);
    expect(await search.isLong()).toBe(false);
  });

  it("that fails says so to whoever wants what it found, and to nobody else", async () => {
    async function* due(): AsyncGenerator<string[]> {
      yield ["d"];
      throw new Error("the disk is gone");
    }
    const search = new Search(5, memory, { due });
    await search.ended;
    expect(await search.isLong()).toBe(false);
    await expect(search.found()).rejects.toThrow("the disk is gone");
  });
});

describe("TimerRun", () => {
  it("that is gone on with leaves out who had a turn, also where the index still has them as due", () => {
    const run = new TimerRun(1, ["a", "d", "b", "c", "c"], "b");
    expect(run.take(9)).toEqual(["c", "d"]);
  });

  it("gives each contact once, in the order of the keys, whatever is put back or added on the way", () => {
    fc.assert(
      fc.property(keys, keys, fc.integer({ min: 1, max: 4 }), fc.nat(3), (first, added, count, back) => {
        const run = new TimerRun(1, first);
        const wanted = new Set(first);
        const given: string[] = [];
        const more = [...added];
        while (run.size > 0) {
          const some = run.take(count);
          const kept = some.slice(0, Math.max(1, some.length - back));
          run.putBack(some.slice(kept.length));
          given.push(...kept);
          // Only a contact that has not had its turn is added.
          const next = more.pop();
          if (next === undefined || compareText(next, given.at(-1)!) <= 0) continue;
          run.add(next);
          wanted.add(next);
        }
        expect(given).toEqual([...wanted].sort(compareText));
      }),
    );
  });
});
