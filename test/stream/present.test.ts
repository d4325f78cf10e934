/** The present of a task: which clock it follows, and what timers are held against. */
import { expect, it } from "vitest";
import type { Clock } from "../../src/stream/clock.js";
import { defaultLimits } from "../../src/stream/limits.js";
import type { TaskLog } from "../../src/stream/log.js";
import { Present } from "../../src/stream/present.js";
import { start } from "./given.js";

const YEAR = 365 * 86_400_000;
const { clockAheadMsMax, timerGraceMs } = defaultLimits;

function given() {
  const time = { host: start, log: start, elapsed: 0 };
  const clock = { now: () => time.host, elapsed: () => time.elapsed } as Clock;
  const log = { time: async () => time.log } as TaskLog;
  return { time, log, present: new Present(clock, { ...defaultLimits, clockJumpMsMax: 2 * YEAR }, () => undefined) };
}

it("timers are behind the clock that they follow, and not a host's that is a year ahead", async () => {
  const { time, log, present } = given();
  time.host += YEAR;
  expect([present.now, present.timersBehindMs]).toEqual([null, 0]);
  await present.look(log, true);
  expect(present.now).toBe(start + clockAheadMsMax);
  present.firedUntil(present.dueUntil);
  expect(present.timersBehindMs).toBe(0);
});

it("timers are behind more and more while a task does not look, and not behind a host's clock that has jumped back", async () => {
  const { time, log, present } = given();
  await present.look(log, true);
  present.firedUntil(present.dueUntil);
  time.host += 7_000;
  time.elapsed += 7_000;
  expect(present.timersBehindMs).toBe(7_000);
  time.host -= YEAR;
  await present.look(log, true);
  expect([present.now, present.timersBehindMs]).toEqual([start, 0]);
  expect(present.dueUntil).toBe(start - timerGraceMs);
});
