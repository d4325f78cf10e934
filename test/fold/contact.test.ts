/**
 * One contact, whatever comes and in whatever order: late inputs, duplicates, conflicts, retractions, erasure. What is
 * known at the end decides, so each case ends in the bytes that the inputs in order give.
 */
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../src/events/canonical.js";
import type { Input, Output } from "../../src/events/types.js";
import { ContactFold } from "../../src/fold/contact.js";
import type { CompiledModel } from "../../src/model/compile.js";
import { inKeyOrder } from "./engine.js";
import { adjusted, contact, day, did, hour, lead, profile, retraction, start, told } from "./given.js";

const model = lead(`
dimensions: { score: { decay: { percent: 50, every: 10d } } }
rules:
  - { id: click, when: a.click, points: 10, repeat: { within: 1d, multiplier: 2 } }
  - { id: bounce, when: a.bounce, points: -30 }
  - { id: recent, when: a.click, within: 1d, points: 1 }
  - { id: town, points: 5, where: [{ field: contact.city, is: Bonn }] }
thresholds: [25]
`);

function received(inputs: readonly Input[], ...models: CompiledModel[]): ContactFold {
  const one = contact(...(models.length > 0 ? models : [model]));
  for (const input of inputs) one.receive(input);
  return one;
}

const scoreOf = (one: ContactFold) => one.scoreLines()[0]?.score;
const idOf = (output: Output) => (output.kind === "ThresholdCrossed" ? output.eventId : output.id);

describe("a late input", () => {
  const first = did("a.click", 0);
  const second = did("a.bounce", hour);
  const third = did("a.click", 2 * hour);

  test("takes its place: the same bytes as in order", () => {
    const late = received([first, third, second]);
    expect(late.encode()).toBe(received([first, second, third]).encode());
    expect(scoreOf(late)).toBe(21);
  });

  test("publishes the net difference once, at the contact's clock, cause late", () => {
    const one = received([first, third]);
    expect(told(one.drain())).toEqual([
      "0h score null -> 11 by interaction",
      "2h score 11 -> 32 by interaction",
      "2h threshold 25 up",
    ]);
    one.advance(start + 5 * hour);
    expect(one.receive(second)).toEqual({ status: "late" });
    const outputs = one.drain();
    expect(told(outputs)).toEqual(["5h score 32 -> 21 by late", "5h threshold 25 down"]);
    expect(outputs[0]).toMatchObject({ cause: { kind: "late", id: second.id, type: "a.bounce" } });
  });

  test("is also one dated before what timers have evaluated, though it is the newest; at that very instant it is not", () => {
    const one = received([first]);
    one.advance(start + day);
    expect(one.receive(did("a.click", day - 1))).toEqual({ status: "late" });
    expect(one.receive(did("a.click", day))).toEqual({ status: "folded" });
  });

  test("may be the first sight", () => {
    const one = received([third, first]);
    expect(one.foldedStates()[0]).toMatchObject({ firstSight: start });
  });

  test("that changes nothing visible publishes nothing", () => {
    const one = received([first, third]);
    one.drain();
    expect(one.receive(did("a.other", hour))).toEqual({ status: "late" });
    expect(one.drain()).toEqual([]);
  });

  test("has no place without a history", () => {
    const bare = () => {
      const one = new ContactFold([model], "acme", "ann", { history: "none" });
      one.receive(first);
      one.receive(third);
      return one;
    };
    expect(() => bare().receive(second)).toThrow(/out of order and no history is kept/);
    expect(() => bare().receive(third)).toThrow(/out of order/);
    expect(() => bare().receive(retraction(first, 3 * hour))).toThrow(/no history is kept/);
    expect(() => bare().receive(profile(hour, null))).toThrow(/out of order and no history is kept/);
    expect(bare().encode()).toBe(received([first, third]).encode());
  });
});

