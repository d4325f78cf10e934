/** Foreign values into inputs: the two examples, each word of the language, and whatever a record may hold. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deadLetterReasons, INPUT_BYTES_MAX } from "../../src/events/decode.js";
import type { Mapped } from "../../src/topics/record.js";
import { mapped, mapperOf, textIn } from "./given.js";

const fields = "contactId: { from: u }, at: { from: t }, type: { value: web.seen }";

/** What became of the lines of a file: inputs, or why not. */
function mappedLines(file: string): unknown[] {
  const map = mapperOf(textIn(`examples/${file}.yaml`));
  const lines = textIn(`examples/${file}.jsonl`).trimEnd().split("\n");
  return lines.map((line) => outcome(map(line)));
}

function outcome(result: Mapped): unknown {
  if (result.ok === "skipped") return `skipped: ${result.reason}`;
  return result.ok ? result.input : `${result.reason}: ${result.error}`;
}

/** The fields of one input, or why there is none. */
function inputOf(input: string, value: object, parts?: Parameters<ReturnType<typeof mapperOf>>[1]): unknown {
  return outcome(mapperOf(mapped(input))(JSON.stringify(value), parts));
}

describe("the examples", () => {
  it("make inputs of Segment's calls", () => {
    const common = { tenantId: "default" };
    expect(mappedLines("segment-track")).toEqual([
      {
        ...common,
        kind: "interaction",
        id: "ajs-1",
        contactId: "u-1",
        at: Date.parse("2026-06-01T09:30:00Z"),
        type: "product.purchased",
        resource: "https://shop.example/done",
        attributes: { order_id: "50314b8e", revenue: 25, currency: "EUR", campaign: "june" },
      },
      {
        ...common,
        kind: "interaction",
        id: "ajs-2",
        contactId: "a-77",
        at: Date.parse("2026-06-01T09:31:00Z"),
        type: "web.Video Started",
        resource: "https://shop.example/tour",
        attributes: {},
      },
      {
        ...common,
        kind: "interaction",
        id: "ajs-3",
        contactId: "u-1",
        at: Date.parse("2026-06-01T09:29:00Z"),
        type: "web.page_viewed",
        resource: "https://shop.example/pricing",
        attributes: { title: "Pricing" },
      },
      {
        ...common,
        kind: "profile",
        id: "ajs-4",
        contactId: "u-1",
        at: Date.parse("2026-06-01T09:28:00Z"),
        fields: { email: "ada@example.com", title: "CTO", company: { employee_count: 120 } },
      },
      "skipped: type is track does not hold; type is page does not hold; userId is nothing holds",
      "skipped: type is track does not hold; type is page does not hold; type is identify does not hold",
    ]);
  });

  it("make inputs of SendGrid's events", () => {
    const common = { kind: "interaction", tenantId: "default" };
    expect(mappedLines("sendgrid-events")).toEqual([
      "skipped: event is not in the values of type",
      {
        ...common,
        id: "ev-2",
        contactId: "ada@example.com",
        at: 1_780_306_205_000,
        type: "email.delivered",
        attributes: { message: "m-1", category: ["june"] },
      },
      {
        ...common,
        id: "ev-3",
        contactId: "4711",
        at: 1_780_306_300_000,
        type: "email.opened",
        automated: "yes",
        attributes: { message: "m-1", category: ["june"], userAgent: "Mozilla/5.0" },
      },
      {
        ...common,
        id: "ev-4",
        contactId: "4711",
        at: 1_780_306_400_000,
        type: "email.clicked",
        resource: "https://shop.example/offer",
        attributes: { message: "m-1", category: ["june"], userAgent: "Mozilla/5.0" },
      },
      {
        ...common,
        id: "ev-5",
        contactId: "bob@example.com",
        at: 1_780_306_500_000,
        type: "email.bounced",
        attributes: { message: "m-2", reason: "500 unknown recipient" },
      },
    ]);
  });
});

