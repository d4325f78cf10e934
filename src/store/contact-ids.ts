/** Ids of contacts, without the contacts. */
import type { Database } from "../database/database.js";
import type { ContactId, TenantId } from "../events/types.js";
import { contactKey, contactOf, contactOfRow, contactRow } from "./keys.js";

/** Rows that are read at once. */
const ROWS_READ = 512;

/** Behind an id, by rising ids, or before one, by falling ids. */
export type Beside = { readonly after: ContactId } | { readonly before: ContactId };

/** Ids of a tenant's contacts, at most `limit`. */
export async function contactIds(
  database: Database,
  tenantId: TenantId,
  beside: Beside,
  limit: number,
): Promise<ContactId[]> {
  const first = contactRow(contactKey(tenantId, ""));
  const isRising = "after" in beside;
  const begin = contactRow(contactKey(tenantId, isRising ? beside.after : beside.before));
  const ids: ContactId[] = [];
  for (let from = begin; ids.length < limit; ) {
    const range = isRising ? { gt: from, lt: `${first.slice(0, -1)}\x01` } : { gt: first, lt: from, reverse: true };
    const rows = await database.range(range, Math.min(ROWS_READ, limit - ids.length));
    for (const [key] of rows) ids.push(contactOf(contactOfRow(key)).contactId);
    const last = rows.at(-1);
    if (last === undefined) break;
    from = last[0];
  }
  return ids;
}

/** Those of the ids that a tenant has contacts of. */
export async function knownIds(
  database: Database,
  tenantId: TenantId,
  ids: readonly ContactId[],
): Promise<ContactId[]> {
  const rows = await database.getMany(ids.map((id) => contactRow(contactKey(tenantId, id))));
  return ids.filter((_, i) => rows[i] !== undefined);
}
