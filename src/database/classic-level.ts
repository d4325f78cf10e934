/** The database on LevelDB. The only file beside the sorter of replays that imports classic-level. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { ScorefoldError } from "../errors.js";
import { type Batch, type Database, type Entry, ListedBatch, type Operation, type Range } from "./database.js";
import { Place } from "./place.js";
import { isDamaged } from "./write-ahead-log.js";

/** Of one chunk of a scan; it ends with the entry that makes it larger. */
const CHUNK_ENTRIES = 1024;
const CHUNK_BYTES = 256 * 1024;
const FILE_BYTES = 8 * 1024 * 1024;
/**
 * LevelDB holds the index and the filter of every open table in memory, whatever its caches are bounded to. An entry of
 * the index is of one block before compression, so in blocks four times as large as by default the indexes take a quarter;
 * nothing was slower with them.
 */
const BLOCK_BYTES = 16 * 1024;
const OPEN_FILES_MAX = 300;

export interface ClassicLevelOptions {
  /** Of uncompressed blocks, in memory. */
  readonly cacheBytes: number;
  /** Two of these may be in memory at a time. */
  readonly writeBufferBytes: number;
  /** Tables that are kept open; each costs memory for its index. */
  readonly openFilesMax?: number;
  /** What to throw where a file is damaged or missing; default `database-corrupt`. */
  readonly damaged?: Damaged;
  /** What to throw where the directory was removed, moved or replaced while it is open; default `database-failed`. */
  readonly gone?: Gone;
}

export type Damaged = (how: string, cause: unknown) => ScorefoldError;
export type Gone = (how: string) => ScorefoldError;

/**
 * Opens a database, made where there is none. The directory above it must be there.
 *
 * @throws ScorefoldError `directory-in-use`, `database-corrupt`, `disk-full`, `directory-unusable`, `database-failed`
 */
export async function openClassicLevel(directory: string, options: ClassicLevelOptions): Promise<Database> {
  const damaged =
    options.damaged ?? ((how, cause) => new ScorefoldError("database-corrupt", `${directory}: ${how}`, { cause }));
  const found = await damageOf(directory);
  if (found !== null) throw damaged(found, undefined);
  const level = new ClassicLevel<string, string>(directory, {
    cacheSize: options.cacheBytes,
    writeBufferSize: options.writeBufferBytes,
    maxFileSize: FILE_BYTES,
    blockSize: BLOCK_BYTES,
    maxOpenFiles: options.openFilesMax ?? OPEN_FILES_MAX,
  });
  const gone =
    options.gone ??
    ((how) => new ScorefoldError("database-failed", `${directory} is not what was opened any more: ${how}`));
  try {
    await level.open();
    return new LevelDatabase(directory, level, await Place.of(directory), { damaged, gone });
  } catch (error) {
    await level.close().catch(() => undefined);
    throw databaseError(directory, error, damaged);
  }
}

/**
 * What LevelDB would not mind. Without CURRENT it begins a new database, and deletes the files of the old one; without its
 * write-ahead log, or a part of it, it goes on as if what was written there had never been.
 */
async function damageOf(directory: string): Promise<string | null> {
  const names = await readdir(directory).catch((): string[] => []);
  const hasTables = names.some((name) => /\.(ldb|sst)$/.test(name));
  const logs = names.filter((name) => /^\d+\.log$/.test(name));
  if (!names.includes("CURRENT")) {
    const sizes = await Promise.all(logs.map(async (name) => (await stat(join(directory, name))).size));
    return hasTables || sizes.some((size) => size > 0) ? "CURRENT of the database is missing" : null;
  }
  for (const name of logs) {
    const bytes = await readFile(join(directory, name)).catch(() => Buffer.alloc(0));
    if (isDamaged(bytes)) return `${name} of the database is damaged: a checksum in it is wrong`;
  }
  if (logs.length > 0) return null;
  // A process that was killed while it made the database leaves the first manifest and nothing else.
  const manifest = await readFile(join(directory, "CURRENT"), "utf8").catch(() => "");
  return hasTables || manifest !== "MANIFEST-000001\n" ? "the write-ahead log (.log) of the database is missing" : null;
}

class LevelDatabase implements Database {
  readonly #directory: string;
  readonly #level: ClassicLevel<string, string>;
  readonly #place: Place;
  readonly #errors: { readonly damaged: Damaged; readonly gone: Gone };
  /** Writes that have failed since the database was opened. */
  #failures = 0;
  #reopening: Promise<void> | null = null;
  #isClosed = false;

  constructor(
    directory: string,
    level: ClassicLevel<string, string>,
    place: Place,
    errors: { readonly damaged: Damaged; readonly gone: Gone },
  ) {
    this.#directory = directory;
    this.#level = level;
    this.#place = place;
    this.#errors = errors;
  }

  async checkPlace(): Promise<void> {
    const how = await this.#place.lost();
    if (how !== null && !this.#isClosed) throw this.#errors.gone(how);
  }

  async get(key: string): Promise<string | undefined> {
    return await this.#guarded(() => this.#level.get(key));
  }

  async getMany(keys: readonly string[]): Promise<(string | undefined)[]> {
    return await this.#guarded(() => this.#level.getMany(keys as string[]));
  }

  async write(operations: readonly Operation[]): Promise<void> {
    await this.#guarded(async () => {
      if (this.#failures > 0 && !this.#isClosed) await this.#reopen();
      const failures = this.#failures;
      // Chained: the array form copies each operation together with the options, and takes six times as long.
      const batch = this.#level.batch();
      for (const operation of operations) {
        if (operation.type === "put") batch.put(operation.key, operation.value);
        else batch.del(operation.key);
      }
      await this.#write(batch, failures);
    });
  }

