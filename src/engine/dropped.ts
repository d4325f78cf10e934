/**
 * What is to be taken out of the store by the next compaction, beside what is erased: inputs that did not hold and whose
 * dead letters were dropped. It is kept in the log's database, by contact and hash of the content.
 */
import { createHash } from "node:crypto";
import type { Database, Range } from "../database/database.js";
import { canonicalJson } from "../events/canonical.js";
import type { Input } from "../events/types.js";
import type { ContactKey } from "../store/keys.js";

/** In the log's database. The copy has none. */
export const droppedRange: Range = { gte: "w\0", lt: "w\x01" };

const HASH_LENGTH = 43;

export function contentHash(input: Input): string {
  return createHash("sha256").update(canonicalJson(input)).digest("base64url");
}

export function droppedRow(contact: ContactKey, hash: string): string {
  return `w\0${contact}\0${hash}`;
}

/** Hashes of what was dropped, by contact. */
export async function droppedInLog(database: Database): Promise<ReadonlyMap<ContactKey, ReadonlySet<string>>> {
  const dropped = new Map<ContactKey, Set<string>>();
  for await (const rows of database.scan(droppedRange)) {
    for (const [key] of rows) {
      const contact = key.slice(2, -HASH_LENGTH - 1);
      const hashes = dropped.get(contact) ?? new Set();
      dropped.set(contact, hashes.add(key.slice(-HASH_LENGTH)));
    }
  }
  return dropped;
}
