import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ScorefoldError } from "../../src/errors.js";
import { compareInputs, compareText } from "../../src/events/order.js";
import { INSTANT_SIZE_MAX_MS } from "../../src/events/time.js";
import type { Input } from "../../src/events/types.js";
import { resolveCopies } from "../../src/rebuild/duplicates.js";
import { InputSorter, type PlacedInput, sortKey, spillError } from "../../src/rebuild/sort.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sort-test-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const name = fc.string({ unit: fc.constantFrom("a", "b", " ", "\u00e9", "\ue000", "\u{10000}"), maxLength: 3 });
const at = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(-INSTANT_SIZE_MAX_MS, INSTANT_SIZE_MAX_MS, 1e12, 999_999_999_999),
);
const input: fc.Arbitrary<Input> = fc
  .record({ tenantId: name, contactId: name, id: name, at, content: fc.nat(3), kind: fc.nat(3) })
  .map(({ content, kind, ...base }): Input => {
    if (kind === 0) return { ...base, kind: "profile", fields: content === 0 ? null : { content } };
    if (kind === 1) return { ...base, kind: "adjustment", model: "m", add: content };
    return { ...base, kind: "interaction", type: "a.b", attributes: { content } };
  });
const inputs = fc.array(input, { maxLength: 60 });

const compareAll = (a: Input, b: Input) =>
  compareText(a.tenantId, b.tenantId) || compareText(a.contactId, b.contactId) || compareInputs(a, b);

async function sorted(all: readonly Input[], memoryBytesMax?: number): Promise<PlacedInput[]> {
  const options = { tempDirectory: directory, ...(memoryBytesMax === undefined ? {} : { memoryBytesMax }) };
  const sorter = new InputSorter(options);
  try {
    for (const [line, one] of all.entries()) {
      sorter.add({ input: one, file: 0, line }, 100);
      if (sorter.isFull) await sorter.spill();
    }
    expect(sorter.count).toBe(all.length);
    const out: PlacedInput[] = [];
    for await (const batch of sorter.inOrder()) out.push(...batch);
    // In between, it depends on the estimate how often the memory is full.
    if (memoryBytesMax === undefined) expect(sorter.hasSpilled).toBe(false);
    if (memoryBytesMax === 1) expect(sorter.hasSpilled).toBe(all.length > 0);
    return out;
  } finally {
    await sorter.close();
    expect(readdirSync(directory)).toEqual([]);
  }
}

describe("InputSorter", () => {
  it("sorts by tenant, contact, at, kind, id; copies in order of arrival; nothing is lost", async () => {
    await fc.assert(
      fc.asyncProperty(inputs, async (all) => {
        const expected = all.map((one, line) => ({ input: one, file: 0, line }));
        expected.sort((a, b) => compareAll(a.input, b.input));
        expect(await sorted(all)).toEqual(expected);
      }),
    );
  });

  it("gives from disk what it gives from memory", async () => {
    await fc.assert(
      fc.asyncProperty(inputs, fc.constantFrom(1, 1000, 3000), async (all, memoryBytesMax) => {
        const inMemory = await sorted(all);
        expect(await sorted(all, memoryBytesMax)).toEqual(inMemory);
      }),
      { numRuns: 25 },
    );
  });

  it("has keys whose bytes are in the order of inputs", () => {
    fc.assert(
      fc.property(input, input, (a, b) => {
        const bytes = Buffer.compare(Buffer.from(sortKey(a, 1)), Buffer.from(sortKey(b, 1)));
        expect(bytes).toBe(Math.sign(compareAll(a, b)));
      }),
      { numRuns: 2000 },
    );
  });

  it("names the directory and another choice when the disk is full or the directory is not there", async () => {
    const sorter = new InputSorter({ tempDirectory: join(directory, "none"), memoryBytesMax: 1 });
    const error = await sorter.spill().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ScorefoldError);
    expect(error).toMatchObject({ code: "output-failed" });
    expect(String(error)).toMatch(/there is no directory .*none.*--temp/);

    const full = new Error("Database failed", { cause: new Error("IO error: /x/000005.ldb: No space left on device") });
    expect(spillError("/x", full)).toMatchObject({ code: "disk-full", retryable: true, cause: full });
    expect(String(spillError("/x", full))).toMatch(/the disk is full while sorting in \/x; .*--temp/);
  });
});

describe("resolveCopies", () => {
  const base = { tenantId: "t", contactId: "c", at: 1, id: "i" };
  const interaction = (attributes: Record<string, number>, line: number): PlacedInput => ({
    input: { ...base, kind: "interaction", type: "a.b", attributes },
    file: 0,
    line,
  });
  const profile = (fields: Record<string, number> | null, line: number): PlacedInput => ({
    input: { ...base, kind: "profile", fields },
    file: 0,
    line,
  });

  it("keeps the smallest content, counts what is said twice, and sets each other content aside once", () => {
    const copies = [
      interaction({ x: 3 }, 1),
      interaction({ x: 1 }, 2),
      interaction({ x: 3 }, 3),
      interaction({ x: 1 }, 4),
      interaction({ x: 2 }, 5),
    ];
    expect(resolveCopies(copies)).toMatchObject({
      kept: { line: 2 },
      conflicts: [{ line: 5 }, { line: 1 }],
      duplicates: 2,
      erased: 0,
    });
    expect(resolveCopies([interaction({ x: 1, y: 2 }, 1), interaction({ y: 2, x: 1 }, 2)])).toMatchObject({
      conflicts: [],
      duplicates: 1,
    });
  });

  it("lets an erasure hold over any profile", () => {
    const copies = [profile({ a: 1 }, 1), profile(null, 2), profile({ b: 1 }, 3), profile({ a: 1 }, 4)];
    for (const order of [copies, [...copies].reverse()]) {
      expect(resolveCopies(order)).toMatchObject({ kept: { line: 2 }, conflicts: [], duplicates: 1, erased: 2 });
    }
  });

  it("does not depend on the order of arrival", () => {
    const content = fc.record({ x: fc.nat(4) });
    fc.assert(
      fc.property(fc.array(content, { minLength: 1, maxLength: 8 }), fc.infiniteStream(fc.nat()), (contents, keys) => {
        const copies = contents.map((attributes, line) => interaction(attributes, line));
        const order = new Map(copies.map((copy) => [copy, keys.next().value as number]));
        const shuffled = [...copies].sort((a, b) => (order.get(a) as number) - (order.get(b) as number));
        const text = ({ kept, conflicts, duplicates }: ReturnType<typeof resolveCopies>) =>
          JSON.stringify([kept.input, conflicts.map((loser) => loser.input), duplicates]);
        expect(text(resolveCopies(shuffled))).toBe(text(resolveCopies(copies)));
      }),
    );
  });
});
