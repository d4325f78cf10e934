/** The part of a topic file that says how a foreign value becomes an input. */
import type { Input } from "../events/types.js";
import type { Field, Fields, YamlReader } from "../model/yaml-reader.js";
import {
  type Condition,
  type FieldMapping,
  formats,
  type InputMapping,
  inputKinds,
  type Mapping,
  type ObjectMapping,
  otherChoices,
  type Path,
  recordSources,
  type Scalar,
} from "./types.js";

/** Names in one path: deeper values are refused when they are decoded. */
export const PATH_NAMES_MAX = 32;
export const MAPPING_INPUTS_MAX = 32;
export const MAPPING_FIELDS_MAX = 256;
const VERSION_MAX = 1_000_000;

const mappingKeys = ["version", "inputs"] as const;
const inputKeys = ["kind", "only", "except", "erase", "fields"] as const;
const fieldKeys = ["from", "record", "value", "default", "values", "others", "prefix"] as const;
const objectKeys = ["from", "without", "fields"] as const;

const commonTargets = ["contactId", "tenantId", "id", "at"] as const;
const targets = {
  interaction: [...commonTargets, "type", "resource", "automated"],
  profile: [...commonTargets],
  adjustment: [...commonTargets, "model", "dimension", "add", "set", "reason", "by"],
} as const satisfies Record<Input["kind"], readonly string[]>;
/** The one field that is an object. */
const objectOfKind = { interaction: "attributes", profile: "fields", adjustment: null } as const satisfies Record<
  Input["kind"],
  string | null
>;
/** Without these no record could be an input. A profile that says nothing of its content would empty the contact's. */
const needed = {
  interaction: ["contactId", "at", "type"],
  profile: ["contactId", "at", "fields"],
  adjustment: ["contactId", "at", "model"],
} as const satisfies Record<Input["kind"], readonly string[]>;

/** Reads `mapping` of an input topic; what is wrong goes to the reader. @param kind of the topic */
export function parseMapping(reader: YamlReader, field: Field, kind: Input["kind"]): Mapping | null {
  const fields = reader.fields(field, mappingKeys);
  if (fields === undefined) return null;
  const versionField = reader.required(field, fields, "version");
  const version = versionField && reader.number(versionField);
  if (versionField && version !== undefined && !(Number.isInteger(version) && version >= 1 && version <= VERSION_MAX))
    reader.report(versionField, `expected a whole number from 1 to ${VERSION_MAX}, one more with each change`);
  const list = reader.required(field, fields, "inputs");
  const items = list === undefined ? [] : reader.items(list);
  if (list !== undefined && list.node.kind === "list" && items.length === 0)
    reader.report(list, "expected at least one input: without any, no record would be taken");
  if (list !== undefined && items.length > MAPPING_INPUTS_MAX)
    reader.report(list, `expected at most ${MAPPING_INPUTS_MAX} inputs`);
  return { version: version ?? 1, inputs: items.flatMap((item) => inputOf(reader, item, kind) ?? []) };
}

function inputOf(reader: YamlReader, item: Field, topicKind: Input["kind"]): InputMapping | undefined {
  const fields = reader.fields(item, inputKeys);
  if (fields === undefined) return undefined;
  const kindField = fields.get("kind");
  const kind = (kindField && reader.oneOf(kindField, inputKinds)) ?? topicKind;
  const eraseField = fields.get("erase");
  if (eraseField !== undefined && kind !== "profile")
    reader.report(eraseField, "only an input of the kind profile can erase its contact");
  const conditions = {
    only: conditionsOf(reader, fields, "only"),
    except: conditionsOf(reader, fields, "except"),
    erase: conditionsOf(reader, fields, "erase"),
  };
  const field = reader.required(item, fields, "fields");
  const objectName = objectOfKind[kind];
  const own = field && reader.fields(field, objectName === null ? targets[kind] : [...targets[kind], objectName]);
  if (field === undefined || own === undefined) return undefined;
  for (const name of needed[kind]) {
    if (!own.has(name)) reader.report(field, `"${name}" is missing: inputs of the kind ${kind} need it`);
  }
  const object = objectName === null ? undefined : own.get(objectName);
  return {
    kind,
    ...conditions,
    fields: fieldsOf(
      reader,
      [...own].filter(([name]) => name !== objectName),
    ),
    object: object === undefined ? null : objectOf(reader, object),
  };
}

/** `{ type: [track, page], userId: [null] }` */
function conditionsOf(reader: YamlReader, fields: Fields, key: string): Condition[] {
  const field = fields.get(key);
  if (field === undefined) return [];
  return reader.entries(field).flatMap(({ key: name, at, value }) => {
    const path = pathOf(name, (message) => reader.report(at, message));
    const items = reader.items(value);
    if (value.node.kind === "list" && items.length === 0)
      reader.report(value, "expected at least one value; null stands for nothing");
    const values = items.map((one) => scalarOf(reader, one)).filter((one) => one !== undefined);
    return path === undefined ? [] : [{ path, values }];
  });
}

function fieldsOf(
  reader: YamlReader,
  fields: readonly (readonly [string, Field])[],
): ReadonlyMap<string, FieldMapping> {
  const mapped = new Map<string, FieldMapping>();
  for (const [name, field] of fields) {
    const own = fieldOf(reader, field, name === "at");
    if (own !== undefined) mapped.set(name, own);
  }
  return mapped;
}

