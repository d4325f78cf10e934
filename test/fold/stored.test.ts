/**
 * A contact whose history lies elsewhere is the same contact: whatever part of it comes back for a late input, and
 * however often the contact itself is written and read again between inputs, states and outputs are those of one that
 * kept everything in memory. Long histories, so that there are snapshots to go on from.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareInputs } from "../../src/events/order.js";
import type { Input } from "../../src/events/types.js";
import { CompactReader, CompactWriter } from "../../src/fold/compact.js";
import { ContactFold } from "../../src/fold/contact.js";
import { unpublished } from "../../src/fold/decide.js";
import type { Snapshot } from "../../src/fold/history.js";
import { completed, readPublished, readState, writePublished, writeState } from "../../src/fold/pack.js";
import type { ContactRecord } from "../../src/fold/record.js";
import type { ModelState } from "../../src/fold/state.js";
import type { CompiledModel } from "../../src/model/compile.js";
import { inputLists, shuffled } from "../arbitrary/inputs.js";
import { models } from "../arbitrary/models.js";
import { HOUR } from "../arbitrary/vocabulary.js";
import { compiled } from "./engine.js";

const tenantId = "acme";
const contactId = "ada";

/** The history and the written contact: what a store has. */
class Stored {
  readonly #models: readonly CompiledModel[];
  #inputs = new Map<string, Input>();
  #snapshots = new Map<string, string>();
  fold: ContactFold;

  constructor(own: readonly CompiledModel[]) {
    this.#models = own;
    this.fold = new ContactFold(own, tenantId, contactId, { history: "stored" });
  }

  receive(input: Input): void {
    for (let from = this.fold.needs(input); from !== null; from = this.fold.needs(input)) {
      const base = this.fold.snapshotBefore(from);
      if (base !== null && base.states === null) base.states = this.#states(this.#snapshots.get(keyOf(base.last))!);
      this.fold.load(base, this.#after(base));
    }
    const received = this.fold.receive(input);
    const { erasedUntil } = this.fold;
    if (received.status === "erased" || received.status === "duplicate") return;
    if (input.kind === "profile" && input.fields === null) {
      for (const [key, { at }] of this.#inputs) if (at <= erasedUntil!) this.#inputs.delete(key);
    } else if (received.status !== "conflict" || received.loser !== input) this.#inputs.set(keyOf(input), input);
  }

  /** Writes the contact, and goes on with what is read again. */
  restore(): void {
    const record = this.fold.record();
    for (const { last, states, status } of record.snapshots)
      if (status === "new") this.#snapshots.set(keyOf(last), written(states!));
    const states = this.#states(written(record.states));
    writer.begin(0, "p");
    for (const [i, own] of record.published.entries()) writePublished(writer, own, states[i]!);
    reader.begin(writer.end());
    reader.next();
    const published = this.#models.map((model, i) => readPublished(reader, states[i]!) ?? unpublished(model));
    reader.end();
    const again: ContactRecord = {
      ...record,
      states,
      published,
      snapshots: record.snapshots.map((snapshot): Snapshot => ({ ...snapshot, states: null, status: "stored" })),
    };
    this.fold = new ContactFold(this.#models, tenantId, contactId, { history: "stored" }, again);
  }

  #after(base: Snapshot | null): Input[] {
    const inputs = [...this.#inputs.values()].sort(compareInputs);
    return base === null ? inputs : inputs.filter((input) => compareInputs(base.last, input) < 0);
  }

  #states(text: string): ModelState[] {
    reader.begin(text);
    reader.next();
    const states = this.#models.map((model) => completed(model, readState(reader)));
    reader.end();
    return states;
  }
}

const writer = new CompactWriter();
const reader = new CompactReader();

function written(states: readonly ModelState[]): string {
  writer.begin(states[0]?.clock ?? 0, "s");
  for (const state of states) writeState(writer, state);
  return writer.end();
}

function keyOf({ at, kind, id }: Pick<Input, "at" | "kind" | "id">): string {
  return JSON.stringify([at, kind, id]);
}

type Deed = "go on" | "unload" | "restore" | "advance";

const deeds = fc.infiniteStream(fc.constantFrom<Deed>("go on", "go on", "go on", "unload", "restore", "advance"));

/** Several lists one after the other in time: as one they would be too crowded to be more than conflicts. */
const longHistories = fc
  .array(inputLists({ countMax: 120, contactsMax: 1 }), { minLength: 2, maxLength: 6, size: "max" })
  .map((lists) =>
    lists.flatMap((list, part) =>
      list.map((input): Input => ({ ...input, tenantId, contactId, id: `${input.id}${part}` })),
    ),
  );

/** In order but for some, as inputs come mostly. */
const arrivals = longHistories.chain((inputs) => {
  const inOrder = [...inputs].sort(compareInputs);
  return fc.array(fc.tuple(fc.nat(inputs.length - 1), fc.nat(inputs.length - 1)), { maxLength: 30 }).map((moves) => {
    const order = [...inOrder];
    for (const [from, to] of moves) order.splice(to, 0, ...order.splice(from, 1));
    return order;
  });
});

function sameAsKept(own: readonly CompiledModel[], inputs: readonly Input[], plan: Iterator<Deed>): void {
  const kept = new ContactFold(own, tenantId, contactId, { history: "kept" });
  const stored = new Stored(own);
  for (const input of inputs) {
    kept.receive(input);
    stored.receive(input);
    expect(stored.fold.encode()).toBe(kept.encode());
    expect(stored.fold.drain()).toEqual(kept.drain());
    expect(stored.fold.inputs).toBe(kept.inputs);
    const deed = plan.next().value as Deed;
    if (deed === "unload") stored.fold.unload();
    if (deed === "restore") stored.restore();
    const until = input.at + HOUR;
    if (deed !== "advance" || kept.record().clock === null) continue;
    kept.advance(until);
    stored.fold.advance(until);
  }
}

describe("a contact whose history is stored", () => {
  it("is the same as one that keeps it, in any order of arrival", () => {
    const scenes = inputLists({ countMax: 40, contactsMax: 1 }).chain((inputs) =>
      shuffled(inputs.map((input): Input => ({ ...input, tenantId, contactId }))),
    );
    fc.assert(
      fc.property(models, scenes, deeds, (list, inputs, plan) =>
        sameAsKept(compiled(list), inputs, plan[Symbol.iterator]()),
      ),
      { numRuns: 400 },
    );
  });

  it("is the same with a history so long that snapshots are gone on from", () => {
    fc.assert(
      fc.property(models, arrivals, deeds, (list, inputs, plan) =>
        sameAsKept(compiled(list), inputs, plan[Symbol.iterator]()),
      ),
      { numRuns: 60 },
    );
  });
});
