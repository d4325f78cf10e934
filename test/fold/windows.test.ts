/** Windows count in whole hours: a match at m is inside `within: W` at t when m <= t < ceil(m / 1h) * 1h + W. */
import { describe, expect, test } from "vitest";
import { CompactReader, CompactWriter } from "../../src/fold/compact.js";
import { encodeWindow, findEdge, insideUntil, readWindow, sumInside, writeWindow } from "../../src/fold/windows.js";
import { day, did, folded, hour, lead, scoreAt, scoresAt, start } from "./given.js";

const visit = (after: number, resource?: string) => did("a.visit", after, resource === undefined ? {} : { resource });

describe("the edge", () => {
  const model = lead("rules: [{ id: recent, when: a.visit, within: 24h, points: 10 }]");

  test("of a match on the hour is exactly a window later", () => {
    expect(scoresAt(model, [visit(hour)], [hour, 25 * hour - 1, 25 * hour, 25 * hour + 1])).toEqual([10, 10, 0, 0]);
  });

  test("of a match 1 ms past the hour is a whole hour later than that of one on the hour", () => {
    expect(scoresAt(model, [visit(hour + 1)], [25 * hour + 1, 26 * hour - 1, 26 * hour])).toEqual([10, 10, 0]);
  });

  test("of a match 1 ms before the hour is that of one on the hour", () => {
    expect(scoresAt(model, [visit(hour - 1)], [25 * hour - 1, 25 * hour])).toEqual([10, 0]);
  });

  test("is told by insideUntil, before 1970 as well", () => {
    expect(insideUntil(0, hour)).toBe(hour);
    expect(insideUntil(1, hour)).toBe(2 * hour);
    expect(insideUntil(-1, hour)).toBe(hour);
    expect(insideUntil(-hour, hour)).toBe(0);
    expect(insideUntil(-hour + 1, hour)).toBe(hour);
  });

  test("an input exactly on it comes after what has left", () => {
    expect(scoreAt(model, [visit(hour), visit(25 * hour)], 25 * hour)).toBe(10);
  });
});

describe("the sum inside", () => {
  const model = lead("rules: [{ id: recent, when: a.visit, within: 2h, points: { by: attributes.n, times: 1 } }]");
  const worth = (after: number, n: number) => did("a.visit", after, { attributes: { n } });

  test("matches of one hour enter one by one and leave together", () => {
    const inputs = [worth(10, 1), worth(20, 2), worth(hour, 4), worth(hour + 1, 8)];
    const instants = [10, 20, hour, hour + 1, 3 * hour - 1, 3 * hour, 4 * hour - 1, 4 * hour];
    expect(scoresAt(model, inputs, instants)).toEqual([1, 3, 7, 15, 15, 8, 8, 0]);
  });

  test("adds the hours in order, and in an hour the matches in order of the inputs", () => {
    const inputs = [worth(hour, 0.1), worth(hour + 1, 0.2), worth(hour + 2, 0.3)];
    const state = folded(model, inputs);
    const rule = model.standingRules[0]!;
    expect(sumInside(rule, state.windows[0]!, start + hour + 2)).toBe(0.1 + (0.2 + 0.3));
    expect(0.1 + (0.2 + 0.3)).not.toBe(0.1 + 0.2 + 0.3);
  });

  test("is held to -cap..cap at each instant, and nothing of what is above is lost", () => {
    const capped = lead("rules: [{ id: recent, when: a.visit, within: 2h, points: 10, cap: 15 }]");
    expect(scoresAt(capped, [visit(0), visit(1), visit(2 * hour)], [0, 1, 2 * hour, 3 * hour, 4 * hour])).toEqual([
      10, 15, 15, 10, 0,
    ]);
  });

  test("repeat multiplies a match whose predecessor is inside its own window, without compounding", () => {
    const repeated = lead(
      "rules: [{ id: recent, when: a.visit, within: 2d, points: 10, repeat: { within: 1h, multiplier: 1.5 } }]",
    );
    // 10; 15 within the hour of the first; 15 again; past the window's edge 10.
    const inputs = [visit(0), visit(hour - 1), visit(2 * hour - 1), visit(3 * hour)];
    expect(scoresAt(repeated, inputs, [0, hour - 1, 2 * hour - 1, 3 * hour])).toEqual([10, 25, 40, 50]);
  });
});

