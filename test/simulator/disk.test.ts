import { describe, expect, it } from "vitest";
import { describeDatabase } from "../database/database.contract.js";
import { SimulatedDisk } from "./disk.js";

describeDatabase("the simulated disk", async () => {
  const disk = new SimulatedDisk();
  let database = disk.open();
  return {
    database,
    reopen: async () => {
      await database.close();
      database = disk.open();
      return database;
    },
    remove: async () => undefined,
  };
});

const put = (key: string) => ({ type: "put", key, value: `value of ${key}` }) as const;

describe("SimulatedDisk", () => {
  it("loses the batches at its end in a crash, whole", async () => {
    const disk = new SimulatedDisk();
    const database = disk.open();
    await database.write([put("a"), put("b")]);
    await database.write([{ type: "del", key: "a" }, put("c")]);
    await database.write([put("d")]);
    const after = disk.crash({ loseTail: 2 });
    expect((await after.range({}, 10)).map(([key]) => key)).toEqual(["a", "b"]);
  });

  it("leaves calls that were under way without an answer, and shows which batches may be lost", async () => {
    let isHeld = false;
    const disk = new SimulatedDisk(async (name) => {
      if (isHeld && name === "disk written") await new Promise(() => undefined);
    });
    const database = disk.open();
    await database.write([put("a")]);
    isHeld = true;
    let answers = 0;
    database.write([put("b")]).then(
      () => (answers += 1),
      () => (answers += 1),
    );
    await new Promise(setImmediate);
    expect(disk.unacknowledged).toBe(1);
    isHeld = false;
    const after = disk.crash({ loseTail: 0 });
    expect(await after.get("b")).toBe("value of b");
    database.get("a").then(() => (answers += 1));
    await new Promise(setImmediate);
    expect(answers).toBe(0);
    expect(disk.unacknowledged).toBe(0);
  });

  it("can be full, and damaged", async () => {
    const disk = new SimulatedDisk();
    const database = disk.open();
    await database.write([put("a")]);
    disk.isFull = true;
    await expect(database.write([put("b")])).rejects.toMatchObject({ code: "disk-full" });
    disk.isFull = false;
    expect(await database.get("b")).toBeUndefined();
    disk.damage("a", (value) => value.slice(1));
    expect(await database.get("a")).toBe("alue of a");
  });
});
