/** What is bounded for a process is divided over its tasks. */
import { defaultLimits, type TaskLimits } from "../stream/limits.js";
import type { StoreMemory } from "./directory.js";

/** What all stores of a process may take together, and one of them. */
const STORES_BYTES = 96 * 1024 * 1024;
const STORE_BYTES_MIN = 3 * 1024 * 1024;
const STORE_BYTES_MAX = 64 * 1024 * 1024;
const OPEN_FILES = 600;
const OPEN_FILES_MIN = 24;
const OPEN_FILES_MAX = 300;
/** Contacts in memory, of all tasks. */
const HOT_BYTES = 64 * 1024 * 1024;
const HOT_BYTES_MIN = 2 * 1024 * 1024;
/**
 * Records in batches, of all tasks; of a task as many are being folded and published, twice. The more of them, the more
 * often a contact comes several times in one batch, and is looked up, unpacked and packed once for all of these.
 */
const BATCH_RECORDS = 16_384;
const BATCH_RECORDS_MIN = 256;
const BATCH_BYTES_MAX = 8 * 1024 * 1024;

/** Of the store of one of so many tasks. */
export function memoryOf(share: number): StoreMemory {
  return {
    bytes: part(STORES_BYTES, share, STORE_BYTES_MIN, STORE_BYTES_MAX),
    openFilesMax: part(OPEN_FILES, share, OPEN_FILES_MIN, OPEN_FILES_MAX),
  };
}

/** Of one of so many tasks. */
export function limitsOf(share: number): Partial<TaskLimits> {
  const { hotBytesMax, unwrittenContactsMax, unwrittenInputsMax } = defaultLimits;
  const batchRecordsMax = part(BATCH_RECORDS, share, BATCH_RECORDS_MIN, BATCH_RECORDS);
  return {
    batchRecordsMax,
    batchBytesMax: BATCH_BYTES_MAX,
    readContactsMax: Math.max(defaultLimits.readContactsMax, Math.floor(batchRecordsMax / 2)),
    hotBytesMax: part(HOT_BYTES, share, HOT_BYTES_MIN, hotBytesMax),
    unwrittenContactsMax: Math.max(1024, Math.floor((4 * unwrittenContactsMax) / (3 + share))),
    unwrittenInputsMax: Math.max(2048, Math.floor(unwrittenInputsMax / share)),
  };
}

function part(all: number, share: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, Math.floor(all / share)));
}