describe("the same key again", () => {
  const bounce = did("a.bounce", hour, { id: "x" });
  const click: Input = { ...bounce, type: "a.click" };

  test("with the same content is a duplicate and changes nothing", () => {
    const one = received([bounce, did("a.click", day)]);
    one.drain();
    const before = one.encode();
    expect(one.receive({ ...bounce })).toEqual({ status: "duplicate" });
    expect(one.encode()).toBe(before);
    expect(one.drain()).toEqual([]);
  });

  test("with other content: the smaller canonical JSON holds, whichever came first", () => {
    expect(canonicalJson(bounce) < canonicalJson(click)).toBe(true);
    const kept = received([bounce]);
    expect(kept.receive(click)).toEqual({ status: "conflict", loser: click });
    const replaced = received([click]);
    expect(scoreOf(replaced)).toBe(11);
    expect(replaced.receive(bounce)).toEqual({ status: "conflict", loser: click });
    expect(scoreOf(replaced)).toBe(0);
    expect(replaced.encode()).toBe(kept.encode());
  });

  test("order of keys and nulls in a profile make no other content, nor other bytes", () => {
    const written: Input = profile(0, { city: "Bonn", name: "Ann" });
    const otherwise: Input = profile(0, { name: "Ann", city: "Bonn" });
    const one = received([written]);
    expect(one.receive(otherwise)).toEqual({ status: "duplicate" });
    expect(one.encode()).toBe(received([otherwise, written]).encode());
  });

  test("of a retraction: the loser's target is in force again", () => {
    const a = did("a.click", 0, { id: "a" });
    const b = did("a.bounce", 1, { id: "b" });
    const ofA = retraction(a, hour, { id: "r" });
    const ofB = retraction(b, hour, { id: "r" });
    const one = received([a, b, ofB]);
    expect(one.receive(ofA)).toEqual({ status: "conflict", loser: ofB });
    expect(one.encode()).toBe(received([a, b, ofA]).encode());
    expect(received([a, b, ofA, ofB]).encode()).toBe(one.encode());
  });

  test("profile, interaction and adjustment with one id and instant are three inputs", () => {
    const one = received([profile(0, { city: "Bonn" }, "x")]);
    expect(one.receive(did("a.click", 0, { id: "x" })).status).toBe("folded");
    expect(one.receive(adjusted(0, { id: "x", add: 2 })).status).toBe("folded");
    expect(scoreOf(one)).toBe(18);
  });
});

describe("a retraction", () => {
  const click = did("a.click", 0);
  const again = did("a.click", hour);

  test("removes its target as if it had never been: from first sight on", () => {
    const one = received([click, again, retraction(click, 2 * hour)]);
    expect(scoreOf(one)).toBe(11);
    expect(one.foldedStates()[0]).toMatchObject({ firstSight: start + hour, lastActivity: start + hour });
    expect(told(one.drain()).at(-2)).toBe("2h score 32 -> 11 by interaction");
  });

  test("holds whichever of the two arrives first", () => {
    const gone = retraction(click, 2 * hour);
    const bytes = received([click, again, gone]).encode();
    expect(received([gone, again, click]).encode()).toBe(bytes);
    expect(received([again, gone, click]).encode()).toBe(bytes);
  });

  test("dated before its target keeps it from ever counting", () => {
    const later = did("a.click", day);
    const one = received([again, retraction(later, 2 * hour), later]);
    expect(scoreOf(one)).toBe(11);
    expect(told(one.drain())).toEqual(["1h score null -> 11 by interaction"]);
  });

  test("needs id and instant: another instant or id is another input", () => {
    const one = received([click, again]);
    one.receive(did("interaction.retracted", 2 * hour, { attributes: { id: click.id, at: click.at + 1 } }));
    one.receive(did("interaction.retracted", 2 * hour, { attributes: { id: "other", at: click.at } }));
    expect(scoreOf(one)).toBe(32);
  });

  test("of nothing is no error, no first sight and no output", () => {
    const one = contact(model);
    expect(one.receive(retraction(click, hour))).toEqual({ status: "folded" });
    expect(one.scoreLines()).toEqual([]);
    expect(one.drain()).toEqual([]);
  });

  test("twice is once", () => {
    const one = received([click, again, retraction(click, 2 * hour)]);
    one.drain();
    one.receive(retraction(click, 3 * hour));
    expect(scoreOf(one)).toBe(11);
    expect(one.drain()).toEqual([]);
  });

  test("can't be retracted", () => {
    const gone = retraction(click, 2 * hour);
    expect(scoreOf(received([click, again, gone, retraction(gone, 3 * hour)]))).toBe(11);
  });

  test("reaches an adjustment, but no profile", () => {
    const plus = adjusted(0, { id: "p", add: 7 });
    const town = profile(0, { city: "Bonn" }, "p");
    expect(scoreOf(received([town, plus, retraction(plus, hour)]))).toBe(5);
  });

  test("of the last input in force goes back to the empty score, and the next input goes on from that", () => {
    const one = received([click]);
    one.receive(retraction(click, hour));
    expect(one.scoreLines()).toEqual([]);
    expect(told(one.drain())).toEqual(["0h score null -> 11 by interaction", "1h score 11 -> 0 by interaction"]);
    one.receive(did("a.click", 2 * hour));
    expect(told(one.drain())).toEqual(["2h score 0 -> 11 by interaction"]);
    expect(one.foldedStates()[0]).toMatchObject({ firstSight: start + 2 * hour });
  });

  test("takes a threshold back down, and only what differs in the end is told", () => {
    const one = received([click, again]);
    one.drain();
    one.receive(retraction(again, 2 * hour));
    expect(told(one.drain())).toEqual(["2h score 32 -> 11 by interaction", "2h threshold 25 down"]);
  });
});

