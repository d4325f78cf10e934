/** The contact store: one write is all or nothing, history over segments, erasure leaves nothing, damage is noticed. */
import { beforeEach, describe, expect, it } from "vitest";
import { sealed, unsealed } from "../../src/database/checksum.js";
import type { Input } from "../../src/events/types.js";
import { contactKey } from "../../src/store/keys.js";
import { noProof, noTimers, type Position } from "../../src/store/position.js";
import { encodeContact, storedInput } from "../../src/store/rows.js";
import { type ContactChange, ContactStore, erasedHash } from "../../src/store/store.js";
import { SimulatedDisk } from "../simulator/disk.js";

const expected = { clusterId: "log-1", foldVersion: 1 };
const ada = contactKey("acme", "ada");
const bob = contactKey("acme", "bob");
let disk: SimulatedDisk;
let store: ContactStore;

beforeEach(async () => {
  disk = new SimulatedDisk();
  store = await ContactStore.open(disk.open(), expected);
});

async function reopen(): Promise<ContactStore> {
  await store.close();
  store = await ContactStore.open(disk.open(), expected);
  return store;
}

function at(offset: number): Position {
  return { offsets: new Map([["inputs", offset]]), ...noProof, timer: noTimers, change: null };
}

function visit(n: number, type = "web.page_viewed"): Input {
  const base = { tenantId: "acme", contactId: "ada", attributes: {} } as const;
  return { kind: "interaction", id: `v${n}`, at: 1000 + n, type, ...base };
}

function rowOf(segments: readonly number[], due: number | null = null): string {
  const nothing = { clock: null, newest: null, inputs: 0, inForce: 0, erasedUntil: null, snapshots: [] };
  return encodeContact({ ...nothing, due, segments, retracted: new Map(), conflicts: new Map() }, []);
}

function change(parts: Partial<ContactChange>): ContactChange {
  const nothing = { inputs: [], snapshots: [], snapshotsGone: [], dueBefore: null, due: null, segments: [] };
  const noPieces = { pieces: [], piecesGone: [] };
  return { contact: ada, isNew: true, row: rowOf([0]), erasedUntil: null, ...nothing, ...noPieces, ...parts };
}

/** The next write is the first of a new segment. */
async function nextSegment(): Promise<void> {
  disk.damage("m\0store", (value) => {
    const meta = JSON.parse(unsealed("m\0store", value));
    return sealed(JSON.stringify({ ...meta, segment: meta.segment + 1, segmentInputs: 0 }));
  });
  await reopen();
}

