/** What is published: the difference between what was published and the state, each with an id of its own. */
import { describe, expect, test } from "vitest";
import type { Output, ScoreChanged, ThresholdCrossed } from "../../src/events/types.js";
import { ContactFold } from "../../src/fold/contact.js";
import { decide, type Published, unpublished } from "../../src/fold/decide.js";
import { plainChange } from "../../src/fold/evaluate.js";
import type { ModelState } from "../../src/fold/state.js";
import type { CompiledModel } from "../../src/model/compile.js";
import { adjusted, day, did, folded, hour, lead, outputsOf, profile, retraction, start, told } from "./given.js";

const scoresOf = (outputs: readonly Output[]) =>
  outputs.filter((output): output is ScoreChanged => output.kind === "ScoreChanged");
const crossingsOf = (outputs: readonly Output[]) =>
  outputs.filter((output): output is ThresholdCrossed => output.kind === "ThresholdCrossed");
const idOf = (output: Output) => (output.kind === "ThresholdCrossed" ? output.eventId : output.id);

describe("the first output", () => {
  test("has previous null and no previous grade, and comes even for a score of 0", () => {
    const model = lead("grades: [{ id: cold, from: 0 }, { id: warm, from: 26 }]\nroutes: { warm: reps }");
    const click = did("email.clicked", 0, { id: "x1" });
    expect(outputsOf(model, [click])).toEqual([
      {
        kind: "ScoreChanged",
        id: `acme/ann/lead@1/${start}/interaction/x1/score`,
        tenantId: "acme",
        contactId: "ann",
        model: "lead",
        version: 1,
        previous: null,
        current: 0,
        delta: 0,
        previousGrade: null,
        grade: "cold",
        dimensions: { score: 0 },
        at: start,
        cause: { kind: "interaction", id: "x1", type: "email.clicked" },
        lines: [],
        salesReady: false,
        suppressed: false,
        route: null,
      },
    ]);
  });

  test("is the only one while nothing changes", () => {
    const model = lead("rules: [{ id: click, when: email.clicked, points: 0.4 }]");
    const inputs = [0, 1, 2].map((after) => did("email.clicked", after * hour));
    expect(told(outputsOf(model, inputs))).toEqual([
      "0h score null -> 0 by interaction",
      "2h score 0 -> 1 by interaction",
    ]);
  });
});

describe("crossings", () => {
  const model = lead(`
thresholds: [50, 25, 75]
triggers: [{ id: late, reaches: 60 }, { id: early, reaches: 30 }, { id: lost, dropsBelow: 40 }]
grades: [{ id: cold, from: 0 }, { id: warm, from: 26 }, { id: hot, from: 51 }]
salesReady: 70
routes: { hot: senior-reps }
`);
  const upAndDown = outputsOf(model, [adjusted(0, { set: 80 }), adjusted(hour, { set: 10 })]);

  test("come after the score: thresholds up ascending and down descending, triggers in model order, readiness, grade", () => {
    expect(told(upAndDown)).toEqual([
      "0h score null -> 80 by adjustment",
      "0h threshold 25 up",
      "0h threshold 50 up",
      "0h threshold 75 up",
      "0h trigger late up",
      "0h trigger early up",
      "0h salesReady lead up",
      "0h grade hot up",
      "1h score 80 -> 10 by adjustment",
      "1h threshold 75 down",
      "1h threshold 50 down",
      "1h threshold 25 down",
      "1h trigger lost down",
      "1h salesReady lead down",
      "1h grade cold down",
    ]);
  });

  test("say the score before and after, and the queue of the grade", () => {
    const [first] = crossingsOf(upAndDown);
    expect(first).toMatchObject({ previous: null, current: 80, grade: "hot", salesReady: true, route: "senior-reps" });
    expect(crossingsOf(upAndDown).at(-1)).toMatchObject({ previous: 80, current: 10, grade: "cold", route: null });
    expect(scoresOf(upAndDown)[1]).toMatchObject({ delta: -70, previousGrade: "hot", grade: "cold", route: null });
  });

  test("a route is looked up among the model's own: a grade named constructor has none", () => {
    const odd = lead("grades: [{ id: constructor, from: 0 }]");
    expect(scoresOf(outputsOf(odd, [did("a.x", 0)]))[0]).toMatchObject({ grade: "constructor", route: null });
  });

  test("readiness may change without the score: a crossing alone", () => {
    const low = lead("salesReady: 0\nrules: [{ id: gone, when: a.gone, suppress: true }]");
    const outputs = outputsOf(low, [did("a.x", 0), did("a.gone", hour)]);
    expect(told(outputs)).toEqual(["0h score null -> 0 by interaction", "1h salesReady lead down"]);
    expect(outputs[1]).toMatchObject({ previous: 0, current: 0, salesReady: false });
  });
});

