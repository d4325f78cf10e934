/**
 * Privacy compaction: takes what is left of erased contacts out of the files. LevelDB keeps deleted bytes for as long as
 * it likes, in tables, logs and the names of key ranges, so both databases are copied, without them, and replaced.
 */
import type { Database, Operation, Range } from "../database/database.js";
import { EmbeddedLog, INPUTS, type ReadRecord } from "../embedded/log.js";
import { decodeLine } from "../events/decode.js";
import { isErasure } from "../events/erasure.js";
import type { ContactErased, EpochMs } from "../events/types.js";
import { type ContactKey, contactKey } from "../store/keys.js";
import { ContactStore, erasedHash, erasedSinceRange } from "../store/store.js";
import type { Offset, Topic } from "../stream/log.js";
import { FOLD_VERSION } from "../stream/task.js";
import { copyInto } from "./copy.js";
import { DEAD_LETTERS, storedLetter } from "./dead-letters.js";
import type { DataDirectory } from "./directory.js";
import { contentHash, droppedInLog, droppedRange } from "./dropped.js";
import {
  ERASURES,
  type Erased,
  type ErasedOf,
  type ErasurePlace,
  keepUnless,
  type Later,
  letterGoes,
} from "./erased-lines.js";

/** In the log's database: who is erased of whom the log has nothing left, by hash, until when. */
const erasedRange: Range = { gte: "e\0", lt: "e\x01" };
/** In the log's, while a compaction is under way: where it has the erasures that are followed. */
const placesRange: Range = { gte: "a\0", lt: "a\x01" };

const READ = { recordsMax: 4096, bytesMax: 4 * 1024 * 1024 };

export interface CompactionReport {
  readonly contacts: number;
  /** Records whose content was removed from the log. */
  readonly records: number;
  /** Lines of these contacts that stay, because they are dated after the erasure. */
  readonly laterLines: number;
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
  const later: Later = { lines: 0 };
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
      const erasedOf = erasedBy(log.clusterId, await placesOf(log, logDatabase, erased), known);
      const keep = keepUnless(erasedOf, await linesOfLetters(log, erasedOf), later);
      const scrubbed = await log.scrub(keep, ({ records: done }) => onProgress("scrubbing", done));
      records = scrubbed.changed;
    }
    for (const [contact, contents] of await droppedInLog(logDatabase))
      await store.forget(contact, (input) => contents.has(contentHash(input)));
    await log.close();
    await copyInto(logDatabase, () => directory.openCopy("log"), [placesRange, droppedRange], onProgress);
    await copyInto(storeDatabase, () => directory.openCopy("store"), [erasedSinceRange], onProgress);
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
  return { contacts: erased.size, records, laterLines: later.lines, bytesBefore, bytesAfter };
}

/** By name those erased since the last compaction; by hash all of them, since what is late comes after it. */
function erasedBy(
  clusterId: string,
  erased: ReadonlyMap<ContactKey, Erased>,
  hashes: ReadonlyMap<string, EpochMs>,
): ErasedOf {
  return (tenantId, contactId) => {
    const key = contactKey(tenantId, contactId);
    const named = erased.get(key);
    if (named !== undefined || hashes.size === 0) return named;
    const until = hashes.get(erasedHash(clusterId, key));
    return until === undefined ? undefined : { until, place: null };
  };
}

/**
 * Where the log has the erasures of these contacts. It is kept in the log's database until the files are exchanged: the
 * line that says it is among the first that are taken out.
 */
async function placesOf(
  log: EmbeddedLog,
  database: Database,
  erased: ReadonlyMap<ContactKey, EpochMs>,
): Promise<ReadonlyMap<ContactKey, Erased>> {
  const places = new Map<ContactKey, ErasurePlace>();
  for await (const rows of database.scan(placesRange))
    for (const [key, place] of rows) places.set(key.slice(2), JSON.parse(place) as ErasurePlace);
  for await (const { offset, value } of recordsOf(log, INPUTS)) {
    // Nearly all lines are of something else; this is in all that are not.
    if (!value.includes("null")) continue;
    const decoded = decodeLine(value);
    if (!decoded.ok || !isErasure(decoded.input)) continue;
    const { tenantId, contactId, at } = decoded.input;
    const key = contactKey(tenantId, contactId);
    if (erased.get(key) === at) places.set(key, { line: offset, output: places.get(key)?.output ?? null });
  }
  for await (const { offset, timestamp, value } of recordsOf(log, ERASURES)) {
    if (!value.startsWith(erasedStart)) continue;
    const { tenantId, contactId, at } = JSON.parse(value) as ContactErased;
    const key = contactKey(tenantId, contactId);
    const place = places.get(key);
    if (place !== undefined && erased.get(key) === at) places.set(key, { ...place, output: { offset, timestamp } });
  }
  const rows = [...places].map(([key, place]): Operation => {
    return { type: "put", key: `a\0${key}`, value: JSON.stringify(place) };
  });
  await database.write(rows);
  return new Map([...erased].map(([key, until]) => [key, { until, place: places.get(key) ?? null }]));
}

const erasedStart = '{"kind":"ContactErased"';

/** The offsets of lines whose dead letters go; of a conflict the line may be the one that holds, which its date decides. */
async function linesOfLetters(log: EmbeddedLog, erasedOf: ErasedOf): Promise<ReadonlySet<Offset>> {
  const lines = new Set<Offset>();
  for await (const { value } of recordsOf(log, DEAD_LETTERS)) {
    const letter = storedLetter(value);
    if (letter === null || letter.topic !== INPUTS || letter.reason === "conflict") continue;
    if (letterGoes(letter, erasedOf)) lines.add(letter.offset);
  }
  return lines;
}

async function* recordsOf(log: EmbeddedLog, topic: Topic): AsyncGenerator<ReadRecord> {
  const end = log.topics.get(topic)?.end ?? 0;
  for (let next = 0; next < end; ) {
    const read = await log.read(topic, next, READ);
    yield* read.records;
    next = read.next;
  }
}
