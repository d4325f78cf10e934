import { describe, expect, it } from "vitest";
import { decodeInput, decodeLine, INPUT_BYTES_MAX } from "../../src/events/decode.js";

const good = { contactId: "c", type: "email.opened", at: 1_000_000_000_000, id: "1" };
const accepted = (value: unknown) => {
  const decoded = decodeInput(value);
  if (!decoded.ok) throw new Error(decoded.error);
  return decoded;
};
const input = (over: object) => accepted({ ...good, ...over }).input;
const refusal = (value: unknown) => {
  const decoded = decodeInput(value);
  if (decoded.ok) throw new Error("accepted");
  return decoded;
};

describe("decodeInput", () => {
  it("fills in what may be left out", () => {
    expect(accepted({ contactId: "c", type: "email.opened", at: "1970-01-01T00:00:01Z" })).toEqual({
      ok: true,
      input: {
        kind: "interaction",
        id: "",
        tenantId: "default",
        contactId: "c",
        at: 1000,
        type: "email.opened",
        attributes: {},
      },
      ignored: [],
    });
  });

  it("reads every field of an interaction", () => {
    const all = {
      ...good,
      kind: "interaction",
      tenantId: "acme",
      resource: "/pricing",
      automated: "maybe",
      attributes: { a: 1 },
    };
    expect(accepted(all).input).toEqual({ ...all });
    expect(input({ automated: "no" })).not.toHaveProperty("automated");
  });

  it("takes a null for a missing field, in objects but not in lists", () => {
    const nulls = { tenantId: null, id: null, resource: null, automated: null, kind: null };
    expect(input({ ...nulls, attributes: { a: null, b: { c: null, d: [null, { e: null }] } } })).toEqual({
      kind: "interaction",
      id: "",
      tenantId: "default",
      contactId: "c",
      at: 1_000_000_000_000,
      type: "email.opened",
      attributes: { b: { d: [null, {}] } },
    });
    expect(input({ attributes: null })).toMatchObject({ attributes: {} });
  });

  it("reads profiles and erasures, and refuses a profile that says neither", () => {
    expect(
      accepted({ kind: "profile", contactId: "c", at: 1_000_000_000_001, fields: { city: "Kiel" } }).input,
    ).toEqual({
      kind: "profile",
      id: "",
      tenantId: "default",
      contactId: "c",
      at: 1_000_000_000_001,
      fields: { city: "Kiel" },
    });
    expect(accepted({ kind: "profile", contactId: "c", at: 1_000_000_000_001, fields: null }).input).toMatchObject({
      fields: null,
    });
    expect(refusal({ kind: "profile", contactId: "c", at: 1_000_000_000_001 })).toEqual({
      ok: false,
      reason: "invalid",
      error: "fields is missing; write the whole profile, or null to erase the contact",
    });
    expect(refusal({ kind: "profile", contactId: "c", at: 1_000_000_000_001, fields: [] }).error).toContain(
      "fields is a list",
    );
  });

  it("reads adjustments with exactly one of add and set", () => {
    const adjustment = { kind: "adjustment", contactId: "c", at: 1_000_000_000_001, model: "lead" };
    expect(accepted({ ...adjustment, add: -5, dimension: "fit", reason: "r", by: "b", set: null }).input).toEqual({
      ...adjustment,
      id: "",
      tenantId: "default",
      add: -5,
      dimension: "fit",
      reason: "r",
      by: "b",
    });
    expect(refusal(adjustment).error).toBe("one of add and set is needed");
    expect(refusal({ ...adjustment, add: 1, set: 2 }).error).toContain("both there");
    expect(refusal({ ...adjustment, add: "1" }).error).toContain("expected a number");
    expect(refusal({ ...adjustment, set: 1e9 + 1 }).error).toContain("1000000001");
    expect(accepted({ ...adjustment, set: -1e9 }).input).toMatchObject({ set: -1e9 });
    expect(refusal({ ...adjustment, model: undefined, add: 1 }).error).toContain("model is missing");
  });

  it.each([
    ["seconds", 1_780_306_200, /^at is 1780306200, as milliseconds 1970-01-21T14:31:46.200Z; if these are seconds/],
    ["zero", 0, /^at is 0, as milliseconds 1970-01-01T00:00:00.000Z/],
    ["minus one, which is no timestamp to Kafka", -1, /^at is -1/],
    ["the largest that looks like seconds", 99_999_999_999, /^at is 99999999999/],
    ["the year 2100", "2100-01-01T00:00:00Z", /^at is "2100-01-01T00:00:00Z"; an input is dated before 2100/],
    ["the year 2100 by its zone", "2099-12-31T23:30:00-01:00", /before 2100-01-01T00:00:00Z/],
    ["2206 in milliseconds", 7_450_000_000_000, /^at is 7450000000000, which is 2206-01-30/],
    ["microseconds", 1_780_306_200_000_000, /before 2100/],
  ])("puts an implausible instant aside: %s", (_, at, error) => {
    expect(refusal({ ...good, at })).toMatchObject({
      reason: "implausible-instant",
      error: expect.stringMatching(error),
    });
    const retraction = { ...good, type: "interaction.retracted", attributes: { id: "x", at } };
    expect(refusal(retraction)).toMatchObject({
      reason: "implausible-instant",
      error: expect.stringMatching(/^attributes\.at is /),
    });
  });

  it.each([
    [1e11, 1e11],
    [-1e11, -1e11],
    [852_076_800_000, 852_076_800_000],
    ["1970-01-01T00:00:00Z", 0],
    ["1971-05-01T00:00:00Z", Date.UTC(1971, 4, 1)],
    [4_102_444_799_999, 4_102_444_799_999],
    ["2099-12-31T23:59:59.9999Z", 4_102_444_799_999],
  ])("takes an instant of long ago and one of soon: %s", (at, expected) => {
    expect(input({ at })).toMatchObject({ at: expected });
  });

  it("refuses what it does not know yet instead of passing over it", () => {
    const profile = { kind: "profile", contactId: "c", at: 1e12 };
    expect(refusal({ ...profile, patch: { city: "Kiel" } }).reason).toBe("unsupported");
    expect(refusal({ ...profile, fields: {}, patch: { city: "Kiel" } }).reason).toBe("unsupported");
    expect(accepted({ ...profile, fields: {}, patch: null }).ignored).toEqual([]);
    const adjustment = { kind: "adjustment", contactId: "c", at: 1e12, model: "lead", add: 5 };
    expect(refusal({ ...adjustment, decays: true })).toMatchObject({ reason: "unsupported" });
    expect(refusal({ ...adjustment, decays: "yes" })).toMatchObject({ reason: "invalid" });
    expect(accepted({ ...adjustment, decays: false }).input).not.toHaveProperty("decays");
  });

  it("brings the instant of a retraction into milliseconds", () => {
    const retraction = { ...good, type: "interaction.retracted" };
    const attributes = { id: "x", at: "1970-01-01T00:00:01Z" };
    expect(accepted({ ...retraction, attributes }).input).toMatchObject({
      attributes: { id: "x", at: 1000 },
    });
    expect(refusal({ ...retraction, attributes: {} }).error).toMatch(
      /attributes.id is nothing.*attributes.at is missing/,
    );
    expect(refusal({ ...retraction, attributes: { id: 1, at: 1_000_000_000_000 } }).error).toContain(
      "attributes.id is a number",
    );
  });

  it("returns the names of fields it does not know", () => {
    expect(accepted({ ...good, atributes: {}, fields: {} }).ignored).toEqual(["atributes", "fields"]);
  });

  it("keeps a field named __proto__ a field", () => {
    const value = JSON.parse(
      '{"contactId":"c","type":"a.b","at":1000000000001,"attributes":{"__proto__":{"x":1,"y":null}},"__proto__":{"id":"z"}}',
    );
    const decoded = accepted(value);
    expect(decoded.input.id).toBe("");
    expect(decoded.ignored).toEqual(["__proto__"]);
    expect(JSON.stringify(decoded.input)).toContain('"attributes":{"__proto__":{"x":1}}');
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  it.each([
    ["unsupported", { ...good, type: "identity.linked" }],
    ["unsupported", { ...good, contactId: "account:1" }],
    ["unsupported", { kind: "population", model: "m" }],
    ["unknown-kind", { ...good, kind: "interacton" }],
    ["unknown-kind", { ...good, kind: 3 }],
    ["unknown-kind", { ...good, kind: "constructor" }],
    ["no-contact", { ...good, contactId: undefined, at: "?" }],
    ["no-contact", { ...good, contactId: "" }],
    ["bad-instant", { ...good, at: undefined }],
    ["bad-instant", { ...good, at: 1.5 }],
    ["bad-instant", { ...good, at: 8.64e15 + 2 }],
    ["bad-instant", { ...good, at: "2024-05-01T12:00:00" }],
    ["bad-instant", { ...good, at: "2024-02-30T12:00:00Z" }],
    ["bad-instant", { ...good, at: true }],
    ["invalid", { ...good, tenantId: "" }],
    ["invalid", { ...good, contactId: 12 }],
    ["invalid", { ...good, id: 12 }],
    ["invalid", { ...good, id: "a\nb" }],
    ["invalid", { ...good, id: "a\u0000b" }],
    ["invalid", { ...good, contactId: "a\u007fb" }],
    ["invalid", { ...good, contactId: "\ud800" }],
    ["invalid", { ...good, type: "" }],
    ["invalid", { ...good, type: undefined }],
    ["invalid", { ...good, type: "email" }],
    ["invalid", { ...good, type: ".opened" }],
    ["invalid", { ...good, automated: "perhaps" }],
    ["invalid", { ...good, resource: 5 }],
    ["invalid", { ...good, attributes: "x" }],
    ["invalid", { ...good, attributes: [] }],
    ["too-large", { ...good, id: "x".repeat(257) }],
    ["too-large", { ...good, id: "\u{1f600}".repeat(65) }],
    ["too-large", { ...good, resource: "x".repeat(8193) }],
    ["undecodable", [good]],
    ["undecodable", null],
    ["undecodable", "text"],
  ] as const)("refuses, as %s, %j", (reason, value) => expect(refusal(value).reason).toBe(reason));

  it("names all problems of an input at once, and the nearest kind", () => {
    expect(refusal({ kind: "interaction", at: "never", type: 1, attributes: [] })).toEqual({
      ok: false,
      reason: "no-contact",
      error:
        "type is a number; expected a text; attributes is a list; expected an object; contactId is missing; say whose input " +
        'this is; at is "never"; expected ISO 8601 with a zone, as 2024-05-01T12:00:00Z, or whole milliseconds since 1970',
    });
    expect(refusal({ kind: "profle" }).error).toContain("did you mean profile?");
  });

  it("takes emoji and the largest doubles, up to the limits", () => {
    expect(input({ contactId: "\u{1f600}".repeat(64), attributes: { x: 1e308, y: "\u{1f600}" } })).toMatchObject({
      attributes: { x: 1e308 },
    });
    expect(input({ id: "x".repeat(256), resource: "y".repeat(8192) })).toHaveProperty("resource");
  });

  it("bounds nesting and names the place of a number that is none", () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : { n: nested(depth - 1) });
    expect(input({ attributes: nested(32) })).toHaveProperty("attributes.n.n.n");
    expect(refusal({ ...good, attributes: nested(33) }).error).toContain("nested more than 32 deep");
    expect(
      refusal(JSON.parse('{"contactId":"c","type":"a.b","at":1000000000001,"attributes":{"a":[0,{"b":1e400}]}}')).error,
    ).toBe("attributes.a[1].b is a number beyond the range of a double (about 1.8e308)");
  });
});

