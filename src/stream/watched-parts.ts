/**
 * What a task waits for, told of by its name: its log, and the disk of its store. What does not answer has no other way to
 * be seen.
 */
import type { Database } from "../database/database.js";
import type { Log, TaskLog, Waits } from "./log.js";
import type { StorePlace } from "./store-opening.js";
import { watched } from "./waits.js";

const DISK = "the disk of the store";

/** Takes a task over, as `Log.open`. */
export async function openWatched(log: Log, task: number, waits: Waits): Promise<TaskLog> {
  const opened = await waits.during(log.name, log.open(task, waits));
  return watched(opened, waits, (method) => (method === "publish" ? `${log.name}, to publish` : log.name));
}

export function watchedPlace(place: StorePlace, waits: Waits): StorePlace {
  return {
    open: async () => watchedDatabase(await waits.during(DISK, place.open()), waits),
    setAside: async () => await place.setAside(),
  };
}

function watchedDatabase(database: Database, waits: Waits): Database {
  const disk = (): string => DISK;
  const own = watched(database, waits, disk);
  const batch = (): ReturnType<Database["batch"]> => watched(database.batch(), waits, disk);
  return new Proxy(own, { get: (target, key) => (key === "batch" ? batch : Reflect.get(target, key, target)) });
}
