/** A store that a question has found damaged, and that the task has open. */
import type { Database } from "../database/database.js";
import type { ScorefoldError } from "../errors.js";

/** A database that takes no more once it is known to be damaged. */
export function doubted(database: Database, damage: () => ScorefoldError | null): Database {
  const check = (): void => {
    const found = damage();
    if (found !== null) throw found;
  };
  return {
    get: (key) => database.get(key),
    getMany: (keys) => database.getMany(keys),
    write: async (operations) => {
      check();
      await database.write(operations);
    },
    batch: () => {
      const batch = database.batch();
      return {
        put: (key, value) => batch.put(key, value),
        del: (key) => batch.del(key),
        write: async () => {
          check();
          await batch.write();
        },
      };
    },
    range: (range, limit) => database.range(range, limit),
    checkPlace: () => database.checkPlace(),
    scan: (range) => database.scan(range),
    size: () => database.size(),
    close: () => database.close(),
  };
}