describe("decodeLine", () => {
  const line = (size: number, filler = "x") => {
    const empty = JSON.stringify({ ...good, attributes: { text: "" } });
    return empty.replace('""', JSON.stringify(filler.repeat(size)));
  };

  it("says what is wrong with a line that is no JSON", () => {
    expect(decodeLine('{"contactId":')).toMatchObject({ ok: false, reason: "undecodable" });
    expect(decodeLine("[".repeat(200_000))).toMatchObject({ ok: false, reason: "undecodable" });
    expect(decodeLine(`${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`)).toMatchObject({
      ok: false,
      reason: "no-contact",
    });
  });

  it("bounds the bytes of a line, not its characters", () => {
    const overhead = line(0).length;
    expect(decodeLine(line(INPUT_BYTES_MAX - overhead)).ok).toBe(true);
    expect(decodeLine(line(INPUT_BYTES_MAX - overhead + 1))).toMatchObject({ ok: false, reason: "too-large" });
    expect(decodeLine(line(INPUT_BYTES_MAX / 2, "\u00e9"))).toMatchObject({ ok: false, reason: "too-large" });
  });

  it("keeps an error short when everything is wrong", () => {
    const decoded = decodeLine(
      `{"contactId":"c","type":"a.b","at":1000000000001,"attributes":{"a":[${"1e999,".repeat(9999)}1]}}`,
    );
    expect(!decoded.ok && decoded.error.length).toBeLessThan(4100);
    expect(!decoded.ok && decoded.error).toContain("and 9979 more");
  });
});
