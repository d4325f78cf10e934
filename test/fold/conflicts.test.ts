import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Conflicts } from "../../src/fold/conflicts.js";

interface Noted {
  readonly at: number;
  readonly id: string;
  readonly json: string;
}

const noted = fc.array(
  fc.record({ at: fc.integer({ min: -5, max: 5 }), id: fc.constantFrom("", "1", "2 3"), json: fc.string() }),
);

function of(all: readonly Noted[], from?: Conflicts): Conflicts {
  const conflicts = from ?? new Conflicts();
  for (const { at, id, json } of all) conflicts.note({ at, kind: "interaction", id }, json);
  return conflicts;
}

/** The content that holds of each key, as it is told last. */
function last(all: readonly Noted[]): Noted[] {
  return [...new Map(all.map((one) => [`${one.at} ${one.id}`, one])).values()];
}

describe("Conflicts", () => {
  it("follow from what holds of each key, whatever came before and in whatever order", () => {
    fc.assert(
      fc.property(noted, (all) => {
        const expected = of(last(all).reverse());
        expect(of(all).digest).toBe(expected.digest);
        expect(new Map([...of(all).contents].sort())).toEqual(new Map([...expected.contents].sort()));
      }),
    );
  });

  it("go on from what was kept of them", () => {
    fc.assert(
      fc.property(noted, noted, (before, after) => {
        expect(of(after, new Conflicts(of(before).contents)).digest).toBe(of([...before, ...after]).digest);
      }),
    );
  });

  it("are as if those that an erasure takes had never been", () => {
    fc.assert(
      fc.property(noted, fc.integer({ min: -6, max: 6 }), (all, until) => {
        const conflicts = of(all);
        conflicts.erase(until);
        expect(conflicts.digest).toBe(of(all.filter(({ at }) => at > until)).digest);
      }),
    );
    expect(new Conflicts().digest).toBeNull();
  });
});
