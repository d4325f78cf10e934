/**
 * The contact that a misspelt id was probably meant to be. Contacts are many, so only some are looked at: all of a tenant
 * that has few; of a large one those that lie beside the id in the order of ids, in each of the ways to write it that
 * people mix up, and those that one letter too many or two swapped ones lead to.
 */
import type { ContactId, TenantId } from "../events/types.js";
import { nearest } from "../nearest.js";
import type { ContactStore } from "../store/store.js";

/** A tenant with at most so many contacts is looked through. */
const ALL_MAX = 5_000;
/** On either side of each way to write the id. */
const BESIDE = 100;
/** Longer ids have no letters tried. */
const TRIED_LENGTH_MAX = 64;

/** @returns null where none is near */
export async function nearestContact(
  stores: readonly ContactStore[],
  tenantId: TenantId,
  contactId: ContactId,
): Promise<ContactId | null> {
  const found = new Set<ContactId>();
  for (const store of stores) for (const id of await candidatesIn(store, tenantId, contactId)) found.add(id);
  return nearestOf(contactId, [...found]);
}

async function candidatesIn(store: ContactStore, tenantId: TenantId, contactId: ContactId): Promise<ContactId[]> {
  const all = await store.contactIds(tenantId, { after: "" }, ALL_MAX + 1);
  if (all.length <= ALL_MAX) return all;
  const spellings = spellingsOf(contactId);
  const found = await store.knownIds(tenantId, [...spellings, ...slipsOf(contactId)]);
  for (const spelling of spellings) {
    found.push(...(await store.contactIds(tenantId, { after: spelling }, BESIDE)));
    found.push(...(await store.contactIds(tenantId, { before: spelling }, BESIDE)));
  }
  return found;
}

function nearestOf(contactId: ContactId, known: readonly ContactId[]): ContactId | null {
  const form = plain(contactId);
  return known.find((id) => plain(id) === form) ?? nearest(contactId, known) ?? null;
}

/** Without what people do not see, or do not mind: case, blanks, two spellings of one letter. */
function plain(id: ContactId): string {
  return id.normalize("NFKC").toLowerCase().replace(/\s+/g, "");
}

function spellingsOf(id: ContactId): string[] {
  const trimmed = id.trim();
  const lower = trimmed.toLowerCase();
  const bare = trimmed.replace(/\s+/g, "");
  const capital = lower.charAt(0).toUpperCase() + lower.slice(1);
  const forms = [id, trimmed, bare, lower, trimmed.toUpperCase(), capital, plain(id)];
  return [...new Set(forms.flatMap((form) => [form, form.normalize("NFC"), form.normalize("NFD")]))];
}

/** Without one of its letters, and with two neighbours swapped. */
function slipsOf(id: ContactId): string[] {
  if (id.length > TRIED_LENGTH_MAX) return [];
  const slips = new Set<string>();
  for (let i = 0; i < id.length; i++) {
    slips.add(id.slice(0, i) + id.slice(i + 1));
    if (i + 1 < id.length) slips.add(id.slice(0, i) + id[i + 1] + id[i] + id.slice(i + 2));
  }
  return [...slips];
}