describe("an erasure", () => {
  test("ends the contact: everything at or before it is gone, and is told once", () => {
    const one = received([profile(0, { city: "Bonn" }), did("a.click", 1), profile(hour, null)]);
    expect(one.scoreLines()).toEqual([]);
    const outputs = one.drain();
    expect(told(outputs).at(-1)).toBe("1h erased");
    expect(outputs.at(-1)).toEqual({
      kind: "ContactErased",
      id: `acme/ann/${start + hour}/erased`,
      tenantId: "acme",
      contactId: "ann",
      at: start + hour,
    });
    expect(one.receive(profile(hour, null))).toEqual({ status: "erased" });
    expect(one.drain()).toEqual([]);
  });

  test("leaves a tombstone: what is dated at or before it is gone whenever it arrives", () => {
    const one = received([did("a.click", 0), profile(hour, null)]);
    expect(one.receive(did("a.click", 1))).toEqual({ status: "erased" });
    expect(one.receive(did("a.click", hour))).toEqual({ status: "erased" });
    expect(one.receive(adjusted(hour, { add: 5 }))).toEqual({ status: "erased" });
    expect(one.scoreLines()).toEqual([]);
  });

  test("is followed by a new contact: previous null, first sight anew", () => {
    const one = received([did("a.click", 0), profile(hour, null)]);
    one.drain();
    one.receive(did("a.click", hour + 1));
    expect(one.drain()[0]).toMatchObject({ previous: null, current: 11, previousGrade: null });
    expect(one.foldedStates()[0]).toMatchObject({ firstSight: start + hour + 1 });
  });

  test("that comes late leaves what is later, as if it had come in order", () => {
    const inputs = [did("a.click", 0), profile(hour, null), did("a.click", 2 * hour)];
    const late = received([inputs[0]!, inputs[2]!]);
    late.drain();
    expect(late.receive(inputs[1]!)).toEqual({ status: "late" });
    expect(told(late.drain())).toEqual(["1h erased", "2h score null -> 11 by late"]);
    expect(late.encode()).toBe(received(inputs).encode());
  });

  test("of a contact never seen is silent, and holds all the same", () => {
    const one = received([profile(hour, null)]);
    expect(one.drain()).toEqual([]);
    expect(one.receive(did("a.click", 0))).toEqual({ status: "erased" });
  });

  test("of a contact whose inputs were all retracted is told: something of it was published", () => {
    const click = did("a.click", 0);
    expect(told(received([click, retraction(click, 1), profile(hour, null)]).drain()).at(-1)).toBe("1h erased");
    expect(told(received([retraction(click, 1), profile(hour, null)]).drain())).toEqual([]);
  });

  test("holds over a profile with its key, whichever comes first", () => {
    expect(received([profile(0, null), profile(0, { city: "Bonn" })]).scoreLines()).toEqual([]);
    expect(received([profile(0, { city: "Bonn" }), profile(0, null)]).scoreLines()).toEqual([]);
  });

  test("takes retractions along: one dated before it removes nothing after it", () => {
    const later = did("a.click", day);
    expect(scoreOf(received([retraction(later, 0), profile(hour, null), later]))).toBe(11);
    expect(scoreOf(received([later, profile(hour, null), retraction(later, 0)]))).toBe(11);
  });

  test("the later of two holds, in any order", () => {
    const click = did("a.click", 2 * hour);
    expect(received([profile(3 * hour, null), profile(hour, null), click]).scoreLines()).toEqual([]);
    expect(received([profile(hour, null), click, profile(3 * hour, null)]).scoreLines()).toEqual([]);
  });

  test("in order needs no history", () => {
    const inputs = [did("a.click", 0), profile(hour, null), did("a.click", 2 * hour)];
    const one = new ContactFold([model], "acme", "ann", { history: "none" });
    for (const input of inputs) one.receive(input);
    expect(one.encode()).toBe(received(inputs).encode());
    expect(told(one.drain())).toEqual(told(received(inputs).drain()));
  });
});

