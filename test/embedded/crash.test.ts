/**
 * A process that dies at any call to the disk, again and again. The risk: an acknowledged record that is gone, an offset
 * given twice, outputs without their positions.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EmbeddedLog, INPUTS } from "../../src/embedded/log.js";
import { SimulatedDisk } from "../simulator/disk.js";
import { never } from "../simulator/step.js";
import { atOnce, fetchAll, line, outputOf } from "../stream/log.contract.js";
import { readValues } from "./given.js";

const life = fc.record({
  /** The number of the call to the disk that is the last one. */
  calls: fc.integer({ min: 1, max: 40 }),
  appends: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 }),
  isTailLost: fc.boolean(),
  memoryBytesMax: fc.constantFrom(0, 150, 100_000),
});

/** What one process does: appends, and publishes one output for each input it fetches. */
async function live(log: EmbeddedLog, appends: readonly number[], name: string, acknowledged: string[]): Promise<void> {
  const appending = appends.map(async (count, i) => {
    const lines = Array.from({ length: count }, (_, k) => line(`${name}-${i}-${k}`));
    await log.append(lines);
    acknowledged.push(...lines);
  });
  const task = await log.open(0);
  let from = (await task.committed())?.offsets.get(INPUTS) ?? 0;
  for (let round = 0; round < 4; round++) {
    const [found] = await task.fetch(new Map([[INPUTS, from]]), { ...atOnce, recordsMax: 3 });
    from = found?.next ?? from;
    const outputs = (found?.records ?? []).map(({ offset }) => outputOf(offset));
    await task.publish({ offsets: new Map([[INPUTS, from]]), metadata: String(from), outputs, deadLetters: [] });
  }
  await Promise.all(appending);
}

describe("the embedded log", () => {
  it("loses nothing that it acknowledged, and publishes once, wherever it dies", async () => {
    const property = fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 5 }), async (lives) => {
      let left = Number.POSITIVE_INFINITY;
      let die = (): void => undefined;
      const disk = new SimulatedDisk(async () => {
        left -= 1;
        if (left > 0) return;
        die();
        await never();
      });
      let database = disk.open();
      const acknowledged: string[] = [];
      for (const [i, { calls, appends, isTailLost, memoryBytesMax }] of lives.entries()) {
        const death = new Promise<void>((resolve) => {
          die = resolve;
        });
        left = calls;
        const living = EmbeddedLog.open(database, { now: () => i, memoryBytesMax }).then(
          async (log) => await live(log, appends, String(i), acknowledged),
        );
        await Promise.race([living, death]);
        left = Number.POSITIVE_INFINITY;
        database = disk.crash({ loseTail: isTailLost ? disk.unacknowledged : 0 });
        const log = await EmbeddedLog.open(database, { now: () => 0, memoryBytesMax: 0 });
        const values = await readValues(log, INPUTS);
        expect(new Set(values).size).toBe(values.length);
        expect(values.filter((value) => acknowledged.includes(value))).toEqual(acknowledged);
        const task = await log.open(0);
        const records = await fetchAll(log, task, atOnce);
        expect(records.map(({ offset }) => offset)).toEqual(values.map((_, offset) => offset));
        const committed = await task.committed();
        const published = await readValues(log, "score-changed");
        expect(published.map((text) => (JSON.parse(text) as { at: number }).at)).toEqual(
          values.slice(0, committed?.offsets.get(INPUTS) ?? 0).map((_, offset) => offset),
        );
        await log.close();
      }
    });
    await fc.assert(property, { numRuns: 150 });
  });
});
