/**
 * Any file of a directory damaged, cut off or gone. A store follows from the log: it is put aside and folded again, and
 * the scores are the same. A log is the truth: it is refused, with its name and what to do, or it is whole after all.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openClassicLevel } from "../../src/database/classic-level.js";
import { DataDirectory } from "../../src/engine/directory.js";
import { ScorefoldError } from "../../src/errors.js";
import { opened, Place, recordsOf, scoresOf, take } from "./given.js";
import { began, click, day, deeds, person } from "./people.js";

const people = 60;
const asOf = began + 90 * day;

let place: Place;
let whole: Found;
beforeAll(async () => {
  place = new Place();
  const inputs = deeds(people);
  const part = Math.ceil(inputs.length / 4);
  // Opened again and again, a database has tables beside its write-ahead log.
  for (let i = 0; i < 4; i++) {
    const { engine } = await opened(place.data);
    await engine.task.running();
    await take(engine, inputs.slice(i * part, (i + 1) * part));
    if (i === 1) await engine.task.fireUntil(began + 30 * day);
    await engine.stop();
  }
  whole = await lookAt(copy());
});
afterAll(() => place.remove());

let copies = 0;
function copy(): string {
  const path = join(place.root, `copy-${copies++}`);
  cpSync(place.data, path, { recursive: true });
  return path;
}

interface Found {
  readonly scores: readonly string[];
  readonly later: readonly string[];
  readonly changes: number;
  readonly inputs: readonly string[];
  readonly told: string;
}

/** What an engine makes of a directory: scores now, and after inputs that need the history of everybody. */
async function lookAt(path: string): Promise<Found> {
  const { engine, told } = await opened(path);
  try {
    await engine.task.caughtUp();
    const inputs = await recordsOf(engine, "inputs");
    const scores = await scoresOf(engine);
    await take(
      engine,
      Array.from({ length: people }, (_, i) => click(person(i).id, "late", began + 5 * day)),
    );
    await engine.task.fireUntil(asOf);
    const later = await scoresOf(engine, asOf);
    const changes = await recordsOf(engine, "score-changed");
    return { scores, later, changes: changes.length, inputs, told: told.text };
  } finally {
    await engine.stop();
    await engine.ended();
  }
}

type Damage = (path: string) => void;
const flipAt =
  (share: number): Damage =>
  (path) => {
    const bytes = readFileSync(path);
    const at = Math.floor(share * (bytes.length - 1));
    bytes[at] = bytes[at]! ^ (1 << (at % 8));
    writeFileSync(path, bytes);
  };
const shares = [0, 0.29, 0.5, 0.83];
const damages: Readonly<Record<string, Damage>> = {
  gone: (path) => rmSync(path),
  empty: (path) => truncateSync(path),
  halved: (path) => truncateSync(path, statSync(path).size >> 1),
  "shorter by a byte": (path) => truncateSync(path, Math.max(0, statSync(path).size - 1)),
  ...Object.fromEntries(shares.map((share) => [`flipped at ${share * 100} %`, flipAt(share)])),
};
/** In the tables only in the middle of what was sent: see docs for what LevelDB does with a damaged key. */
const flipInValue: Damage = (path) => {
  const bytes = readFileSync(path);
  const at = bytes.indexOf("Person ");
  bytes[at + 3] = bytes[at + 3]! ^ 1;
  writeFileSync(path, bytes);
};

const isTable = (name: string): boolean => name.endsWith(".ldb");
/** LevelDB's talk, and the file that it locks: nothing is in them. */
const isIdle = (name: string): boolean => /^(LOCK|LOG|LOG\.old)$/.test(name);

function* everyDamage(database: "log" | "store"): Generator<{ name: string; what: string; damage: Damage }> {
  for (const name of readdirSync(join(place.data, database))) {
    for (const [what, damage] of Object.entries(damages)) {
      if (what.startsWith("flipped") && (isTable(name) || isIdle(name))) continue;
      yield { name, what, damage };
    }
    if (isTable(name) && readFileSync(join(place.data, database, name)).includes("Person "))
      yield { name, what: "flipped in a value", damage: flipInValue };
  }
}

function expectSame(found: Found, what: string): void {
  expect(found.scores, what).toEqual(whole.scores);
  expect(found.later, what).toEqual(whole.later);
  expect(found.inputs, what).toEqual(whole.inputs);
  expect(found.changes, what).toBe(whole.changes);
}

