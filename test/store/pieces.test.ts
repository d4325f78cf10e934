/** Long lists in rows of their own: what is read is what was written, and only what has changed is written. */
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Input } from "../../src/events/types.js";
import { ContactFold } from "../../src/fold/contact.js";
import { cloneState, encodeState } from "../../src/fold/state.js";
import { checkModel } from "../../src/model/check.js";
import { compile } from "../../src/model/compile.js";
import { keptPieces, noPieces, PieceChanges, putBack, takeOut } from "../../src/store/pieces.js";
import { noProof, noTimers } from "../../src/store/position.js";
import { ContactStore } from "../../src/store/store.js";
import { TaskContact } from "../../src/stream/contact.js";
import type { SimulatedDisk } from "../simulator/disk.js";
import { erasure, HOUR, openStore, start } from "../stream/given.js";

const key = "acme\0ada";
const position = { offsets: new Map(), ...noProof, timer: noTimers, change: null };

/** Every kind of list that can grow long: hours, hours with matches, resources for ever, resources seen. */
function longModel() {
  const checked = checkModel(
    [
      "model: lead",
      "version: 1",
      "dimensions: { score: { min: 0, max: 100000 } }",
      "rules:",
      "  - { id: hours, when: web.page_viewed, points: 1, within: 90d }",
      "  - { id: pages, when: web.page_viewed, points: 1, within: 90d, scope: resource }",
      "  - { id: ever, when: web.page_viewed, times: { min: 1000 }, scope: resource, points: 1 }",
      "  - { id: first, when: web.page_viewed, points: 1, scope: resource }",
    ].join("\n"),
    "lead",
  );
  if (!checked.ok) throw new Error(JSON.stringify(checked));
  return compile(checked.model);
}

const model = longModel();

/** One an hour, each third of them of a page that came before. */
function view(n: number, at = start + n * HOUR): Input {
  const page = n % 3 === 0 ? Math.floor(n / 7) : n;
  const own = { id: `v${n}`, resource: `/page/${page}`, attributes: {} };
  return { kind: "interaction", tenantId: "acme", contactId: "ada", at, type: "web.page_viewed", ...own };
}

function stateAfter(ns: readonly number[]) {
  const fold = new ContactFold([model], "acme", "ada", { history: "kept" });
  for (const n of ns) fold.receive(view(n));
  return fold.foldedStates()[0]!;
}

function upTo(count: number, step = 1): number[] {
  return Array.from({ length: count }, (_, i) => i * step);
}

describe("takeOut and putBack", () => {
  it("give back any state as it was", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1500 }), fc.integer({ min: 1, max: 5 }), (count, step) => {
        const state = stateAfter(upTo(count, step));
        const cut = takeOut(state);
        if (cut === null) return;
        const row = encodeState(cut.state);
        const whole = cloneState(cut.state);
        putBack(whole, JSON.parse(JSON.stringify(cut.pieces)) as typeof cut.pieces);
        expect(encodeState(whole)).toBe(encodeState(state));
        expect(whole.windows.map(({ latest }) => latest)).toEqual(state.windows.map(({ latest }) => latest));
        expect(new Set(cut.pieces.map(({ name }) => name)).size).toBe(cut.pieces.length);
        expect(encodeState(cut.state)).toBe(row);
        expect(row.length).toBeLessThan(25_000);
      }),
      { numRuns: 30 },
    );
  });

  it("leave a state without long lists alone", () => {
    expect(takeOut(stateAfter(upTo(100)))).toBeNull();
  });

  it("cut all kinds of lists", () => {
    const lists = takeOut(stateAfter(upTo(1500)))!.pieces.map(({ name }) => name.slice(0, name.indexOf(".")));
    expect([...new Set(lists)].sort()).toEqual(["h0", "h1", "l2", "s0"]);
  });
});

describe("PieceChanges", () => {
  it("tells what has changed, also of what it has only read the hashes", () => {
    const first = new PieceChanges(noPieces);
    const before = takeOut(stateAfter(upTo(1500)))!.pieces;
    const refs = first.keep("lead@1", before);
    expect(first.changed.length).toBe(before.length);
    for (const known of [first.after, keptPieces([{ name: "lead@1", pieces: refs }])]) {
      const same = new PieceChanges(known);
      expect(same.keep("lead@1", takeOut(stateAfter(upTo(1500)))!.pieces)).toEqual(refs);
      expect([same.changed, same.gone]).toEqual([[], []]);
      const more = new PieceChanges(known);
      more.keep("lead@1", takeOut(stateAfter(upTo(1501)))!.pieces);
      expect(more.changed.length).toBeLessThan(before.length / 2);
      const none = new PieceChanges(known);
      expect(none.gone.length).toBe(before.length);
    }
  });
});

