/** The shipped schemas: each says what it holds, and those of the interactions don't drift apart. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { avroType } from "../../src/events/avro-schema.js";

const folder = fileURLToPath(new URL("../../schemas/", import.meta.url));
const names = readdirSync(folder).filter((name) => name.endsWith(".avsc"));
const topics = names.map((name) => name.replace(/\.avsc$/, ""));
const read = (topic: string) => JSON.parse(readFileSync(`${folder}${topic}.avsc`, "utf8")) as Named;

interface Named {
  readonly name: string;
  readonly doc?: string;
  readonly fields?: readonly (Named & { readonly type: unknown })[];
  readonly [key: string]: unknown;
}

const recordNames: Readonly<Record<string, string>> = {
  "interactions.email": "EmailInteraction",
  "interactions.web": "WebInteraction",
  "interactions.form": "FormInteraction",
  "interactions.sms": "SmsInteraction",
  "interactions.product": "ProductInteraction",
  "interactions.social": "SocialInteraction",
  "interactions.meeting": "MeetingInteraction",
  contacts: "Profile",
  adjustments: "Adjustment",
  "score-changed": "ScoreChanged",
  "threshold-crossed": "ThresholdCrossed",
  "contact-erased": "ContactErased",
  scores: "ScoreLine",
  "dead-letters": "DeadLetter",
};

/** Every record, enum and field in a schema, with its place. */
function parts(schema: unknown, path: string): { readonly path: string; readonly doc: unknown }[] {
  if (typeof schema !== "object" || schema === null) return [];
  if (Array.isArray(schema)) return schema.flatMap((branch) => parts(branch, path));
  const { name, doc, fields, items, values } = schema as Partial<Named>;
  return [
    ...(name === undefined ? [] : [{ path: `${path} (${name})`, doc }]),
    ...(fields ?? []).flatMap((field) => [
      { path: `${path}.${field.name}`, doc: field.doc },
      ...parts(field.type, `${path}.${field.name}`),
    ]),
    ...parts(items, `${path}[]`),
    ...parts(values, `${path}.*`),
  ];
}

describe("shipped schemas", () => {
  it("are one for each topic, and one for the record that has no topic of its own", () => {
    expect([...topics].sort()).toEqual(Object.keys(recordNames).sort());
  });

  it.each(topics)("%s is in the namespace, and named by its file", (topic) => {
    const schema = read(topic);
    expect(schema["namespace"]).toBe("scorefold");
    expect(schema.name).toBe(recordNames[topic]);
    expect(avroType(schema).name).toBe(`scorefold.${schema.name}`);
    const own = topic === "contact-erased" ? "score-changed" : topic;
    expect(schema.doc).toMatch(new RegExp(`[Vv]alue of the topic ${own.replaceAll(".", "\\.")}\\b`));
  });

  it.each(topics)("%s says of each record and field what it holds", (topic) => {
    const found = parts(read(topic), topic);
    expect(found.length).toBeGreaterThan(4);
    const wordless = found.filter(({ doc }) => typeof doc !== "string" || doc.split(/\s+/).length < 4);
    expect(wordless).toEqual([]);
  });

  it.each(topics)("%s says the unit of each instant", (topic) => {
    const instants = (read(topic).fields ?? []).filter(({ type }) =>
      JSON.stringify(type).includes('"logicalType":"timestamp-millis"'),
    );
    for (const { doc } of instants) expect(doc).toContain("milliseconds since 1970-01-01T00:00:00Z");
    const named = (read(topic).fields ?? []).filter(({ name }) => /^at$|At$/.test(name));
    expect(instants.map(({ name }) => name)).toEqual(named.map(({ name }) => name));
  });

  it("of interactions are equal but for name and doc", () => {
    const bare = (topic: string) => ({ ...read(topic), name: "", doc: "" });
    for (const topic of topics.filter((one) => one.startsWith("interactions."))) {
      expect(bare(topic), topic).toEqual(bare("interactions.email"));
      expect(read(topic)["aliases"]).toEqual(["Interaction"]);
    }
  });

  it("share the free part and the parts of outputs", () => {
    const typeOf = (topic: string, field: string) => read(topic).fields?.find(({ name }) => name === field)?.type;
    expect(typeOf("contacts", "fields")).toEqual(["null", typeOf("interactions.email", "attributes")]);
    expect(typeOf("threshold-crossed", "cause")).toEqual(typeOf("score-changed", "cause"));
    expect(typeOf("scores", "dimensions")).toEqual(typeOf("score-changed", "dimensions"));
  });
});

describe("schemas of strangers", () => {
  const record = (over: object) => ({ type: "record", name: "A", fields: [], ...over });
  const bomb = `"); throw new Error("run"); ("`;

  it.each([
    ["a name", record({ name: bomb })],
    ["a name that is a list", record({ name: ["A"] })],
    ["a namespace", record({ namespace: bomb })],
    ["a namespace that is a list", record({ namespace: ["a"] })],
    ["an alias", record({ aliases: [bomb] })],
    ["a field", record({ fields: [{ name: bomb, type: "int" }] })],
    ["a field's alias", record({ fields: [{ name: "a", type: "int", aliases: [bomb] }] })],
    ["a symbol", { type: "enum", name: "E", symbols: [bomb] }],
    ["a fixed", { type: "fixed", name: bomb, size: 2 }],
    ["a reference", record({ fields: [{ name: "a", type: bomb }] })],
    [
      "a name below a union, a list and a map",
      [{ type: "array", items: { type: "map", values: record({ name: bomb }) } }],
    ],
  ])("are refused before code is made of %s", (_, schema) => {
    expect(() => avroType(schema)).toThrow(/^the schema can't be used: .*(no name|expected a name)/);
  });

  it.each([
    ["no schema", undefined, "is nothing; expected a type"],
    ["a number", 7, "is a number"],
    ["a type that plain objects have", { type: "constructor" }, "is constructor; expected a type of Avro"],
    ["a reference that plain objects have", "constructor", "undefined type name"],
    ["__proto__", JSON.parse('{"type":"__proto__"}'), "expected a type of Avro"],
    ["an unknown type", record({ fields: [{ name: "a", type: "Nowhere" }] }), "undefined type name: Nowhere"],
    ["fields that are no list", record({ fields: {} }), "is an object; expected a list"],
    ["two fields of one name", record({ fields: [1, 2].map(() => ({ name: "a", type: "int" })) }), "duplicate field"],
    ["a wrong default", record({ fields: [{ name: "a", type: "int", default: "x" }] }), "incompatible field default"],
  ])("are refused with a clear text: %s", (_, schema, text) => {
    expect(() => avroType(schema)).toThrow(text);
  });

  it("are bounded in depth and size", () => {
    let deep: unknown = "int";
    for (let i = 0; i < 100_000; i += 1) deep = { type: "array", items: deep };
    expect(() => avroType(deep)).toThrow("nested more than 100 deep");
    const fields = Array.from({ length: 10_001 }, (_, i) => ({ name: `f${i}`, type: { type: "map", values: "int" } }));
    expect(() => avroType(record({ fields }))).toThrow("more than 10000 parts");
  });
});