describe("only the difference is published", () => {
  const model = lead("thresholds: [50]\ntriggers: [{ id: surge, risesBy: 20, within: 24h }]");
  const occasion = {
    tenantId: "acme",
    contactId: "ann",
    at: start,
    cause: { kind: "late", id: "x" },
    late: "late/x",
    after: 1,
  } as const;
  const decided = (
    published: Published,
    state: ModelState,
    change: { firedAgain: number[] } | null,
    by: CompiledModel = model,
  ) => told(decide(by, published, state, { ...occasion, change }));

  test("once decided, there is nothing left to say", () => {
    const published = unpublished(model);
    const state = folded(model, [adjusted(0, { set: 60 })]);
    expect(decided(published, state, plainChange as { firedAgain: number[] })).toHaveLength(3);
    expect(decided(published, state, plainChange as { firedAgain: number[] })).toEqual([]);
    expect(published).toMatchObject({ score: 60, thresholds: [true], triggers: [true] });
  });

  test("what went up and down again between is not told", () => {
    const published = unpublished(model);
    decided(published, folded(model, [adjusted(0, { set: 10 })]), null);
    const state = folded(model, [
      adjusted(0, { set: 10 }),
      adjusted(hour, { set: 60 }),
      adjusted(3 * day, { set: 10 }),
    ]);
    expect(decided(published, state, null)).toEqual([]);
  });

  test("a trigger that fired again in one evaluation is told though it was up before; in a net difference it is not", () => {
    const state = folded(model, [adjusted(0, { set: 30 }), adjusted(3 * day, { set: 60 })]);
    const published = unpublished(model);
    decided(published, folded(model, [adjusted(0, { set: 30 })]), null);
    const again = structuredClone(published);
    expect(decided(published, state, { firedAgain: [0] })).toContain("0h trigger surge up");
    expect(decided(again, state, null)).toEqual(["0h score 30 -> 60 by late", "0h threshold 50 up"]);
  });
});

describe("ids", () => {
  const model = lead(`
dimensions: { score: { decay: { percent: 50, every: 1d } } }
rules:
  - { id: click, when: email.clicked, points: 40 }
  - { id: fit, points: 10, where: [{ field: contact.city, is: Bonn }] }
thresholds: [25, 50]
grades: [{ id: cold, from: 0 }, { id: warm, from: 26 }]
`);
  const clicks = [did("email.clicked", 0), did("email.clicked", 0), did("email.clicked", hour)];

  test("are unique, and the same each time", () => {
    const inputs = [...clicks, profile(2 * hour, { city: "Bonn" }), adjusted(3 * hour, { add: -5 })];
    const outputs = outputsOf(model, inputs, 9 * day);
    const ids = outputs.map(idOf);
    expect(ids.length).toBeGreaterThan(12);
    expect(new Set(ids).size).toBe(ids.length);
    expect(outputsOf(model, inputs, 9 * day).map(idOf)).toEqual(ids);
  });

  test("tell late inputs apart that share an id, an instant or a clock", () => {
    const newest = did("email.opened", 20 * day);
    const none = lead("rules: [{ id: fit, points: { by: contact.n, times: 1 } }, { id: x, when: a.x, points: 1 }]");
    const late = [
      profile(3 * day, { n: 1 }),
      profile(4 * day, { n: 2 }),
      profile(5 * day, { n: 3 }),
      did("a.x", 5 * day, { id: "" }),
      adjusted(5 * day, { id: "", add: 1 }),
      did("a.x", 5 * day, { id: "late" }),
      // Of one key, and in force: the content that sorts first.
      profile(5 * day, { n: -1 }),
    ];
    const outputs = outputsOf(none, [newest, ...late]);
    expect(outputs).toHaveLength(1 + late.length);
    expect(new Set(outputs.map(idOf)).size).toBe(outputs.length);
  });

  test("name the instant for what time does, and how many inputs it comes after", () => {
    const outputs = outputsOf(model, clicks.slice(0, 1), day);
    expect(outputs.map(idOf).slice(-3)).toEqual([
      `acme/ann/lead@1/${start + day}/time/1/score`,
      `acme/ann/lead@1/${start + day}/time/1/threshold:25:down`,
      `acme/ann/lead@1/${start + day}/time/1/grade:cold:down`,
    ]);
  });

  test("of what time does are the same, whether a timer lets it pass or the next input does", () => {
    for (const next of [clicks[2]!, profile(hour, { city: "Bonn" })]) {
      for (const models of [[model], [model, lead("rules: [{ id: x, when: a.x, points: 1 }]")]]) {
        const later = { ...next, at: start + 3 * day + hour };
        const [byTimer, byInput] = [true, false].map((isTimed) => {
          const contact = new ContactFold(models, "acme", "ann", { history: "kept" });
          contact.receive(clicks[0]!);
          if (isTimed) contact.advance(start + 3 * day);
          contact.receive(later);
          return contact.drain().map(idOf);
        });
        expect(byInput).toEqual(byTimer);
        expect(byInput!.filter((id) => id.includes("/time/1/")).length).toBeGreaterThan(3);
      }
    }
  });

  test("of what time does follow from the contents that have come of a key, whatever order they came in", () => {
    const first = did("email.clicked", 0, { id: "e" });
    const key = { id: "k" };
    const contents = [1, 2, 3].map((n) => did("email.opened", hour, { ...key, attributes: { n } }));
    const ids = (order: readonly number[]): string[] => {
      const contact = new ContactFold([model], "acme", "ann", { history: "kept" });
      contact.receive(first);
      for (const n of order) contact.receive(contents[n]!);
      contact.advance(start + 3 * day);
      return contact.drain().flatMap((output) => (idOf(output).includes("/time/") ? [idOf(output)] : []));
    };
    const all = ids([0, 1, 2]);
    for (const order of [
      [0, 2, 1],
      [1, 0, 2],
      [2, 1, 0],
      [2, 0, 1, 0],
    ])
      expect(ids(order)).toEqual(all);
    expect(all[0]).toMatch(/\/time\/2\.[0-9a-z]+\/score$/);
    expect(new Set([ids([0])[0], ids([1])[0]])).toEqual(new Set([`acme/ann/lead@1/${start + day}/time/2/score`]));
    expect(new Set([all[0], ids([1, 2])[0], ids([0])[0]]).size).toBe(3);
    // A replay has only the one that holds, and is told of the others.
    const replayed = new ContactFold([model], "acme", "ann", { history: "none" });
    for (const input of [first, contents[0]!]) replayed.receive(input);
    replayed.noteConflict(contents[0]!);
    replayed.advance(start + 3 * day);
    expect(
      replayed
        .drain()
        .map(idOf)
        .filter((id) => id.includes("/time/")),
    ).toEqual(all);
  });

  test("keep / and ~ of names apart from their own", () => {
    const [output] = outputsOf(model, [did("email.clicked", 0, { id: "a/b~c" })]);
    expect(idOf(output!)).toBe(`acme/ann/lead@1/${start}/interaction/a~1b~0c/score`);
    const [other] = outputsOf(model, [did("email.clicked", 0, { id: "a~1b~c" })]);
    expect(idOf(other!)).toBe(`acme/ann/lead@1/${start}/interaction/a~01b~0c/score`);
  });
});

