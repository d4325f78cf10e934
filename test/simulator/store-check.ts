/** What a store must hold once everything is folded and written, read from its disk without the store's own code. */
import { compareInputs, instantKey } from "../../src/events/order.js";
import type { EpochMs, Input } from "../../src/events/types.js";
import { completed } from "../../src/fold/pack.js";
import { encodeState, type ModelState } from "../../src/fold/state.js";
import { decodeContact, decodeInputs, type StoredContact } from "../../src/store/rows.js";
import { modelName } from "../../src/stream/stored-contact.js";
import { textOf } from "./arrived.js";
import type { SimulatedDisk } from "./disk.js";
import type { ContactView } from "./invariant.js";

const CHECKSUM_DIGITS = 8;

/** @param until timers have gone to here; null: to where they are committed */
export function checkStore(
  disk: SimulatedDisk,
  contacts: ReadonlyMap<string, ContactView>,
  until: EpochMs | null,
): void {
  const rows = new Map(disk.entries({}));
  const entries = [...rows.keys()];
  const stored = new Map(
    entries.filter((key) => key.startsWith("c\0")).map((key) => [key.slice(2), decodeContact(unsealedOf(rows, key))]),
  );
  const known = [...contacts.values()].filter(({ arrived }) => arrived.inputs.length > 0);
  equal("the contacts in the store", [...stored.keys()].sort(), known.map(({ key }) => key).sort());
  const meta = JSON.parse(unsealedOf(rows, "m\0store"));
  equal("the number of contacts", meta.contacts, stored.size);
  const histories = new Map<string, Input[]>();
  let inputs = 0;
  for (const key of entries.filter((one) => one.startsWith("h\0"))) {
    const [, segment, tenantId, contactId] = key.split("\0") as [string, string, string, string];
    const contact = `${tenantId}\0${contactId}`;
    const own = decodeInputs(unsealedOf(rows, key), tenantId, contactId);
    inputs += own.length;
    if (stored.get(contact)?.segments.includes(Number(segment)) !== true)
      throw new Error(`${JSON.stringify(contact)} has history in segment ${segment}, and its row does not say so`);
    histories.set(contact, [...(histories.get(contact) ?? []), ...own]);
  }
  equal("the number of inputs", meta.inputs, inputs);
  for (const view of known) {
    const row = stored.get(view.key) as StoredContact;
    checkContact(view, row, histories.get(view.key) ?? [], until);
    const due = entries.filter((key) => key.startsWith("d\0") && key.endsWith(`\0${view.key}`));
    equal("the due index", due, row.due === null ? [] : [`d\0${instantKey(row.due)}\0${view.key}`]);
    const snapshots = entries.filter((key) => key.startsWith(`s\0${view.key}\0`));
    equal("the number of snapshots", snapshots.length, row.snapshots.length);
  }
  for (const view of contacts.values()) {
    if (stored.has(view.key)) continue;
    const left = entries.filter((key) => /^[cdhs]/.test(key) && `${key}\0`.includes(`\0${view.key}\0`));
    equal(`what is left of ${JSON.stringify(view.key)}, which is erased`, left, []);
  }
}

function checkContact(view: ContactView, row: StoredContact, history: readonly Input[], until: EpochMs | null): void {
  const what = `of ${JSON.stringify(view.key)}`;
  const fold = until === null ? view.folded() : view.folded(until);
  const expected = view.arrived.inputs.sort(compareInputs).map(textOf);
  equal(`the history ${what}`, resolved(history).map(textOf), expected);
  equal(`the number of inputs ${what}`, row.inputs, expected.length);
  equal(`the instant of erasure ${what}`, row.erasedUntil, view.arrived.erasedUntil);
  fold.foldedStates().forEach((state, i) => {
    const name = modelName(fold.models[i]!);
    const own = row.models.find((one) => one.name === name);
    if (own?.state == null) throw new Error(`${name} has no state ${what} in the store`);
    const { flags } = state;
    const unpacked = completed(fold.models[i]!, own.state);
    equal(`the state ${what} under ${name}`, withoutClock(unpacked), withoutClock(state));
    if (own.published === null) return;
    const { score, dimensions, grade, salesReady, thresholds, triggers } = own.published;
    const published = { score, dimensions, grade, salesReady, thresholds, triggers };
    const follows = {
      score: flags.score,
      dimensions: flags.dimensions,
      grade: flags.grade,
      salesReady: flags.salesReady,
      thresholds: flags.thresholds,
      triggers: flags.triggers,
    };
    equal(`what was published ${what} under ${name}`, published, follows);
  });
  equal(`what is in use ${what}`, row.models.filter(({ state }) => state !== null).length, fold.models.length);
  const due = fold.due();
  if (due !== null && (row.due === null || row.due > due))
    throw new Error(`the index has ${what} at ${row.due}, and it is due at ${due}`);
}

/** The clock may stand at any instant since which nothing has changed. */
function withoutClock(state: ModelState): string {
  return encodeState({ ...state, clock: 0 });
}

/** Of two contents of one key the smaller one holds. */
function resolved(history: readonly Input[]): Input[] {
  const held = new Map<string, Input>();
  for (const input of history) {
    const key = JSON.stringify([input.at, input.kind, input.id]);
    const other = held.get(key);
    if (other === undefined || Buffer.compare(Buffer.from(textOf(input)), Buffer.from(textOf(other))) < 0)
      held.set(key, input);
  }
  return [...held.values()].sort(compareInputs);
}

function unsealedOf(rows: ReadonlyMap<string, string>, key: string): string {
  return rows.get(key)!.slice(CHECKSUM_DIGITS);
}

function equal(what: string, found: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${what}: it is ${one}, and should be ${other}`);
}
