/** The broker's clock: never back, and asked where nothing was heard of it for a while. */
import { expect, it } from "vitest";
import { AppendClock } from "../../src/kafka/append-clock.js";

function clockAt(answers: number[]): { clock: AppendClock; pass: (ms: number) => void; asked: () => number } {
  let now = 0;
  let asked = 0;
  const clock = new AppendClock(
    async () => answers[asked++]!,
    () => now,
  );
  return { clock, pass: (ms) => (now += ms), asked: () => asked };
}

it("asks once where nothing is known, also for many at a time", async () => {
  const { clock, asked } = clockAt([1000]);
  expect(await Promise.all([clock.time(), clock.time()])).toEqual([1000, 1000]);
  expect(await clock.time()).toBe(1000);
  expect(asked()).toBe(1);
});

it("takes what is told with a record for now, and asks when that is long ago", async () => {
  const { clock, pass, asked } = clockAt([5000]);
  clock.told(1000);
  pass(19_000);
  expect(await clock.time()).toBe(1000);
  pass(2_000);
  expect(await clock.time()).toBe(5000);
  expect(asked()).toBe(1);
});

it("does not take a record that was read for now: it may be long ago", async () => {
  const { clock } = clockAt([5000]);
  clock.see(1000);
  expect(await clock.time()).toBe(5000);
});

it("never goes back, whatever it is told", async () => {
  const { clock } = clockAt([]);
  clock.told(3000);
  clock.told(2000);
  expect(await clock.time()).toBe(3000);
});
