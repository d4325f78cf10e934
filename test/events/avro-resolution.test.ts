/** Reading what was written with another schema. avsc writes here, as a foreign producer would. */
import avsc from "avsc";
import { describe, expect, it } from "vitest";
import { inputReader } from "../../src/events/avro.js";
import { email, type Schema, shipped, withField } from "./avro-shipped.js";

const contacts = shipped("contacts");
const adjustments = shipped("adjustments");
const typeOf = (schema: unknown) =>
  avsc.Type.forSchema(structuredClone(schema) as avsc.Type, { registry: {}, wrapUnions: "always" });
const write = (schema: unknown, value: object) => typeOf(schema).toBuffer(value);
const added = (schema: Schema, ...fields: Schema["fields"]): Schema => ({
  ...schema,
  fields: [...fields, ...schema.fields, ...fields.map((field) => ({ ...field, name: `${field.name}2` }))],
});

const value = {
  id: "e1",
  tenantId: "acme",
  contactId: "ada",
  type: "email.clicked",
  at: 1_772_720_460_000,
  resource: { string: "/offer" },
  automated: "maybe",
  attributes: { campaign: { string: "june" }, tags: { array: [{ value: { string: "vip" } }, { value: null }] } },
};
const input = {
  kind: "interaction",
  id: "e1",
  tenantId: "acme",
  contactId: "ada",
  type: "email.clicked",
  at: 1_772_720_460_000,
  resource: "/offer",
  automated: "maybe",
  attributes: { campaign: "june", tags: ["vip", null] },
};

