/** Tasks that the group gives and takes: each is run once at a time, and in the end as the group has said last. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { AssignedTasks } from "../../src/engine/assigned-tasks.js";
import type { OwnedTask } from "../../src/engine/owned-task.js";

/** A task that ends when it is told to, a while after it was released. */
class Given {
  isReleased = false;
  error: unknown = null;
  isEnded = false;
  readonly number: number;
  readonly ended: Promise<void>;
  #end: () => void = () => undefined;

  constructor(number: number) {
    this.number = number;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async release(): Promise<void> {
    this.isReleased = true;
    await this.ended;
  }

  end(error: unknown = null): void {
    this.error = error;
    this.isEnded = true;
    this.#end();
  }
}

function world() {
  const made: Given[] = [];
  const shares: number[] = [];
  const assigned = new AssignedTasks((task, share) => {
    const given = new Given(task);
    made.push(given);
    shares.push(share);
    return given as unknown as OwnedTask;
  });
  const running = (): Given[] => made.filter(({ isEnded }) => !isEnded);
  return { assigned, made, shares, running };
}

async function settle(): Promise<void> {
  await new Promise(setImmediate);
}

it("runs what it is given, each once, and begins again only what has ended", async () => {
  const { assigned, made, shares, running } = world();
  assigned.assign([0, 1]);
  assigned.assign([0, 1]);
  await settle();
  expect(made.map(({ number }) => number)).toEqual([0, 1]);
  expect(shares).toEqual([2, 2]);
  assigned.assign([1]);
  assigned.assign([0, 1]);
  await settle();
  // The one before still has its store open.
  expect(running()).toHaveLength(2);
  expect([assigned.get(0), assigned.current.length, assigned.all.length]).toEqual([null, 1, 2]);
  made[0]!.end();
  await settle();
  expect(running().map(({ number }) => number)).toEqual([1, 0]);
  expect(assigned.get(0)).toBe(made[2]);
});

it("begins again what ends by itself, and not what has failed before the group speaks again", async () => {
  const { assigned, made } = world();
  assigned.assign([0]);
  await settle();
  made[0]!.end();
  await settle();
  expect(made).toHaveLength(2);
  made[1]!.end(new Error("no"));
  await settle();
  expect([made.length, assigned.get(0)]).toEqual([2, made[1]]);
  assigned.assign([0]);
  await settle();
  expect(made).toHaveLength(3);
});

it("goes on with its tasks without a group, begins none, and none after it was released", async () => {
  const { assigned, made, running } = world();
  assigned.assign([0, 1]);
  await settle();
  assigned.forget();
  made[0]!.end();
  await settle();
  expect(running().map(({ number }) => number)).toEqual([1]);
  const released = assigned.release();
  assigned.assign([0, 1]);
  made[1]!.end();
  await released;
  await settle();
  expect([made.length, running(), assigned.all]).toEqual([2, [], []]);
});

it("has one of each at most at any time, and in the end what was assigned last, whatever comes", async () => {
  const happening = fc.oneof(
    fc.record({ assign: fc.uniqueArray(fc.integer({ min: 0, max: 3 })) }),
    fc.record({ end: fc.nat(9) }),
    fc.constant({ settle: true }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 30 }), fc.uniqueArray(fc.nat(3)), async (all, last) => {
      const { assigned, running } = world();
      const check = (): void => {
        const numbers = running().map(({ number }) => number);
        expect(new Set(numbers).size).toBe(numbers.length);
      };
      for (const one of [...all, { assign: last }]) {
        if ("assign" in one) assigned.assign(one.assign);
        else if ("end" in one) running()[one.end % Math.max(1, running().length)]?.end();
        else await settle();
        check();
      }
      await settle();
      for (const given of running()) if (given.isReleased) given.end();
      await settle();
      check();
      expect(assigned.current.map(({ number }) => number)).toEqual([...last].sort());
    }),
  );
});
