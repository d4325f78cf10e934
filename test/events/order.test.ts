import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareInputs, compareText, sortTexts } from "../../src/events/order.js";
import type { Input } from "../../src/events/types.js";

const text = fc.string({
  unit: fc.constantFrom("a", "b", "\u00e9", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"),
});

describe("compareText", () => {
  it("is the order of UTF-8 bytes", () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: "grapheme" })), text, (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
      { numRuns: 2000 },
    );
  });

  it("differs from the order of UTF-16 units where that is wrong", () => {
    expect("\u{10000}" < "\ue000").toBe(true);
    expect(compareText("\u{10000}", "\ue000")).toBeGreaterThan(0);
    expect(compareText("", "a")).toBeLessThan(0);
    expect(compareText("a", "a")).toBe(0);
  });
});

describe("sortTexts", () => {
  it("sorts as compareText does", () => {
    const few = fc.oneof(text, fc.string({ unit: fc.constantFrom("a", "b", "\u00e9", "\ud7ff") }));
    fc.assert(
      fc.property(fc.oneof(fc.array(few), fc.array(fc.string())), (texts) => {
        expect(sortTexts([...texts])).toEqual([...texts].sort(compareText));
      }),
    );
  });
});

describe("the order of inputs", () => {
  const base = { tenantId: "default", contactId: "c", at: 5, id: "" };
  const profile = (over: object = {}): Input => ({ ...base, kind: "profile", fields: {}, ...over });
  const interaction = (over: object = {}): Input => ({
    ...base,
    kind: "interaction",
    type: "a.b",
    attributes: {},
    ...over,
  });
  const adjustment = (over: object = {}): Input => ({ ...base, kind: "adjustment", model: "m", add: 1, ...over });

  it("is at, kind, id within a contact", () => {
    const sorted = [
      adjustment({ at: 4, id: "z" }),
      profile({ id: "z" }),
      interaction(),
      interaction({ id: "B" }),
      interaction({ id: "a" }),
      adjustment(),
      profile({ at: 6 }),
    ];
    expect([...sorted].reverse().sort(compareInputs)).toEqual(sorted);
    expect(compareInputs(interaction({ id: "a" }), interaction({ id: "a", contactId: "other" }))).toBe(0);
  });
});
