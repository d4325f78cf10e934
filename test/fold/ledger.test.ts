/** The arithmetic of accumulated points: each rule's line, what the range cuts off, caps, sets and decay steps. */
import { describe, expect, test } from "vitest";
import { initial } from "../../src/fold/initial.js";
import { accumulated, decayStep, granted, isDecaying, move, pool, set } from "../../src/fold/ledger.js";
import { adjusted, day, did, folded, hour, lead, ledger, scoreAt, scoresAt } from "./given.js";

const upAndDown = lead(`
rules:
  - { id: up, when: a.up, points: { by: attributes.n, times: 1 } }
  - { id: down, when: a.down, points: { by: attributes.n, times: -1 } }
`);
const up = (after: number, n: number) => did("a.up", after, { attributes: { n } });
const down = (after: number, n: number) => did("a.down", after, { attributes: { n } });

describe("the range cuts off what does not fit", () => {
  test("above max it goes to the line cut, and is not remembered when points go down again", () => {
    const state = folded(upAndDown, [up(0, 80), up(1, 30), down(2, 10)]);
    expect(ledger(upAndDown, state)).toEqual({ up: 110, down: -10, cut: -10 });
    expect(state.flags.score).toBe(90);
  });

  test("below min likewise: the next point counts from min", () => {
    const state = folded(upAndDown, [up(0, 5), down(1, 30), up(2, 7)]);
    expect(ledger(upAndDown, state)).toEqual({ up: 12, down: -30, cut: 25 });
    expect(state.flags.score).toBe(7);
  });

  test("with a min above 0 what is accumulated starts at 0 and shows as min; the first +5 gives min + 5", () => {
    const model = lead(
      "score: { min: 20, max: 100 }\ndimensions: { score: { min: 20 } }\nrules:\n  - { id: up, when: a.up, points: 5 }",
    );
    const silent = folded(model, [did("a.other", 0)]);
    expect(silent.flags.score).toBe(20);
    expect(accumulated(model.dimensions[0]!, silent.lines)).toBe(0);
    const moved = folded(model, [did("a.other", 0), did("a.up", 1)]);
    expect(moved.flags.score).toBe(25);
    expect(ledger(model, moved)).toEqual({ up: 5, cut: 20 });
  });

  test("a range below 0 lets the score be negative", () => {
    const model = lead(
      "score: { min: -50, max: 100 }\ndimensions: { score: { min: -50 } }\nrules:\n  - { id: down, when: a.down, points: -30 }",
    );
    expect(scoresAt(model, [did("a.down", 0), did("a.down", 1)], [0, 1])).toEqual([-30, -50]);
  });

  test("a move by 0 leaves even what is outside the range alone", () => {
    const state = initial(upAndDown);
    state.lines[1] = 500;
    move(upAndDown, state, 0, 1, 0);
    expect(accumulated(upAndDown.dimensions[0]!, state.lines)).toBe(500);
  });

  test("each rule acts by itself: -30 before +20 is cut first, +20 before -30 is not", () => {
    const order = (rules: string[]) => lead(`rules:\n${rules.map((rule) => `  - ${rule}\n`).join("")}`);
    const minus = "{ id: minus, when: a.x, points: -30 }";
    const plus = "{ id: plus, when: a.x, points: 20 }";
    expect(scoreAt(order([minus, plus]), [did("a.x", 0)], 0)).toBe(20);
    expect(scoreAt(order([plus, minus]), [did("a.x", 0)], 0)).toBe(0);
  });
});

