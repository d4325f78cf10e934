/** One contact between memory and store: what is on its way there is part of its history, and nothing erased comes back. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Input } from "../../src/events/types.js";
import { noProof, noTimers } from "../../src/store/position.js";
import { decodeContact } from "../../src/store/rows.js";
import type { ContactStore } from "../../src/store/store.js";
import { TaskContact } from "../../src/stream/contact.js";
import type { SimulatedDisk } from "../simulator/disk.js";
import { erasure, modelOf, openStore, start, visit, visitsModel } from "./given.js";

const key = "acme\0ada";
const model = visitsModel();
const position = { offsets: new Map(), ...noProof, timer: noTimers, change: null };
let disk: SimulatedDisk;
let store: ContactStore;
let contact: TaskContact;

beforeEach(async () => {
  ({ disk, store } = await openStore());
  contact = new TaskContact(key, [model], undefined);
});

async function receive(input: Input): Promise<string> {
  for (let from = contact.fold.needs(input); from !== null; from = contact.fold.needs(input))
    await contact.load(store, from);
  const { status } = contact.receive(input);
  contact.fold.unload();
  return status;
}

async function write(): Promise<void> {
  await store.write([contact.beginWrite(store.segment)], position);
  contact.written();
}

async function readAgain(): Promise<void> {
  const [stored] = await store.contacts([key]);
  contact = new TaskContact(key, [model], stored);
}

describe("TaskContact", () => {
  it("has what is stored, being written and still to be written in its history, each once", async () => {
    await receive(visit(1));
    await write();
    await receive(visit(3));
    const change = contact.beginWrite(store.segment);
    await receive(visit(5));
    const ids = async (): Promise<string[]> => (await contact.history(store)).map(({ id }) => id);
    expect(await ids()).toEqual(["v1", "v3", "v5"]);
    expect(await receive(visit(2))).toBe("late");
    expect(await receive(visit(3))).toBe("duplicate");
    await store.write([change], position);
    expect(await ids()).toEqual(["v1", "v2", "v3", "v5"]);
    contact.written();
    expect(await ids()).toEqual(["v1", "v2", "v3", "v5"]);
    expect(contact.isDirty).toBe(true);
    await write();
    expect(contact.isDirty).toBe(false);
  });

  it("is read as it was written", async () => {
    for (const n of [1, 4, 2]) await receive(visit(n));
    const states = contact.fold.encode();
    await write();
    await readAgain();
    expect(contact.fold.encode()).toBe(states);
    expect(await receive(visit(3))).toBe("late");
    expect(contact.fold.scoreLines()[0]?.score).toBe(40);
  });

  it("forgets at an erasure what was published under models out of use", async () => {
    const other = modelOf("model: other\nversion: 1\ndimensions: { score: {} }\nrules: []");
    contact = new TaskContact(key, [model, other], undefined);
    await receive(visit(1));
    await write();
    await readAgain();
    await receive(visit(5));
    await write();
    const names = async (): Promise<string[]> => {
      const [stored] = await store.contacts([key]);
      return (typeof stored === "string" ? decodeContact(stored) : stored!).models.map(({ name }) => name);
    };
    expect(await names()).toEqual(["lead@1", "other@1"]);
    await receive(erasure(start + 3));
    await write();
    expect(await names()).toEqual(["lead@1"]);
    expect(contact.fold.inputs).toBe(1);
  });

  const sixMore = Array.from({ length: 6 }, (_, n) => visit(600 + n));
  const lives: readonly (readonly [string, readonly Input[]])[] = [
    [
      "late, twice, in another segment, erased, and from the beginning again",
      [
        ...[1, 4, 2, 2].map((n) => visit(n)),
        ...Array.from({ length: 400 }, (_, n) => visit(10 + n)),
        visit(9001, start + 17),
        erasure(start + 100),
        ...Array.from({ length: 150 }, (_, n) => visit(500 + n)),
      ],
    ],
    [
      // Written together with what comes after it.
      "erased while it is short",
      [...Array.from({ length: 7 }, (_, n) => visit(n)), erasure(start + 100), visit(500), visit(501), ...sixMore],
    ],
    [
      "with a snapshot that another content of an input makes wrong",
      // The same again changes nothing, and leaves time for the snapshot to be written.
      [...Array.from({ length: 128 }, (_, n) => visit(n)), ...[9, 9, 9, 9, 9].map((n) => visit(n))].concat([
        { ...visit(5), resource: "/other" } as ReturnType<typeof visit>,
      ]),
    ],
  ];

  it.each(lives)("is written, packed or not, as the same rows: %s", async (_, inputs) => {
    /** After each write. */
    const rows = async (isPacked: boolean): Promise<readonly unknown[]> => {
      const seen: unknown[] = [];
      ({ disk, store } = await openStore());
      contact = new TaskContact(key, [model], undefined);
      for (const [n, input] of inputs.entries()) {
        await receive(input);
        contact.fold.drain();
        if (isPacked) contact.pack(store.segment);
        if (n % 7 !== 6) continue;
        const change = contact.beginWrite(n < 200 ? 0 : 1);
        // Meanwhile it goes on, packed.
        if (isPacked) contact.pack(store.segment);
        await store.write([change], position);
        contact.written();
        seen.push([...disk.entries({})]);
      }
      await write();
      return [...seen, disk.entries({})];
    };
    expect(await rows(true)).toEqual(await rows(false));
  });

  it("is packed into what its row will be, but not where the row would not have all of it", async () => {
    await receive(visit(1));
    contact.pack(store.segment);
    expect(contact.isPacked).toBe(false);
    contact.fold.drain();
    const [due, states] = [contact.fold.due(), contact.fold.encode()];
    const bytes = contact.bytes();
    contact.pack(store.segment);
    expect(contact.isPacked).toBe(true);
    expect(contact.due()).toBe(due);
    expect(contact.bytes()).toBeLessThan(bytes / 2);
    expect(contact.fold.encode()).toBe(states);
    expect(contact.isDirty).toBe(true);
    await receive(erasure(start + 100));
    contact.fold.drain();
    contact.pack(store.segment);
    expect(contact.isPacked).toBe(false);
  });

  it("reads the states of a snapshot that a write lets go meanwhile", async () => {
    for (let n = 0; n < 300; n++) await receive(visit(2 * n));
    const change = contact.beginWrite(store.segment);
    const late = visit(9001, start + 599 - 8);
    const base = contact.fold.snapshotBefore(late.at);
    expect(base?.states).not.toBeNull();
    // The write ends while the history is being read.
    await store.write([change], position);
    const loading = contact.load(store, late.at);
    contact.written();
    await loading;
    expect(base?.states).not.toBeNull();
    expect(contact.receive(late).status).toBe("late");
    expect(contact.fold.foldedStates()[0]?.firstSight).toBe(start);
  });

  it("is gone after an erasure, wherever its inputs were", async () => {
    await receive(visit(1));
    await write();
    await receive(visit(2));
    const change = contact.beginWrite(store.segment);
    await receive(visit(3));
    await receive(erasure(start + 100));
    await store.write([change], position);
    contact.written();
    await write();
    expect(disk.entries({}).filter(([row, value]) => /^[cdhs]/.test(row) && `${row}${value}`.includes("ada"))).toEqual(
      [],
    );
    expect(store.counts).toEqual({ contacts: 0, inputs: 0 });
    expect(await receive(visit(4))).toBe("erased");
    await receive(visit(200));
    await write();
    await readAgain();
    expect((await contact.history(store)).map(({ id }) => id)).toEqual(["v200"]);
    expect(contact.fold.erasedUntil).toBe(start + 100);
    expect(store.counts).toEqual({ contacts: 1, inputs: 1 });
  });

  it("notices that a part of its history is missing", async () => {
    await receive(visit(1));
    await write();
    await readAgain();
    const [row] = disk.entries({ gte: "h\0", lt: "h\x01" });
    disk.commit([{ type: "del", key: row![0] }]);
    await expect(contact.load(store, start)).rejects.toMatchObject({ code: "database-corrupt" });
  });

  it("is found by the due index at or before it is due", async () => {
    await receive(visit(1));
    await write();
    await receive(visit(2, start + 7_200_000));
    await write();
    const due = contact.fold.due()!;
    const [entry] = disk.entries({ gte: "d\0", lt: "d\x01" });
    const rows: string[] = [];
    for await (const keys of store.due(due)) rows.push(...keys);
    expect(rows).toEqual([key]);
    contact.moveDue();
    await write();
    expect(disk.entries({ gte: "d\0", lt: "d\x01" })[0]?.[0]).not.toBe(entry![0]);
    rows.length = 0;
    for await (const keys of store.due(due - 1)) rows.push(...keys);
    expect(rows).toEqual([]);
  });
});
