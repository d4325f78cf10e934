/** What the embedded engine says of inputs that wait, also while its task hangs. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { DataDirectory } from "../../src/engine/directory.js";
import { defaultLimits } from "../../src/stream/limits.js";
import { opened, Place } from "./given.js";
import { HangingDisk } from "./hanging-disk.js";
import { until, visit } from "./kafka-engines.js";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.remove());

it("lag and the age of what waits are what the log says while the disk of the store does not answer", async () => {
  const disk = new HangingDisk();
  const { engine } = await opened(place.data, {
    directory: disk.of(await DataDirectory.open(place.data)),
    limits: { ...defaultLimits, unwrittenInputsMax: 1, batchRecordsMax: 1 },
  });
  await engine.task.running();
  expect(engine.status).toMatchObject({ lag: 0, oldestInputAgeMs: 0 });
  disk.hangs();
  await engine.append([1, 2, 3].map((n) => visit("ada", n)));
  await disk.isAsked;
  await engine.append([4, 5, 6, 7].map((n) => visit("ada", n)));
  const folded = (): number => engine.taskStatuses()[0]!.offsets["inputs"]!;
  await until(() => folded() < 7 && engine.status.lag === 7 - folded());
  await until(() => (engine.status.oldestInputAgeMs ?? 0) > 0);
  expect((await engine.metrics()).text).toContain(`scorefold_lag_inputs{task="0"} ${7 - folded()}\n`);
  disk.goesOn();
  await engine.folded(6);
  expect(engine.status).toMatchObject({ lag: 0, oldestInputAgeMs: 0 });
  await engine.stop();
});