describe("a damaged store", () => {
  it("is put aside and folded again, or works undisturbed: the same scores, the same outputs, whichever file it is", async () => {
    let aside = 0;
    for (const { name, what, damage } of everyDamage("store")) {
      const path = copy();
      damage(join(path, "store", name));
      const found = await lookAt(path);
      expectSame(found, `${name} ${what}`);
      if (found.told !== "") {
        expect(found.told, `${name} ${what}`).toContain(
          `the store is damaged: put aside in ${join(path, "store.damaged-1")}, and everything is folded again from the log`,
        );
        aside += 1;
      } else expect(isIdle(name) || name.endsWith(".log"), `${name} ${what} was not noticed`).toBe(true);
    }
    expect(aside).toBeGreaterThan(15);
  });

  it("without its directory is folded again", async () => {
    const path = copy();
    rmSync(join(path, "store"), { recursive: true });
    expectSame(await lookAt(path), "no store");
  });

  it("in whose place a file is, is refused", async () => {
    const path = copy();
    rmSync(join(path, "store"), { recursive: true });
    writeFileSync(join(path, "store"), "");
    const { engine } = await opened(path);
    await expect(engine.task.running()).rejects.toThrow(/store: .*a file is in the way/);
    await engine.stop();
  });

  it("that only a question finds damaged is made anew before it is answered", async () => {
    const path = copy();
    const store = await openClassicLevel(join(path, "store"), { cacheBytes: 1024, writeBufferBytes: 65_536 });
    const key = `c\0default\0${person(7).id}`;
    const row = (await store.get(key))!;
    await store.write([{ type: "put", key, value: row.replace("lead@1", "lead@7") }]);
    await store.close();
    const { engine, told } = await opened(path);
    await engine.task.running();
    expect(await scoresOf(engine)).toEqual(whole.scores);
    expect(told.text).toContain("the store is damaged: put aside in");
    await engine.stop();
  });

  it("is not folded again under no models by a command that brings none", async () => {
    const path = copy();
    rmSync(join(path, "store"), { recursive: true });
    const { engine } = await opened(path, { models: null });
    await expect(engine.task.running()).rejects.toThrow(
      /the store is gone, and under which models it was folded; `scorefold run` makes it anew/,
    );
    await engine.stop();
    expectSame(await lookAt(path), "after a command without models");
  });
});

describe("a damaged log", () => {
  it("is refused, naming the directory and what to do, or works undisturbed: never less than all, whichever file it is", async () => {
    let refused = 0;
    for (const { name, what, damage } of everyDamage("log")) {
      const path = copy();
      damage(join(path, "log", name));
      const result = await lookAt(path).catch((error: unknown) => error);
      if (!(result instanceof ScorefoldError)) {
        expectSame(result as Found, `${name} ${what}`);
        continue;
      }
      expect(result.code, `${name} ${what}`).toMatch(/^(log-corrupt|log-lost)$/);
      expect(result.retryable).toBe(false);
      if (!what.includes("value")) expect(result.message).toContain(path);
      expect(result.message).toMatch(/backup/);
      expect(readdirSync(path), "the store is no worse for it").not.toContain("store.damaged-1");
      refused += 1;
    }
    expect(refused).toBeGreaterThan(15);
  });

  it("keeps its files, so that they can be mended", async () => {
    const path = copy();
    rmSync(join(path, "log", "CURRENT"));
    const before = readdirSync(join(path, "log"));
    await expect(lookAt(path)).rejects.toMatchObject({ code: "log-corrupt" });
    expect(readdirSync(join(path, "log"))).toEqual(before);
  });

  it("that is gone beside a store is not begun anew", async () => {
    const path = copy();
    rmSync(join(path, "log"), { recursive: true });
    await expect(lookAt(path)).rejects.toThrow(/log\/ is not there, and store\/ is.*backup/);
    expect(existsSync(join(path, "log"))).toBe(false);
  });

  it("of another format is refused, and so is a store of one", async () => {
    const path = copy();
    const edit = async (database: "log" | "store", key: string, change: (value: string) => string): Promise<void> => {
      const level = await openClassicLevel(join(path, database), { cacheBytes: 1024, writeBufferBytes: 65_536 });
      await level.write([{ type: "put", key, value: change((await level.get(key))!) }]);
      await level.close();
    };
    await edit("log", "m\0format", () => "7");
    await expect(lookAt(path)).rejects.toMatchObject({
      code: "format-unknown",
      message: expect.stringMatching(
        /copy-\d+: the log is written in format 7, this version of scorefold reads format \d+; run the version/,
      ),
    });
  });

  it("of another directory does not fit the store", async () => {
    const path = copy();
    const other = join(place.root, "other");
    rmSync(other, { recursive: true, force: true });
    const { engine } = await opened(other);
    await engine.task.running();
    await take(engine, deeds(3));
    await engine.stop();
    rmSync(join(path, "log"), { recursive: true });
    cpSync(join(other, "log"), join(path, "log"), { recursive: true });
    await expect(lookAt(path)).rejects.toThrow(/copy-\d+: the store was folded from another log/);
  });
});

describe("a data directory", () => {
  it("in whose place a file is, or whose log is a file, is refused", async () => {
    const file = join(place.root, "file");
    writeFileSync(file, "");
    await expect(DataDirectory.open(file)).rejects.toThrow(/file: a file is in the way \(EEXIST\); .*--data/);
    await expect(DataDirectory.open(join(file, "below"))).rejects.toThrow(/a file is in the way \(ENOTDIR\)/);
    const path = join(place.root, "log-is-a-file");
    const directory = await DataDirectory.open(path);
    writeFileSync(join(path, "log"), "");
    await expect(directory.openLog()).rejects.toThrow(/log: .*a file is in the way/);
  });

  it("is one process's at a time", async () => {
    const path = copy();
    const { engine } = await opened(path);
    await engine.task.running();
    await expect(opened(path)).rejects.toThrow(/copy-\d+ is in use by another process: stop that one, or name another/);
    await engine.stop();
  });
});
