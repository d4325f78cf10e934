/** The engine as the laws look at it: a set of inputs in, what is known at an instant out. */
import { canonicalJson } from "../../src/events/canonical.js";
import { compareInputs, compareText } from "../../src/events/order.js";
import type { EpochMs, Input, Output, ScoreLine } from "../../src/events/types.js";
import { ContactFold } from "../../src/fold/contact.js";
import { type CompiledModel, compile } from "../../src/model/compile.js";
import type { Model } from "../../src/model/types.js";

export interface Scored {
  readonly lines: ScoreLine[];
  readonly outputs: Output[];
  /** Folded states of each contact, as canonical JSON. */
  readonly states: Map<string, string>;
}

export function compiled(models: readonly Model[]): CompiledModel[] {
  return [...models].sort((a, b) => compareText(a.id, b.id)).map(compile);
}

interface FoldedContact {
  readonly contact: ContactFold;
  readonly tenantId: string;
  readonly contactId: string;
}

/** Each contact after one pass over its inputs in key order, each key once. */
export function folded(models: readonly CompiledModel[], inputs: readonly Input[], asOf: EpochMs): FoldedContact[] {
  return byContact(inputs.filter(({ at }) => at <= asOf)).map(([, own]) => {
    const contact = contactOf(models, own[0]!);
    for (const input of inKeyOrder(own)) contact.receive(input);
    contact.advance(asOf);
    const { tenantId, contactId } = own[0]!;
    return { contact, tenantId, contactId };
  });
}

/** What one pass over the inputs in key order gives. */
export function onePass(models: readonly CompiledModel[], inputs: readonly Input[], asOf: EpochMs): Scored {
  const result: Scored = { lines: [], outputs: [], states: new Map() };
  for (const { contact, tenantId, contactId } of folded(models, inputs, asOf)) {
    finish(contact, `${tenantId}\0${contactId}`, asOf, result);
  }
  return result;
}

/** The inputs as they come, with the clock moved between batches: late, doubled, in any order. */
export function asTheyCome(models: readonly CompiledModel[], batches: readonly Input[][], asOf: EpochMs): Scored {
  const contacts = new Map<string, ContactFold>();
  for (const batch of batches) {
    for (const input of batch) {
      if (input.at > asOf) continue;
      const key = keyOf(input);
      const contact = contacts.get(key) ?? contactOf(models, input);
      contacts.set(key, contact);
      contact.receive(input);
    }
    // Timers fire up to the newest input that has come: what comes after may be dated before.
    const now = Math.max(...batch.map(({ at }) => at).filter((at) => at <= asOf));
    if (Number.isFinite(now)) for (const contact of contacts.values()) contact.advance(now);
  }
  const result: Scored = { lines: [], outputs: [], states: new Map() };
  for (const key of [...contacts.keys()].sort(compareText)) finish(contacts.get(key)!, key, asOf, result);
  return result;
}

function finish(contact: ContactFold, key: string, asOf: EpochMs, into: Scored): void {
  contact.advance(asOf);
  into.lines.push(...contact.scoreLines());
  into.outputs.push(...contact.drain());
  into.states.set(key, contact.encode());
}

function contactOf(models: readonly CompiledModel[], { tenantId, contactId }: Input): ContactFold {
  const own = models.filter(({ model }) => model.tenants === undefined || model.tenants.includes(tenantId));
  return new ContactFold(own, tenantId, contactId, { history: "kept" });
}

function byContact(inputs: readonly Input[]): [string, Input[]][] {
  const groups = new Map<string, Input[]>();
  for (const input of inputs) groups.set(keyOf(input), [...(groups.get(keyOf(input)) ?? []), input]);
  return [...groups].sort(([a], [b]) => compareText(a, b));
}

function keyOf({ tenantId, contactId }: Input): string {
  return `${tenantId}\0${contactId}`;
}

/** Sorted, each key once: an erasure holds over profiles, else the smallest canonical JSON. */
export function inKeyOrder(inputs: readonly Input[]): Input[] {
  const rank = (input: Input): number => (input.kind === "profile" && input.fields === null ? 0 : 1);
  const sorted = inputs.toSorted(
    (a, b) => compareInputs(a, b) || rank(a) - rank(b) || compareText(canonicalJson(a), canonicalJson(b)),
  );
  return sorted.filter((input, i) => i === 0 || compareInputs(sorted[i - 1]!, input) !== 0);
}