describe("an input moves what the dimension shows, whatever that is made of", () => {
  const mixed = lead(`
dimensions: { score: { min: 0, max: 100, decay: { percent: 50, every: 1d } } }
rules:
  - { id: town, when: a.seen, times: { min: 1 }, within: 10d, points: 40 }
  - { id: up, when: a.up, points: { by: attributes.n, times: 1 } }
  - { id: lasts, when: a.lasts, points: { by: attributes.n, times: 1 }, decays: false }
  - { id: zero, when: a.zero, set: 0 }
  - { id: debt, when: a.debt, within: 1h, points: -30 }
activity: [b.none]
`);
  const lasts = (after: number, n: number) => did("a.lasts", after, { attributes: { n } });

  test("points that stand are taken from, and nothing is owed when they go", () => {
    const inputs = [did("a.seen", 0), up(1, -30), did("b.x", 11 * day), up(11 * day + 1, 5)];
    expect(scoresAt(mixed, inputs, [0, 1, 11 * day, 11 * day + 1])).toEqual([40, 10, 0, 5]);
  });

  test("what is taken below the range is cut off in the rule's own pool", () => {
    const state = folded(mixed, [did("a.seen", 0), up(1, -70)]);
    expect(ledger(mixed, state)).toEqual({ "~up": -70, "~cut": 30 });
    expect(accumulated(mixed.dimensions[0]!, state.lines)).toBe(-40);
  });

  test("what is given above the range leaves room for what stands", () => {
    const state = folded(mixed, [did("a.seen", 0), lasts(1, 90)]);
    expect(accumulated(mixed.dimensions[0]!, state.lines)).toBe(60);
    expect(state.flags.score).toBe(100);
  });

  test("no input moves what was accumulated against its own sign", () => {
    // 90 and then 40 that stand are above the range: +5 may not take 30 away.
    const state = folded(mixed, [lasts(0, 90), did("a.seen", 1), lasts(2, 5)]);
    expect(ledger(mixed, state)).toEqual({ lasts: 95, cut: -5 });
    expect(accumulated(mixed.dimensions[0]!, state.lines)).toBe(90);
    // Nor may -5 give back what is below it.
    const below = folded(mixed, [did("a.debt", 0), up(1, -5)]);
    expect(accumulated(mixed.dimensions[0]!, below.lines)).toBe(0);
  });

  test("what is forgiven does not fade: it goes to the lasting cut, as far as the decaying pool does not owe it", () => {
    // 40 stand, -60 decaying are cut to -40; 20 later the 40 are gone, a is -40, and +5 forgives them.
    const owed = folded(mixed, [did("a.seen", 0), up(1, -60), did("b.x", 11 * day)]);
    const dimension = mixed.dimensions[0]!;
    const debt = -pool(owed.lines, dimension.decayingFrom, dimension.lastingFrom);
    expect(debt).toBeGreaterThan(0);
    const forgiven = folded(mixed, [did("a.seen", 0), up(1, -60), did("b.x", 11 * day), lasts(11 * day, 5)]);
    expect(pool(forgiven.lines, dimension.decayingFrom, dimension.lastingFrom)).toBeCloseTo(0, 9);
    expect(accumulated(dimension, forgiven.lines)).toBeCloseTo(5, 9);
    // The debt of a rule that stands is nobody's in the ledger: forgiving it lasts.
    const standing = folded(mixed, [did("a.debt", 0), up(1, 10)]);
    expect(standing.lines[dimension.linesEnd - 1]).toBe(30);
    expect(standing.flags.score).toBe(10);
  });

  test("set makes the dimension show the value, and what stands moves it from there", () => {
    const inputs = [did("a.seen", 0), up(1, 20), did("a.zero", 2), did("b.x", 11 * day)];
    expect(scoresAt(mixed, inputs, [1, 2, 11 * day])).toEqual([60, 0, 0]);
  });

  test("an adjustment is such an input: add takes from what stands, set makes it show", () => {
    const add = [did("a.seen", 0), adjusted(1, { add: -15 })];
    expect(scoresAt(mixed, add, [1])).toEqual([25]);
    expect(scoresAt(mixed, [did("a.seen", 0), adjusted(1, { set: 70 })], [1])).toEqual([70]);
  });

  test("several matches of one input each start from what the one before has left", () => {
    const two = lead(`
rules:
  - { id: stands, when: a.x, times: { min: 1 }, points: 95 }
  - { id: plus, when: a.x, points: 20 }
  - { id: minus, when: a.x, points: -30 }
`);
    expect(scoreAt(two, [did("a.x", 0)], 0)).toBe(70);
  });
});

