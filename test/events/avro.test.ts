import avsc from "avsc";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DeadLetterRecord, inputCodec, type OutputRecord, outputCodec } from "../../src/events/avro.js";
import { canonicalJson } from "../../src/events/canonical.js";
import { decodeInput, INPUT_BYTES_MAX } from "../../src/events/decode.js";
import type {
  ContactErased,
  Input,
  Interaction,
  ScoreChanged,
  ScoreLine,
  ThresholdCrossed,
} from "../../src/events/types.js";
import { inputLists } from "../arbitrary/inputs.js";
import { codecs, email, shipped } from "./avro-shipped.js";

const encode = (input: Input) => codecs[input.kind].encode(input);
const good: Interaction = {
  kind: "interaction",
  id: "e1",
  tenantId: "default",
  contactId: "ada",
  at: 1_772_720_460_000,
  type: "email.clicked",
  attributes: {},
};
const withAttributes = (attributes: unknown): Interaction => ({ ...good, attributes }) as Interaction;
const roundTrip = (input: Input) => {
  const decoded = codecs[input.kind].decode(encode(input));
  if (!decoded.ok) throw new Error(decoded.error);
  return decoded.input;
};
const refusal = (bytes: Uint8Array, codec = codecs.interaction) => {
  const decoded = codec.decode(bytes);
  if (decoded.ok) throw new Error("accepted");
  return decoded;
};

/** Any JSON that an input can hold, once decoded: no nulls in objects, no half surrogates, no -0. */
const anyAttributes = fc
  .dictionary(fc.string({ unit: "binary", maxLength: 8 }), fc.jsonValue({ maxDepth: 4, stringUnit: "binary" }), {
    maxKeys: 5,
  })
  .map((value) => JSON.parse(JSON.stringify(value)) as object);
const anyInteraction = anyAttributes.map((attributes) => {
  const decoded = decodeInput({ ...good, attributes });
  if (!decoded.ok) throw new Error(decoded.error);
  return decoded.input;
});

