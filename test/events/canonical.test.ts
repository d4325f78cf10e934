import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/events/canonical.js";
import { decodeInput } from "../../src/events/decode.js";
import type { Input, JsonObject } from "../../src/events/types.js";

const interaction = (attributes: JsonObject): Input => ({
  kind: "interaction",
  id: "i",
  tenantId: "t",
  contactId: "c",
  at: 7,
  type: "a.b",
  attributes,
});

/** The same value with the keys of every object in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, item]) => [name, reversed(item)]),
  );
}

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: "grapheme" }),
    fc.array(tie("value"), { maxLength: 4 }),
    tie("object"),
  ),
  object: fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("__proto__", "1", "\u{1f600}")), tie("value"), {
    maxKeys: 4,
  }),
}));

describe("canonicalJson", () => {
  it("sorts keys, writes no blanks, drops nulls in objects and keeps those in lists", () => {
    const input = interaction({ b: [1, null, { y: null, x: 2 }], a: null, A: "\u00e9", "\u{10000}": 1, "\ue000": 2 });
    expect(canonicalJson(input)).toBe(
      '{"at":7,"attributes":{"A":"\u00e9","b":[1,null,{"x":2}],"\ue000":2,"\u{10000}":1},"contactId":"c","id":"i","kind":"interaction","tenantId":"t","type":"a.b"}',
    );
  });

  it("tells an erasure from an empty profile", () => {
    const profile: Input = { kind: "profile", id: "", tenantId: "t", contactId: "c", at: 7, fields: {} };
    expect(canonicalJson(profile)).toBe('{"at":7,"contactId":"c","fields":{},"id":"","kind":"profile","tenantId":"t"}');
    expect(canonicalJson({ ...profile, fields: null })).toContain('"fields":null');
    expect(canonicalJson({ ...profile, fields: { fields: null } })).toContain('"fields":{}');
  });

  it("does not depend on the order of keys, and says all there is", () => {
    fc.assert(
      fc.property(json.object, (attributes) => {
        const source = { contactId: "c", type: "a.b", at: 1e12, id: "i", attributes };
        const one = decodeInput(JSON.parse(JSON.stringify(source)));
        const other = decodeInput(reversed(JSON.parse(JSON.stringify(source))));
        if (!one.ok || !other.ok) throw new Error("a good input was refused");
        const text = canonicalJson(one.input);
        expect(canonicalJson(other.input)).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(one.input)));
        const again = decodeInput(JSON.parse(text));
        expect(again.ok && canonicalJson(again.input)).toBe(text);
      }),
    );
  });
});