describe("set", () => {
  const model = lead(`
dimensions:
  warm: { min: 0, max: 50, decay: { percent: 10, every: 1d } }
  fit: { min: 10, max: 40 }
rules:
  - { id: open, dimension: warm, when: a.open, points: 8 }
  - { id: lasts, dimension: warm, when: a.open, points: 3, decays: false }
  - { id: match, dimension: fit, when: a.open, points: 20 }
  - { id: one, dimension: warm, when: a.one, set: 70 }
  - { id: every, dimension: all, when: a.all, set: 5 }
`);

  test("forgets the lines of both pools; the rule's lasting line is the value inside the range", () => {
    const state = folded(model, [did("a.open", 0), adjusted(1, { dimension: "warm", add: 2 }), did("a.one", 2)]);
    expect(ledger(model, state, 0)).toEqual({ one: 50 });
    expect(ledger(model, state, 1)).toEqual({ match: 20, cut: 10 });
  });

  test("all: every dimension, each inside its own range", () => {
    const state = folded(model, [did("a.open", 0), did("a.all", 1)]);
    expect(ledger(model, state, 0)).toEqual({ every: 5 });
    expect(ledger(model, state, 1)).toEqual({ every: 10 });
    expect(state.flags.dimensions).toEqual([5, 10]);
  });

  test("what is set does not decay", () => {
    expect(scoresAt(model, [did("a.open", 0), did("a.one", 1)], [1, 20 * day])).toEqual([80, 80]);
  });

  test("it is no move: nothing is cut", () => {
    const state = initial(upAndDown);
    set(upAndDown, state, [{ dimension: 0, line: 2, value: 250 }]);
    expect(ledger(upAndDown, state)).toEqual({ down: 250 });
  });
});

describe("a cap on the rule's line", () => {
  const capped = lead(`
dimensions: { score: { min: -100, decay: { percent: 50, every: 1d } } }
score: { min: -100, max: 100 }
rules:
  - { id: up, when: a.up, points: { by: attributes.n, times: 1 }, cap: 40 }
activity: [b.none]
`);

  test("the last match is granted only what there is room for", () => {
    expect(scoresAt(capped, [up(0, 30), up(1, 30), up(2, 30)], [0, 1, 2])).toEqual([30, 40, 40]);
  });

  test("decay makes room: 40 decayed to 20 takes 20 more", () => {
    expect(scoresAt(capped, [up(0, 40), up(day, 30)], [0, day])).toEqual([40, 40]);
  });

  test("it holds below 0 alike, and both ways count from where the line is", () => {
    expect(scoresAt(capped, [up(0, -70), up(1, 100)], [0, 1])).toEqual([-40, 40]);
  });

  test("it never moves a line back: one that is above its cap is granted nothing more, but may go down", () => {
    const [rule] = capped.planFor("a.up").points;
    const state = initial(capped);
    state.lines[rule!.line] = 55;
    expect(granted(state, rule!, 5, 0)).toBe(0);
    expect(granted(state, rule!, -5, 0)).toBe(-5);
    state.lines[rule!.line] = -55;
    expect(granted(state, rule!, -5, 0)).toBe(0);
    expect(granted(state, rule!, 100, 0)).toBe(95);
  });
});

describe("a cap per period", () => {
  test("sums are net: what goes down makes room again, in both directions", () => {
    const model = lead(`
score: { min: -100, max: 100 }
dimensions: { score: { min: -100 } }
rules:
  - { id: up, when: a.up, points: { by: attributes.n, times: 1 }, cap: { points: 20, per: day } }
`);
    const inputs = [up(0, 15), up(1, 15), up(2, -30), up(3, -20), up(4, 100)];
    expect(scoresAt(model, inputs, [0, 1, 2, 3, 4])).toEqual([15, 20, -10, -20, 20]);
  });

  test("a new day starts a new sum", () => {
    const model = lead("rules:\n  - { id: up, when: a.up, points: 15, cap: { points: 20, per: day } }");
    const inputs = [0, 1, day - 1, day].map((after) => did("a.up", after));
    expect(scoresAt(model, inputs, [0, 1, day - 1, day])).toEqual([15, 20, 20, 35]);
  });

  test("of several caps each is charged with what was granted in the end", () => {
    const model = lead(`
rules:
  - { id: up, when: a.up, points: 10, cap: [35, { points: 12, per: hour }, { points: 20, per: day }] }
`);
    const inputs = [0, 1, hour, 2 * hour, day, day + hour].map((after) => did("a.up", after));
    // 10, then 2 (hour), then 8 (day 20), 0 (day), 10 (new day), 5 (the line's 35).
    expect(
      scoresAt(
        model,
        inputs,
        inputs.map(({ at }) => at - inputs[0]!.at),
      ),
    ).toEqual([10, 12, 20, 20, 30, 35]);
  });

  test("a set leaves the period's sum alone", () => {
    const model = lead(`
rules:
  - { id: up, when: a.up, points: 15, cap: { points: 20, per: day } }
  - { id: zero, when: a.zero, set: 0 }
`);
    expect(scoreAt(model, [did("a.up", 0), did("a.zero", 1), did("a.up", 2)], 2)).toBe(5);
  });
});