describe("inputs in Avro", () => {
  it("come back as they went in", () => {
    fc.assert(
      fc.property(inputLists({ countMax: 20 }), (inputs) => {
        for (const input of inputs) {
          // Arbitrary inputs have nulls in objects; decoded ones don't.
          const expected = decodeInput(structuredClone(input));
          expect({ ...codecs[input.kind].decode(encode(input)) }).toEqual(expected);
          expect(canonicalJson(roundTrip(input))).toBe(canonicalJson(input));
        }
      }),
      { numRuns: 100 },
    );
  });

  it("come back with any JSON in their attributes", () => {
    fc.assert(
      fc.property(anyInteraction, (input) => {
        expect(roundTrip(input)).toEqual(input);
      }),
      { numRuns: 500 },
    );
  });

  it("are the same bytes whatever the order of keys, and with nulls or without", () => {
    const one = withAttributes({ b: 1, a: { y: null, x: [null, 2] }, "\u{1f600}": 1, "\uff5e": 2, gone: null });
    const other = withAttributes({ "\uff5e": 2, "\u{1f600}": 1, a: { x: [null, 2] }, b: 1 });
    expect(encode(one)).toEqual(encode(other));
    expect(encode(withAttributes({ n: -0 }))).toEqual(encode(withAttributes({ n: 0 })));
    const adding = (add: number): Input => ({ ...good, kind: "adjustment", model: "m", add }) as Input;
    expect(encode(adding(-0))).toEqual(encode(adding(0)));
    fc.assert(
      fc.property(anyInteraction, (input) => {
        const { attributes } = input as Interaction;
        const reversed = Object.fromEntries(Object.entries(attributes).reverse());
        expect(encode(withAttributes(reversed))).toEqual(encode(input));
        expect(encode(JSON.parse(canonicalJson(input)) as Input)).toEqual(encode(input));
      }),
    );
  });

  it("are these bytes", () => {
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
    expect(hex(encode({ ...good, at: 1, resource: "/a", automated: "maybe", attributes: { n: -1, t: ["x"] } }))).toBe(
      "046531" +
        "0e64656661756c74" +
        "06616461" +
        "1a656d61696c2e636c69636b6564" +
        "02" +
        "02042f61" +
        "02" +
        ("04" + "026e" + "0401" + "0274" + "0a02080278" + "00" + "00"),
    );
    expect(hex(encode({ kind: "profile", id: "", tenantId: "t", contactId: "c", at: 0, fields: null }))).toBe(
      "0002740263" + "0000",
    );
  });

  it("are what avsc writes and reads", () => {
    const type = avsc.Type.forSchema(email as unknown as avsc.Type, { registry: {}, wrapUnions: "always" });
    fc.assert(
      fc.property(anyInteraction, (input) => {
        // But for what avsc loses or refuses, see below.
        fc.pre(!/__proto__|-\d{16}(?!\d)|9007199254740991/.test(canonicalJson(input)));
        const bytes = Buffer.from(encode(input));
        const value: unknown = type.fromBuffer(bytes);
        // Keys may come in another order, so what is compared is what we read of what avsc wrote.
        expect(codecs.interaction.decode(type.toBuffer(value))).toEqual(codecs.interaction.decode(bytes));
      }),
    );
  });

  it("are not left to avsc, since it loses some of them", () => {
    const long = avsc.Type.forSchema("long");
    expect(long.fromBuffer(long.toBuffer(-(2 ** 52) - 1))).toBe(2 ** 52);
    const map = avsc.Type.forSchema({ type: "map", values: "long" });
    const bytes = Buffer.from([2, 18, ...Buffer.from("__proto__"), 10, 0]);
    expect(Object.keys(map.fromBuffer(bytes) as object)).toEqual([]);
  });

  it("may have names that objects have by themselves", () => {
    const attributes = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":"c","toString":[{"__proto__":null}],"hasOwnProperty":1}',
    ) as object;
    const found = roundTrip(withAttributes(attributes)) as Interaction;
    expect(Object.keys(found.attributes).sort()).toEqual(["__proto__", "constructor", "hasOwnProperty", "toString"]);
    expect(Object.getOwnPropertyDescriptor(found.attributes, "__proto__")?.value).toEqual({ polluted: 1 });
    expect(Object.getPrototypeOf(found.attributes)).toBe(Object.prototype);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  it("keep every whole number that a double holds exactly, of either sign", () => {
    const sizes = [
      0,
      1,
      63,
      64,
      2 ** 27,
      2 ** 28,
      2 ** 31,
      2 ** 32,
      2 ** 35,
      2 ** 52,
      2 ** 52 + 1,
      2 ** 53 - 2,
      2 ** 53 - 1,
    ];
    for (const n of sizes.flatMap((size) => [size, size === 0 ? 1 : -size])) {
      expect(roundTrip(withAttributes({ n }))).toEqual(withAttributes({ n }));
    }
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        expect(roundTrip(withAttributes({ n }))).toEqual(withAttributes({ n: n + 0 }));
      }),
    );
    for (const at of [4_102_444_799_999, 1e11, -8.64e15, -8.64e15 + 1]) expect(roundTrip({ ...good, at }).at).toBe(at);
    // Beyond, they are doubles, as they are in JSON.
    expect(roundTrip(withAttributes({ n: 2 ** 60 }))).toEqual(withAttributes({ n: 2 ** 60 }));
    expect(roundTrip(withAttributes({ n: 1.7e308 }))).toEqual(withAttributes({ n: 1.7e308 }));
  });

  it("may be erasures, and profiles without fields", () => {
    const profile = { kind: "profile", id: "", tenantId: "t", contactId: "c", at: 1e12 } as const;
    expect(roundTrip({ ...profile, fields: null })).toEqual({ ...profile, fields: null });
    expect(roundTrip({ ...profile, fields: {} })).toEqual({ ...profile, fields: {} });
  });

  it("may be large, up to the limit", () => {
    const text = "é".repeat(100_000);
    expect(roundTrip(withAttributes({ text }))).toEqual(withAttributes({ text }));
    expect(roundTrip(good)).toEqual(good);
    const list = Array.from({ length: 60_000 }, () => null);
    expect(roundTrip(withAttributes({ list }))).toEqual(withAttributes({ list }));
    expect(() => encode(withAttributes({ text: "x".repeat(INPUT_BYTES_MAX) }))).toThrow("at most 262144");
    expect(refusal(new Uint8Array(INPUT_BYTES_MAX + 1))).toMatchObject({ reason: "too-large" });
  });

  it("may be part of larger bytes", () => {
    const bytes = encode(good);
    const around = new Uint8Array(bytes.length + 10).fill(255);
    around.set(bytes, 5);
    expect(codecs.interaction.decode(around.subarray(5, 5 + bytes.length))).toEqual(codecs.interaction.decode(bytes));
  });
});

