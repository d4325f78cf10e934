/** How far a task is behind: by what its log says and by what it knows itself, whichever is newer. */
import { expect, it } from "vitest";
import { lagOf, totalLag } from "../../src/engine/task-lag.js";

const NOW = 1_000_000;
const offsets = (mails: number, forms: number) =>
  new Map([
    ["mails", mails],
    ["forms", forms],
  ]);

it("is not known while nobody has said how far the log goes", () => {
  expect(lagOf(null, null, NOW)).toEqual({ lag: null, oldestInputAgeMs: null });
  expect(lagOf({ published: offsets(1, 1), ends: null }, null, NOW)).toEqual({ lag: null, oldestInputAgeMs: null });
});

it("is what the log says of a task that hangs, has failed, or is not here", () => {
  const oldest = new Map([
    ["mails", NOW - 7_000],
    ["forms", NOW - 9_000],
  ]);
  const place = { positions: offsets(5, 5), ends: offsets(1_005, 45), oldest };
  const told = { lag: 1_040, oldestInputAgeMs: 9_000 };
  expect(lagOf(null, place, NOW)).toEqual(told);
  // It had fetched 500 of them when it began to hang.
  expect(lagOf({ published: offsets(5, 5), ends: offsets(505, 5) }, place, NOW)).toEqual(told);
});

it("is what a task knows that has gone on since", () => {
  const place = { positions: offsets(5, 5), ends: offsets(10, 10), oldest: new Map([["mails", NOW - 7_000]]) };
  const told = (mails: number, forms: number) => lagOf({ published: offsets(mails, forms), ends: null }, place, NOW);
  expect(told(8, 10)).toEqual({ lag: 2, oldestInputAgeMs: 7_000 });
  expect(told(10, 8)).toEqual({ lag: 2, oldestInputAgeMs: null });
  expect(told(10, 10)).toEqual({ lag: 0, oldestInputAgeMs: 0 });
});

it("of several is known where it is known of all", () => {
  const known = { lag: 2, oldestInputAgeMs: 500 };
  expect(totalLag([])).toEqual({ lag: 0, oldestInputAgeMs: 0 });
  expect(totalLag([known, { lag: 3, oldestInputAgeMs: 700 }])).toEqual({ lag: 5, oldestInputAgeMs: 700 });
  expect(totalLag([known, { lag: null, oldestInputAgeMs: null }])).toEqual({ lag: null, oldestInputAgeMs: 500 });
  expect(
    totalLag([
      { lag: 0, oldestInputAgeMs: 0 },
      { lag: null, oldestInputAgeMs: null },
    ]).oldestInputAgeMs,
  ).toBeNull();
});
