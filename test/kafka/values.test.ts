/** Values in the wire format, by their bytes; what a registry answers is a map here. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ScorefoldError } from "../../src/errors.js";
import { decodeRead, inputCodec, type ReadValue } from "../../src/events/avro.js";
import { decodeInput, INPUT_BYTES_MAX } from "../../src/events/decode.js";
import { recordOf } from "../../src/kafka/record.js";
import type { RegisteredSchema } from "../../src/kafka/registry.js";
import { RegisteredValues, type ValueReader, withoutRegistry } from "../../src/kafka/values.js";
import type { LogRecord } from "../../src/stream/log.js";
import { inputLists } from "../arbitrary/inputs.js";
import { codecs, email, shipped, withField } from "../events/avro-shipped.js";

/** A value of the wire format, by hand. */
function wired(id: number, body: Uint8Array): Buffer {
  const head = Buffer.from([0, id >>> 24, (id >>> 16) & 0xff, (id >>> 8) & 0xff, id & 0xff]);
  return Buffer.concat([head, body]);
}

const avro = (schema: unknown): RegisteredSchema => ({
  type: "AVRO",
  text: JSON.stringify(schema),
  hasReferences: false,
});

/** A registry of some schemas, which notes what it was asked for. */
function registered(schemas: Readonly<Record<number, RegisteredSchema>>) {
  const known = new Map(Object.entries(schemas).map(([id, schema]) => [Number(id), schema]));
  const asked: number[] = [];
  const state = { isDown: false, now: 0 };
  const registry = {
    name: "the registry",
    schemaOf: async (id: number) => {
      asked.push(id);
      if (state.isDown) throw new ScorefoldError("registry-failed", "down");
      return known.get(id) ?? null;
    },
  };
  return { values: new RegisteredValues(registry, () => state.now), asked, known, state };
}

async function readOf(values: RegisteredValues, value: Buffer): Promise<ReadValue> {
  await values.prepare([value]);
  return values.read(value);
}

const good = {
  kind: "interaction",
  id: "e1",
  tenantId: "default",
  contactId: "ada",
  at: 1_772_720_460_000,
  type: "email.clicked",
  attributes: { n: 1 },
} as const;
const goodBytes = codecs.interaction.encode(good);
const schemas = { 1: avro(email), 2: avro(shipped("contacts")), 3: avro(shipped("adjustments")) };
const idOf = { interaction: 1, profile: 2, adjustment: 3 };