describe("inputs that can't be read", () => {
  it("are refused at every length but the whole", () => {
    fc.assert(
      fc.property(inputLists({ countMax: 5 }), (inputs) => {
        for (const input of inputs) {
          const bytes = encode(input);
          for (let length = 0; length < bytes.length; length += 1) {
            const found = refusal(bytes.subarray(0, length), codecs[input.kind]);
            expect(found.reason).toBe("undecodable");
            expect(found.error).toContain(`is cut off: the bytes end after ${length}; was it written with another`);
          }
          const longer = new Uint8Array(bytes.length + 2);
          longer.set(bytes);
          expect(refusal(longer, codecs[input.kind])).toMatchObject({
            reason: "undecodable",
            error: expect.stringContaining("is followed by 2 bytes that are not part of"),
          });
        }
      }),
      { numRuns: 20 },
    );
  });

  it("are an answer, whatever the bytes are, and soon", () => {
    const start = Date.now();
    const all = Object.values(codecs);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        for (const codec of all) expect(typeof codec.decode(bytes).ok).toBe("boolean");
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(anyInteraction, fc.nat(), fc.nat(255), (input, place, byte) => {
        const bytes = encode(input);
        bytes[place % bytes.length] = byte;
        const decoded = codecs.interaction.decode(bytes);
        // What is still an input can be written again.
        if (decoded.ok) expect(roundTrip(decoded.input)).toEqual(decoded.input);
      }),
      { numRuns: 2000 },
    );
    expect(Date.now() - start).toBeLessThan(60_000);
  });

  const head = () => encode(good).subarray(0, -1);
  const tail = (...bytes: readonly number[]) => Uint8Array.from([...head(), ...bytes]);

  it.each([
    ["a count far beyond the bytes", [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f], "attributes has more than"],
    ["a count with a size below 0", [1, 3, 0, 0], "attributes has -2 for a length"],
    ["a length of 64 bits", [2, 0xfe, ...Array(8).fill(0xff), 1], "attributes has 9223372036854776000 for a length"],
    ["a key with a length below 0", [2, 1, 0], "attributes has -1 for a length"],
    ["a branch that is not there", [2, 2, 97, 14, 0], "attributes.a has branch 7 of 7"],
    ["a branch below 0", [2, 2, 97, 1, 0], "attributes.a has -1 for a length, branch or symbol"],
    ["a truth value of 2", [2, 2, 97, 2, 2, 0], "attributes.a has the byte 2 in place of a truth value"],
    ["a text that is not UTF-8", [2, 2, 97, 8, 2, 0xff, 0], "attributes.a is not UTF-8"],
    ["a number of 11 bytes", [2, 2, 97, 4, ...Array(10).fill(0x80), 0, 0], "attributes.a holds a number of more than"],
    ["a number of 65 bits", [2, 2, 97, 4, ...Array(9).fill(0xff), 2, 0], "attributes.a holds a number of more than"],
  ])("have %s", (_, bytes, text) => {
    expect(refusal(tail(...bytes))).toEqual({
      ok: false,
      reason: "undecodable",
      error: expect.stringContaining(`not readable as scorefold.EmailInteraction: ${text}`),
    });
  });

  it("have a symbol that is not there", () => {
    const bytes = encode(good);
    bytes[bytes.length - 2] = 6;
    expect(refusal(bytes).error).toContain("automated has symbol 3 of 3");
  });

  it("have a long beyond what a number holds exactly", () => {
    const max = [0xfe, ...Array(8).fill(0xff), 1];
    const min = [...Array(9).fill(0xff), 1];
    const beyond = (bytes: readonly number[]) => refusal(tail(2, 2, 97, 10, 2, 4, ...bytes, 0, 0));
    expect(beyond(max)).toEqual({
      ok: false,
      reason: "invalid",
      error:
        "attributes.a[0] is 9223372036854775807, a long beyond ±9007199254740991, which would have to be rounded; send it as a string",
    });
    expect(beyond(min).error).toContain("is -9223372036854775808, a long");
    // ±2^53, the first that are refused.
    expect(beyond([...Array(7).fill(0x80), 0x20]).error).toContain("is 9007199254740992, a long");
    expect(beyond([...Array(7).fill(0xff), 0x1f]).error).toContain("is -9007199254740992, a long");
    const at = head();
    const start = Buffer.from(at).lastIndexOf("email.clicked") + "email.clicked".length;
    expect(refusal(Uint8Array.from([...at.subarray(0, start), ...max, 0, 0, 0]))).toMatchObject({
      reason: "bad-instant",
      error: expect.stringContaining("at is 9223372036854775807"),
    });
  });

  it("are nested too deep: as JSON says it up to a depth, and without an end to the stack beyond", () => {
    const nested = (depth: number) => {
      let value: unknown = 1;
      for (let i = 1; i < depth; i += 1) value = i % 2 === 0 ? [value] : { a: value };
      return withAttributes({ a: value });
    };
    expect(roundTrip(nested(32))).toEqual(nested(32));
    const json = decodeInput(structuredClone(nested(33)));
    expect(refusal(encode(nested(33)))).toEqual(json);
    expect(json).toMatchObject({ ok: false, reason: "invalid" });
    const opened = Array.from({ length: 60_000 }, () => [10, 2]).flat();
    expect(refusal(tail(2, 2, 97, ...opened))).toMatchObject({
      reason: "invalid",
      error: expect.stringContaining("is nested more than 256 deep"),
    });
  });

  it("have the reasons and messages that JSON has", () => {
    const bad: readonly object[] = [
      { contactId: "" },
      { contactId: "account:1" },
      { type: "nodot" },
      { id: "x".repeat(300), resource: "y".repeat(9000) },
      { at: 8.64e15 + 1 },
      { type: "interaction.retracted" },
      { tenantId: "a\u0007b" },
    ];
    for (const over of bad) {
      const value = { ...good, ...over } as Interaction;
      expect(refusal(encode(value))).toEqual(decodeInput(structuredClone(value)));
    }
    const bytes = Uint8Array.from([...tail(2, 2, 97, 6, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f, 0)]);
    expect(refusal(bytes)).toEqual(decodeInput(withAttributes({ a: Number.POSITIVE_INFINITY })));
    const nothing = { kind: "adjustment", id: "", tenantId: "t", contactId: "c", at: 0, model: "m" } as const;
    expect(refusal(encode(nothing), codecs.adjustment)).toEqual(decodeInput(nothing));
  });
});

