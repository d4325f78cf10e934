/** Inputs on their way to the store: as they were, in key order, each key once, wherever they were packed meanwhile. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/events/canonical.js";
import type { Input } from "../../src/events/types.js";
import { decodeInputs, inKeyOrder, joined } from "../../src/store/rows.js";
import { PendingInputs } from "../../src/stream/pending.js";
import { inputLists, shuffled } from "../arbitrary/inputs.js";

const lists = inputLists({ contactsMax: 1 })
  .map((inputs) => inputs.map((input): Input => ({ ...input, tenantId: "acme", contactId: "ada" })))
  .chain(shuffled);

function texts(inputs: readonly Input[]): string[] {
  return inputs.map(canonicalJson);
}

describe("pending inputs", () => {
  it("are written as they came, in key order, and are part of the history until that is done", () => {
    fc.assert(
      fc.property(lists, fc.nat(40), fc.nat(40), (inputs, packedAt, writtenAt) => {
        const pending = new PendingInputs();
        const history = (): string[] => texts(pending.all("acme", "ada"));
        const write = (): string[] => texts(decodeInputs(joined(pending.beginWrite("acme", "ada")), "acme", "ada"));
        const [first, rest] = [inputs.slice(0, writtenAt), inputs.slice(writtenAt)];
        for (const [i, input] of first.entries()) {
          pending.add(input);
          if (i === packedAt) pending.pack();
        }
        expect(history()).toEqual(texts(first));
        expect(write()).toEqual(texts(inKeyOrder([...first])));
        expect(pending.count).toBe(0);
        for (const input of rest) pending.add(input);
        expect(history()).toEqual(texts([...inKeyOrder([...first]), ...rest]));
        pending.written();
        expect(history()).toEqual(texts(rest));
        expect(write()).toEqual(texts(inKeyOrder([...rest])));
      }),
    );
  });

  it("forget what is erased, and have the rest", () => {
    const inOrder = lists.map((inputs) => inKeyOrder([...inputs]));
    fc.assert(
      fc.property(fc.oneof(lists, inOrder), fc.nat(40), fc.nat(40), (inputs, packedAt, erasedAt) => {
        const pending = new PendingInputs();
        const [first, rest] = [inputs.slice(0, erasedAt), inputs.slice(erasedAt)];
        for (const [i, input] of first.entries()) {
          pending.add(input);
          if (i === packedAt) pending.pack();
        }
        const until = first[first.length >>> 1]?.at ?? 0;
        pending.erase(until);
        for (const input of rest) pending.add(input);
        const left = [...first.filter(({ at }) => at > until), ...rest];
        expect(texts(pending.all("acme", "ada"))).toEqual(texts(left));
        const written = decodeInputs(joined(pending.beginWrite("acme", "ada")), "acme", "ada");
        expect(texts(written)).toEqual(texts(inKeyOrder(left)));
      }),
    );
  });
});