describe("values of shipped schemas", () => {
  it("are the inputs that were written", async () => {
    const { values } = registered(schemas);
    await values.prepare([1, 2, 3].map((id) => wired(id, goodBytes)));
    fc.assert(
      fc.property(inputLists({ countMax: 20 }), (inputs) => {
        for (const input of inputs) {
          const value = wired(idOf[input.kind], codecs[input.kind].encode(input));
          const { decoded, original } = decodedRecord(recordWith(value), values);
          expect(decoded).toEqual(decodeInput(structuredClone(input)));
          expect(original).toBeNull();
        }
      }),
      { numRuns: 50 },
    );
  });

  it("of another version are read by the shipped one, and what it does not know is named", async () => {
    const more = { ...email, fields: [...email.fields, { name: "utm", type: "string", doc: "d" }] };
    const less = withField(withField(email, "resource", undefined), "tenantId", undefined);
    const { values } = registered({ 1: avro(more), 2: avro(less), 3: avro({ ...email, name: "Interaction" }) });
    const [newer, older] = [more, less].map((schema) => inputCodec(schema)) as [
      typeof codecs.interaction,
      typeof codecs.interaction,
    ];
    // A text of one character behind the rest.
    const withMore = Buffer.concat([codecs.interaction.encode(good), Buffer.from([2, 0x78])]);
    expect(decodeRead(await readOf(values, wired(1, withMore)))).toEqual({ ok: true, input: good, ignored: ["utm"] });
    expect(newer.decode(withMore).ok).toBe(true);
    expect(decodeRead(await readOf(values, wired(2, older.encode(good))))).toMatchObject({ ok: true, input: good });
    expect(decodeRead(await readOf(values, wired(3, goodBytes)))).toMatchObject({ ok: true, input: good });
  });

  it("that do not fit the shipped one are told, field and all", async () => {
    const { values } = registered({ 1: avro(withField(email, "contactId", undefined)) });
    expect(await readOf(values, wired(1, goodBytes))).toMatchObject({
      reason: "unknown-schema",
      error: expect.stringMatching(/id 1 can't be used: .*no field contactId/),
    });
  });
});

describe("values of other schemas", () => {
  const click = {
    type: "record",
    name: "Click",
    namespace: "com.example",
    fields: [
      { name: "who", type: ["null", { type: "record", name: "Who", fields: [{ name: "mail", type: "string" }] }] },
      { name: "tags", type: { type: "array", items: "string" } },
      { name: "raw", type: "bytes" },
      { name: "sort", type: { type: "enum", name: "Sort", symbols: ["A", "B"] } },
      { name: "n", type: "long" },
    ],
  };
  const body = (n: readonly number[]) => Buffer.from([2, 2, 0x61, 2, 4, 0x62, 0x63, 0, 4, 0, 0xff, 2, ...n]);

  it("are plain values, as JSON would have them", async () => {
    const { values } = registered({ 7: avro(click), 8: avro("string"), 9: avro(["null", "long"]) });
    const value = { who: { mail: "a" }, tags: ["bc"], raw: "AP8=", sort: "B", n: 3 };
    expect(await readOf(values, wired(7, body([6])))).toEqual({ ok: true, value, ignored: [] });
    expect(await readOf(values, wired(8, Buffer.from([2, 0x61])))).toEqual({ ok: true, value: "a", ignored: [] });
    expect(await readOf(values, wired(9, Buffer.from([2, 4])))).toEqual({ ok: true, value: 2, ignored: [] });
  });

  it("hold no rounded number", async () => {
    const { values } = registered({ 7: avro(click) });
    const tooLarge = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
    expect(await readOf(values, wired(7, body(tooLarge)))).toMatchObject({
      reason: "invalid",
      error: expect.stringContaining("n is 36028797018963968, a long beyond"),
    });
  });
});

describe("values that can't be read", () => {
  const all = {
    ...schemas,
    4: { type: "JSON", text: "{}", hasReferences: false },
    5: avro({ type: "record", name: "a b", fields: [] }),
    6: { type: "AVRO", text: "not json", hasReferences: false },
    7: { ...avro(email), hasReferences: true },
  };

  it.each([
    ["has no id", Buffer.from([0, 0, 0]), "undecodable", /has 3 bytes; expected byte 0/],
    ["is nothing but an id", wired(1, Buffer.alloc(0)), "undecodable", /id is cut off/],
    ["is cut off", wired(1, goodBytes.subarray(0, -1)), "undecodable", /cut off/],
    [
      "has bytes left over",
      wired(1, Buffer.concat([goodBytes, Buffer.from([1])])),
      "undecodable",
      /followed by 1 bytes/,
    ],
    ["is too large", wired(1, Buffer.alloc(INPUT_BYTES_MAX + 1)), "too-large", /262145 bytes/],
    ["would be too large as JSON", wired(1, nulls(200_000)), "too-large", /has 1000\d+ characters as JSON/],
    ["has an id that is not known", wired(99, goodBytes), "unknown-schema", /no schema with the id 99; register it/],
    ["has an id of 32 bits", wired(0xffff_fffe, goodBytes), "unknown-schema", /id 4294967294/],
    ["has a schema of another sort", wired(4, goodBytes), "unknown-schema", /id 4 is JSON; expected AVRO/],
    ["has a schema with a bad name", wired(5, goodBytes), "unknown-schema", /which is no name/],
    ["has a schema that is no JSON", wired(6, goodBytes), "unknown-schema", /id 6 can't be used/],
    ["has a schema in parts", wired(7, goodBytes), "unknown-schema", /registered apart/],
  ])("%s", async (_, value, reason, error) => {
    const { values } = registered(all);
    await values.prepare([value]);
    const { decoded, original } = decodedRecord(recordWith(value), values);
    expect(decoded).toMatchObject({ ok: false, reason, error: expect.stringMatching(error) });
    expect(originalBytes(original).equals(value)).toBe(true);
  });

  it("for want of a registry say how to name one", () => {
    const { decoded } = decodedRecord(recordWith(wired(1, goodBytes)), withoutRegistry);
    expect(decoded).toMatchObject({
      reason: "undecodable",
      error: expect.stringContaining("SCOREFOLD_SCHEMA_REGISTRY_URL"),
    });
  });

  it("with another first byte say what was expected", () => {
    const { decoded } = decodedRecord(recordWith(Buffer.from([0x7b, 0xff])), registered(all).values);
    expect(decoded).toMatchObject({
      reason: "undecodable",
      error: expect.stringContaining("does not begin with byte 0"),
    });
  });
});

describe("schemas", () => {
  it("are asked for once each", async () => {
    const { values, asked } = registered(schemas);
    const some = [wired(1, goodBytes), null, wired(2, goodBytes), Buffer.from("{}"), wired(1, goodBytes)];
    await values.prepare(some);
    await values.prepare(some);
    expect(asked).toEqual([1, 2]);
  });

  it("that are not known are asked for again after a while", async () => {
    const { values, asked, known, state } = registered({});
    const value = wired(1, goodBytes);
    expect(await readOf(values, value)).toMatchObject({ reason: "unknown-schema" });
    known.set(1, schemas[1]);
    state.now = 29_999;
    expect(await readOf(values, value)).toMatchObject({ reason: "unknown-schema" });
    state.now = 30_000;
    expect(await readOf(values, value)).toMatchObject({ ok: true });
    expect(asked).toEqual([1, 1]);
  });

  it("are not known to be unknown while the registry is away", async () => {
    const { values, state } = registered(schemas);
    state.isDown = true;
    await expect(values.prepare([wired(1, goodBytes)])).rejects.toMatchObject({ retryable: true });
    state.isDown = false;
    expect(await readOf(values, wired(1, goodBytes))).toMatchObject({ ok: true });
  });

  it("are let go when there are many, but not those that are wanted now", async () => {
    const other = { type: "JSON", text: "{}", hasReferences: false };
    const { values, asked } = registered(
      Object.fromEntries(Array.from({ length: 1100 }, (_, id) => [id, id === 0 ? schemas[1] : other])),
    );
    await values.prepare(Array.from({ length: 1050 }, (_, id) => wired(id, goodBytes)));
    await values.prepare([wired(0, goodBytes), wired(1060, goodBytes)]);
    expect(asked.length).toBe(1051);
    const errors = [0, 1060, 1].map((id) => values.read(wired(id, goodBytes))).map((one) => (one.ok ? "" : one.error));
    expect(errors).toEqual(["", expect.stringContaining("is JSON"), expect.stringContaining("has no schema")]);
  });
});

/** An interaction of few bytes, with a list of so many nulls, each the first branch of a union. */
function nulls(count: number): Buffer {
  const attributes = { l: Array.from({ length: count }, () => null) };
  return Buffer.from(codecs.interaction.encode({ ...good, attributes }));
}

function recordWith(value: Buffer) {
  return { offset: 0, timestamp: 0, isAppendTime: true, key: null, value, bytes: value.length };
}

/** Of a topic without a mapping. */
function decodedRecord(record: ReturnType<typeof recordWith>, values: ValueReader): LogRecord {
  const found = recordOf("t", 0, record, { values, mapper: null });
  if ("ok" in found) throw new Error(found.reason);
  return found;
}

function originalBytes(original: LogRecord["original"]): Buffer {
  if (original === null) throw new Error("no original");
  if (typeof original === "string") return Buffer.from(original);
  return original.base64 === undefined ? Buffer.from(original.head) : Buffer.from(original.base64, "base64");
}