function fieldOf(reader: YamlReader, field: Field, isInstant: boolean): FieldMapping | undefined {
  if (field.node.kind !== "map") {
    reader.report(field, "expected { from: <path> } for a value of the record, or { value: <constant> }");
    return undefined;
  }
  const fields = reader.fields(field, isInstant ? [...fieldKeys, "format"] : fieldKeys);
  if (fields === undefined) return undefined;
  const from = pathsOf(reader, fields.get("from"));
  const record = choice(reader, fields, "record", recordSources) ?? null;
  const constants = ["value", "default"].flatMap((key) => fields.get(key) ?? []);
  const isFound = fields.has("from") || record !== null;
  if (fields.has("value") && (isFound || constants.length > 1))
    reader.report(field, "`value` is a constant and stands alone; what is taken where nothing is found is `default`");
  if (!isFound && !fields.has("value") && !fields.has("record"))
    reader.report(field, "expected `from`, `record` or `value`: where is it taken from?");
  const values = valuesOf(reader, fields.get("values"));
  const others = choice(reader, fields, "others", otherChoices) ?? "pass";
  const othersField = fields.get("others");
  if (othersField !== undefined && values === null)
    reader.report(
      othersField,
      "`others` says what becomes of values that are not in `values`, and there is no such table",
    );
  return {
    from,
    record,
    constant: constants[0] && scalarOf(reader, constants[0]),
    values,
    others,
    prefix: reader.textOf(fields, "prefix") ?? "",
    format: choice(reader, fields, "format", formats) ?? null,
  };
}

function choice<T extends string>(
  reader: YamlReader,
  fields: Fields,
  key: string,
  allowed: readonly T[],
): T | undefined {
  const field = fields.get(key);
  return field && reader.oneOf(field, allowed);
}

function valuesOf(reader: YamlReader, field: Field | undefined): FieldMapping["values"] {
  if (field === undefined) return null;
  const values = new Map<string, Scalar>();
  for (const { key, value } of reader.entries(field)) {
    const scalar = scalarOf(reader, value);
    if (scalar !== undefined) values.set(key, scalar);
  }
  return values;
}

function objectOf(reader: YamlReader, field: Field): ObjectMapping | null {
  const own = reader.fields(field, objectKeys);
  if (own === undefined) return null;
  const single = own.get("fields");
  if (!own.has("from") && single === undefined)
    reader.report(field, "expected `from` for an object as a whole, or `fields` for single values");
  const without = reader.list(own, "without", (one) => reader.string(one)) ?? [];
  if (without.length > 0 && !own.has("from"))
    reader.report(field, "`without` leaves names out of what `from` takes, and there is no `from`");
  const entries = single === undefined ? [] : reader.entries(single);
  if (single !== undefined && entries.length > MAPPING_FIELDS_MAX)
    reader.report(single, `expected at most ${MAPPING_FIELDS_MAX} fields`);
  return {
    from: pathsOf(reader, own.get("from")),
    without,
    fields: new Map(
      entries.flatMap(({ key, value }) => {
        // Of a retraction `at` in attributes is the instant of what is retracted.
        const mapped = fieldOf(reader, value, key === "at");
        return mapped === undefined ? [] : [[key, mapped] as const];
      }),
    ),
  };
}

/** One path, or a list of them to be tried in order. */
function pathsOf(reader: YamlReader, field: Field | undefined): Path[] {
  if (field === undefined) return [];
  const items = field.node.kind === "list" ? reader.items(field) : [field];
  if (items.length === 0) reader.report(field, "expected a path, or a list of paths");
  if (items.length > PATH_NAMES_MAX) reader.report(field, `expected at most ${PATH_NAMES_MAX} paths`);
  return items.flatMap((item) => {
    const text = reader.string(item);
    const path = text === undefined ? undefined : pathOf(text, (message) => reader.report(item, message));
    return path === undefined ? [] : [path];
  });
}

/** `context.page.url`; a dot that belongs to a name is written `\.`; a dot alone is the value itself. */
function pathOf(text: string, report: (message: string) => void): Path | undefined {
  if (text === ".") return [];
  const names: string[] = [];
  let name = "";
  for (let index = 0; index < text.length; index += 1) {
    const next = text[index] === "\\" ? text[index + 1] : undefined;
    if (next === "." || next === "\\") {
      name += next;
      index += 1;
    } else if (text[index] === ".") {
      names.push(name);
      name = "";
    } else name += text[index];
  }
  names.push(name);
  if (names.includes("")) {
    report("a path is names with dots between them, as context.page.url; a dot in a name is written \\.");
    return undefined;
  }
  if (names.length <= PATH_NAMES_MAX) return names;
  report(`a path has at most ${PATH_NAMES_MAX} names`);
  return undefined;
}

/** Undefined (and a problem) for a list, a mapping, or a number without a value. */
function scalarOf(reader: YamlReader, field: Field): Scalar | undefined {
  const value = reader.scalar(field);
  if (value === undefined || (typeof value === "number" && !Number.isFinite(value))) {
    reader.report(field, "expected a text, a number, true, false or null");
    return undefined;
  }
  return value;
}
