/** One fold serves all contacts in turn: none leaves a trace in the next, whatever models, inputs and order there are. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ContactId, Input } from "../../src/events/types.js";
import { ContactFold } from "../../src/fold/contact.js";
import { isRetraction } from "../../src/fold/retractions.js";
import { TaskContact } from "../../src/stream/contact.js";
import { scenes } from "../arbitrary/scenes.js";
import { HOUR } from "../arbitrary/vocabulary.js";
import { compiled, inKeyOrder } from "../fold/engine.js";

/** In order, so that nobody needs a history. */
function ordered(inputs: readonly Input[]): Input[] {
  const own = inputs.filter((input) => !isRetraction(input) && (input.kind !== "profile" || input.fields !== null));
  return inKeyOrder(own.map((input): Input => ({ ...input, tenantId: "acme" })));
}

describe("a borrowed fold", () => {
  it("folds each contact as one of its own does, from turn to turn", () => {
    const turns = fc.array(fc.constantFrom("pack", "keep", "pass", "ask"), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(scenes(), turns, ({ models, inputs }, plan) => {
        const own = compiled(models);
        const contacts = new Map<ContactId, { readonly packed: TaskContact; readonly alone: ContactFold }>();
        ordered(inputs).forEach((input, n) => {
          const { contactId } = input;
          if (!contacts.has(contactId)) {
            const alone = new ContactFold(own, "acme", contactId, { history: "stored" });
            contacts.set(contactId, { packed: new TaskContact(`acme\0${contactId}`, own, undefined), alone });
          }
          const { packed, alone } = contacts.get(contactId)!;
          if (alone.needs(input) !== null) return;
          const fold = packed.borrow(false);
          packed.receive(input);
          alone.receive(input);
          const turn = plan[n % plan.length];
          if (turn === "pass") for (const one of [fold, alone]) one.advance(input.at + HOUR);
          expect(fold.drain()).toEqual(alone.drain());
          fold.unload();
          alone.unload();
          if (turn !== "keep") packed.pack(0);
          packed.keep();
          if (turn === "ask") expect(packed.fold.scoreLines()).toEqual(alone.scoreLines());
          expect(packed.due()).toBe(alone.due());
        });
        for (const { packed, alone } of contacts.values()) {
          expect(packed.borrow(false).encode()).toBe(alone.encode());
          expect(packed.fold.record().published).toEqual(alone.record().published);
          packed.pack(0);
          packed.keep();
        }
      }),
      { numRuns: 300 },
    );
  });

  it("that is muted says nothing, and goes on as one that was not", () => {
    fc.assert(
      fc.property(scenes({ contactsMax: 1 }), fc.nat(20), ({ models, inputs }, mutedCount) => {
        const own = compiled(models);
        const [muted, told] = [0, 1].map(() => new TaskContact("acme\0ada", own, undefined)) as [
          TaskContact,
          TaskContact,
        ];
        ordered(inputs.map((input): Input => ({ ...input, contactId: "ada" }))).forEach((input, n) => {
          const [one, other] = [muted.borrow(n < mutedCount), told.borrow(false)];
          if (other.needs(input) !== null) return;
          muted.receive(input);
          told.receive(input);
          const outputs = other.drain();
          expect(one.drain()).toEqual(n < mutedCount ? [] : outputs);
          for (const contact of [muted, told]) {
            contact.fold.unload();
            contact.pack(0);
            contact.keep();
          }
        });
        expect(muted.fold.encode()).toBe(told.fold.encode());
        expect(muted.fold.record().published).toEqual(told.fold.record().published);
      }),
      { numRuns: 200 },
    );
  });
});
