/**
 * Compaction where the log is a cluster's: the stores of a host are copied without what is left of erased contacts. What
 * was sent of them lies in topics, of which nobody can take single records out.
 */
import { describeStore, type StoreDescription } from "../store/description.js";
import { erasedSinceRange } from "../store/store.js";
import { copyInto } from "./copy.js";
import type { DataDirectory } from "./directory.js";

export interface CompactedStore extends StoreDescription {
  readonly task: number;
  /** Erased since it was last compacted. */
  readonly erased: number;
}

export interface ClusterCompactionReport {
  readonly stores: readonly CompactedStore[];
  /** Stores that had been put aside. */
  readonly damaged: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** No cache is worth its memory for a row that is read once. */
const STORE_MEMORY = { bytes: 3 * 1024 * 1024, openFilesMax: 24 };

/**
 * Compacts the stores of a directory that no engine has open.
 *
 * @throws ScorefoldError as opening the stores does, and `disk-full`: there has to be room for a copy of the largest
 */
export async function compactTaskStores(
  directory: DataDirectory,
  onProgress: (what: string, done: number) => void,
): Promise<ClusterCompactionReport> {
  await directory.beOfCluster();
  await directory.beginCompaction();
  try {
    const stores: CompactedStore[] = [];
    let [bytesBefore, bytesAfter] = [0, 0];
    for (const task of directory.storedTasks().sort((a, b) => a - b)) {
      const found = await compactStore(directory, task, onProgress);
      stores.push(found.store);
      bytesBefore += found.bytesBefore;
      bytesAfter += found.bytesAfter;
    }
    return { stores, damaged: await directory.removeDamaged(), bytesBefore, bytesAfter };
  } finally {
    await directory.endCompaction();
  }
}

async function compactStore(
  directory: DataDirectory,
  task: number,
  onProgress: (what: string, done: number) => void,
): Promise<{ store: CompactedStore; bytesBefore: number; bytesAfter: number }> {
  const database = await directory.openTaskStore(task, STORE_MEMORY, 0);
  let erased = 0;
  let bytesBefore: number;
  let description: StoreDescription | null;
  try {
    bytesBefore = await database.size();
    description = await describeStore(database);
    for await (const rows of database.scan(erasedSinceRange)) erased += rows.length;
    await copyInto(database, () => directory.openCopy(task), [erasedSinceRange], onProgress);
  } finally {
    await database.close();
  }
  await directory.replaceByCopy(task);
  const after = await directory.openTaskStore(task, STORE_MEMORY, 0);
  try {
    const store = { task, erased, app: description?.app ?? null, offsets: description?.offsets ?? new Map() };
    return { store, bytesBefore, bytesAfter: await after.size() };
  } finally {
    await after.close();
  }
}
