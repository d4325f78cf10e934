/**
 * Whether the directory of an open database is still the one that was opened. A process goes on writing to files that
 * were removed, moved or replaced, without an error, and nobody who opens the directory later finds what it wrote.
 */
import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** LevelDB makes it at the first open and never again: as long as it is the same file, the directory is the same. */
const LOCK = "LOCK";

export class Place {
  readonly #directory: string;
  readonly #lock: string;
  /** By name, the files of the write-ahead log that were seen. */
  #logs: ReadonlyMap<string, string>;
  /** When files were last made or removed in it. */
  #changed: number;

  private constructor(directory: string, lock: string, logs: ReadonlyMap<string, string>, changed: number) {
    this.#directory = directory;
    this.#lock = lock;
    this.#logs = logs;
    this.#changed = changed;
  }

  /** Notes which directory it is; to be called while the database is open, so that the numbers of files are not reused. */
  static async of(directory: string): Promise<Place> {
    const { ctimeMs } = await stat(directory);
    return new Place(directory, idOf(await stat(join(directory, LOCK))), await logsOf(directory), ctimeMs);
  }

  /**
   * Cheap enough for every write: two looks at the file system, a few more where files were made or removed since.
   *
   * @returns what has become of the directory; null: it is the one that was opened
   */
  async lost(): Promise<string | null> {
    try {
      const [lock, { ctimeMs }] = await Promise.all([stat(join(this.#directory, LOCK)), stat(this.#directory)]);
      if (idOf(lock) !== this.#lock) return "another directory is in its place";
      if (ctimeMs === this.#changed) return null;
      const logs = await logsOf(this.#directory);
      if (logs.size === 0) return "its write-ahead log (.log) was removed";
      for (const [name, id] of logs) {
        const before = this.#logs.get(name);
        if (before !== undefined && before !== id) return `another file is in the place of ${name}`;
      }
      this.#logs = logs;
      this.#changed = ctimeMs;
      return null;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === "ENOENT" ? "it was removed or moved" : `it can't be looked at (${code ?? String(error)})`;
    }
  }
}

async function logsOf(directory: string): Promise<Map<string, string>> {
  const names = (await readdir(directory)).filter((name) => /^\d+\.log$/.test(name));
  const ids = await Promise.all(
    names.map(async (name) =>
      stat(join(directory, name)).then(idOf, (error: NodeJS.ErrnoException) => {
        // LevelDB removes what it has written to tables at any time.
        if (error.code === "ENOENT") return null;
        throw error;
      }),
    ),
  );
  return new Map(names.flatMap((name, i) => (ids[i] === null ? [] : [[name, ids[i] as string] as const])));
}

function idOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}