describe("decay", () => {
  const decaying = (decay: string, more = "") =>
    lead(`dimensions: { score: { min: 0, max: 100, decay: ${decay} } }
rules:
  - { id: up, when: a.up, points: { by: attributes.n, times: 1 } }
  - { id: lasting, when: a.lasting, points: { by: attributes.n, times: 1 }, decays: false }
${more}`);
  const lasting = (after: number, n: number) => did("a.lasting", after, { attributes: { n } });

  test("5 percent each 30 d: 80, 76, 72.2, 68.59, to the millisecond", () => {
    const model = decaying("{ percent: 5, every: 30d }");
    const month = 30 * day;
    const instants = [0, month - 1, month, 2 * month, 3 * month];
    expect(scoresAt(model, [up(0, 80)], instants)).toEqual([80, 80, 76, 72, 68]);
  });

  test("the half life's factor has 12 decimals, so it is the same on every machine", () => {
    const model = decaying("{ halfLife: 14d }");
    expect(model.dimensions[0]!.decay!.factor(1)).toBe(0.951695153011);
    expect(folded(model, [up(0, 80)], day).lines[0]).toBe(80 * 0.951695153011);
    expect(scoreAt(model, [up(0, 80)], 14 * day)).toBe(40);
  });

  test("a cycle takes a line to half at C and to nothing at 2C", () => {
    const model = decaying("{ cycle: 10d }");
    expect(
      scoresAt(
        model,
        [up(0, 80)],
        [0, 5, 10, 15, 19, 20, 21].map((n) => n * day),
      ),
    ).toEqual([80, 60, 40, 20, 4, 0, 0]);
    expect(folded(model, [up(0, 80)], 20 * day).lines[0]).toBe(0);
  });

  test("a cycle's steps that do not divide 2C end below 0 as 0", () => {
    const { factor } = decaying("{ cycle: 10d, step: 7d }").dimensions[0]!.decay!;
    expect([factor(1), factor(3), factor(4)]).toEqual([0.65, 0, 0]);
  });

  test("activity starts the steps anew with what is left", () => {
    const model = decaying("{ cycle: 10d }");
    // 80 at 5 d is 60; +1 makes 61, of which half is left 10 d later.
    expect(scoreAt(model, [up(0, 80), up(5 * day, 1)], 15 * day)).toBe(30);
  });

  test("lasting points and the line cut of the lasting pool do not decay, the decaying pool's cut does", () => {
    const model = decaying("{ percent: 50, every: 1d }");
    const state = folded(model, [lasting(0, 10), up(1, 150)], 2 * day);
    expect(ledger(model, state)).toEqual({ "~up": 75, "~cut": -30, lasting: 10 });
  });

  test("the floor holds the sum of both pools, by a smaller step", () => {
    const model = decaying("{ percent: 50, every: 1d, floor: 30 }");
    const inputs = [up(0, 40), lasting(0, 20)];
    // 40 + 20 = 60; 20 + 20 = 40; the next step would give 10 + 20, which is the floor; then it rests.
    expect(
      scoresAt(
        model,
        inputs,
        [0, 1, 2, 3, 9].map((n) => n * day),
      ),
    ).toEqual([60, 40, 30, 30, 30]);
    expect(
      scoresAt(
        decaying("{ percent: 50, every: 1d, floor: 35 }"),
        inputs,
        [1, 2].map((n) => n * day),
      ),
    ).toEqual([40, 35]);
  });

  test("what is at or below the floor already stays", () => {
    const model = decaying("{ percent: 50, every: 1d, floor: 30 }");
    expect(scoresAt(model, [up(0, 25)], [0, 5 * day])).toEqual([25, 25]);
    expect(scoresAt(model, [up(0, 30)], [0, 5 * day])).toEqual([30, 30]);
  });

  test("a pool below 0 ignores the floor: it comes back to 0", () => {
    const model = decaying("{ percent: 50, every: 1d, floor: 30 }");
    const state = folded(model, [lasting(0, 20), up(1, -16)], day + 1);
    expect(ledger(model, state)).toEqual({ "~up": -8, lasting: 20 });
    expect(state.flags.score).toBe(12);
  });

  test("a pool that rests on its floor steps again once there is more to take", () => {
    const model = decaying("{ percent: 50, every: 1d, floor: 30 }", "activity: [b.none]");
    const inputs = [up(0, 30), lasting(3 * day, 30)];
    expect(
      scoresAt(
        model,
        inputs,
        [3, 4, 5].map((n) => n * day),
      ),
    ).toEqual([60, 45, 37]);
  });

  test("a pool whose lines are all below 0.0005 becomes 0 and needs no more steps", () => {
    const model = decaying("{ percent: 50, every: 1d }");
    const dimension = model.dimensions[0]!;
    const lines = [0.001, 0, 7, 0, 0];
    expect(decayStep(dimension, lines, 1)).toBe(true);
    expect(lines).toEqual([0.0005, 0, 7, 0, 0]);
    expect(isDecaying(dimension, lines)).toBe(true);
    expect(decayStep(dimension, lines, 2)).toBe(true);
    expect(lines).toEqual([0, 0, 7, 0, 0]);
    expect(isDecaying(dimension, lines)).toBe(false);
  });

  test("one line of size keeps the small ones", () => {
    const lines = [0.001, -0.0002, 0, 0, 0];
    decayStep(decaying("{ percent: 50, every: 1d }").dimensions[0]!, lines, 1);
    expect(lines).toEqual([0.0005, -0.0001, 0, 0, 0]);
  });

  test("lines that sum to 0 still decay, each by itself", () => {
    const lines = [8, -8, 0, 0, 0];
    const dimension = decaying("{ percent: 50, every: 1d }").dimensions[0]!;
    expect(isDecaying(dimension, lines)).toBe(true);
    decayStep(dimension, lines, 1);
    expect(lines).toEqual([4, -4, 0, 0, 0]);
  });

  test("a dimension without decay takes no step", () => {
    const lines = [5, 0, 0];
    expect(decayStep(upAndDown.dimensions[0]!, lines, 1)).toBe(false);
    expect(isDecaying(upAndDown.dimensions[0]!, lines)).toBe(false);
  });
});

