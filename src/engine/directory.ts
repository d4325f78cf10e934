/**
 * The data directory: `log/` is the truth, `store/` follows from it, `engine.json` tells how to reach the process that
 * has it open. Where the log is a cluster there is `tasks/` in their place, with a store for each task that was here.
 */
import { constants, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { access, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ClassicLevelOptions, type Damaged, type Gone, openClassicLevel } from "../database/classic-level.js";
import type { Database } from "../database/database.js";
import { ScorefoldError } from "../errors.js";

const LOG = "log";
const STORE = "store";
/** Stores of the tasks of a cluster, by their numbers. */
const TASKS = "tasks";
const ENGINE_FILE = "engine.json";
/** Beside those: whose they are. */
const APPLICATION_FILE = "application.json";
/** There while a compaction exchanges files, when no lock of a database keeps others away. */
const COMPACTING_FILE = "compacting.json";
/** A copy that a compaction was making, and what it was to replace. */
const COPY_ENDING = ".copy";
const OLD_ENDING = ".old";

/** How long the store of a task is waited for, and between two looks at it. */
const HANDOVER_MS_MAX = 5_000;
const HANDOVER_LOOK_MS = 25;

/** Whose stores a directory has: of an application on a cluster. */
export interface ApplicationName {
  readonly app: string;
  readonly clusterId: string;
}

/** What this process may take for both databases. */
export interface DirectoryMemory {
  readonly logBytes: number;
  readonly storeBytes: number;
}

/** What the store of one task may take. */
export interface StoreMemory {
  readonly bytes: number;
  readonly openFilesMax: number;
}

interface MemberFile {
  readonly pid: number;
  readonly host: string;
  readonly memberId: string;
}

/** LevelDB holds two write buffers and the block cache; the store gets the larger part, it is read at random. */
export const defaultMemory: DirectoryMemory = { logBytes: 24 * 1024 * 1024, storeBytes: 64 * 1024 * 1024 };

/** Tells other processes how to reach the engine. */
export interface EngineFile {
  readonly pid: number;
  readonly url: string;
}

/** What a compaction copies: one of the databases of an embedded engine, or the store of a task of a cluster. */
export type Compacted = "log" | "store" | number;

function nameOf(of: Compacted): string {
  return typeof of === "number" ? join(TASKS, String(of)) : of;
}

export class DataDirectory {
  readonly path: string;
  readonly #memory: DirectoryMemory;

  private constructor(path: string, memory: DirectoryMemory) {
    this.path = path;
    this.#memory = memory;
  }

  /**
   * Makes the directory where there is none, and tidies up after a compaction that did not end.
   *
   * @throws ScorefoldError `directory-unusable`, `disk-full`
   */
  static async open(path: string, memory = defaultMemory): Promise<DataDirectory> {
    const whole = resolve(path);
    await made(whole, path);
    const directory = new DataDirectory(whole, memory);
    await directory.#checkNotCompacting();
    for (const name of [LOG, STORE]) await directory.#tidyUp(name);
    return directory;
  }

  /** Whether an engine has ever been run here. */
  static async exists(path: string): Promise<boolean> {
    return await isThere(join(resolve(path), LOG));
  }

  /** Whether an engine on a cluster has ever been run here. */
  static async isOfCluster(path: string): Promise<boolean> {
    return await isThere(join(resolve(path), TASKS));
  }

  /** @throws ScorefoldError `directory-in-use`, `log-corrupt`, ... */
  async openLog(): Promise<Database> {
    // A new log in the place of a lost one would pass for the whole of it.
    if (!(await isThere(join(this.path, LOG))) && (await isThere(join(this.path, STORE)))) {
      const text = `${this.path}: ${LOG}/ is not there, and ${STORE}/ is, which was folded from it`;
      throw new ScorefoldError(
        "log-corrupt",
        `${text}; bring ${LOG}/ back from a backup, or remove ${STORE}/ to begin anew`,
      );
    }
    const damaged: Damaged = (how, cause) => {
      const text =
        `${join(this.path, LOG)}: ${how}; restore ${this.path} from a backup, or name another directory with --data and ` +
        "take the inputs in again: this is the only copy of them, and nothing makes it anew";
      return new ScorefoldError("log-corrupt", text, { cause });
    };
    const gone: Gone = (how) => {
      const text =
        `${join(this.path, LOG)} is not the log any more that this engine has open: ${how}. Nothing is taken, since it ` +
        `would be in no log. Put ${this.path} back as it was, or restore it from a backup, and start the engine again; ` +
        "what was taken before is in what was moved away, or went with it";
      return new ScorefoldError("directory-unusable", text);
    };
    return await this.#open(LOG, this.#memory.logBytes, { damaged, gone });
  }

  async openStore(): Promise<Database> {
    return await this.#open(STORE, this.#memory.storeBytes, { gone: this.#storeGone(STORE) });
  }

  /** A store follows from the log: where its directory is gone it is made anew. */
  #storeGone(name: string): Gone {
    return (how) => {
      const text = `the store ${join(this.path, name)} is not the one any more that this engine has open: ${how}`;
      return new ScorefoldError("database-failed", `${text}. It is folded again from the log`);
    };
  }

  /** Keeps other processes away until `endCompaction`. To be called while the log is open, so that nobody else is in. */
  async beginCompaction(): Promise<void> {
    await writeFile(join(this.path, COMPACTING_FILE), `${JSON.stringify({ pid: process.pid })}\n`, { mode: 0o600 });
  }

  async endCompaction(): Promise<void> {
    await rm(join(this.path, COMPACTING_FILE), { force: true });
  }

  /** Opens the empty database that a compaction copies into. */
  async openCopy(of: Compacted): Promise<Database> {
    const name = `${nameOf(of)}${COPY_ENDING}`;
    await rm(join(this.path, name), { recursive: true, force: true });
    return await this.#open(name, this.#memory.storeBytes);
  }

  /** Puts a complete copy, closed, in the place of its original, closed as well. A crash in between is tidied up. */
  async replaceByCopy(of: Compacted): Promise<void> {
    const [own, copy, old] = ["", COPY_ENDING, OLD_ENDING].map((ending) => join(this.path, `${nameOf(of)}${ending}`));
    await rename(own!, old!);
    await rename(copy!, own!);
    await rm(old!, { recursive: true, force: true });
  }

  /** Puts the store aside, closed. @returns where it is now */
  async setStoreAside(): Promise<string> {
    return await this.#setAside(STORE);
  }

  /**
   * Sees that the directory is one of an engine on a cluster, or makes it one.
   *
   * @throws ScorefoldError `directory-unusable` where an embedded log is in it
   */
  async beOfCluster(): Promise<void> {
    if (await isThere(join(this.path, LOG))) {
      const text = `${this.path} has an embedded log in it; name another directory with --data for the stores of a cluster`;
      throw new ScorefoldError("directory-unusable", text);
    }
    await made(join(this.path, TASKS), join(this.path, TASKS));
    for (const name of await readdir(join(this.path, TASKS))) {
      const [, task] = /^(\d{1,9})\.(?:copy|old)$/.exec(name) ?? [];
      if (task !== undefined) await this.#tidyUp(join(TASKS, task));
    }
  }

  /**
   * Sees that the directory is that of an application, or makes it that where nothing is in it. Stores say themselves
   * whose they are; this keeps those of several from lying side by side.
   *
   * @throws ScorefoldError `directory-unusable` where it is another's
   */
  async beOfApplication(own: ApplicationName): Promise<void> {
    const path = join(this.path, TASKS, APPLICATION_FILE);
    const found = (await readJson(path)) as ApplicationName | null;
    if (found === null) {
      if (this.storedTasks().length > 0) return;
      // Whole or not at all: other processes of the host read it.
      await writeFile(`${path}.${process.pid}`, `${JSON.stringify(own)}\n`, { mode: 0o600 });
      await rename(`${path}.${process.pid}`, path);
      return;
    }
    if (found.app === own.app && found.clusterId === own.clusterId) return;
    const [whose, who] = [found, own].map(({ app, clusterId }) => `application ${app} on the cluster ${clusterId}`);
    throw new ScorefoldError(
      "directory-unusable",
      `${this.path} is the data directory of ${whose}, and this is ${who}; name its own directory with --data`,
    );
  }

  /**
   * Where another process of this directory had the task before, it is about to close the store: that is waited for.
   *
   * @throws ScorefoldError `directory-in-use` where it is not closed for long
   */
  async openTaskStore(task: number, { bytes, openFilesMax }: StoreMemory, waitMs = HANDOVER_MS_MAX): Promise<Database> {
    const deadline = performance.now() + waitMs;
    const name = join(TASKS, String(task));
    // It may have been removed under a running engine. LevelDB would make it too, for everybody to read.
    await made(join(this.path, TASKS), join(this.path, TASKS));
    for (;;) {
      try {
        return await this.#open(name, bytes, { openFilesMax, gone: this.#storeGone(name) });
      } catch (error) {
        if (!(error instanceof ScorefoldError) || error.code !== "directory-in-use") throw error;
        if (performance.now() >= deadline) {
          const text = `the store of task ${task} in ${this.path} is open in another process, which does not let go of it`;
          throw new ScorefoldError("directory-in-use", `${text}; stop that one`, { cause: error });
        }
        await sleep(HANDOVER_LOOK_MS);
      }
    }
  }

  /** Puts the store of a task aside, closed. @returns where it is now */
  async setTaskStoreAside(task: number): Promise<string> {
    return await this.#setAside(join(TASKS, String(task)));
  }

  /** Notes by what name a consumer group knows this process, for the case that it dies. */
  noteMember(memberId: string): void {
    const file: MemberFile = { pid: process.pid, host: hostname(), memberId };
    mkdirSync(join(this.path, TASKS), { recursive: true, mode: 0o700 });
    writeFileSync(this.#memberPath(process.pid), `${JSON.stringify(file)}\n`, { mode: 0o600 });
  }

  async forgetMember(): Promise<void> {
    await rm(this.#memberPath(process.pid), { force: true });
  }

  /** Members of this host whose processes are no longer there; each is told once. */
  async takeDeadMembers(): Promise<string[]> {
    const dead: string[] = [];
    for (const name of (await readdir(join(this.path, TASKS))).filter((one) => /^member-\d+\.json$/.test(one))) {
      const path = join(this.path, TASKS, name);
      const file = (await readJson(path)) as MemberFile | null;
      if (file !== null && (file.host !== hostname() || (file.pid !== process.pid && isAlive(file.pid)))) continue;
      await rm(path, { force: true });
      if (file !== null) dead.push(file.memberId);
    }
    return dead;
  }

  #memberPath(pid: number): string {
    return join(this.path, TASKS, `member-${pid}.json`);
  }

  /** The tasks of which there is a store. */
  storedTasks(): number[] {
    const tasks = join(this.path, TASKS);
    // Removed under a running engine, it has none.
    const names = existsSync(tasks) ? readdirSync(tasks) : [];
    return names.filter((name) => /^\d{1,9}$/.test(name)).map(Number);
  }

  async #setAside(name: string): Promise<string> {
    for (let count = 1; ; count++) {
      const aside = join(this.path, `${name}.damaged-${count}`);
      if (await isThere(aside)) continue;
      await rename(join(this.path, name), aside);
      return aside;
    }
  }

  /** Removes stores that were put aside: they hold contact data. */
  async removeDamaged(): Promise<number> {
    const tasks = existsSync(join(this.path, TASKS)) ? await readdir(join(this.path, TASKS)) : [];
    const names = [...(await readdir(this.path)), ...tasks.map((name) => join(TASKS, name))];
    const aside = names.filter((name) => /(^store|[/\\]\d{1,9})\.damaged-\d+$/.test(name));
    for (const name of aside) await rm(join(this.path, name), { recursive: true, force: true });
    return aside.length;
  }

  /** Says that this process has the directory, and where it answers. */
  async announce(file: EngineFile): Promise<void> {
    const path = join(this.path, ENGINE_FILE);
    // Whole or not at all: others read it at any time.
    await writeFile(`${path}.new`, `${JSON.stringify(file)}\n`, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  async withdraw(): Promise<void> {
    // Of several processes on the directory the last one is announced.
    const other = await DataDirectory.runningEngine(this.path);
    if (other === null) await rm(join(this.path, ENGINE_FILE), { force: true });
  }

  /** The engine that has announced itself in a directory and is still alive; null: there is none. */
  static async runningEngine(path: string): Promise<EngineFile | null> {
    return await ofLiving<EngineFile>(join(resolve(path), ENGINE_FILE));
  }

  async #open(
    name: string,
    bytes: number,
    more: Pick<ClassicLevelOptions, "damaged" | "gone" | "openFilesMax"> = {},
  ): Promise<Database> {
    const third = Math.floor(bytes / 3);
    const options = { cacheBytes: third, writeBufferBytes: third, ...more };
    try {
      const database = await openClassicLevel(join(this.path, name), options);
      // Opened between a compaction's close and its renames, this would be a directory that is about to go.
      await this.#checkNotCompacting().catch(async (error: unknown) => {
        await database.close();
        throw error;
      });
      return database;
    } catch (error) {
      if (!(error instanceof ScorefoldError) || error.code !== "directory-in-use") throw error;
      await this.#checkNotCompacting();
      const running = await DataDirectory.runningEngine(this.path);
      const who = running === null ? "another process" : `the engine at ${running.url} (process ${running.pid})`;
      throw new ScorefoldError(
        "directory-in-use",
        `${this.path} is in use by ${who}: stop that one, or name another directory with --data`,
        { cause: error },
      );
    }
  }

  async #checkNotCompacting(): Promise<void> {
    const compacting = await ofLiving<{ pid: number }>(join(this.path, COMPACTING_FILE));
    if (compacting === null) return;
    throw new ScorefoldError(
      "directory-in-use",
      `${this.path} is being compacted by process ${compacting.pid}: wait until that has ended`,
    );
  }

  async #tidyUp(name: string): Promise<void> {
    const [own, copy, old] = ["", COPY_ENDING, OLD_ENDING].map((ending) => join(this.path, `${name}${ending}`));
    // Stopped between the two renames: the copy was complete, but the old one is as good, and surely whole.
    if (!(await isThere(own!)) && (await isThere(old!))) await rename(old!, own!);
    await rm(old!, { recursive: true, force: true });
    await rm(copy!, { recursive: true, force: true });
  }
}

async function made(whole: string, path: string): Promise<void> {
  try {
    await mkdir(whole, { recursive: true, mode: 0o700 });
    await access(whole, constants.W_OK | constants.R_OK | constants.X_OK);
  } catch (cause) {
    const code = (cause as { code?: string }).code ?? "";
    if (code === "ENOSPC") throw new ScorefoldError("disk-full", `${path}: the disk is full; make room`, { cause });
    const why = code === "EEXIST" || code === "ENOTDIR" ? "a file is in the way" : "it can't be made or written";
    throw new ScorefoldError(
      "directory-unusable",
      `${path}: ${why} (${code}); change its mode, or name another directory with --data`,
      { cause },
    );
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return null;
  }
}

/** What a process wrote of itself; null where there is none, or it is gone, or it had the number that is ours now. */
async function ofLiving<T extends { readonly pid: number }>(path: string): Promise<T | null> {
  const file = (await readJson(path)) as T | null;
  return file !== null && file.pid !== process.pid && isAlive(file.pid) ? file : null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    // Somebody else's process is alive too.
    return (error as { code?: string }).code === "EPERM";
  }
}

/** Where the first process of a container lets nobody go, the dead stay in the list. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return false;
  }
}