describe("inputs that can't be written", () => {
  it.each([
    ["half a character", withAttributes({ a: [{ b: "\ud800" }] }), "attributes.a[0].b holds half of a surrogate pair"],
    ["half a character in a name", withAttributes({ "\udc00": 1 }), "attributes.\udc00 holds half of a surrogate pair"],
    ["no number", withAttributes({ a: Number.NaN }), "attributes.a is NaN"],
    ["a function", withAttributes({ a: () => 1 }), "attributes.a is"],
    ["half a millisecond", { ...good, at: 0.5 }, "at is 0.5; the schema has: whole number within"],
    ["an instant beyond all", { ...good, at: 2 ** 53 }, "at is 9007199254740992"],
    ["a missing id", { ...good, id: undefined } as unknown as Input, "id is missing"],
    ["no such symbol", { ...good, automated: "never" } as unknown as Input, "automated is a text"],
    ["no attributes", withAttributes(null), "attributes is null"],
  ])("have %s", (_, input, text) => {
    expect(() => encode(input)).toThrow(`can't be written as scorefold.EmailInteraction: ${text}`);
    // What was begun and left does not show in what comes after.
    expect(roundTrip(good)).toEqual(good);
  });

  it("are of another kind", () => {
    const profile: Input = { kind: "profile", id: "", tenantId: "t", contactId: "c", at: 0, fields: {} };
    expect(() => codecs.interaction.encode(profile)).toThrow(
      "a profile can't be written as scorefold.EmailInteraction",
    );
    expect(() => inputCodec(shipped("scores"))).toThrow("its record is named ScoreLine");
  });
});

