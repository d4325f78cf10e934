/**
 * Privacy compaction: takes what is left of erased contacts out of the files. LevelDB keeps deleted bytes for as long as
 * it likes, in tables, logs and the names of key ranges, so both databases are copied, without them, and replaced.
 */
import type { Database, Operation, Range } from "../database/database.js";
import { EmbeddedLog } from "../embedded/log.js";
import { DEFAULT_TENANT } from "../events/decode.js";
import { parseInstant } from "../events/time.js";
import type { ContactId, EpochMs, TenantId } from "../events/types.js";
import { type ContactKey, contactKey } from "../store/keys.js";
import { ContactStore, erasedHash } from "../store/store.js";
import { FOLD_VERSION } from "../stream/task.js";
import type { DataDirectory } from "./directory.js";

/** In the log's database: who is erased of whom the log has nothing left, by hash, until when. */
const erasedRange: Range = { gte: "e\0", lt: "e\x01" };
/** In the store's: what is erased and not compacted. The copy has none. */
const erasedSinceRange: Range = { gte: "x\0", lt: "x\x01" };

const COPY_BYTES = 4 * 1024 * 1024;

export interface CompactionReport {
  readonly contacts: number;
  /** Records whose content was removed from the log. */
  readonly records: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** Erasures whose inputs are gone from the log, for a store that begins anew. */
export async function erasedInLog(database: Database): Promise<ReadonlyMap<string, EpochMs>> {
  const erased = new Map<string, EpochMs>();
  for await (const rows of database.scan(erasedRange))
    for (const [key, at] of rows) erased.set(key.slice(2), Number(at));
  return erased;
}

/**
 * Compacts a directory that no engine has open, and whose store has caught up with its log.
 *
 * @throws ScorefoldError as opening the directory does, and `disk-full`: there has to be room for a copy
 */
export async function compactDirectory(
  directory: DataDirectory,
  onProgress: (what: string, done: number) => void,
): Promise<CompactionReport> {
  const logDatabase = await directory.openLog();
  try {
    await directory.beginCompaction();
    const storeDatabase = await directory.openStore();
    return await compact(directory, logDatabase, storeDatabase, onProgress);
  } finally {
    await logDatabase.close();
    await directory.endCompaction();
  }
}

async function compact(
  directory: DataDirectory,
  logDatabase: Database,
  storeDatabase: Database,
  onProgress: (what: string, done: number) => void,
): Promise<CompactionReport> {
  let bytesBefore: number;
  let records = 0;
  let erased: ReadonlyMap<ContactKey, EpochMs>;
  try {
    bytesBefore = (await logDatabase.size()) + (await storeDatabase.size());
    const log = await EmbeddedLog.open(logDatabase, { now: () => Date.now(), memoryBytesMax: 0 });
    const store = await ContactStore.open(storeDatabase, { clusterId: log.clusterId, foldVersion: FOLD_VERSION });
    erased = await store.erasedSince();
    const known = await erasedInLog(logDatabase);
    if (erased.size > 0 || known.size > 0) {
      // First who is erased, then what they left: after a crash in between it is only done again.
      const hashes = [...erased].map(([key, at]): Operation => {
        return { type: "put", key: `e\0${erasedHash(log.clusterId, key)}`, value: String(at) };
      });
      await logDatabase.write(hashes);
      const keep = keepUnless(erasedUntil(log.clusterId, erased, known));
      const scrubbed = await log.scrub(keep, ({ records: done }) => onProgress("scrubbing", done));
      records = scrubbed.changed;
    }
    await log.close();
    await copyInto(logDatabase, () => directory.openCopy("log"), null, onProgress);
    await copyInto(storeDatabase, () => directory.openCopy("store"), erasedSinceRange, onProgress);
  } finally {
    await logDatabase.close();
    await storeDatabase.close();
  }
  // The log first: a store that still names who was erased has them scrubbed again.
  await directory.replaceByCopy("log");
  await directory.replaceByCopy("store");
  await directory.removeDamaged();
  const after = [await directory.openLog(), await directory.openStore()];
  let bytesAfter = 0;
  for (const database of after) {
    bytesAfter += await database.size();
    await database.close();
  }
  return { contacts: erased.size, records, bytesBefore, bytesAfter };
}

async function copyInto(
  from: Database,
  openCopy: () => Promise<Database>,
  without: Range | null,
  onProgress: (what: string, done: number) => void,
): Promise<void> {
  const copy = await openCopy();
  let done = 0;
  let operations: Operation[] = [];
  let bytes = 0;
  try {
    for await (const rows of from.scan({})) {
      for (const [key, value] of rows) {
        if (without?.gte !== undefined && without.lt !== undefined && key >= without.gte && key < without.lt) continue;
        operations.push({ type: "put", key, value });
        bytes += key.length + value.length;
      }
      done += rows.length;
      if (bytes < COPY_BYTES) continue;
      await copy.write(operations);
      operations = [];
      bytes = 0;
      onProgress("copying", done);
    }
    await copy.write(operations);
  } finally {
    await copy.close();
  }
}

/** Tells until when a contact is erased; undefined: it is not. */
type ErasedUntil = (tenantId: TenantId, contactId: ContactId) => EpochMs | undefined;

/** By name those erased since the last compaction; by hash all of them, since what is late comes after it. */
function erasedUntil(
  clusterId: string,
  erased: ReadonlyMap<ContactKey, EpochMs>,
  hashes: ReadonlyMap<string, EpochMs>,
): ErasedUntil {
  return (tenantId, contactId) => {
    const key = contactKey(tenantId, contactId);
    return erased.get(key) ?? (hashes.size > 0 ? hashes.get(erasedHash(clusterId, key)) : undefined);
  };
}

/** Keeps every record but those of the erased contacts, up to their erasure. */
function keepUnless(until: ErasedUntil): (topic: string, value: string) => string | null {
  const isErased = (value: unknown): boolean => {
    const { tenantId, contactId, at } = value as { tenantId?: TenantId; contactId?: ContactId; at?: unknown };
    if (typeof contactId !== "string") return false;
    const erased = until(typeof tenantId === "string" ? tenantId : DEFAULT_TENANT, contactId);
    if (erased === undefined) return false;
    const instant = typeof at === "string" ? parseInstant(at) : at;
    // What has no instant can't be of later than the erasure either.
    return typeof instant !== "number" || !(instant > erased);
  };
  return (_, value) => {
    const parsed = parsedJson(value);
    if (parsed === null) return mentions(value, until) ? null : value;
    if (isErased(parsed)) return null;
    const { original } = parsed as { original?: unknown };
    if (typeof original !== "string") return value;
    const inner = parsedJson(original);
    if (inner === null ? mentions(original, until) : isErased(inner)) return null;
    return value;
  };
}

/** Whether a text that is no JSON names an erased contact as its contact. */
function mentions(text: string, until: ErasedUntil): boolean {
  const tenants = [...named("tenantId", text), DEFAULT_TENANT];
  return named("contactId", text).some((id) => tenants.some((tenantId) => until(tenantId, id) !== undefined));
}

function named(field: string, text: string): string[] {
  const found = text.matchAll(new RegExp(`"${field}"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*")`, "g"));
  return [...found].map(([, quoted]) => parsedJson(quoted ?? "")).filter((name) => typeof name === "string");
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