describe("recency", () => {
  const model = lead(`
rules:
  - id: recent
    when: a.visit
    points: 10
    recency: [{ within: 1h, multiplier: 2 }, { within: 2h, multiplier: 1.5 }, { else: 0.5 }]
`);

  test("weighs each hour by its age, step by step, and then by else for ever", () => {
    const instants = [0, hour - 1, hour, 2 * hour - 1, 2 * hour, 365 * day];
    expect(scoresAt(model, [visit(0)], instants)).toEqual([20, 20, 15, 15, 5, 5]);
  });

  test("each match ages by itself", () => {
    expect(scoresAt(model, [visit(0), visit(hour)], [hour, 2 * hour, 3 * hour])).toEqual([35, 20, 10]);
  });

  test("else is 0 by default: what is older is let go", () => {
    const fading = lead("rules: [{ id: recent, when: a.visit, points: 10, recency: [{ within: 1h, multiplier: 2 }] }]");
    expect(scoresAt(fading, [visit(0)], [hour - 1, hour])).toEqual([20, 0]);
    expect(folded(fading, [visit(0)], hour).windows[0]!.hours).toEqual([]);
  });

  test("hours whose weight will not change any more are one sum, to the last bit that of all of them in order", () => {
    const steps = "recency: [{ within: 2h, multiplier: 2 }, { within: 24h, multiplier: 1.1 }, { else: 0.3 }]";
    const model = lead(`rules: [{ id: fresh, when: a.visit, points: { by: attributes.n, times: 1 }, ${steps} }]`);
    const rule = model.standingRules[0]!;
    const inputs = Array.from({ length: 500 }, (_, i) =>
      did("a.visit", i * hour, { attributes: { n: (i % 7) * 0.1 } }),
    );
    const window = folded(model, inputs).windows[0]!;
    const now = start + 499 * hour;
    expect(window.hours.length).toBeLessThanOrEqual(25);
    expect(window.count).toBe(500);
    const weight = (at: number) => {
      const age = now - Math.ceil(at / hour) * hour;
      return age < 2 * hour ? 2 : age < 24 * hour ? 1.1 : 0.3;
    };
    const all = inputs.reduce((sum, { at }, i) => sum + (i % 7) * 0.1 * weight(at), 0);
    expect(sumInside(rule, window, now)).toBe(all);
    const [writer, reader] = [new CompactWriter(), new CompactReader()];
    writer.begin(0, "w");
    writeWindow(writer, window);
    reader.begin(writer.end());
    reader.next();
    const again = readWindow(reader);
    findEdge(rule, again, now);
    expect(again.edge).toBe(window.edge);
    expect(encodeWindow(again)).toEqual(encodeWindow(window));
    expect(sumInside(rule, again, now)).toBe(all);
  });

  test("a resource that comes again takes its match out of hours long past", () => {
    const steps = "recency: [{ within: 2h, multiplier: 2 }, { else: 0.5 }]";
    const model = lead(`rules: [{ id: fresh, when: a.visit, points: 10, scope: resource, ${steps} }]`);
    const inputs = Array.from({ length: 300 }, (_, i) => visit(i * hour, `/${i % 3}`));
    const state = folded(model, [...inputs, visit(400 * hour, "/9")]);
    // One for each of the three resources, and the newest; hours that are empty are not kept.
    expect(state.windows[0]!.hours.map(({ count }) => count)).toEqual([1, 1, 1, 1]);
    expect(sumInside(model.standingRules[0]!, state.windows[0]!, start + 400 * hour)).toBe(3 * 5 + 20);
  });

  test("within ends what recency would still weigh", () => {
    const both = lead(
      "rules: [{ id: recent, when: a.visit, points: 10, within: 3h, recency: [{ within: 1h, multiplier: 2 }, { else: 1 }] }]",
    );
    expect(scoresAt(both, [visit(0)], [0, hour, 3 * hour - 1, 3 * hour])).toEqual([20, 10, 10, 0]);
  });
});