describe("ContactStore", () => {
  it("has data and position, or neither", async () => {
    await store.write([change({ inputs: [visit(1)].map(storedInput) })], at(1));
    await store.write([change({ contact: bob, isNew: true })], at(2));
    await store.close();
    for (const [loseTail, offset, contacts] of [
      [0, 2, 2],
      [1, 1, 1],
      [1, undefined, 0],
    ] as const) {
      const read = await ContactStore.open(disk.crash({ loseTail }), expected);
      expect(read.position.offsets.get("inputs")).toBe(offset);
      expect(read.counts.contacts).toBe(contacts);
      expect((await read.contacts([ada, bob])).filter((row) => row !== undefined)).toHaveLength(contacts);
    }
  });

  it("forgets single inputs of a contact in all segments, and nothing else", async () => {
    await store.write([change({ inputs: [visit(1), visit(2)].map(storedInput) })], at(1));
    await nextSegment();
    const later = [visit(2, "email.opened"), visit(3)].map(storedInput);
    await store.write([change({ isNew: false, row: rowOf([0, 1]), inputs: later })], at(2));
    const before = store.counts.inputs;
    const isForgotten = (input: Input): boolean => input.kind === "interaction" && input.type === "email.opened";
    await store.forget(ada, isForgotten);
    await store.forget(bob, () => true);
    await reopen();
    const left = await store.history(ada, [0, 1], null);
    expect(left.map((input) => [input.id, (input as { type?: string }).type])).toEqual(
      ["v1", "v2", "v3"].map((id) => [id, "web.page_viewed"]),
    );
    expect([before, store.counts.inputs]).toEqual([4, 3]);
    expect(store.position).toEqual(at(2));
    await store.forget(ada, () => true);
    expect(await store.history(ada, [0, 1], null)).toEqual([]);
    expect(disk.find("h\0")?.key ?? "").not.toMatch(/^h\0/);
  });

  it("keeps timers, a change of models and models in use over a restart", async () => {
    const timer = { all: 5, run: { until: 9, done: ada } };
    await store.write([], { ...noProof, offsets: new Map(), timer, change: { to: "x", done: bob } }, ["lead@1"]);
    const { position, models } = await reopen();
    expect(position).toEqual({ ...noProof, offsets: new Map(), timer, change: { to: "x", done: bob } });
    expect(models).toEqual(["lead@1"]);
    await store.learnModels([{ name: "lead@1", text: "model: lead" }]);
    expect(await (await reopen()).knownModels()).toEqual(new Map([["lead@1", "model: lead"]]));
  });

  it("gives the history over all segments and rows in order, from any input on", async () => {
    const inputs = Array.from({ length: 300 }, (_, n) => visit(n));
    const some = (rest: number): Input[] => inputs.filter((_, n) => n % 3 === rest);
    for (const segment of [0, 1, 2]) {
      expect(store.segment).toBe(segment);
      await store.write([change({ isNew: segment === 0, inputs: some(segment).map(storedInput) })], at(segment));
      await nextSegment();
    }
    expect(await store.history(ada, [0, 1, 2], null)).toEqual(inputs);
    expect(await store.history(ada, [1], null)).toEqual(some(1));
    expect(await store.history(ada, [0, 1, 2], inputs[200]!)).toEqual(inputs.slice(201));
    expect(await store.history(bob, [0, 1, 2], null)).toEqual([]);
    expect(store.counts.inputs).toBe(300);
  });

  it("lets the smaller content of a key hold, in whatever row it lies", async () => {
    const [small, large] = [visit(1, "a.a"), visit(1, "b.b")] as const;
    await store.write([change({ inputs: [storedInput(large)] })], at(1));
    await store.write([change({ isNew: false, inputs: [storedInput(small)] })], at(2));
    await store.write([change({ isNew: false, inputs: [storedInput(large)] })], at(3));
    expect(await store.history(ada, [0], null)).toEqual([small]);
  });

  it("finds who is due, in the order of instants, and moves entries", async () => {
    await store.write([change({ due: 50 }), change({ contact: bob, due: 20 })], at(1));
    const due = async (until: number): Promise<string[]> => {
      const found: string[] = [];
      for await (const keys of store.due(until)) found.push(...keys);
      return found;
    };
    expect([await due(19), await due(20), await due(60)]).toEqual([[], [bob], [bob, ada]]);
    await store.write([change({ isNew: false, dueBefore: 50, due: 10 })], at(2));
    expect(await due(60)).toEqual([ada, bob]);
    await store.write([change({ isNew: false, dueBefore: 10, due: null })], at(3));
    expect(await due(60)).toEqual([bob]);
  });

  it("forgets an erased contact but for the hash of its name", async () => {
    const inputs = [visit(1), visit(2)];
    const first = change({ inputs: inputs.map(storedInput), due: 7, snapshots: [[inputs[0]!, "states"]] });
    await store.write([first, change({ contact: bob })], at(1));
    await nextSegment();
    await store.write([change({ isNew: false, inputs: [visit(3)].map(storedInput), dueBefore: 7, due: 7 })], at(2));
    const gone = { isNew: false, row: null, dueBefore: 7, due: null, segments: [0, 1], erasedUntil: 2000 };
    await store.write([change(gone)], at(3));
    const left = disk.entries({}).filter(([key, value]) => `${key}${value}`.includes("ada"));
    expect(left.map(([key]) => key)).toEqual([`x\0${ada}`]);
    expect(store.counts).toEqual({ contacts: 1, inputs: 0 });
    expect(await store.erasedUntil([ada, bob])).toEqual([2000, undefined]);
    expect(disk.find(`e\0${erasedHash("log-1", ada)}`)?.value).toContain("2000");
    expect(await store.erasedSince()).toEqual(new Map([[ada, 2000]]));
  });

  it("keeps what came after the instant of an erasure", async () => {
    await store.write([change({ inputs: [visit(1), visit(2), visit(3)].map(storedInput) })], at(1));
    await store.write([change({ isNew: false, segments: [0], erasedUntil: 1002 })], at(2));
    expect(await store.history(ada, [0], null)).toEqual([visit(3)]);
    expect(store.counts).toEqual({ contacts: 1, inputs: 1 });
  });

  it("notices a damaged value in any row it reads", async () => {
    await store.write([change({ inputs: [visit(1)].map(storedInput), snapshots: [[visit(1), rowOf([])]] })], at(1));
    const reads: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["c", async () => await store.contacts([ada])],
      ["h", async () => await store.history(ada, [0], null)],
      ["s", async () => await store.snapshot(ada, visit(1))],
      ["m", async () => await reopen()],
    ];
    for (const [kind, read] of reads) {
      await expect(read()).resolves.toBeDefined();
      const [key] = disk.entries({ gte: `${kind}\0`, lt: `${kind}\x01` })[0]!;
      disk.damage(key, (value) => `${value.slice(0, -1)}~`);
      await expect(read()).rejects.toMatchObject({ code: "database-corrupt" });
    }
  });

  it("refuses what is not its own", async () => {
    await store.write([], at(1));
    await store.close();
    const open = async (clusterId: string) => await ContactStore.open(disk.open(), { clusterId, foldVersion: 1 });
    await expect(open("another")).rejects.toMatchObject({ code: "format-unknown" });
    const other = new SimulatedDisk();
    const database = other.open();
    await database.write([{ type: "put", key: "c\0x", value: "" }]);
    await expect(ContactStore.open(database, expected)).rejects.toMatchObject({ code: "database-corrupt" });
  });
});