describe("a contact with long lists", () => {
  let disk: SimulatedDisk;
  let store: ContactStore;
  let contact: TaskContact;

  beforeEach(async () => {
    ({ disk, store } = await openStore());
    contact = new TaskContact(key, [model], undefined);
  });

  async function receive(input: Input): Promise<void> {
    for (let from = contact.fold.needs(input); from !== null; from = contact.fold.needs(input))
      await contact.load(store, from);
    contact.receive(input);
    contact.fold.unload();
  }

  /** @returns the bytes of the contact's row and pieces that were written */
  async function write(): Promise<number> {
    const change = contact.beginWrite(store.segment);
    await store.write([change], position);
    contact.written();
    return (change.row?.length ?? 0) + change.pieces.reduce((sum, [, text]) => sum + text.length, 0);
  }

  async function readAgain(): Promise<void> {
    const [stored] = await store.contacts([key]);
    contact = new TaskContact(key, [model], stored);
  }

  function rowsOfPieces(): number {
    return disk.entries({ gte: "p\0", lt: "p\x01" }).length;
  }

  it("is read as it was written, and one more input writes a small part of it", async () => {
    for (const n of upTo(1500)) await receive(view(n));
    const all = await write();
    const states = contact.fold.encode();
    await readAgain();
    expect(contact.fold.encode()).toBe(states);
    await receive(view(1500));
    expect(await write()).toBeLessThan(all / 4);
    const now = contact.fold.encode();
    await readAgain();
    expect(contact.fold.encode()).toBe(now);
  });

  it("has no row left of hours that have left the window, nor of lists that are short again", async () => {
    for (const n of upTo(1500)) await receive(view(n));
    await write();
    const before = rowsOfPieces();
    await receive(view(1499 + 24 * 80));
    await write();
    const fewer = rowsOfPieces();
    expect(fewer).toBeLessThan(before);
    await readAgain();
    await receive(view(1499 + 24 * 200));
    await write();
    const names = disk.entries({ gte: "p\0", lt: "p\x01" }).map(([row]) => row.split("\0").at(-1)!.split(".")[0]);
    expect([...new Set(names)].sort()).toEqual(["l2", "s0"]);
  });

  it("takes a late input into the middle of them", async () => {
    const late = 700;
    for (const n of upTo(1500)) if (n !== late) await receive(view(n));
    await write();
    await readAgain();
    await receive(view(late));
    await write();
    await readAgain();
    const inOrder = new ContactFold([model], "acme", "ada", { history: "kept" });
    for (const n of upTo(1500)) inOrder.receive(view(n));
    expect(contact.fold.encode()).toBe(inOrder.encode());
  });

  it("is read whole where a write comes between its row and its pieces", async () => {
    for (const n of upTo(1500)) await receive(view(n));
    await write();
    await receive(view(1500));
    const change = contact.beginWrite(store.segment);
    await store.close();
    const database = disk.open();
    const log = { clusterId: "log-1", foldVersion: 1 };
    store = await ContactStore.open(database, log);
    let isWritten = false;
    const reader = await ContactStore.open(
      {
        get: (row) => database.get(row),
        getMany: async (rows) => {
          if (rows[0]?.startsWith("p\0") && !isWritten) {
            isWritten = true;
            await store.write([change], position);
          }
          return await database.getMany(rows);
        },
        write: (operations) => database.write(operations),
        batch: () => database.batch(),
        range: (range, limit) => database.range(range, limit),
        scan: (range) => database.scan(range),
        checkPlace: () => database.checkPlace(),
        size: () => database.size(),
        close: () => database.close(),
      },
      log,
    );
    const [stored] = await reader.contacts([key]);
    expect(isWritten).toBe(true);
    expect(new TaskContact(key, [model], stored).fold.encode()).toBe(contact.fold.encode());
  });

  it("notices that a piece is missing, or another one", async () => {
    for (const n of upTo(1500)) await receive(view(n));
    await write();
    const [row, value] = disk.entries({ gte: "p\0", lt: "p\x01" })[3]!;
    disk.damage(row, (text) => text.replace(/\d/, (digit) => String((Number(digit) + 1) % 10)));
    await expect(store.contacts([key])).rejects.toMatchObject({ code: "database-corrupt" });
    disk.damage(row, () => value);
    await readAgain();
    disk.commit([{ type: "del", key: row }]);
    await expect(store.contacts([key])).rejects.toMatchObject({ code: "database-corrupt" });
    await expect(store.allContacts().next()).rejects.toMatchObject({ code: "database-corrupt" });
  });

  it("leaves nothing behind when it is erased, and has what comes after it", async () => {
    for (const n of upTo(1500)) await receive(view(n));
    await write();
    await readAgain();
    await receive(erasure(start + 1499 * HOUR));
    await write();
    expect(rowsOfPieces()).toBe(0);
    for (const n of upTo(1500)) await receive(view(2000 + n));
    await write();
    const states = contact.fold.encode();
    await receive(view(3500));
    await receive(erasure(start + 1600 * HOUR));
    await write();
    await readAgain();
    expect(contact.fold.encode()).not.toBe(states);
    const left = contact.fold.encode();
    await readAgain();
    expect(contact.fold.encode()).toBe(left);
  });
});
