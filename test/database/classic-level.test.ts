import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { databaseError, openClassicLevel } from "../../src/database/classic-level.js";
import { ScorefoldError } from "../../src/errors.js";
import { describeDatabase } from "./database.contract.js";

const options = { cacheBytes: 1024 * 1024, writeBufferBytes: 1024 * 1024 };

describeDatabase("classic-level", async () => {
  const directory = mkdtempSync(join(tmpdir(), "database-test-"));
  let database = await openClassicLevel(directory, options);
  return {
    database,
    reopen: async () => {
      await database.close();
      database = await openClassicLevel(directory, options);
      return database;
    },
    remove: async () => {
      await database.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
});

describe("openClassicLevel", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "database-test-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it("refuses a directory that is open", async () => {
    const database = await openClassicLevel(directory, options);
    await expect(openClassicLevel(directory, options)).rejects.toMatchObject({ code: "directory-in-use" });
    await database.close();
    await (await openClassicLevel(directory, options)).close();
  });

  it("tells a damaged database from one that is not there", async () => {
    const database = await openClassicLevel(directory, options);
    await database.write([{ type: "put", key: "a", value: "1" }]);
    await database.close();
    writeFileSync(join(directory, "CURRENT"), "MANIFEST-999999\n");
    await expect(openClassicLevel(directory, options)).rejects.toMatchObject({ code: "database-corrupt" });
  });
});

describe("databaseError", () => {
  it.each([
    ["IO error: /data/000003.log: No space left on device", "disk-full"],
    ["Corruption: block checksum mismatch", "database-corrupt"],
    ["IO error: /data/LOG: Permission denied", "directory-unusable"],
    ["IO error: /data/000012.ldb: No such file or directory", "database-corrupt"],
    ["something else", "database-failed"],
  ])("reads %s as %s", (said, code) => {
    const error = databaseError("/data", new Error("Database failed", { cause: new Error(said) }));
    expect(error).toBeInstanceOf(ScorefoldError);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toContain("/data");
  });
});