describe("the lines that moved", () => {
  const model = lead(`
dimensions:
  warm: { max: 50, decay: { percent: 50, every: 1d } }
  fit: { max: 50 }
rules:
  - { id: small, dimension: warm, when: a.x, points: 0.3 }
  - { id: big, dimension: warm, when: a.big, points: 60 }
  - { id: recent, dimension: warm, when: a.x, within: 2h, points: 1 }
  - { id: town, dimension: fit, points: 5, where: [{ field: contact.city, is: Bonn }] }
`);
  const linesOf = (output: Output | undefined) =>
    output?.kind === "ScoreChanged"
      ? output.lines.map(({ dimension, rule, points }) => `${dimension} ${rule} ${points}`)
      : [];

  test("are named by dimension in model order, rules before adjustment before cut", () => {
    const outputs = outputsOf(model, [
      profile(0, { city: "Bonn" }),
      did("a.big", 1),
      adjusted(2, { dimension: "fit", add: 2 }),
    ]);
    expect(outputs.map(linesOf)).toEqual([["fit town 5"], ["warm big 60", "warm cut -10"], ["fit adjustment 2"]]);
  });

  test("count since the last published score, rounded to three decimals, without those that round to 0", () => {
    // At 1.3 and 2.6 the score shows 1 and 2; a line moves between two outputs though nothing is told.
    const quiet = lead("rules: [{ id: small, when: a.x, points: 0.4 }]");
    const outputs = outputsOf(
      quiet,
      [0, 1, 2].map((after) => did("a.x", after)),
    );
    expect(outputs.map(linesOf)).toEqual([["score small 0.4"], ["score small 0.8"]]);
  });

  test("say what time took away, too", () => {
    const outputs = outputsOf(model, [did("a.x", 0)], day);
    expect(outputs.map(linesOf)).toEqual([["warm small 0.3", "warm recent 1"], ["warm recent -1"]]);
  });

  test("a retraction takes back the lines of what it removes", () => {
    const big = did("a.big", 0);
    const outputs = outputsOf(model, [big, retraction(big, hour)]);
    expect(told(outputs)).toEqual(["0h score null -> 50 by interaction", "1h score 50 -> 0 by interaction"]);
    expect(linesOf(outputs[1])).toEqual(["warm big -60", "warm cut 10"]);
  });
});
