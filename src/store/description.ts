/** What a store says of itself to whoever does not know its log. */
import { unsealed } from "../database/checksum.js";
import type { Database } from "../database/database.js";
import { metaRow } from "./keys.js";
import type { Meta } from "./meta.js";

export interface StoreDescription {
  /** Null: of an embedded engine, or of a version that did not note it. */
  readonly app: string | null;
  /** By input topic, up to where it is folded. */
  readonly offsets: ReadonlyMap<string, number>;
}

/** @returns null where there is no store yet. @throws ScorefoldError `database-corrupt` */
export async function describeStore(database: Database): Promise<StoreDescription | null> {
  const row = await database.get(metaRow);
  if (row === undefined) return null;
  const { origin, offsets } = JSON.parse(unsealed(metaRow, row)) as Partial<Meta>;
  return { app: origin?.app ?? null, offsets: new Map(Object.entries(offsets ?? {})) };
}