describe("a long history", () => {
  /** One input an hour, of all sorts. */
  const history = (count: number): Input[] =>
    Array.from({ length: count }, (_, i) => {
      if (i % 17 === 5) return profile(i * hour, { city: i % 2 === 0 ? "Bonn" : "Kiel" });
      if (i % 23 === 7) return adjusted(i * hour, { add: (i % 5) - 2 });
      return did(i % 4 === 0 ? "a.bounce" : "a.click", i * hour);
    });

  test.each([
    33, 64, 65, 2100,
  ])("of %i inputs: late ones, retractions and conflicts give the bytes of the order", (count) => {
    const inputs = history(count);
    const gone = inputs.filter((input, i) => i % 31 === 3 && input.kind !== "profile");
    const retractions = gone.map((input) => retraction(input, count * hour));
    const late = inputs.filter((_, i) => i % Math.ceil(count / 12) === 2);
    const inTime = inputs.filter((input) => !late.includes(input));
    const one = received([...inTime, ...retractions.slice(1), ...late.toReversed(), ...retractions.slice(0, 1)]);
    expect(one.encode()).toBe(received(inKeyOrder([...inputs, ...retractions])).encode());
    expect(one.encode()).toBe(received(inputs.filter((input) => !gone.includes(input)).concat(retractions)).encode());
  });

  test("each output has its own id, however many are late", () => {
    const small = lead("rules: [{ id: click, when: a.click, points: 0.5 }]");
    const inputs = Array.from({ length: 120 }, (_, i) => did("a.click", i * hour, { id: i % 3 === 0 ? "" : `i${i}` }));
    const one = received([inputs.at(-1)!, ...inputs.slice(0, -1).toReversed()], small);
    const ids = one.drain().map(idOf);
    expect(ids.length).toBeGreaterThan(50);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("several models", () => {
  const slow = lead("model: slow\nversion: 1\nrules: [{ id: quiet, inactive: 20d, points: 7 }]");
  const fast = lead("model: fast\nversion: 1\nrules: [{ id: recent, when: a.click, within: 2h, points: 5 }]");
  const daily = lead(
    "model: daily\nversion: 1\ndimensions: { score: { decay: { percent: 50, every: 1d } } }\nrules: [{ id: click, when: a.click, points: 8 }]",
  );

  test("are told in one order of time, and at one instant in the models' order", () => {
    const one = received([did("a.click", 0)], daily, fast, slow);
    one.advance(start + 2 * day);
    expect(
      one
        .drain()
        .map((output) => `${(output.at - start) / hour}h ${output.kind === "ScoreChanged" ? output.model : "?"}`),
    ).toEqual(["0h daily", "0h fast", "0h slow", "2h fast", "24h daily", "48h daily"]);
  });

  test("each has its score line, in their order", () => {
    const one = received([did("a.click", 0)], slow, daily, fast);
    expect(one.scoreLines().map(({ model: of, score }) => `${of} ${score}`)).toEqual(["slow 0", "daily 8", "fast 5"]);
  });

  test("what falls due under one on the way to an input is told before the input under the other", () => {
    const outputs = received([did("a.click", 0), did("a.click", 12 * hour)], daily, fast).drain();
    expect(outputs.map(({ at }) => (at - start) / hour)).toEqual([0, 0, 2, 12, 12]);
  });

  test("a contact under no model is still known", () => {
    const one = new ContactFold([], "acme", "ann", { history: "kept" });
    one.receive(did("a.click", 0));
    expect(one.scoreLines()).toEqual([]);
    expect(one.encode()).toBe("[]");
    one.receive(profile(hour, null));
    expect(told(one.drain())).toEqual(["1h erased"]);
  });
});