describe("times", () => {
  test("without within counts all history; the points come once", () => {
    const model = lead("rules: [{ id: loyal, when: a.visit, times: { min: 2, max: 3 }, points: 10 }]");
    const inputs = [0, 1, 300 * day, 600 * day].map((after) => visit(after));
    expect(scoresAt(model, inputs, [0, 1, 300 * day, 600 * day])).toEqual([0, 10, 10, 0]);
    expect(folded(model, inputs).windows[0]).toMatchObject({ count: 4, hours: [] });
  });

  test("with within counts what is inside", () => {
    const model = lead("rules: [{ id: busy, when: a.visit, times: { min: 2 }, within: 2h, points: 10 }]");
    expect(scoresAt(model, [visit(0), visit(hour)], [0, hour, 2 * hour - 1, 2 * hour])).toEqual([0, 10, 10, 0]);
  });

  test("max 0 is absence: true from first sight, ended by a match, true again when it has left", () => {
    const model = lead("rules: [{ id: absent, when: a.visit, times: { max: 0 }, within: 2h, points: 10 }]");
    const inputs = [did("a.other", 0), visit(hour)];
    expect(scoresAt(model, inputs, [0, hour, 3 * hour - 1, 3 * hour])).toEqual([10, 0, 0, 10]);
  });
});

describe("scope: resource takes the latest match of each resource", () => {
  const model = lead(
    "rules: [{ id: pages, when: a.visit, within: 2h, scope: resource, points: { by: attributes.n, times: 1 } }]",
  );
  const of = (after: number, n: number, resource?: string) =>
    did("a.visit", after, { attributes: { n }, ...(resource === undefined ? {} : { resource }) });

  test("in one hour the second replaces the first", () => {
    expect(scoresAt(model, [of(1, 3, "/a"), of(2, 5, "/a"), of(3, 7, "/b")], [1, 2, 3])).toEqual([3, 5, 12]);
  });

  test("in another hour too; the resource then leaves with its latest match", () => {
    const inputs = [of(0, 3, "/a"), of(0, 7, "/b"), of(hour, 5, "/a")];
    expect(scoresAt(model, inputs, [0, hour, 2 * hour, 3 * hour])).toEqual([10, 12, 5, 0]);
  });

  test("a resource that has left may come back", () => {
    expect(scoresAt(model, [of(0, 3, "/a"), of(5 * hour, 4, "/a")], [2 * hour, 5 * hour])).toEqual([0, 4]);
  });

  test("without a resource each match counts; the empty text is a resource", () => {
    expect(scoreAt(model, [of(1, 3), of(2, 5)], 2)).toBe(8);
    expect(scoreAt(model, [of(1, 3, ""), of(2, 5, "")], 2)).toBe(5);
    expect(scoreAt(model, [of(1, 3), of(2, 5, ""), of(3, 7, "0")], 3)).toBe(15);
  });

  test("with times and no within it counts the different resources of all history", () => {
    const many = lead("rules: [{ id: pages, when: a.visit, scope: resource, times: { min: 3 }, points: 10 }]");
    const inputs = [visit(0, "/a"), visit(1, "/a"), visit(2, "/b"), visit(3)];
    expect(scoresAt(many, inputs, [0, 1, 2, 3])).toEqual([0, 0, 0, 10]);
  });

  test("names of the language's own objects are resources like others", () => {
    expect(scoreAt(model, [of(1, 3, "__proto__"), of(2, 5, "constructor"), of(3, 7, "__proto__")], 3)).toBe(12);
  });
});
