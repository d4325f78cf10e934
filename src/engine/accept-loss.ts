/** `recover --accept-loss`: a person says that the engine is to go on without what is lost of the log. */
import { hostname, userInfo } from "node:os";
import { EmbeddedLog } from "../embedded/log.js";
import { ScorefoldError } from "../errors.js";
import { ContactStore } from "../store/store.js";
import { type Accepted, acceptLosses } from "../stream/acceptance.js";
import type { Log, Topic } from "../stream/log.js";
import type { Acceptance } from "../stream/losses.js";
import { committedPosition } from "../stream/metadata.js";
import { setOfStore } from "../stream/models.js";
import type { Lost } from "../stream/proof.js";
import { FOLD_VERSION } from "../stream/task.js";
import type { DataDirectory } from "./directory.js";

export type { Accepted } from "../stream/acceptance.js";

/** A partition of a topic, of which the loss is accepted. */
export interface LostPartition {
  readonly topic: Topic;
  readonly task: number;
}

export interface AcceptedTask {
  readonly task: number;
  readonly lost: readonly Lost[];
  /** What is lost of the task, too. */
  readonly left: readonly Lost[];
}

/** No cache is worth its memory for one row. */
const STORE_MEMORY = { bytes: 3 * 1024 * 1024, openFilesMax: 24 };

/** Where there is a store of the task in the directory, it says what it has. */
export async function acceptOfTask(
  directory: DataDirectory,
  log: Log,
  task: number,
  topics: ReadonlySet<Topic>,
): Promise<AcceptedTask> {
  const taskLog = await log.open(task);
  try {
    const committed = committedPosition(await taskLog.committed());
    const origin = log.origin;
    const database = await directory.openTaskStore(task, STORE_MEMORY);
    let isClosed = false;
    const close = async (): Promise<void> => {
      if (!isClosed) await database.close();
      isClosed = true;
    };
    try {
      const store = await ContactStore.open(database, { clusterId: log.clusterId, foldVersion: FOLD_VERSION, origin });
      const accepted = await acceptLosses({
        log,
        taskLog,
        committed,
        store,
        topics,
        ...person(),
        models: await setOfStore(store),
        fill: null,
        setStoreAside: async () => {
          await close();
          await directory.setTaskStoreAside(task);
        },
      });
      return { task, ...accepted };
    } finally {
      await close();
    }
  } finally {
    await taskLog.close();
  }
}

/** The same for a directory with an embedded log, which no engine has open. */
export async function acceptOfDirectory(directory: DataDirectory, topics: ReadonlySet<Topic>): Promise<Accepted> {
  const database = await directory.openLog();
  try {
    const log = await EmbeddedLog.open(database, { now: () => Date.now(), memoryBytesMax: 0 });
    const taskLog = await log.open(0);
    const storeDatabase = await directory.openStore();
    let isClosed = false;
    const close = async (): Promise<void> => {
      if (!isClosed) await storeDatabase.close();
      isClosed = true;
    };
    try {
      const store = await ContactStore.open(storeDatabase, { clusterId: log.clusterId, foldVersion: FOLD_VERSION });
      return await acceptLosses({
        log,
        taskLog,
        committed: committedPosition(await taskLog.committed()),
        store,
        topics,
        ...person(),
        models: await setOfStore(store),
        fill: async (topic, end) => await log.leaveOut(topic, end),
        setStoreAside: async () => {
          await close();
          await directory.setStoreAside();
        },
      });
    } finally {
      await close();
      await log.close();
    }
  } finally {
    await database.close();
  }
}

/** @throws ScorefoldError `usage` for what names no partition */
export function lostPartition(text: string): LostPartition {
  const found = /^(.+)-(\d{1,9})$/.exec(text);
  if (found === null)
    throw new ScorefoldError("usage", `${text} is no partition; name it as TOPIC-PARTITION, as in web-0`);
  return { topic: found[1]!, task: Number(found[2]) };
}

function person(): Acceptance {
  const name = ((): string => {
    try {
      return userInfo().username;
    } catch {
      return "unknown";
    }
  })();
  return { by: `${name}@${hostname()}`.slice(0, 64), at: Date.now() };
}
