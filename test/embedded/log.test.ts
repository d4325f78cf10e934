import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { openClassicLevel } from "../../src/database/classic-level.js";
import type { Database } from "../../src/database/database.js";
import { EmbeddedLog, INPUTS } from "../../src/embedded/log.js";
import { SimulatedDisk } from "../simulator/disk.js";
import { describeLog, type LogUnderTest, originalOf } from "../stream/log.contract.js";
import { readValues } from "./given.js";

interface Opened {
  readonly database: Database;
  reopen(): Promise<Database>;
  remove(): Promise<void>;
}

async function underTest(opened: Opened, memoryBytesMax: number): Promise<LogUnderTest> {
  const options = { now: Date.now, memoryBytesMax };
  let log = await EmbeddedLog.open(opened.database, options);
  return {
    log,
    append: async (lines) => await log.append(lines.map(originalOf)),
    read: async (topic) => await readValues(log, topic),
    passTime: async (ms) => await pause(ms),
    reopen: async () => {
      await log.close();
      log = await EmbeddedLog.open(await opened.reopen(), options);
      return log;
    },
    remove: async () => {
      await log.close();
      await opened.remove();
    },
  };
}

async function onClassicLevel(): Promise<Opened> {
  const directory = mkdtempSync(join(tmpdir(), "log-test-"));
  const open = async (): Promise<Database> =>
    await openClassicLevel(directory, { cacheBytes: 1024 * 1024, writeBufferBytes: 1024 * 1024 });
  let database = await open();
  return {
    database,
    reopen: async () => {
      await database.close();
      database = await open();
      return database;
    },
    remove: async () => {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function onSimulatedDisk(): Promise<Opened> {
  const disk = new SimulatedDisk();
  const database = disk.open();
  return { database, reopen: async () => disk.crash({ loseTail: 0 }), remove: async () => undefined };
}

describeLog("the embedded log on classic-level", async () => await underTest(await onClassicLevel(), 1_000_000));
describeLog("the embedded log on a simulated disk", async () => await underTest(await onSimulatedDisk(), 1_000_000));
describeLog("the embedded log without memory", async () => await underTest(await onSimulatedDisk(), 0));
describeLog(
  `the embedded log with memory for few ${INPUTS}`,
  async () => await underTest(await onSimulatedDisk(), 300),
);
