/**
 * Windows end on whole hours, so very many contacts may be due in one millisecond. The process is killed after each slice
 * of them: none is lost, none is fired twice.
 */
import { expect, it } from "vitest";
import type { ScoreChanged } from "../../src/events/types.js";
import { checkModel } from "../../src/model/check.js";
import { type CompiledModel, compile } from "../../src/model/compile.js";
import { defaultLimits } from "../../src/stream/limits.js";
import { Task } from "../../src/stream/task.js";
import { Broker } from "./broker.js";
import { SimulatedDisk } from "./disk.js";
import { Random } from "./random.js";
import { Scheduler } from "./scheduler.js";
import { goOn } from "./step.js";

const CONTACTS = 50_000;
const SLICE = 2999;
const HOUR = 3_600_000;
const start = Date.UTC(2026, 0, 1, 9, 30);
const seed = 1;

function model(): CompiledModel {
  const text = [
    "model: lead",
    "version: 1",
    "dimensions: { score: { min: 0, max: 100 } }",
    "rules: [{ id: visits, when: web.page_viewed, points: 7, within: 1h }]",
  ].join("\n");
  const checked = checkModel(text, "lead");
  if (!checked.ok) throw new Error(JSON.stringify(checked));
  return compile(checked.model);
}

it("50,000 contacts due in one millisecond, killed after each slice: each is fired once", async () => {
  const scheduler = new Scheduler(new Random(seed));
  const broker = new Broker();
  broker.advance(start - broker.now);
  broker.append(
    "inputs",
    0,
    Array.from({ length: CONTACTS }, (_, i) =>
      JSON.stringify({ contactId: `c${i}`, id: "v", at: start, type: "web.page_viewed" }),
    ),
  );
  const disk = new SimulatedDisk(goOn);
  const models = [model()];
  const due = Math.ceil(start / HOUR) * HOUR + HOUR;
  let kills = 0;
  let isFired = false;
  while (!isFired) {
    const client = broker.connect();
    // Every life fires a slice and is gone; the disk keeps what it has.
    let isGone = false;
    let isOver = false;
    const life = new Promise<void>((over) => {
      const task = new Task({
        log: client,
        task: 0,
        store: {
          open: async () => (kills === 0 ? disk.open() : disk.crash({ loseTail: 0 })),
          setAside: async () => "",
        },
        models,
        clock: scheduler.clock(() => broker.now),
        timers: "manual",
        limits: { ...defaultLimits, sliceContactsMax: SLICE, unwrittenContactsMax: 9000, writeIntervalMs: 1e9 },
        events: {
          onCommit: ({ kind }) => {
            if (isGone || kind !== "timers") return;
            isGone = true;
            client.kill();
            over();
          },
        },
      });
      task.run().catch(over);
      task.fireUntil(due).then(
        () => {
          isFired = true;
          over();
        },
        () => undefined,
      );
    });
    life.then(() => {
      isOver = true;
    });
    while (!isOver) {
      broker.advance(250);
      await new Promise(setImmediate);
    }
    kills += 1;
  }
  const changes = broker.read("score-changed").map(({ value }) => JSON.parse(value) as ScoreChanged);
  const [first, then] = [changes.slice(0, CONTACTS), changes.slice(CONTACTS)];
  expect(new Set(first.map(({ contactId }) => contactId)).size).toBe(CONTACTS);
  expect(then).toHaveLength(CONTACTS);
  expect(new Set(then.map(({ contactId }) => contactId)).size).toBe(CONTACTS);
  expect(then.every(({ at, previous, current }) => at === due && previous === 7 && current === 0)).toBe(true);
  expect(kills).toBeGreaterThan(CONTACTS / SLICE - 1);
}, 600_000);
