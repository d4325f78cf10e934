/** Runs of timers that are interrupted: by inputs between two slices, and by a crash. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Output } from "../../src/events/types.js";
import type { Position } from "../../src/store/position.js";
import { ContactStore } from "../../src/store/store.js";
import { systemClock } from "../../src/stream/clock.js";
import { defaultLimits } from "../../src/stream/limits.js";
import type { TaskLog } from "../../src/stream/log.js";
import { decodeMetadata } from "../../src/stream/metadata.js";
import { Session } from "../../src/stream/session.js";
import { Broker } from "../simulator/broker.js";
import type { SimulatedDisk } from "../simulator/disk.js";
import { HOUR, modelOf, openStore, start } from "./given.js";

/** Who is quiet for two hours loses points, which a later visit puts off. */
const model = modelOf(`
model: lead
version: 1
dimensions: { score: { min: 0, max: 100 } }
rules:
  - { id: visits, when: web.page_viewed, points: 10 }
  - { id: quiet, inactive: 2h, points: -5 }
`);
let broker: Broker;
let disk: SimulatedDisk;
let store: ContactStore;
let log: TaskLog;
let session: Session;

beforeEach(async () => {
  broker = new Broker();
  broker.advance(start + 9 * HOUR - broker.now);
  ({ disk, store } = await openStore());
  await begin();
});

/** One contact a slice, so that a run may be interrupted anywhere. */
async function begin(): Promise<void> {
  log = await broker.connect().open(0);
  session = new Session({
    log,
    starts: new Map([["inputs", 0]]),
    store,
    taskOf: null,
    modelsOf: () => [model],
    clock: systemClock,
    limits: { ...defaultLimits, sliceContactsMax: 1 },
    onCommit: () => undefined,
    onWrite: () => undefined,
  });
}

async function committed(): Promise<Position> {
  const { offsets, metadata } = (await log.committed())!;
  return { offsets, ...decodeMetadata(metadata) };
}

async function visits(...visited: readonly (readonly [contact: string, at: number])[]): Promise<void> {
  const lines = visited.map(
    ([contactId, at]) => `{"contactId":"${contactId}","id":"v${at}","at":${start + at},"type":"web.page_viewed"}`,
  );
  broker.append("inputs", 0, lines);
  const limits = { bytesMax: 1e6, recordsMax: 1000, waitMs: 0 };
  await session.commitInputs(await log.fetch(session.position.offsets, limits));
}

function instantsOf(contactId: string): number[] {
  const outputs = broker.read("score-changed").map(({ value }) => JSON.parse(value) as Output);
  return outputs.filter((output) => output.contactId === contactId).map(({ at }) => at - start);
}

describe("a run of the timers", () => {
  it("gives a contact its turn that an input between two slices has made due", async () => {
    await visits(["a", 1], ["z", 1]);
    expect(await session.fireTimers(start + 4 * HOUR)).toBe(true);
    expect(session.position.timer.run?.done).toBe("default\0a");
    await visits(["m", 5]);
    while (await session.fireTimers(start + 4 * HOUR));
    expect(session.position.timer).toEqual({ all: start + 4 * HOUR, run: null });
    expect(instantsOf("a")).toEqual([1, 2 * HOUR + 1]);
    expect(instantsOf("m")).toEqual([5, 2 * HOUR + 5]);
    expect(instantsOf("z")).toEqual([1, 2 * HOUR + 1]);
  });

  it("that a crash has interrupted never goes back to who had a turn, however early the index has them", async () => {
    await visits(["a", 1], ["m", 1], ["z", 1]);
    await session.write();
    // The index goes on having a as due two hours after the first visit.
    await visits(["a", HOUR]);
    await session.write();
    await session.fireTimers(start + 2.5 * HOUR);
    await session.fireTimers(start + 2.5 * HOUR);
    const before = await committed();
    expect(before.timer.run?.done).toBe("default\0m");
    store = await ContactStore.open(disk.crash({ loseTail: 0 }), { clusterId: "log-1", foldVersion: 1 });
    await begin();
    await session.catchUp(before, () => undefined);
    expect(await session.fireTimers(start + 2.5 * HOUR)).toBe(false);
    expect(instantsOf("m")).toEqual([1, 2 * HOUR + 1]);
    expect(instantsOf("z")).toEqual([1, 2 * HOUR + 1]);
  });
});
