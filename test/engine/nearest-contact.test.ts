import { describe, expect, it } from "vitest";
import { nearestContact } from "../../src/engine/nearest-contact.js";
import { contactKey } from "../../src/store/keys.js";
import { ContactStore } from "../../src/store/store.js";
import { SimulatedDisk } from "../simulator/disk.js";

/** Counts rows that are read of a store with these contacts. */
async function given(
  ids: readonly string[],
  tenantId = "default",
): Promise<{ store: ContactStore; reads: { rows: number } }> {
  const database = new SimulatedDisk().open();
  const reads = { rows: 0 };
  const counted = {
    ...database,
    getMany: async (keys: readonly string[]) => await database.getMany(keys),
    get: async (key: string) => await database.get(key),
    batch: () => database.batch(),
    range: async (range: Parameters<typeof database.range>[0], limit: number) => {
      const rows = await database.range(range, limit);
      reads.rows += rows.length;
      return rows;
    },
  };
  const store = await ContactStore.open(counted, { clusterId: "c", foldVersion: 1 });
  const changes = ids.map((id) => ({
    ...{ contact: contactKey(tenantId, id), isNew: true, row: "-", inputs: [], snapshots: [], snapshotsGone: [] },
    ...{ pieces: [], piecesGone: [], dueBefore: null, due: null, segments: [], erasedUntil: null },
  }));
  await store.write(changes, store.position);
  return { store, reads };
}

const few = ["ada@example.org", "Bob", "c-00042", "zoé", "ﬁn 7"];

describe("the nearest of few contacts", () => {
  it.each([
    ["ADA@Example.org ", "ada@example.org"],
    ["ada@exmaple.org", "ada@example.org"],
    ["xda@example.org", "ada@example.org"],
    ["bob", "Bob"],
    ["c-0042", "c-00042"],
    ["zoe\u0301", "zoé"],
    ["fin7", "ﬁn 7"],
    ["somebody.else", null],
    ["", null],
  ])("to %j is %j", async (id, expected) => {
    const { store } = await given(few);
    expect(await nearestContact([store], "default", id)).toBe(expected);
    expect(await nearestContact([store], "defaul", id)).toBeNull();
  });
});

it("is looked for in the stores of all tasks", async () => {
  const stores = await Promise.all([given(["ann"]), given(["bob"]), given([])]);
  const all = stores.map(({ store }) => store);
  expect(await nearestContact(all, "default", "bobb")).toBe("bob");
  expect(await nearestContact([], "default", "bobb")).toBeNull();
});

describe("the nearest of many contacts", () => {
  const many: string[] = Array.from({ length: 20_000 }, (_, i) => `c-${String(i * 7).padStart(6, "0")}`);
  const large = given([...many, "zoé", "Ada.Lovelace"]);
  it.each([
    ["C-000042", "c-000042"],
    [" c-000 042", "c-000042"],
    ["c-0000421", "c-000042"],
    ["c-000402", "c-000042"],
    ["zoe\u0301", "zoé"],
    ["ada.lovelace", "Ada.Lovelace"],
    ["nobody-of-this-name", null],
  ])("to %j is %j, and few rows are read", async (id, expected) => {
    const { store, reads } = await large;
    reads.rows = 0;
    const found = await nearestContact([store], "default", id);
    if (id === "c-000402" || id === "c-0000421") expect(found).toMatch(/^c-0{3,4}\d+$/);
    else expect(found).toBe(expected);
    expect(reads.rows).toBeLessThan(10_000);
  });
});
