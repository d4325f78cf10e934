/** Who has which task: each once, evenly, and as few moves as can be. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assignTasks, type Member } from "../../src/kafka/assignment.js";

const tasks = fc.uniqueArray(fc.nat(40), { maxLength: 20 });
const members = fc.uniqueArray(fc.record({ id: fc.string({ maxLength: 3 }), owned: tasks, stores: tasks }), {
  selector: ({ id }) => id,
  minLength: 1,
  maxLength: 8,
});
const counts = fc.nat(33);

function membersOf(assigned: ReadonlyMap<string, readonly number[]>): Member[] {
  return [...assigned].map(([id, owned]) => ({ id, owned, stores: owned }));
}

function moves(before: ReadonlyMap<string, readonly number[]>, now: ReadonlyMap<string, readonly number[]>): number {
  return [...now].flatMap(([id, own]) => own.filter((task) => before.get(id)?.includes(task) !== true)).length;
}

describe("assignTasks", () => {
  it("gives each task to one member, evenly, whatever members say and in whatever order they come", () => {
    fc.assert(
      fc.property(members, counts, (some, count) => {
        const assigned = assignTasks(some, count);
        expect([...assigned.values()].flat().sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        const sizes = [...assigned.values()].map(({ length }) => length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(assignTasks([...some].reverse(), count)).toEqual(assigned);
      }),
    );
  });

  it("moves nothing while the members stay", () => {
    fc.assert(
      fc.property(members, counts, (some, count) => {
        const before = assignTasks(some, count);
        expect(assignTasks(membersOf(before), count)).toEqual(before);
      }),
    );
  });

  it("moves only what a member that has gone leaves behind, or what one that comes has to have", () => {
    fc.assert(
      fc.property(members, counts, fc.nat(), (some, count, which) => {
        const before = assignTasks(some, count);
        const ids = [...before.keys()];
        const gone = ids[which % ids.length]!;
        if (ids.length > 1) {
          const now = assignTasks(
            membersOf(before).filter(({ id }) => id !== gone),
            count,
          );
          expect(moves(before, now)).toBe(before.get(gone)!.length);
        }
        const grown = assignTasks([...membersOf(before), { id: "new one", owned: [], stores: [] }], count);
        expect(moves(before, grown)).toBe(grown.get("new one")!.length);
      }),
    );
  });

  it("gives a task that nobody has to who has its store, where there is room", () => {
    const assigned = assignTasks(
      [
        { id: "a", owned: [], stores: [] },
        { id: "b", owned: [], stores: [0, 3] },
      ],
      4,
    );
    expect(assigned.get("b")).toEqual([0, 3]);
    expect(assignTasks([], 3).size).toBe(0);
  });

  it("does not take from a member what another one says that it has, too", () => {
    const assigned = assignTasks(
      [
        { id: "a", owned: [0, 1, 2], stores: [] },
        { id: "b", owned: [2, 3], stores: [] },
      ],
      4,
    );
    expect(assigned).toEqual(
      new Map([
        ["a", [0, 1]],
        ["b", [2, 3]],
      ]),
    );
  });
});
