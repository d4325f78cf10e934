import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/events/canonical.js";
import { decodeLine } from "../../src/events/decode.js";
import { encodeInput, encodeOutput, encodeScoreLine } from "../../src/events/encode.js";
import type { ScoreChanged, ScoreLine, ThresholdCrossed } from "../../src/events/types.js";

describe("encode", () => {
  it("writes a score line in its fixed order, whatever order it came in", () => {
    const line: ScoreLine = {
      lastActivityAt: null,
      suppressed: false,
      salesReady: true,
      dimensions: { fit: 1, engagement: 2 },
      grade: "hot",
      score: 3,
      version: 2,
      model: "lead",
      contactId: "a\u{1f600}",
      tenantId: "t",
    };
    expect(encodeScoreLine(line)).toBe(
      '{"tenantId":"t","contactId":"a\u{1f600}","model":"lead","version":2,"score":3,"grade":"hot","dimensions":{"fit":1,"engagement":2},"salesReady":true,"suppressed":false,"lastActivityAt":null}',
    );
  });

  const common = {
    tenantId: "t",
    contactId: "c",
    model: "lead",
    version: 1,
    at: 5,
    grade: null,
    salesReady: false,
    route: null,
  };

  it("writes outputs with the kind first", () => {
    const changed: ScoreChanged = {
      ...common,
      kind: "ScoreChanged",
      id: "x",
      previous: null,
      current: 10,
      delta: 10,
      previousGrade: null,
      dimensions: { score: 10 },
      cause: { kind: "interaction", type: "a.b", id: "1" },
      lines: [{ points: 10, dimension: "score", rule: "r" }],
      suppressed: false,
    };
    expect(encodeOutput(changed)).toBe(
      '{"kind":"ScoreChanged","id":"x","tenantId":"t","contactId":"c","model":"lead","version":1,"previous":null,"current":10,"delta":10,"previousGrade":null,"grade":null,"dimensions":{"score":10},"at":5,"cause":{"kind":"interaction","id":"1","type":"a.b"},"lines":[{"rule":"r","dimension":"score","points":10}],"salesReady":false,"suppressed":false,"route":null}',
    );
    const crossed: ThresholdCrossed = {
      ...common,
      kind: "ThresholdCrossed",
      eventId: "y",
      crossing: "threshold",
      id: "25",
      direction: "up",
      previous: 0,
      current: 30,
      cause: { kind: "decay" },
    };
    expect(encodeOutput(crossed)).toBe(
      '{"kind":"ThresholdCrossed","eventId":"y","tenantId":"t","contactId":"c","model":"lead","version":1,"crossing":"threshold","id":"25","direction":"up","at":5,"previous":0,"current":30,"grade":null,"salesReady":false,"route":null,"cause":{"kind":"decay"}}',
    );
    expect(encodeOutput({ at: 5, id: "z", kind: "ContactErased", tenantId: "t", contactId: "c" })).toBe(
      '{"kind":"ContactErased","id":"z","tenantId":"t","contactId":"c","at":5}',
    );
  });
});

describe("encode, for any content", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.constantFrom('"', "\\", "\ud800", "\u2028", "\u007f"),
  );
  const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(-0, 1e21));
  const textOrNull = fc.option(text, { nil: null });
  const dimensions = fc.dictionary(text, number, { maxKeys: 3 });
  const cause = fc.record(
    { kind: fc.constant("interaction" as const), id: text, type: text },
    { requiredKeys: ["kind"] },
  );

  it("writes what JSON.stringify writes", () => {
    const line = fc.record({
      tenantId: text,
      contactId: text,
      model: text,
      version: fc.nat(),
      score: number,
      grade: textOrNull,
      dimensions,
      salesReady: fc.boolean(),
      suppressed: fc.boolean(),
      lastActivityAt: fc.option(fc.integer(), { nil: null }),
    });
    fc.assert(fc.property(line, (one) => void expect(encodeScoreLine(one)).toBe(JSON.stringify(one))));
    const changed = fc.record({
      kind: fc.constant("ScoreChanged" as const),
      id: text,
      tenantId: text,
      contactId: text,
      model: text,
      version: fc.nat(),
      previous: fc.option(number, { nil: null }),
      current: number,
      delta: number,
      previousGrade: textOrNull,
      grade: textOrNull,
      dimensions,
      at: fc.integer(),
      cause,
      lines: fc.array(fc.record({ rule: text, dimension: text, points: number }), { maxLength: 3 }),
      salesReady: fc.boolean(),
      suppressed: fc.boolean(),
      route: textOrNull,
    });
    fc.assert(fc.property(changed, (one) => void expect(encodeOutput(one)).toBe(JSON.stringify(one))));
    const crossed = fc.record({
      kind: fc.constant("ThresholdCrossed" as const),
      eventId: text,
      tenantId: text,
      contactId: text,
      model: text,
      version: fc.nat(),
      crossing: fc.constantFrom("threshold" as const, "trigger" as const, "salesReady" as const, "grade" as const),
      id: text,
      direction: fc.constantFrom("up" as const, "down" as const),
      at: fc.integer(),
      previous: fc.option(number, { nil: null }),
      current: number,
      grade: textOrNull,
      salesReady: fc.boolean(),
      route: textOrNull,
      cause,
    });
    fc.assert(fc.property(crossed, (one) => void expect(encodeOutput(one)).toBe(JSON.stringify(one))));
  });
});

describe("encodeInput", () => {
  it("is read back as the same input, whenever it is dated", () => {
    const at = fc.oneof(
      fc.constantFrom("1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "1973-03-03T09:46:40Z", 1e11, -1e11),
      fc.integer({ min: -9e10, max: 9e10 }).map((ms) => new Date(ms).toISOString()),
      fc.integer({ min: 1e11, max: 4e12 }),
    );
    const input = fc.oneof(
      fc.record({ at, attributes: fc.constant({ a: 1 }) }),
      fc.record({ at, type: fc.constant("interaction.retracted"), attributes: fc.record({ id: fc.string(), at }) }),
      fc.record({ at, kind: fc.constant("profile"), fields: fc.constantFrom(null, { at: 5 }) }),
      fc.record({
        at,
        kind: fc.constant("adjustment"),
        model: fc.constant("lead"),
        add: fc.integer({ min: -9, max: 9 }),
      }),
    );
    fc.assert(
      fc.property(input, (source) => {
        const first = decodeLine(JSON.stringify({ contactId: "c", id: "i", type: "a.b", ...source }));
        if (!first.ok) throw new Error(first.error);
        const again = decodeLine(encodeInput(first.input));
        expect(again.ok && again.input).toEqual(first.input);
      }),
    );
  });

  it("is canonical JSON but for instants that would pass for seconds", () => {
    const decoded = decodeLine('{"contactId":"c","type":"a.b","at":1e12}');
    if (!decoded.ok) throw new Error(decoded.error);
    expect(encodeInput(decoded.input)).toBe(canonicalJson(decoded.input));
    expect(encodeInput({ ...decoded.input, at: 5 })).toContain('"at":"1970-01-01T00:00:00.005Z"');
  });
});
