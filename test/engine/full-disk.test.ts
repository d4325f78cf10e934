/** A disk that is full, under a command: it is tried for a while, and then one error says where, and what to do. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Database } from "../../src/database/database.js";
import { DataDirectory } from "../../src/engine/directory.js";
import type { EmbeddedEngine } from "../../src/engine/embedded-engine.js";
import { Patience } from "../../src/engine/patience.js";
import { ScorefoldError } from "../../src/errors.js";
import { type Clock, systemClock } from "../../src/stream/clock.js";
import { type Opened, opened, Place, take } from "./given.js";
import { began, click, deeds } from "./people.js";

const full = (): ScorefoldError => new ScorefoldError("disk-full", "/disk: the disk is full; make room");

/** Time that passes only where somebody sleeps. */
function sleepingClock(): Clock {
  let elapsed = 0;
  return {
    now: systemClock.now,
    elapsed: () => elapsed,
    sleep: async (ms) => {
      elapsed += ms;
      await systemClock.yield();
    },
    yield: systemClock.yield,
  };
}

/** Ten seconds take as long as a fifth of one. */
const fastClock: Clock = {
  ...systemClock,
  elapsed: () => 50 * systemClock.elapsed(),
  sleep: async (ms, signal) => await systemClock.sleep(ms / 50, signal),
};

/** A disk that takes no more as long as it is said to be full. */
class Disk {
  isFull = false;
  tries = 0;
  /** Somebody makes room then. */
  roomAfterTries = Number.POSITIVE_INFINITY;

  readonly through = (database: Database): Database => {
    const check = (): void => {
      if (!this.isFull) return;
      this.tries += 1;
      if (this.tries >= this.roomAfterTries) this.isFull = false;
      throw full();
    };
    return {
      get: (key) => database.get(key),
      getMany: (keys) => database.getMany(keys),
      range: (range, limit) => database.range(range, limit),
      scan: (range) => database.scan(range),
      checkPlace: () => database.checkPlace(),
      size: () => database.size(),
      close: () => database.close(),
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
    };
  };
}

let place: Place;
let engine: EmbeddedEngine | undefined;
beforeEach(() => {
  place = new Place();
});
afterEach(async () => {
  await engine?.stop();
  place.remove();
});

/** An engine as a command has it, with a disk for its log and one for its store. */
async function run(clock: Clock): Promise<Opened & { readonly log: Disk; readonly store: Disk }> {
  const [log, store] = [new Disk(), new Disk()];
  const directory = await DataDirectory.open(place.data);
  const [openLog, openStore] = [directory.openLog.bind(directory), directory.openStore.bind(directory)];
  directory.openLog = async () => log.through(await openLog());
  directory.openStore = async () => store.through(await openStore());
  const limits = { idleWaitMs: 2, writeIntervalMs: 0 };
  const found = await opened(place.data, { directory, clock, limits, patienceMs: 10_000 });
  engine = found.engine;
  await engine.task.running();
  await take(engine, deeds(5));
  return { ...found, log, store };
}

const told = {
  code: "disk-full",
  message: expect.stringMatching(/data: the disk is full; make room \(\d+\.\d MB are free there; .*do it again/),
};
const lines = [JSON.stringify(click("ada", "e1", began))];

describe("a command", () => {
  it.each([
    "log",
    "store",
  ] as const)("whose %s can't be written ends after a while, and says so once", async (which) => {
    const found = await run(fastClock);
    found[which].isFull = true;
    const waited = which === "log" ? found.engine.append(lines) : found.engine.append(lines).then(() => written(found));
    await expect(waited).rejects.toMatchObject(told);
    await expect(found.engine.ended()).rejects.toMatchObject(told);
    // It was tried, and not for ever.
    expect(found[which].tries).toBeGreaterThan(3);
    expect(found[which].tries).toBeLessThan(20);
    expect(found.told.text).toBe("");
  });

  it("that erases does the same", async () => {
    const found = await run(fastClock);
    found.log.isFull = true;
    await expect(found.engine.erase("p-0001", "default", { alsoLater: false })).rejects.toMatchObject(told);
  });

  it.each(["log", "store"] as const)("goes on where there is room for its %s again by then", async (which) => {
    const found = await run(fastClock);
    found[which].isFull = true;
    found[which].roomAfterTries = 3;
    await take(found.engine, [click("ada", "e1", began)]).catch(() => undefined);
    await found.engine.task.caughtUp();
    await found.engine.task.written();
    expect(found[which].tries).toBeGreaterThanOrEqual(3);
    expect(await found.engine.scores("ada", { tenantId: "default" })).not.toBeNull();
  });
});

/** What a command waits for in the end. */
async function written({ engine: running }: Opened): Promise<void> {
  await running.task.written().catch(async () => await running.ended());
}

describe("patience", () => {
  it("without an end tries a thing once, and whoever asked decides", async () => {
    const patience = new Patience(sleepingClock(), Number.POSITIVE_INFINITY);
    let tries = 0;
    const act = async (): Promise<never> => {
      tries += 1;
      throw full();
    };
    await expect(patience.trying(act)).rejects.toMatchObject({ code: "disk-full" });
    expect([tries, patience.over]).toEqual([1, null]);
  });

  it("tries nothing again that will not pass", async () => {
    const patience = new Patience(sleepingClock(), 10_000);
    let tries = 0;
    const act = async (): Promise<never> => {
      tries += 1;
      throw new ScorefoldError("log-corrupt", "damaged");
    };
    await expect(patience.trying(act)).rejects.toMatchObject({ code: "log-corrupt" });
    expect(tries).toBe(1);
  });

  it("begins anew where something has passed", async () => {
    const clock = sleepingClock();
    let overs = 0;
    const patience = new Patience(clock, 1000, () => {
      overs += 1;
    });
    for (let n = 0; n < 5; n++) {
      patience.failed(full());
      await clock.sleep(600);
      patience.passed();
    }
    expect(overs).toBe(0);
    patience.failed(full());
    await clock.sleep(1000);
    patience.failed(full());
    patience.failed(full());
    expect(overs).toBe(1);
  });
});
