/** Contacts in memory: let go when there is no room, but never with something that the store has yet to learn. */
import { beforeEach, describe, expect, it } from "vitest";
import { noProof, noTimers } from "../../src/store/position.js";
import type { ContactStore } from "../../src/store/store.js";
import { HotContacts } from "../../src/stream/hot-contacts.js";
import { erasure, openStore, start, visit, visitsModel } from "./given.js";

const model = visitsModel();
const keys = ["a", "b", "c", "d"].map((contactId) => `acme\0${contactId}`);
const position = { offsets: new Map(), ...noProof, timer: noTimers, change: null };
let store: ContactStore;
let contacts: HotContacts;

beforeEach(async () => {
  ({ store } = await openStore());
  // Room for one or two.
  contacts = new HotContacts(store, () => [model], 3000);
});

async function visited(key: string, n: number): Promise<void> {
  await contacts.load([key]);
  const contact = contacts.get(key)!;
  contact.receive(visit(n, start + n, contact.contactId));
  contacts.touch(contact);
}

function rounds(count: number): void {
  for (let i = 0; i < count; i++) contacts.endRound();
}

describe("HotContacts", () => {
  it("lets go the ones that are written and were not asked for lately, and brings them back", async () => {
    for (const key of keys) await visited(key, 1);
    rounds(5);
    expect(contacts.count).toBe(4);
    const writing = store.write(contacts.beginWrite().changes, position);
    rounds(5);
    expect(contacts.count).toBe(4);
    await writing;
    contacts.written();
    rounds(5);
    expect(contacts.count).toBeLessThan(4);
    expect(contacts.bytes).toBeLessThanOrEqual(3000);
    await contacts.load(keys);
    for (const key of keys) expect(contacts.get(key)?.fold.inputs).toBe(1);
  });

  it("lets go at once who came for once, and keeps who comes again while it is remembered", async () => {
    const write = async (): Promise<void> => {
      contacts.endRound();
      const { changes } = contacts.beginWrite();
      await store.write(changes, position);
      contacts.written();
    };
    await visited(keys[0]!, 1);
    await visited(keys[1]!, 1);
    await write();
    // They go one by one until half of the room is free.
    expect(contacts.count).toBe(0);
    await visited(keys[0]!, 2);
    await write();
    expect(contacts.get(keys[0]!)?.fold.inputs).toBe(2);
  });

  it("does not take what was read before a write for what is: who asks holds up the letting go", async () => {
    // The row is read, and then, before the answer comes, the task folds an input, writes it and lets go.
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((done) => {
      answer = done;
    });
    let isFirst = true;
    const slowStore = {
      segment: 0,
      erasedUntil: (asked: readonly string[]) => store.erasedUntil(asked),
      contacts: async (asked: readonly string[]) => {
        const rows = await store.contacts(asked);
        if (isFirst) {
          isFirst = false;
          await answered;
        }
        return rows;
      },
    } as unknown as ContactStore;
    contacts = new HotContacts(slowStore, () => [model], 3000);
    const question = contacts.loaded(keys[0]!);
    await visited(keys[0]!, 1);
    for (const key of keys.slice(1)) await visited(key, 1);
    contacts.endRound();
    const { changes } = contacts.beginWrite();
    await store.write(changes, position);
    contacts.written();
    rounds(5);
    answer();
    expect((await question).fold.inputs).toBe(1);
    await contacts.load([keys[0]!]);
    expect(contacts.get(keys[0]!)?.fold.inputs).toBe(1);
  });

  it("packs who comes once in a while, and leaves who comes all the time as it is, for as long as it does", async () => {
    const others = Array.from({ length: 4097 }, (_, i) => `acme\0other-${i}`);
    contacts = new HotContacts(store, () => [model], 1e8);
    const [often] = keys as [string];
    const comes = async (n: number): Promise<void> => {
      await visited(often, n);
      contacts.get(often)!.fold.drain();
      contacts.settle(contacts.get(often)!);
      contacts.endRound();
    };
    for (let n = 1; n <= 2; n++) {
      await comes(n);
      expect(contacts.get(often)?.isPacked).toBe(true);
    }
    const packed = contacts.bytes;
    await comes(3);
    expect(contacts.get(often)?.isPacked).toBe(false);
    expect(contacts.bytes).toBeGreaterThan(packed);
    await contacts.load(others);
    contacts.endRound();
    expect(contacts.get(often)?.isPacked).toBe(true);
    expect(contacts.get(often)?.fold.inputs).toBe(3);
  });

  it("lets go whom only questions were about", async () => {
    for (let i = 0; i < 50; i++) await contacts.loaded(`acme\0nobody-${i}`);
    expect(contacts.bytes).toBeLessThanOrEqual(3000);
  });

  it("does not let go in the middle of a round whom the round has asked for", async () => {
    contacts = new HotContacts(store, () => [model], 1000);
    await contacts.load(keys);
    for (const key of keys) contacts.touch(contacts.get(key)!);
    contacts.endRound();
    const { changes } = contacts.beginWrite();
    await contacts.load([keys[2]!]);
    await store.write(changes, position);
    contacts.written();
    expect(contacts.get(keys[2]!)).toBeDefined();
    expect(contacts.count).toBe(1);
  });

  it("knows who is ahead of the store: also in a write under way, and changed since", async () => {
    await visited(keys[0]!, 1);
    await visited(keys[1]!, 1);
    contacts.beginWrite();
    await visited(keys[1]!, 2);
    await visited(keys[2]!, 1);
    expect([...contacts.ahead()].map(({ key }) => key).sort()).toEqual(keys.slice(0, 3));
    expect([...contacts.unwritten].map(({ key }) => key).sort()).toEqual(keys.slice(1, 3));
    contacts.written();
    expect([...contacts.ahead()].map(({ key }) => key).sort()).toEqual(keys.slice(1, 3));
  });

  it("brings one contact once, however many ask for it", async () => {
    const [one, other] = await Promise.all([contacts.loaded(keys[0]!), contacts.loaded(keys[0]!)]);
    expect(one).toBe(other);
  });

  it("knows a contact that was erased, of which there is nothing else", async () => {
    await contacts.load(keys);
    const contact = contacts.get(keys[0]!)!;
    contact.receive(visit(1, start + 1, "a"));
    contact.receive(erasure(start + 9, "a"));
    contacts.touch(contact);
    await store.write(contacts.beginWrite().changes, position);
    contacts.written();
    const again = new HotContacts(store, () => [model], 3000);
    const known = await again.loaded(keys[0]!);
    expect(known.fold.erasedUntil).toBe(start + 9);
    expect(known.receive(visit(2, start + 2, "a")).status).toBe("erased");
  });
});