describe("sums have one order", () => {
  test("a pool is summed from its first line to its last: another order gives other bits", () => {
    expect(pool([0.1, 0.2, 0.3], 0, 3)).toBe(0.1 + 0.2 + 0.3);
    expect(pool([0.3, 0.2, 0.1], 0, 3)).not.toBe(pool([0.1, 0.2, 0.3], 0, 3));
    expect(pool([9, 0.1, 9], 1, 2)).toBe(0.1);
  });

  test("the lines of a pool are the rules in model order, then adjustment, then cut; decaying before lasting", () => {
    const model = lead(`
dimensions: { score: { decay: { percent: 1, every: 1d } } }
rules:
  - { id: b, when: a.x, points: 0.1, decays: false }
  - { id: a, when: a.x, points: 0.2 }
  - { id: z, when: a.x, set: 3 }
  - { id: c, when: a.x, points: 0.3, decays: false }
`);
    expect(model.lines.map(({ pool: of, name }) => `${of} ${name}`)).toEqual([
      "decaying a",
      "decaying cut",
      "lasting b",
      "lasting z",
      "lasting c",
      "lasting adjustment",
      "lasting cut",
    ]);
  });

  test("accumulated = decaying + lasting, each summed first", () => {
    const model = lead(`
dimensions: { score: { decay: { percent: 1, every: 1d } } }
rules:
  - { id: a, when: a.x, points: 0.1 }
  - { id: b, when: a.x, points: 0.2, decays: false }
  - { id: c, when: a.x, points: 0.3, decays: false }
`);
    // a, cut; b, c, adjustment, cut.
    const sum = accumulated(model.dimensions[0]!, [0.1, 0, 0.2, 0.3, 0, 0]);
    expect(sum).toBe(0.1 + (0.2 + 0.3));
    expect(sum).not.toBe(0.1 + 0.2 + 0.3);
  });
});
