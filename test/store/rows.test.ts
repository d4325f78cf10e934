/** What is written is what is read: contacts, inputs, and which of two contents of one key holds. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/events/canonical.js";
import { compareInputs } from "../../src/events/order.js";
import type { Input } from "../../src/events/types.js";
import { ContactFold } from "../../src/fold/contact.js";
import { completed } from "../../src/fold/pack.js";
import { encodeState } from "../../src/fold/state.js";
import type { CompiledModel } from "../../src/model/compile.js";
import {
  decodeContact,
  decodeInputs,
  encodeContact,
  inKeyOrder,
  isInPieces,
  joined,
  type StoredContact,
  storedInput,
  storedModel,
} from "../../src/store/rows.js";
import { inputLists, shuffled } from "../arbitrary/inputs.js";
import { scenes } from "../arbitrary/scenes.js";
import { compiled } from "../fold/engine.js";

describe("rows", () => {
  it("give back inputs as they were", () => {
    fc.assert(
      fc.property(inputLists(), (inputs) => {
        const own = inputs.map((input): Input => ({ ...input, tenantId: "acme", contactId: "ada" }));
        expect(decodeInputs(joined(own.map(storedInput)), "acme", "ada").map(canonicalJson)).toEqual(
          own.map(canonicalJson),
        );
      }),
    );
  });

  it("give back a contact as it was", () => {
    fc.assert(
      fc.property(
        scenes(),
        fc.array(fc.nat(9), { maxLength: 3 }),
        fc.array(fc.tuple(fc.string(), fc.nat(0xffffffff)), { maxLength: 2 }),
        ({ models, inputs, asOf }, segments, known) => {
          const conflicts = new Map(known);
          const own = compiled(models);
          const fold = new ContactFold(own, "acme", "ada", { history: "kept" });
          for (const input of inputs) if (input.at <= asOf) fold.receive(input);
          const record = fold.record();
          const snapshots = record.newest === null ? [] : [{ last: keyOf(record.newest), inputs: 7, inForce: 3 }];
          const newest = record.newest === null ? null : keyOf(record.newest);
          const head = { ...record, conflicts, newest, due: asOf, segments, snapshots };
          const rows = record.states.map((state, i) => storedModel(`m${i}@1`, record.published[i]!, state));
          const dormant = { name: "öld@1", published: record.published[0]!, state: null };
          const row = encodeContact(head, [...rows, dormant]);
          // One byte a character, so that it is as short in memory and on disk.
          expect(row).toMatch(/^[\0-\x7f]*$/);
          expect(isInPieces(row)).toBe(false);
          const read = decodeContact(row);
          const { clock, inputs: count, inForce, erasedUntil, retracted } = record;
          const expected = {
            clock,
            newest,
            inputs: count,
            inForce,
            conflicts,
            erasedUntil,
            due: asOf,
            segments,
            snapshots,
          };
          expect(read).toMatchObject({ ...expected, retracted: new Map(retracted) });
          rows.forEach(({ name, state, published }, i) => {
            const found = read.models[i]!;
            expect(found.name).toBe(name);
            expect(encodeState(completed(own[i]!, found.state!))).toBe(encodeState(state!));
            expect(found.published).toEqual(published!.score === null ? null : published);
          });
          // Also where it is put into what another contact was.
          const other = new ContactFold(own, "acme", "bob", { history: "kept" });
          for (const input of inputs.slice(0, 5)) other.receive({ ...input, at: input.at + 1 });
          const { states, published } = other.record();
          const spared = decodeContact(row, { names: rows.map(({ name }) => name), states, published });
          expect(texts(own, spared)).toEqual(texts(own, decodeContact(row)));
          expect(read.models.at(-1)).toEqual({
            ...dormant,
            published: dormant.published.score === null ? null : dormant.published,
          });
        },
      ),
      { numRuns: 200 },
    );
  });

  it("bring inputs in order, each key once, and decide between two contents the same way each time", () => {
    const lists = inputLists({ contactsMax: 1 }).chain((inputs) =>
      shuffled(inputs).map((mixed) => ({ inputs, mixed })),
    );
    fc.assert(
      fc.property(lists, ({ inputs, mixed }) => {
        const sorted = inKeyOrder([...inputs]);
        expect(inKeyOrder([...mixed]).map(canonicalJson)).toEqual(sorted.map(canonicalJson));
        expect(sorted.slice(1).every((input, i) => compareInputs(sorted[i]!, input) < 0)).toBe(true);
        for (const input of inputs) {
          const held = sorted.find((one) => compareInputs(one, input) === 0)!;
          expect(Buffer.compare(Buffer.from(canonicalJson(held)), Buffer.from(canonicalJson(input)))).not.toBe(1);
        }
      }),
    );
  });
});

function texts(own: readonly CompiledModel[], { models, ...head }: StoredContact): unknown {
  const stated = models.map(({ name, state, published }, i) => {
    const whole = state === null ? null : completed(own[i]!, state);
    return [name, published, whole && [encodeState(whole), whole.cache, whole.windows.map(({ edge }) => edge)]];
  });
  return [head, stated];
}

function keyOf({ at, kind, id }: Pick<Input, "at" | "kind" | "id">) {
  return { at, kind, id };
}
