/** What tasks of one process may hold, together. */
import { describe, expect, it } from "vitest";
import { limitsOf, memoryOf } from "../../src/engine/shares.js";

const MB = 1024 * 1024;

describe("a task's share", () => {
  it.each([
    1, 2, 4, 8, 32,
  ])("of %i is as much less, so that all together stay within what a process may hold", (tasks) => {
    const { batchRecordsMax, hotBytesMax } = limitsOf(tasks);
    expect(tasks * batchRecordsMax!).toBeLessThanOrEqual(16_384);
    expect(tasks * hotBytesMax!).toBeLessThanOrEqual(64 * MB);
    expect(tasks * memoryOf(tasks).bytes).toBeLessThanOrEqual(96 * MB);
    expect(tasks * (memoryOf(tasks).openFilesMax ?? 0)).toBeLessThanOrEqual(768);
  });

  it("is never too little to work with", () => {
    const { batchRecordsMax, readContactsMax, hotBytesMax, unwrittenInputsMax } = limitsOf(1000);
    expect([batchRecordsMax, readContactsMax, hotBytesMax, unwrittenInputsMax]).toEqual([256, 1024, 2 * MB, 2048]);
    expect(memoryOf(1000)).toEqual({ bytes: 3 * MB, openFilesMax: 24 });
  });

  it("reads no more contacts than its batch has records", () => {
    for (const tasks of [1, 3, 5, 7]) {
      const { batchRecordsMax, readContactsMax } = limitsOf(tasks);
      expect(Number.isInteger(readContactsMax)).toBe(true);
      expect(readContactsMax).toBeLessThanOrEqual(batchRecordsMax!);
    }
  });
});
