/** A task that the group has given, fenced by somebody else: taken over again, or let go, as the group says. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { OwnedTask } from "../../src/engine/owned-task.js";
import { visitsModel } from "../stream/given.js";
import { OneTask } from "../stream/one-task.js";

let one: OneTask;
let owned: OwnedTask;
let asked = 0;

function own(owns: () => Promise<boolean>): void {
  owned = new OwnedTask({
    log: one.broker.connect(),
    task: 0,
    store: { open: async () => one.disk.open(), setAside: async () => "aside" },
    models: [visitsModel()],
    clock: one.scheduler.clock(() => one.broker.now),
    timers: "manual",
    owns: async () => {
      asked += 1;
      return await owns();
    },
    chance: () => 0,
  });
}

/** Somebody else takes the task over, which it notices when it has something to publish. */
async function fence(): Promise<void> {
  await one.passes(owned.task.running());
  await one.broker.connect().open(0);
  one.arrive(1);
  await one.passes(() => asked === 1);
}

beforeEach(() => {
  one = new OneTask();
  asked = 0;
});

afterEach(async () => {
  await one.passes(owned.release());
});

it("takes over again what the group says is still its own, and publishes once what it had not", async () => {
  own(async () => true);
  await fence();
  await one.passes(() => one.scores().length === 1);
  expect([owned.error, owned.isReleased]).toEqual([null, false]);
});

it("lets go of what is another's now, with its store closed", async () => {
  own(async () => false);
  await fence();
  await one.passes(owned.ended);
  expect([owned.error, one.disk.isOpen, one.scores()]).toEqual([null, false, []]);
});

it("ends when it is released, also while the group does not answer whose it is", async () => {
  own(() => new Promise(() => undefined));
  await fence();
  await one.passes(owned.release());
  expect([owned.error, one.disk.isOpen]).toEqual([null, false]);
});