describe("values of a topic without a mapping", () => {
  const map = (kind: string) => mapperOf(`name: t\nrole: input\nkind: ${kind}\npartitions: 1\n`);
  const profile = '{"contactId":"ada","at":1000000000005,"fields":{"a":1}}';

  it("have the topic's kind where they do not say theirs", () => {
    expect(outcome(map("profile")(profile))).toMatchObject({ kind: "profile", id: "", fields: { a: 1 } });
    expect(outcome(map("profile")(profile.replace("{", '{"kind":null,')))).toMatchObject({ kind: "profile" });
    const own = profile.replace("{", '{"kind":"interaction","type":"web.seen",');
    expect(outcome(map("profile")(own))).toMatchObject({ kind: "interaction" });
    expect(outcome(map("interaction")(profile))).toMatch(/^invalid: type is missing/);
    expect(outcome(map("adjustment")("[1]"))).toMatch(/^undecodable: expected a JSON object, found a list/);
  });
});

describe("an id that the source does not have", () => {
  const input = `{ fields: { ${fields}, id: { from: i } } }`;
  const map = mapperOf(mapped(input));
  const text = '{"u":"ada","t":1000000000005}';

  it("is a hash of the value's bytes, wherever and whenever it was read", () => {
    const id = (json: string, timestamp = 1): unknown => (outcome(map(json, { timestamp })) as { id?: string }).id;
    expect(id(text)).toMatch(/^[0-9a-f]{32}$/);
    expect(id(text, 2)).toBe(id(text));
    expect(id(text.replace("5}", "6}"))).not.toBe(id(text));
    // The same to JSON, and yet another record.
    expect(id(`${text} `)).not.toBe(id(text));
    expect(id(text.replace("{", '{"i":"",'))).toMatch(/^[0-9a-f]{32}$/);
    expect(id(text.replace("{", '{"i":0,'))).toBe("0");
    // Also where the mapping itself would make an empty one.
    const empty = mapperOf(mapped(`{ fields: { ${fields}, id: { from: i, values: { x: "" } } } }`));
    expect(outcome(empty('{"u":"ada","t":1000000000005,"i":"x"}'))).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });
});

