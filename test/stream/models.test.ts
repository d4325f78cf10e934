/** A change of models: each contact is folded again from its own history, and the difference is published once. */
import { beforeEach, describe, expect, it } from "vitest";
import { ScorefoldError } from "../../src/errors.js";
import type { ScoreChanged } from "../../src/events/types.js";
import type { CompiledModel } from "../../src/model/compile.js";
import { defaultLimits } from "../../src/stream/limits.js";
import { ModelSet } from "../../src/stream/models.js";
import { Broker } from "../simulator/broker.js";
import { SimulatedDisk } from "../simulator/disk.js";
import { start, visitsModel } from "./given.js";
import { OneTask } from "./one-task.js";

let one: OneTask;

beforeEach(() => {
  one = new OneTask();
});

describe("ModelSet", () => {
  it("is named by what its models say, in whatever order they come", () => {
    const [first, second] = [visitsModel(1), visitsModel(2, 5)];
    expect(new ModelSet([first, second]).id).toBe(new ModelSet([second, first]).id);
    expect(new ModelSet([first]).id).not.toBe(new ModelSet([second]).id);
    expect(new ModelSet([second, first]).names).toEqual(["lead@1", "lead@2"]);
  });

  it("gives a tenant those that name it, or name none", () => {
    const set = new ModelSet([visitsModel(1), visitsModel(2, 5, "tenants: [acme]")]);
    expect(set.of("acme").map(({ model }) => model.version)).toEqual([1, 2]);
    expect(set.of("globex").map(({ model }) => model.version)).toEqual([1]);
  });
});

describe("a change of models", () => {
  const five = (): CompiledModel => visitsModel(2, 5);

  async function begun(): Promise<void> {
    const { task, ended } = one.run();
    await one.passes(task.running());
    one.broker.append(
      "inputs",
      0,
      ["ada", "bob", "eve"].map((who) => `{"contactId":"${who}","id":"v","at":${start},"type":"web.page_viewed"}`),
    );
    await one.passes(task.foldedUpTo(new Map([["inputs", 3]])));
    task.stop();
    await one.passes(() => "error" in ended);
  }

  /** Killed as soon as so many contacts have gone over; of what was written so many batches are lost. */
  async function killedAfter(slices: number, loseTail = 0): Promise<void> {
    const log = one.broker.connect();
    let left = slices;
    let isGone = false;
    one.run({
      log,
      models: [five()],
      limits: { ...defaultLimits, sliceContactsMax: 1 },
      events: {
        onWrite: ({ contacts }) => {
          if (contacts > 0) left -= 1;
          if (left > 0 || isGone) return;
          isGone = true;
          log.kill();
        },
      },
    });
    await one.passes(() => isGone);
    one.disk.crash({ loseTail }).close();
    await one.scheduler.settle();
  }

  it("publishes the difference of each contact once, with cause model", async () => {
    await begun();
    const { task } = one.run({ models: [five()] });
    await one.passes(task.running());
    const outputs = one.broker.read("score-changed").map(({ value }) => JSON.parse(value) as ScoreChanged);
    expect(
      outputs.slice(3).map(({ contactId, previous, current, cause }) => [contactId, previous, current, cause]),
    ).toEqual(["ada", "bob", "eve"].map((who) => [who, 10, 5, { kind: "model" }]));
  });

  it("goes on where it was killed, and back to where it began", async () => {
    for (const [wanted, expected] of [
      [five(), [10, 10, 10, 5, 5, 5]],
      [visitsModel(), [10, 10, 10, 5, 5, 10, 10]],
    ] as const) {
      one = new OneTask();
      await begun();
      await killedAfter(2);
      const { task } = one.run({ models: [wanted] });
      await one.passes(task.running());
      expect(one.scores().slice(0, 5).concat(one.scores().slice(5).sort())).toEqual(expected);
      expect((await task.contact("default\0bob")).fold.scoreLines()[0]?.score).toBe(expected.at(-1));
    }
  });

  it("does not go back where the store has not come to know of what was published last", async () => {
    await begun();
    await killedAfter(2, 1);
    const { ended } = one.run({ models: [visitsModel()] });
    await one.passes(() => "error" in ended);
    expect(ended.error).toMatchObject({ code: "model-changed", message: expect.stringContaining("is half published") });
    const { task } = one.run({ models: [five()] });
    await one.passes(task.running());
    expect(one.scores()).toEqual([10, 10, 10, 5, 5, 5]);
  });

  it("does not go on in the middle of a change that another has ended, with inputs since", async () => {
    one.broker = new Broker({ inputTopics: ["inputs", "rekeyed"], taskOf: () => 0 });
    one.broker.advance(start - one.broker.now);
    await begun();
    await killedAfter(2);
    const { disk } = one;
    one.disk = new SimulatedDisk();
    const other = one.run({ models: [five()] });
    await one.passes(other.task.running());
    one.broker.append("inputs", 0, [`{"contactId":"ada","id":"w","at":${start + 1},"type":"web.page_viewed"}`]);
    await one.passes(other.task.foldedUpTo(new Map([["inputs", 4]])));
    other.task.stop();
    await one.passes(() => "error" in other.ended);
    one.disk = disk;
    const { task, notices } = one.run({ models: [five()] });
    await one.passes(task.running());
    expect(notices).toEqual([expect.stringContaining("left behind by a change of models elsewhere")]);
    expect((await task.contact("default\0ada")).fold.scoreLines()).toMatchObject([{ version: 2, score: 10 }]);
    expect(one.scores()).toHaveLength(7);
  });

  it("refuses other content under a version that was used", async () => {
    await begun();
    const { ended } = one.run({ models: [visitsModel(1, 7)] });
    await one.passes(() => "error" in ended);
    expect(ended.error).toBeInstanceOf(ScorefoldError);
    expect(ended.error).toMatchObject({ code: "model-changed" });
  });
});
