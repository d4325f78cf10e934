/** Stores whose writes can be made to wait: a disk that does not answer. */
import type { Database } from "../../src/database/database.js";
import type { DataDirectory } from "../../src/engine/directory.js";

export class HangingDisk {
  /** Resolves when a write waits. */
  readonly isAsked: Promise<void>;
  #ask: () => void = () => undefined;
  #gate: Promise<void> = Promise.resolve();
  #open: () => void = () => undefined;
  #isHanging = false;

  constructor() {
    this.isAsked = new Promise((resolve) => {
      this.#ask = resolve;
    });
  }

  /** Writes from now on wait. */
  hangs(): void {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.#isHanging = true;
  }

  /** They go on. */
  goesOn(): void {
    this.#isHanging = false;
    this.#open();
  }

  of(directory: DataDirectory): DataDirectory {
    return new Proxy(directory, {
      get: (target, key) => {
        const found: unknown = Reflect.get(target, key);
        if (key === "openTaskStore")
          return async (...given: Parameters<DataDirectory["openTaskStore"]>) =>
            this.#database(await target.openTaskStore(...given));
        if (key === "openStore") return async () => this.#database(await target.openStore());
        return typeof found === "function" ? found.bind(target) : found;
      },
    });
  }

  async #passes(): Promise<void> {
    if (this.#isHanging) this.#ask();
    await this.#gate;
  }

  #database(database: Database): Database {
    return {
      get: (key) => database.get(key),
      getMany: (keys) => database.getMany(keys),
      write: async (operations) => {
        await this.#passes();
        await database.write(operations);
      },
      batch: () => {
        const batch = database.batch();
        return {
          put: (key, value) => batch.put(key, value),
          del: (key) => batch.del(key),
          write: async () => {
            await this.#passes();
            await batch.write();
          },
        };
      },
      range: (range, limit) => database.range(range, limit),
      scan: (range) => database.scan(range),
      size: () => database.size(),
      checkPlace: () => database.checkPlace(),
      close: () => database.close(),
    };
  }
}