describe("a field", () => {
  const withField = (field: string) =>
    `{ fields: { contactId: { from: u }, at: { from: t }, type: { value: web.seen }, ${field} } }`;
  const resource = (spec: string, value: object): unknown =>
    (inputOf(withField(`resource: ${spec}`), { u: "ada", t: 1_000_000_000_005, ...value }) as { resource?: unknown })
      .resource;

  it("is found by its path, dots and lists and all", () => {
    expect(resource("{ from: a.b }", { a: { b: "x" } })).toBe("x");
    expect(resource("{ from: 'a\\.b' }", { "a.b": "x", a: { b: "y" } })).toBe("x");
    expect(resource("{ from: a.1.b }", { a: [{}, { b: "x" }] })).toBe("x");
    expect(resource("{ from: a.length }", { a: ["x"] })).toBeUndefined();
    expect(resource("{ from: [a, b, c] }", { a: null, b: "", c: "x" })).toBe("x");
    expect(resource("{ from: a, default: d }", {})).toBe("d");
    expect(resource("{ from: toString.name }", {})).toBeUndefined();
    expect(resource("{ from: __proto__.x }", { __proto__: { x: "y" } })).toBeUndefined();
  });

  it("goes through its table, by the text of what was found", () => {
    const spec = "{ from: a, values: { true: yes, 7: seven, toString: own, gone: null }, prefix: p. , default: d }";
    const table: readonly (readonly [unknown, unknown])[] = [
      [true, "yes"],
      [7, "seven"],
      ["toString", "own"],
      ["constructor", "p.constructor"],
      [8, "p.8"],
      ["gone", "d"],
      [undefined, "d"],
    ];
    for (const [found, expected] of table) expect(resource(spec, { a: found })).toBe(expected);
  });

  it("may refuse or skip what is not in the table", () => {
    const spec = (others: string) => withField(`resource: { from: a.b, values: { x: y }, others: ${others} }`);
    const value = { u: "ada", t: 1_000_000_000_005, a: { b: "secret" } };
    expect(inputOf(spec("refuse"), value)).toBe(
      'invalid: resource, from a.b, is "secret", which is not in its values (mapping version 3)',
    );
    expect(inputOf(spec("skip"), value)).toBe("skipped: a.b is not in the values of resource");
  });

  it("can be the record's key or instant", () => {
    const input =
      "{ fields: { contactId: { from: u, record: key }, at: { record: timestamp }, type: { value: a.b } } }";
    expect(inputOf(input, {}, { key: Buffer.from("ada"), timestamp: 1_000_000_000_007 })).toMatchObject({
      contactId: "ada",
      at: 1_000_000_000_007,
    });
    expect(inputOf(input, { u: "bob" }, { key: Buffer.from("ada") })).toMatchObject({ contactId: "bob" });
    expect(inputOf(input, {}, { key: Buffer.from([0xff]) })).toMatch(
      /^invalid: contactId, from the record's key, is not UTF-8/,
    );
    expect(inputOf(input, {})).toMatch(/^no-contact: .*\(mapping version 3\)$/);
  });

  it("is a text where a text is needed, of whole numbers that are exact", () => {
    const contact = (u: unknown): unknown => inputOf(`{ fields: { ${fields} } }`, { u, t: 1_000_000_000_005 });
    expect(contact(4711)).toMatchObject({ contactId: "4711" });
    expect(contact(2 ** 53)).toMatch(/^invalid: contactId is a number; expected a text/);
    expect(contact(1.5)).toMatch(/^invalid: contactId is a number/);
  });

  it.each([
    ["s", 1_780_306_200, 1_780_306_200_000],
    ["s", "1780306200.123", 1_780_306_200_123],
    ["s", 1_780_306_200.001, 1_780_306_200_001],
    // Who names the format has said the unit: an old instant is one.
    ["s", 1.001, 1001],
    ["us", -5000, -5],
    ["ms", "1780306200000", 1_780_306_200_000],
    ["us", 1_780_306_200_123_999, 1_780_306_200_123],
    ["iso", "2026-06-01T11:30:00+02:00", 1_780_306_200_000],
  ])("is an instant in %s: %j", (format, t, at) => {
    const input = `{ fields: { contactId: { from: u }, at: { from: t, format: ${format} }, type: { value: a.b } } }`;
    expect(inputOf(input, { u: "ada", t })).toMatchObject({ at });
  });

  it("is no instant without a format where a number looks like seconds, or lies in 2100 or later", () => {
    const input = `{ fields: { ${fields} } }`;
    expect(inputOf(input, { u: "ada", t: 1_780_306_200 })).toMatch(
      /^implausible-instant: at is 1780306200, as milliseconds 1970-01-21T14:31:46.200Z; .*`format: s`.*\(mapping version 3\)$/,
    );
    const far = `{ fields: { contactId: { from: u }, at: { from: t, format: s }, type: { value: a.b } } }`;
    expect(inputOf(far, { u: "ada", t: 4_102_444_800 })).toMatch(/^implausible-instant: /);
    expect(inputOf(far, { u: "ada", t: 4_102_444_799 })).toMatchObject({ at: 4_102_444_799_000 });
  });

  it("may be the instant of what is retracted, in a format of its own", () => {
    const retraction = (format: string, at: unknown) =>
      inputOf(
        "{ fields: { contactId: { from: u }, at: { from: t }, type: { value: interaction.retracted }, " +
          `attributes: { fields: { id: { from: i }, at: { from: r${format} } } } } }`,
        { u: "ada", t: 1_780_306_300_000, i: "e1", r: at },
      );
    expect(retraction(", format: s", 1_780_306_200)).toMatchObject({ attributes: { id: "e1", at: 1_780_306_200_000 } });
    expect(retraction(", format: s", 5)).toMatchObject({ attributes: { id: "e1", at: 5000 } });
    expect(retraction("", 1_780_306_200)).toMatch(/^implausible-instant: attributes.at is 1780306200/);
  });

  it.each([
    ["s", "yesterday", /at, from t, is "yesterday"; expected seconds since 1970/],
    ["ms", 1e300, /expected milliseconds/],
    ["iso", 5, /at, from t, is 5; expected ISO 8601/],
    ["us", null, /at is missing/],
  ])("is no instant in %s: %j", (format, t, error) => {
    const input = `{ fields: { contactId: { from: u }, at: { from: t, format: ${format} }, type: { value: a.b } } }`;
    const told = inputOf(input, { u: "ada", t });
    expect(told).toMatch(/^bad-instant: /);
    expect(told).toMatch(error);
  });
});

