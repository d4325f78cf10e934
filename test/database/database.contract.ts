/** What every database promises, whatever is under it. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Database, Entry, Operation, Range } from "../../src/database/database.js";

export interface DatabaseUnderTest {
  readonly database: Database;
  /** Closes it and opens what is there again. */
  reopen(): Promise<Database>;
  remove(): Promise<void>;
}

function put(key: string, value = `value of ${key}`): Operation {
  return { type: "put", key, value };
}

function keysOf(entries: readonly Entry[]): string[] {
  return entries.map(([key]) => key);
}

async function scanned(database: Database, range: Range): Promise<Entry[]> {
  const all: Entry[] = [];
  for await (const chunk of database.scan(range)) all.push(...chunk);
  return all;
}

export function describeDatabase(name: string, make: () => Promise<DatabaseUnderTest>): void {
  describe(`${name} as a database`, () => {
    let under: DatabaseUnderTest;
    let database: Database;
    beforeEach(async () => {
      under = await make();
      database = under.database;
    });
    afterEach(async () => {
      await under.remove();
    });

    it("gives what was put, nothing for what was not, and many in the order asked for", async () => {
      await database.write([put("a"), put("b"), put("c", "")]);
      expect(await database.get("a")).toBe("value of a");
      expect(await database.get("c")).toBe("");
      expect(await database.get("x")).toBeUndefined();
      expect(await database.getMany(["b", "x", "a"])).toEqual(["value of b", undefined, "value of a"]);
      expect(await database.getMany([])).toEqual([]);
    });

    it("writes a batch once all of it is gathered, in its order", async () => {
      await database.write([put("b")]);
      const batch = database.batch();
      batch.put("a", "1");
      batch.put("a", "2");
      batch.del("b");
      expect(await database.getMany(["a", "b"])).toEqual([undefined, "value of b"]);
      await batch.write();
      expect(await database.getMany(["a", "b"])).toEqual(["2", undefined]);
    });

    it("orders keys by their UTF-8 bytes, not by UTF-16 units, with NUL before all else", async () => {
      const inOrder = ["a", "a\0", "a\0b", "a\u0001", "aa", "b", "\u00e9", "\uff5e", "\u{1f600}"];
      await database.write([...inOrder].reverse().map((key) => put(key)));
      expect(keysOf(await database.range({}, 100))).toEqual(inOrder);
      expect(keysOf(await scanned(database, {}))).toEqual(inOrder);
    });

    it("keeps any text as it is", async () => {
      const value = "line\nline\r\0\u0001\u2028 \u{1f600} \u00e9";
      await database.write([put("a\0\uff5e", value)]);
      expect(await database.get("a\0\uff5e")).toBe(value);
    });

    it("does the operations of a batch in order, the last one of a key holds", async () => {
      await database.write([put("a", "1"), { type: "del", key: "a" }, put("b", "1"), put("b", "2")]);
      await database.write([{ type: "del", key: "not there" }]);
      await database.write([]);
      expect(await database.range({}, 10)).toEqual([["b", "2"]]);
    });

    it("gives at most so many of a range, and as many even where they are large", async () => {
      await database.write(["a", "b", "c", "d"].map((key) => put(key, key.repeat(700_000))));
      expect(keysOf(await database.range({}, 3))).toEqual(["a", "b", "c"]);
      expect(keysOf(await database.range({ gt: "a" }, 10))).toEqual(["b", "c", "d"]);
      expect(keysOf(await database.range({ reverse: true }, 2))).toEqual(["d", "c"]);
      expect(keysOf(await scanned(database, { lt: "d" }))).toEqual(["a", "b", "c"]);
    });

    it("scans a range as it was when the scan began", async () => {
      const keys = Array.from({ length: 3000 }, (_, i) => `k${String(i).padStart(5, "0")}`);
      await database.write(keys.map((key) => put(key, "old")));
      const scan = database.scan({});
      const first = await scan.next();
      await database.write([put("k00000a"), put("k02999", "new"), { type: "del", key: "k02998" }]);
      const rest: Entry[] = [...(first.done === true ? [] : first.value)];
      for await (const chunk of scan) rest.push(...chunk);
      expect(rest).toEqual(keys.map((key) => [key, "old"]));
      expect(await database.get("k02999")).toBe("new");
    });

    it("lets a scan be left half-way", async () => {
      await database.write(["a", "b"].map((key) => put(key)));
      for await (const chunk of database.scan({})) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      await database.write([put("c")]);
      expect(keysOf(await database.range({}, 10))).toEqual(["a", "b", "c"]);
    });

    it("keeps everything when it is closed and opened again, and answers nothing while it is closed", async () => {
      await database.write([put("a"), put("b")]);
      await database.write([{ type: "del", key: "a" }]);
      const again = await under.reopen();
      expect(await again.range({}, 10)).toEqual([["b", "value of b"]]);
      await expect(database.get("b")).rejects.toMatchObject({ code: "database-failed" });
      expect(await again.size()).toBeGreaterThan(0);
    });

    it("agrees with a sorted array on every range", async () => {
      const key = fc.string({
        unit: fc.constantFrom("a", "b", "\0", "\uff5e", "\u{1f600}"),
        minLength: 1,
        maxLength: 3,
      });
      const bound = fc.option(key, { nil: undefined });
      const property = fc.asyncProperty(
        fc.uniqueArray(key, { maxLength: 20 }),
        fc.record({
          low: bound,
          isOpenLow: fc.boolean(),
          high: bound,
          isOpenHigh: fc.boolean(),
          reverse: fc.boolean(),
        }),
        fc.integer({ min: 1, max: 25 }),
        async (keys, { low, isOpenLow, high, isOpenHigh, reverse }, limit) => {
          const old = keysOf(await database.range({}, 1000));
          await database.write([
            ...old.map((one): Operation => ({ type: "del", key: one })),
            ...keys.map((one) => put(one)),
          ]);
          const range: Range = {
            ...(low === undefined ? undefined : isOpenLow ? { gt: low } : { gte: low }),
            ...(high === undefined ? undefined : isOpenHigh ? { lt: high } : { lte: high }),
            reverse,
          };
          const order = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
          const expected = [...keys]
            .sort(order)
            .filter((one) => low === undefined || order(one, low) > (isOpenLow ? 0 : -1))
            .filter((one) => high === undefined || order(one, high) < (isOpenHigh ? 0 : 1));
          if (reverse) expected.reverse();
          expect(keysOf(await database.range(range, limit))).toEqual(expected.slice(0, limit));
          expect(keysOf(await scanned(database, range))).toEqual(expected);
        },
      );
      await fc.assert(property, { numRuns: 60 });
    });
  });
}
