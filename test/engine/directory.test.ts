/** The data directory: made, announced, and tidied up after what was cut off. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DataDirectory } from "../../src/engine/directory.js";

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "scorefold-directory-"));
});
afterEach(() => rmSync(path, { recursive: true, force: true }));

it("tells of a living engine only", async () => {
  const directory = await DataDirectory.open(path);
  expect(await DataDirectory.runningEngine(path)).toBeNull();
  // Another process, which is surely there; this one does not have to ask itself.
  await directory.announce({ pid: process.ppid, url: "http://127.0.0.1:1" });
  expect(await DataDirectory.runningEngine(path)).toMatchObject({ pid: process.ppid, url: "http://127.0.0.1:1" });
  // That one has the directory now, and withdraws by itself.
  await directory.withdraw();
  expect(await DataDirectory.runningEngine(path)).not.toBeNull();
  // No process has this number: it is beyond what a system gives out.
  await directory.announce({ pid: 2 ** 30, url: "http://127.0.0.1:1" });
  expect(await DataDirectory.runningEngine(path)).toBeNull();
});

it("puts stores aside one after the other, and can remove them", async () => {
  const directory = await DataDirectory.open(path);
  const places: string[] = [];
  for (let i = 0; i < 2; i++) {
    mkdirSync(join(path, "store"), { recursive: true });
    places.push(await directory.setStoreAside());
  }
  expect(new Set(places).size).toBe(2);
  expect(places.every((place) => existsSync(place))).toBe(true);
  await directory.removeDamaged();
  expect(places.some((place) => existsSync(place))).toBe(false);
});

it("is refused where a file is in the way", async () => {
  writeFileSync(join(path, "file"), "");
  await expect(DataDirectory.open(join(path, "file"))).rejects.toMatchObject({ code: "directory-unusable" });
});

it("is of one application on one cluster, from the first that comes", async () => {
  const directory = await DataDirectory.open(path);
  await directory.beOfCluster();
  const own = { app: "scores", clusterId: "one" };
  await directory.beOfApplication(own);
  await directory.beOfApplication(own);
  const again = await DataDirectory.open(path);
  await expect(again.beOfApplication({ app: "trial", clusterId: "one" })).rejects.toMatchObject({
    code: "directory-unusable",
    message:
      `${path} is the data directory of application scores on the cluster one, and this is application trial on the ` +
      "cluster one; name its own directory with --data",
  });
  await expect(again.beOfApplication({ app: "scores", clusterId: "two" })).rejects.toThrow(/on the cluster two; name/);
  expect(directory.storedTasks()).toEqual([]);
});

it("waits for the store of a task until whoever had it has closed it", async () => {
  const memory = { bytes: 3 * 1024 * 1024, openFilesMax: 24 };
  const [before, after] = [await DataDirectory.open(path), await DataDirectory.open(path)];
  await before.beOfCluster();
  const held = await before.openTaskStore(7, memory);
  await expect(after.openTaskStore(7, memory, 0)).rejects.toMatchObject({
    code: "directory-in-use",
    message: `the store of task 7 in ${path} is open in another process, which does not let go of it; stop that one`,
  });
  const opening = after.openTaskStore(7, memory);
  await held.close();
  await (await opening).close();
});