describe("attributes", () => {
  const attributes = (spec: string, value: string): unknown => {
    const input = mapped(`{ fields: { ${fields}, attributes: ${spec} } }`);
    const found = outcome(mapperOf(input)(`{"u":"ada","t":1000000000005,${value.slice(1)}`));
    return typeof found === "string" ? found : JSON.stringify((found as { attributes: unknown }).attributes);
  };

  it("are an object as a whole, the whole value, or single fields", () => {
    expect(attributes("{ from: p }", '{"p":{"a":1,"b":null}}')).toBe('{"a":1}');
    expect(attributes("{ from: [q, p] }", '{"p":{"a":1}}')).toBe('{"a":1}');
    expect(attributes("{ from: ., without: [u, t] }", '{"x":""}')).toBe('{"x":""}');
    expect(
      attributes("{ fields: { a: { from: p.a, values: { 1: one } }, e: { from: p.e } } }", '{"p":{"a":1,"e":""}}'),
    ).toBe('{"a":"one","e":""}');
    expect(attributes("{ from: p, fields: { a: { from: b } } }", '{"p":{"a":1,"c":2},"b":3}')).toBe('{"a":3,"c":2}');
    expect(attributes("{ from: p }", '{"x":1}')).toBe("{}");
    expect(attributes("{ from: p }", '{"p":[1]}')).toMatch(
      /^invalid: attributes, from p, is a list; expected an object/,
    );
  });

  it("keep a field named __proto__ as a field", () => {
    const value = '{"p":{"__proto__":{"x":1},"a":1,"b":2}}';
    expect(attributes("{ from: p, without: [b] }", value)).toBe('{"__proto__":{"x":1},"a":1}');
    expect(attributes("{ fields: { __proto__: { from: p.a } } }", value)).toBe('{"__proto__":1}');
  });

  it("are bounded in depth and size by what is taken, not by what was there", () => {
    const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
    expect(attributes("{ from: p }", `{"p":${deep}}`)).toMatch(/nested more than 32 deep/);
    const long = JSON.stringify("x".repeat(INPUT_BYTES_MAX));
    expect(attributes("{ from: p }", `{"p":{"a":${long}}}`)).toMatch(/^too-large: the input has 262\d\d\d bytes/);
    expect(attributes("{ from: p, without: [a] }", `{"p":{"a":${long},"b":1}}`)).toBe('{"b":1}');
    const fits = "x".repeat(INPUT_BYTES_MAX - 500);
    expect(attributes("{ from: p }", `{"p":{"a":"${fits}"}}`)).toContain(fits);
  });
});

describe("a profile", () => {
  const input =
    "{ kind: profile, erase: { op: [delete, d] }, fields: { contactId: { from: u }, at: { from: t }, fields: { from: p } } }";

  it("is erased where the source says so, and only then", () => {
    expect(inputOf(input, { u: "ada", t: 1_000_000_000_005, op: "d", p: { a: 1 } })).toMatchObject({
      kind: "profile",
      fields: null,
    });
    expect(inputOf(input, { u: "ada", t: 1_000_000_000_005, op: "u", p: { a: 1 } })).toMatchObject({
      fields: { a: 1 },
    });
  });

  it("is not emptied by a record that lacks it", () => {
    expect(inputOf(input, { u: "ada", t: 1_000_000_000_005 })).toMatch(/^invalid: fields, from p, is missing/);
  });
});

describe("any record", () => {
  const map = mapperOf(
    mapped(
      "{ only: { k: [a, 1, true, null] }, except: { x.y: [0] }, fields: { contactId: { from: [u, a.0] }, " +
        "at: { from: [t, a.1], format: s }, type: { from: k, values: { a: web.seen }, prefix: p. }, " +
        "automated: { from: m, values: { true: yes } }, attributes: { from: ., without: [a], fields: { b: { from: x } } } } }",
    ),
  );
  const json = fc.json({ maxDepth: 3 });
  const shaped = fc
    .record(
      {
        k: fc.constantFrom("a", 1, true, null, "b"),
        u: fc.oneof(fc.string(), fc.integer(), fc.constant("ada")),
        t: fc.oneof(fc.integer(), fc.double(), fc.string()),
        x: fc.jsonValue(),
        m: fc.jsonValue(),
        a: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value));

  it("is an input, skipped, or a dead letter with a reason of the list; the same each time", () => {
    const seen = new Set<unknown>();
    fc.assert(
      fc.property(fc.oneof(json, shaped), (text) => {
        const result = map(text);
        expect(map(text)).toEqual(result);
        seen.add(result.ok);
        if (result.ok === false) expect(deadLetterReasons).toContain(result.reason);
        if (result.ok === true) expect(result.input.id).not.toBe("");
      }),
      { numRuns: 1000 },
    );
    expect(seen).toEqual(new Set([true, false, "skipped"]));
  });
});