describe("inputReader", () => {
  it("reads what the shipped schema wrote", () => {
    expect(inputReader(email, email)(write(email, value))).toEqual({ ok: true, input, ignored: [] });
  });

  it("passes over fields that only the writer has, and names them", () => {
    const tree = {
      type: "record",
      name: "Tree",
      fields: [
        { name: "__proto__", type: ["null", { type: "map", values: "Tree" }] },
        { name: "parts", type: { type: "array", items: ["float", "bytes", { type: "fixed", name: "F", size: 3 }] } },
        { name: "color", type: { type: "enum", name: "Color", symbols: ["red", "blue"] } },
        { name: "size", type: ["null", "boolean", "int", "double", "string"] },
      ],
    };
    const newer = added(email, { name: "trace", type: "long" }, { name: "tree", type: ["null", tree] });
    // The type of a name is written once.
    const schema = {
      ...newer,
      fields: newer.fields.map((field) => (field.name === "tree2" ? { ...field, type: ["null", "Tree"] } : field)),
    };
    const leaf = JSON.parse('{"__proto__":null,"parts":[],"color":"red","size":{"int":3}}') as object;
    const parts = [{ float: 1.5 }, { bytes: Buffer.from([1, 2]) }, { "scorefold.F": Buffer.from([1, 2, 3]) }];
    const whole = { ...leaf, parts, color: "blue", size: { string: "é" } };
    Object.defineProperty(whole, "__proto__", { value: { map: { a: leaf } }, enumerable: true });
    const tree1 = { "scorefold.Tree": whole };
    const bytes = write(schema, { ...value, trace: 7, trace2: -7, tree: tree1, tree2: tree1 });
    const read = inputReader(schema, email);
    expect(read(bytes)).toEqual({ ok: true, input, ignored: ["trace", "tree", "trace2", "tree2"] });
    for (let length = 0; length < bytes.length; length += 1) {
      expect(read(bytes.subarray(0, length))).toMatchObject({ ok: false, reason: "undecodable" });
    }
  });

  it("passes over a long of any size that nobody asks for, without rounding what comes after", () => {
    const schema = { ...email, fields: [{ name: "trace", type: "long" }, ...email.fields] };
    const body = write(email, value);
    const max = [0xfe, ...Array<number>(8).fill(0xff), 1];
    expect(inputReader(schema, email)(Uint8Array.from([...max, ...body]))).toMatchObject({ ok: true, input });
    const tooLong = [...Array<number>(10).fill(0xff), 1];
    expect(inputReader(schema, email)(Uint8Array.from([...tooLong, ...body]))).toMatchObject({ reason: "undecodable" });
  });

  it("ends soon where a writer's schema has parts without bytes", () => {
    const empty = { type: "record", name: "Empty", fields: [] };
    const list = (items: unknown) => ({ type: "array", items });
    const schema = { ...email, fields: [{ name: "x", type: list(list(empty)) }, ...email.fields] };
    const many = [0x80, 0x80, 0x20];
    const bytes = Uint8Array.from([0xc8, 0x01, ...Array.from({ length: 100 }, () => [...many, 0]).flat(), 0]);
    expect(inputReader(schema, email)(bytes)).toMatchObject({
      ok: false,
      error: expect.stringContaining("has more than 1048576 parts"),
    });
    const endless = { type: "record", name: "Endless", fields: [{ name: "next", type: "Endless" }] };
    const other = { ...email, fields: [{ name: "x", type: endless }, ...email.fields] };
    expect(inputReader(other, email)(bytes)).toMatchObject({ error: expect.stringContaining("nested more than 256") });
  });

  it("fills in the defaults of what the writer lacks, anew each time", () => {
    const names = ["tenantId", "resource", "automated", "attributes"];
    const older = names.reduce<Schema>((schema, name) => withField(schema, name, undefined), email);
    const read = inputReader(older, email);
    const bytes = write(older, value);
    const { resource: _, automated: __, ...rest } = input;
    const expected = { ok: true, input: { ...rest, tenantId: "default", attributes: {} }, ignored: [] };
    const first = read(bytes);
    expect(first).toEqual(expected);
    if (first.ok) Object.assign((first.input as { attributes: object }).attributes, { spoilt: true });
    expect(read(bytes)).toEqual(expected);
  });

  it("reads fields in any order, by alias, and from another namespace", () => {
    const reordered = { ...email, namespace: "com.acme", fields: [...email.fields].reverse() };
    expect(inputReader(reordered, email)(write(reordered, value))).toEqual({ ok: true, input, ignored: [] });
    const generic = { ...email, name: "Interaction", aliases: [] };
    for (const topic of ["web", "form", "sms", "product", "social", "meeting"]) {
      const read = inputReader(generic, shipped(`interactions.${topic}`));
      expect(read(write(generic, value))).toEqual({ ok: true, input, ignored: [] });
    }
    const renamed = withField(email, "contactId", { name: "lead" });
    const reader = withField(email, "contactId", { aliases: ["person", "lead"] });
    const { contactId, ...others } = value;
    expect(inputReader(renamed, reader)(write(renamed, { ...others, lead: contactId }))).toMatchObject({ input });
  });

  it("promotes numbers and texts", () => {
    const seconds = withField(email, "at", { type: "int" });
    // What an int holds are no milliseconds of our days.
    expect(inputReader(seconds, email)(write(seconds, { ...value, at: 1_780_306_200 }))).toMatchObject({
      reason: "implausible-instant",
      error: expect.stringContaining("at is 1780306200, as milliseconds 1970-01-21"),
    });
    const bytes = withField(email, "contactId", { type: "bytes" });
    expect(inputReader(bytes, email)(write(bytes, { ...value, contactId: Buffer.from("é") }))).toMatchObject({
      input: { contactId: "é" },
    });
    const adjustment = { id: "", tenantId: "t", contactId: "c", at: 1_000_000_000_000, model: "m", dimension: null };
    for (const type of ["int", "long", "float", "double"]) {
      const points = withField(adjustments, "add", { type, default: 0 });
      const written = write(points, { ...adjustment, add: -12, set: null, reason: null, by: null });
      expect(inputReader(points, adjustments)(written)).toMatchObject({ ok: true, input: { add: -12 } });
    }
  });

  it("rounds no long that becomes a double", () => {
    const points = withField(adjustments, "add", { type: "long", default: 0 });
    const adjustment = { id: "", tenantId: "t", contactId: "c", at: 1_000_000_000_000, model: "m", dimension: null };
    const bytes = write(points, { ...adjustment, add: 0, set: null, reason: null, by: null });
    const max = [0xfe, ...Array<number>(8).fill(0xff), 1];
    const large = Uint8Array.from([...bytes.subarray(0, -4), ...max, 0, 0, 0]);
    expect(inputReader(points, adjustments)(large)).toMatchObject({
      reason: "invalid",
      error: expect.stringContaining("add is 9223372036854775807, a long beyond"),
    });
  });

  it("reads simpler attributes of producers that need no more", () => {
    for (const [values, item, expected] of [
      ["string", "june", "june"],
      ["long", 7, 7],
      ["double", 1.5, 1.5],
      [["null", "string"], { string: "june" }, "june"],
      [{ type: "map", values: "boolean" }, undefined, undefined],
    ] as const) {
      const simple = withField(email, "attributes", { type: { type: "map", values } });
      if (item === undefined) {
        // A list or map inside needs Value, since Avro has no other name for any value.
        expect(() => inputReader(simple, email)).toThrow("attributes.* is map of boolean, and can't be read as");
        continue;
      }
      const bytes = write(simple, { ...value, attributes: { campaign: item } });
      expect(inputReader(simple, email)(bytes)).toMatchObject({ input: { attributes: { campaign: expected } } });
    }
  });

  it("reads blocks of lists and maps that say their size", () => {
    const schema = {
      ...email,
      fields: [email.fields.find(({ name }) => name === "attributes")!, ...email.fields.slice(0, -1)],
    };
    const rest = write(email, { ...value, attributes: {} }).subarray(0, -1);
    const entry = [2, 97, 4, 14];
    const blocks = [1, 8, ...entry, 2, 2, 98, 10, 1, 4, 4, 2, 2, 4, 4, 0, 0];
    expect(inputReader(schema, email)(Uint8Array.from([...blocks, ...rest]))).toMatchObject({
      input: { attributes: { a: 7, b: [1, 2] } },
    });
  });

  it("keeps an erasure apart from a profile that has no fields", () => {
    const older = withField(contacts, "fields", undefined);
    expect(() => inputReader(older, contacts)).toThrow(
      "the schemas don't fit: the writer has no field fields, and the reader no default for it",
    );
    const never = withField(contacts, "fields", { type: { type: "map", values: "string" }, default: {} });
    const bytes = write(never, { id: "", tenantId: "t", contactId: "c", at: 1_000_000_000_000, fields: {} });
    expect(inputReader(never, contacts)(bytes)).toMatchObject({ input: { kind: "profile", fields: {} } });
  });

  it.each([
    ["contactId", "a needed field that is missing", withField(email, "contactId", undefined)],
    ["at", "a text for an instant", withField(email, "at", { type: "string" })],
    ["at", "a double for a long", withField(email, "at", { type: "double" })],
    ["resource", "a branch that can't be read", withField(email, "resource", { type: ["null", "string", "long"] })],
    [
      "automated",
      "a symbol nobody knows",
      withField(email, "automated", { type: { type: "enum", name: "Automated", symbols: ["no", "perhaps"] } }),
    ],
    [
      "attributes.*",
      "other values",
      withField(email, "attributes", { type: { type: "map", values: { type: "array", items: "string" } } }),
    ],
    ["the record", "another name", { ...email, name: "Click", aliases: [] }],
    ["the record", "no record", { type: "map", values: "string" }],
    ["the record", "a union with something else", [email, "string"]],
  ])("names what does not fit: %s, %s", (place, _, schema) => {
    expect(() => inputReader(schema, email)).toThrow(/^the schemas don't fit: /);
    expect(() => inputReader(schema, email)).toThrow(place);
    // avsc is of the same opinion.
    expect(() => typeOf(email).createResolver(typeOf(schema))).toThrow();
  });

  it("refuses bytes of another schema that does not happen to fit, and never throws", () => {
    const reordered = { ...email, fields: [...email.fields].reverse() };
    const found = inputReader(reordered, email)(write(email, value));
    expect(found).toMatchObject({ ok: false, reason: "undecodable" });
  });
});
