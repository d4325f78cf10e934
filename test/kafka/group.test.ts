/** What a member takes for proof that a task is its own, over a coordinator that is late, or thinks otherwise. */
import { beforeEach, expect, it } from "vitest";
import { Group } from "../../src/kafka/group.js";
import { type GroupConsumer, groupKafka } from "../simulator/group-consumer.js";
import { GroupCoordinator } from "../simulator/group-coordinator.js";

const TASKS = 2;
let coordinator: GroupCoordinator;

/** A member whose requests and answers go on one by one. */
class Held {
  readonly group: Group;
  readonly failures: unknown[] = [];
  consumer: GroupConsumer | null = null;
  #waiting: { readonly what: string; readonly go: (error?: Error) => void }[] = [];
  #beat: () => void = () => undefined;

  constructor(restarts = true) {
    const options = {
      coordinator,
      owner: this,
      partitions: TASKS,
      gate: (what: string) =>
        new Promise<void>((resolve, reject) => {
          this.#waiting.push({ what, go: (error) => (error === undefined ? resolve() : reject(error)) });
        }),
      sleep: async (_ms: number, signal: AbortSignal) =>
        await new Promise<void>((resolve) => {
          this.#beat = resolve;
          signal.addEventListener("abort", () => resolve());
        }),
      restarts: () => restarts,
    };
    this.group = new Group({
      kafka: groupKafka(options, (consumer) => {
        this.consumer = consumer;
      }),
      groupId: "g",
      topics: ["inputs"],
      stores: () => [],
      onAssigned: () => undefined,
      onFailed: (error) => this.failures.push(error),
    });
  }

  /** Lets all go on that waits, up to and without `what`. */
  async goOn(what = ""): Promise<void> {
    for (;;) {
      await new Promise(setImmediate);
      const [first] = this.#waiting;
      if (first === undefined || first.what === what) return;
      this.#waiting.shift();
      first.go();
    }
  }

  async fail(): Promise<void> {
    this.#waiting.shift()?.go(new Error("connection reset"));
    await new Promise(setImmediate);
  }

  /** The time of the next heartbeat has come. */
  async beat(what = ""): Promise<void> {
    this.#beat();
    await this.goOn(what);
  }
}

async function joined(): Promise<Held> {
  const held = new Held();
  const joining = held.group.join();
  await held.goOn();
  await joining;
  return held;
}

/** What it says so far. */
function answerOf(owns: Promise<boolean>): { value: boolean | null } {
  const answer: { value: boolean | null } = { value: null };
  void owns.then((value) => {
    answer.value = value;
  });
  return answer;
}

beforeEach(() => {
  coordinator = new GroupCoordinator();
});

it("knows what it was not given without asking", async () => {
  const held = await joined();
  expect(held.group.tasks).toEqual([0, 1]);
  expect(await held.group.owns(2)).toBe(false);
});

it("takes no answer for proof to a heartbeat that was sent before it was asked", async () => {
  const held = await joined();
  await held.beat("heartbeat answered");
  const answer = answerOf(held.group.owns(0));
  await held.goOn();
  expect(answer.value).toBe(null);
  await held.beat();
  expect(answer.value).toBe(true);
});

it("waits for a rebalance that it does not know of yet, and says what that brings", async () => {
  const held = await joined();
  await held.beat("heartbeat answered");
  coordinator.remove(held.consumer!.memberId as string);
  const other = await joined();
  const [kept, lost] = [answerOf(held.group.owns(0)), answerOf(held.group.owns(1))];
  await held.goOn();
  await held.beat();
  expect([kept.value, lost.value]).toEqual([null, null]);
  await other.beat();
  await held.goOn();
  await other.goOn();
  await held.goOn();
  await other.goOn();
  expect([held.group.tasks, other.group.tasks].flat().sort()).toEqual([0, 1]);
  const [own] = held.group.tasks as [number];
  await held.beat();
  await held.beat();
  expect([kept.value, lost.value]).toEqual([own === 0, own === 1]);
});

it("owns nothing once its membership has ended", async () => {
  const held = new Held(false);
  const joining = held.group.join();
  await held.goOn();
  await joining;
  const answer = answerOf(held.group.owns(0));
  await held.beat("heartbeat");
  await held.fail();
  expect([answer.value, held.failures.length, held.group.tasks]).toEqual([false, 1, []]);
  expect(await held.group.owns(0)).toBe(false);
});
