/**
 * From an Avro schema as parsed JSON to a type of avsc, with every name checked before avsc sees it.
 *
 * avsc makes code out of schemas: five functions for each record and one for each named type, by `new Function`, with
 * names of types and fields written into their text. Looked through in 5.7.9: names and namespaces of types (`qualify`),
 * names of fields (`Field`) and symbols are held to the grammar of Avro names before they get there, and defaults,
 * docs and aliases are never part of a text. But it does so by a pattern that turns a list into text first, and it
 * looks types up in plain objects, where `constructor` finds something. Schemas may come from strangers, so nothing
 * rests on that: `checkSchema` is stricter, and comes first.
 */
import avsc from "avsc";
import { kindOfJson } from "./json.js";

export type AvroType = avsc.Type;

/** Lists and objects of a schema, counted together. Schemas of real producers have a few hundred. */
const SCHEMA_PARTS_MAX = 10_000;
const SCHEMA_DEPTH_MAX = 100;

const namePattern = /^[A-Za-z_][A-Za-z0-9_]*$/;
const primitives = new Set(["null", "boolean", "int", "long", "float", "double", "bytes", "string"]);
const complexes = new Set(["record", "error", "enum", "fixed", "array", "map"]);

/**
 * Makes a type of a schema. Logical types are left aside: an instant stays a number of milliseconds.
 *
 * @throws Error that says what is wrong with the schema, and where
 */
export function avroType(schema: unknown): AvroType {
  checkSchema(schema, "schema", 1, { parts: 0 });
  try {
    return avsc.Type.forSchema(schema as avsc.Type, {
      registry: Object.create(null) as Record<string, AvroType>,
      // Values are read and written by our own code, which wraps nothing; without this avsc would refuse, or guess.
      wrapUnions: "always",
      omitRecordMethods: true,
    });
  } catch (error) {
    throw new Error(`the schema can't be used: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Checks what avsc takes on trust: sizes, that each name is a text and a name, and that each type is one. */
function checkSchema(schema: unknown, path: string, depth: number, seen: { parts: number }): void {
  if (typeof schema === "string") {
    for (const part of schema.replace(/^\./, "").split(".")) checkName(part, path);
    return;
  }
  if (typeof schema !== "object" || schema === null) fail(path, `is ${kindOfJson(schema)}; expected a type`);
  seen.parts += 1;
  if (seen.parts > SCHEMA_PARTS_MAX) fail("the schema", `has more than ${SCHEMA_PARTS_MAX} parts`);
  if (depth > SCHEMA_DEPTH_MAX) fail("the schema", `is nested more than ${SCHEMA_DEPTH_MAX} deep`);
  if (Array.isArray(schema)) {
    for (const [index, branch] of schema.entries()) checkSchema(branch, `${path}[${index}]`, depth + 1, seen);
    return;
  }
  const { type, name, namespace, aliases, fields, symbols, items, values } = schema as Readonly<
    Record<string, unknown>
  >;
  if (typeof type !== "string" || !(primitives.has(type) || complexes.has(type))) {
    fail(`${path}.type`, `is ${typeof type === "string" ? type : kindOfJson(type)}; expected a type of Avro`);
  }
  if (type === "record" || type === "error" || type === "enum" || type === "fixed") checkFullName(name, `${path}.name`);
  if (namespace !== undefined && namespace !== "") checkFullName(namespace, `${path}.namespace`);
  for (const alias of listOf(aliases, `${path}.aliases`)) checkFullName(alias, `${path}.aliases`);
  for (const symbol of listOf(symbols, `${path}.symbols`)) checkName(symbol, `${path}.symbols`);
  for (const field of listOf(fields, `${path}.fields`)) checkField(field, path, depth, seen);
  if (type === "array") checkSchema(items, `${path}.items`, depth + 1, seen);
  if (type === "map") checkSchema(values, `${path}.values`, depth + 1, seen);
}

function checkField(field: unknown, path: string, depth: number, seen: { parts: number }): void {
  if (typeof field !== "object" || field === null) fail(`${path}.fields`, `holds ${kindOfJson(field)}`);
  const { name, type, aliases } = field as Readonly<Record<string, unknown>>;
  checkName(name, `${path}.fields`);
  for (const alias of listOf(aliases, `${path}.${name}.aliases`)) checkName(alias, `${path}.${name}.aliases`);
  checkSchema(type, `${path}.${name}`, depth + 1, seen);
}

function listOf(value: unknown, path: string): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : fail(path, `is ${kindOfJson(value)}; expected a list`);
}

function checkFullName(name: unknown, path: string): void {
  if (typeof name !== "string") fail(path, `is ${kindOfJson(name)}; expected a name`);
  for (const part of name.replace(/^\./, "").split(".")) checkName(part, path);
}

function checkName(name: unknown, path: string): asserts name is string {
  if (typeof name === "string" && namePattern.test(name)) return;
  const found = typeof name === "string" ? JSON.stringify(name.slice(0, 60)) : kindOfJson(name);
  fail(path, `holds ${found}, which is no name: letters, digits and _ only, and no digit first`);
}

function fail(path: string, text: string): never {
  throw new Error(`the schema can't be used: ${path} ${text}`);
}

/** The name without its namespace, by which readers and writers find each other. */
export function shortName(name: string | undefined): string {
  return name === undefined ? "" : name.slice(name.lastIndexOf(".") + 1);
}

/** What a type is called in messages: its own name, else the sort of type it is. */
export function typeLabel(type: AvroType): string {
  if (isUnion(type)) return `union of ${type.types.map(typeLabel).join(", ")}`;
  if (type.name !== undefined) return `${type.typeName} ${type.name}`;
  if (isArray(type)) return `array of ${typeLabel(type.itemsType)}`;
  return isMap(type) ? `map of ${typeLabel(type.valuesType as AvroType)}` : type.typeName;
}

/** `Value` of the shipped schemas: a record with one field, which is there only so that Avro can name a union. */
export function isWrapper(type: AvroType): type is avsc.types.RecordType {
  return isRecord(type) && type.name === "scorefold.Value" && type.fields.length === 1;
}

export function isRecord(type: AvroType): type is avsc.types.RecordType {
  return type instanceof avsc.types.RecordType;
}
export function isUnion(type: AvroType): type is avsc.types.WrappedUnionType {
  return type instanceof avsc.types.WrappedUnionType;
}
export function isMap(type: AvroType): type is avsc.types.MapType {
  return type instanceof avsc.types.MapType;
}
export function isArray(type: AvroType): type is avsc.types.ArrayType {
  return type instanceof avsc.types.ArrayType;
}
export function isEnum(type: AvroType): type is avsc.types.EnumType {
  return type instanceof avsc.types.EnumType;
}
export function isFixed(type: AvroType): type is avsc.types.FixedType {
  return type instanceof avsc.types.FixedType;
}

/** The default of a field as bytes, or undefined where there is none. */
export function defaultBytes(field: avsc.types.Field): Buffer | undefined {
  const value: unknown = field.defaultValue();
  return value === undefined ? undefined : field.type.toBuffer(value);
}