describe("outputs in Avro", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 12 });
  const maybeText = fc.option(text);
  const whole = fc.maxSafeInteger();
  const at = fc.integer({ min: -8.64e15, max: 8.64e15 });
  const contact = { tenantId: text, contactId: text };
  const model = { model: text, version: fc.integer({ min: 1, max: 1000 }) };
  const dimensions = fc
    .dictionary(text, whole, { maxKeys: 4 })
    .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, number>);
  const cause = fc.record(
    { kind: fc.constantFrom("interaction", "decay", "late"), id: text, type: text },
    { requiredKeys: ["kind"] },
  );
  const points = fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0);
  const lines = fc.array(fc.record({ rule: text, dimension: text, points }), { maxLength: 4 });
  const flags = { salesReady: fc.boolean(), grade: maybeText };

  const arbitraries: Readonly<Record<string, fc.Arbitrary<OutputRecord>>> = {
    "score-changed": fc.record({
      kind: fc.constant("ScoreChanged" as const),
      ...{ id: text, ...contact, ...model, previous: fc.option(whole), current: whole, delta: whole },
      ...{ previousGrade: maybeText, dimensions, at, cause, lines, ...flags, suppressed: fc.boolean() },
      route: maybeText,
    }) as fc.Arbitrary<ScoreChanged>,
    "threshold-crossed": fc.record({
      kind: fc.constant("ThresholdCrossed" as const),
      ...{ eventId: text, ...contact, ...model, id: text, direction: fc.constantFrom("up", "down") },
      crossing: fc.constantFrom("threshold", "trigger", "salesReady", "grade"),
      ...{ at, previous: fc.option(whole), current: whole, ...flags, route: maybeText, cause },
    }) as fc.Arbitrary<ThresholdCrossed>,
    "contact-erased": fc.record({ kind: fc.constant("ContactErased" as const), id: text, ...contact, at }),
    scores: fc.record({
      ...{ ...contact, ...model, score: whole, ...flags, dimensions, suppressed: fc.boolean() },
      lastActivityAt: fc.option(at),
    }) as fc.Arbitrary<ScoreLine>,
    "dead-letters": fc.record(
      {
        ...{ reason: fc.constantFrom("invalid", "conflict"), error: text, topic: text, partition: fc.nat() },
        ...{
          offset: fc.nat(Number.MAX_SAFE_INTEGER),
          source: maybeText,
          original: text,
          length: fc.nat(),
          sha256: text,
        },
      },
      { requiredKeys: ["reason", "error", "topic", "partition", "offset", "source", "original"] },
    ) as fc.Arbitrary<DeadLetterRecord>,
  };

  it.each(Object.entries(arbitraries))("come back as they went in: %s", (topic, arbitrary) => {
    const codec = outputCodec(shipped(topic));
    fc.assert(
      fc.property(arbitrary, (value) => {
        const bytes = codec.encode(value);
        expect(codec.decode(bytes)).toEqual({ ok: true, value });
        expect(codec.encode(structuredClone(value))).toEqual(bytes);
        expect(codec.decode(bytes.subarray(0, -1)).ok).toBe(false);
      }),
    );
  });

  const erased: ContactErased = { kind: "ContactErased", id: "x", tenantId: "t", contactId: "c", at: 5 };

  it("come back with the kind first, then in the order of the schema", () => {
    const decoded = outputCodec<ContactErased>(shipped("contact-erased")).decode(
      outputCodec<ContactErased>(shipped("contact-erased")).encode(erased),
    );
    expect(JSON.stringify(decoded)).toBe(
      '{"ok":true,"value":{"kind":"ContactErased","id":"x","tenantId":"t","contactId":"c","at":5}}',
    );
  });

  it("say what is wrong", () => {
    expect(() => outputCodec(shipped("score-changed")).encode(erased)).toThrow(
      "ContactErased can't be written as ScoreChanged",
    );
    expect(() => outputCodec(email)).toThrow("its record is named EmailInteraction");
    const bytes = outputCodec(shipped("contact-erased")).encode(erased);
    expect(outputCodec(shipped("score-changed")).decode(bytes)).toEqual({
      ok: false,
      error: expect.stringMatching(/^not readable as scorefold\.ScoreChanged: .* is cut off/),
    });
    const line = { tenantId: "t", contactId: "c", model: "m", version: 1, grade: null, dimensions: { fit: 0.5 } };
    const flags = { salesReady: false, suppressed: false, lastActivityAt: null };
    const scores = outputCodec<ScoreLine>(shipped("scores"));
    expect(() => scores.encode({ ...line, ...flags, score: 1 })).toThrow("dimensions.fit is 0.5");
    expect(() => scores.encode({ ...line, ...flags, score: 2 ** 53 })).toThrow("score is 9007199254740992");
  });
});