  batch(): Batch {
    // One that is begun does not outlive its database, which is opened anew before the next write.
    if (this.#failures > 0 || this.#level.status !== "open")
      return new ListedBatch(async (operations) => await this.write(operations));
    const failures = this.#failures;
    const batch = this.#level.batch();
    return {
      put: (key, value) => void batch.put(key, value),
      del: (key) => void batch.del(key),
      write: async () => await this.#guarded(async () => await this.#write(batch, failures)),
    };
  }

  /** @param failures that there were when the batch was begun */
  async #write(batch: { write(options: { sync: boolean }): Promise<void> }, failures: number): Promise<void> {
    // Always synced: LevelDB keeps its log in several files, and an unsynced one before a synced one could be lost,
    // so that what is there would have a hole.
    try {
      await batch.write({ sync: true });
    } catch (error) {
      this.#failures += 1;
      throw error;
    }
    if (this.#failures > failures)
      throw new Error("a write at the same time has failed, and may have spoiled this one");
    // Files that were removed take writes as well as others. Looked at afterwards: what is there now has the write.
    await this.checkPlace();
  }

  /**
   * What a failed write leaves in LevelDB's write-ahead log makes unreadable what comes after it, though that is
   * acknowledged. Opened anew the database begins another one.
   */
  async #reopen(): Promise<void> {
    this.#reopening ??= (async () => {
      // A directory that is gone would be made anew, empty, and taken for the one that it was.
      await this.checkPlace();
      await this.#level.close();
      await this.#level.open();
      this.#failures = 0;
    })().finally(() => {
      this.#reopening = null;
    });
    await this.#reopening;
  }

  async range(range: Range, limit: number): Promise<Entry[]> {
    return await this.#guarded(async () => {
      const iterator = this.#level.iterator({ ...range, limit, highWaterMarkBytes: CHUNK_BYTES });
      try {
        const entries: Entry[] = [];
        // One call gives fewer than it is asked for at the end of the range, and when they are large.
        for (let isEnd = false; !isEnd && entries.length < limit; ) {
          const asked = limit - entries.length;
          const some = await iterator.nextv(asked);
          isEnd = some.length < asked && !mayBeCut(some);
          entries.push(...some);
        }
        return entries;
      } finally {
        await iterator.close();
      }
    });
  }

  async *scan(range: Range): AsyncGenerator<readonly Entry[]> {
    const options = { ...range, fillCache: false, highWaterMarkBytes: CHUNK_BYTES };
    const iterator = await this.#guarded(async () => this.#level.iterator(options));
    try {
      for (;;) {
        const chunk = await this.#guarded(() => iterator.nextv(CHUNK_ENTRIES));
        if (chunk.length === 0) return;
        yield chunk;
      }
    } finally {
      await iterator.close();
    }
  }

  async size(): Promise<number> {
    // One that is gone has none; whoever writes is told.
    const names = await readdir(this.#directory).catch((): string[] => []);
    const sizes = await Promise.all(
      names.map((name) =>
        stat(join(this.#directory, name)).then(
          ({ size }) => size,
          // Compaction removes files at any time.
          () => 0,
        ),
      ),
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reopening?.catch(() => undefined);
    await this.#level.close();
  }

  async #guarded<T>(act: () => Promise<T>): Promise<T> {
    try {
      // Where there was no room to open it again, whoever comes next tries.
      if (!this.#isClosed && (this.#reopening !== null || this.#level.status === "closed")) await this.#reopen();
      return await act();
    } catch (error) {
      // Where files are missing because the directory is, that is what has to be said.
      if (!(error instanceof ScorefoldError)) await this.checkPlace();
      throw databaseError(this.#directory, error, this.#errors.damaged);
    }
  }
}

/** Whether entries are so large that they may have been given before the end of their range. */
function mayBeCut(entries: readonly Entry[]): boolean {
  if (entries.length === 0) return false;
  // Three bytes a unit is the most that UTF-8 needs.
  let bytes = 0;
  for (const [key, value] of entries) bytes += 3 * (key.length + value.length);
  return bytes > CHUNK_BYTES;
}

/** The last: a table that is shorter than it was. */
const damage = /^Corruption|: Corruption|checksum mismatch|bad block|\.(ldb|sst): Invalid argument/i;

/** What an error of LevelDB means, and what to do. */
export function databaseError(directory: string, error: unknown, damaged?: Damaged): unknown {
  if (error instanceof ScorefoldError) return error;
  const chain: Error[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) chain.push(cause);
  const said = chain.map(({ message }) => message).join(": ");
  const codes = chain.map((one) => (one as { code?: unknown }).code);
  const named = (code: ConstructorParameters<typeof ScorefoldError>[0], text: string): ScorefoldError =>
    new ScorefoldError(code, `${directory}: ${text}`, { cause: error });
  const corrupt = (how: string): ScorefoldError => damaged?.(how, error) ?? named("database-corrupt", how);
  if (codes.includes("LEVEL_LOCKED"))
    return named("directory-in-use", "another process has it open; stop that one, or ask it");
  if (/No space left|quota exceeded|File too large/i.test(said))
    return named("disk-full", "the disk is full; make room");
  if (codes.includes("LEVEL_CORRUPTION") || damage.test(said)) return corrupt(`the database is damaged (${said})`);
  if (/Not a directory|ENOTDIR|EEXIST/i.test(said)) return named("directory-unusable", "a file is in the way; move it");
  if (/Permission denied|Read-only file system/i.test(said))
    return named("directory-unusable", "it can't be written; change its mode or name another directory");
  if (/does not exist|No such file|missing files/i.test(said) && !said.includes("LOCK"))
    return corrupt(`files of the database are missing (${said})`);
  return named("database-failed", `the database failed (${said})`);
}
