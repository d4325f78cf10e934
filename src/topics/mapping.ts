/**
 * Foreign values into inputs. A mapping is compiled once; then one call maps one record, and the same record gives the
 * same input on every replay.
 */
import {
  type DeadLetterReason,
  type Decoded,
  deadLetterReasons,
  decodeInput,
  INPUT_BYTES_MAX,
  tooLarge,
} from "../events/decode.js";
import { kindOfJson } from "../events/json.js";
import type { Input } from "../events/types.js";
import { compileField, type Miss } from "./field.js";
import { find, isNothing, pathText } from "./path.js";
import type { Mapped, RecordMapper, Sha256, Skipped, SourceRecord } from "./record.js";
import { isWithin } from "./size.js";
import type { Condition, InputMapping, InputTopic, Mapping, ObjectMapping } from "./types.js";

/** 128 bits: enough that two records of one contact at one instant never share them. */
const ID_LENGTH = 32;

/** Reads the values of an input topic: by its mapping, or as inputs whose kind may be left out where the topic has it. */
export function compileTopic({ kind, mapping }: Pick<InputTopic, "kind" | "mapping">, sha256: Sha256): RecordMapper {
  if (mapping !== null) return compileMapping(mapping, sha256);
  if (kind === "interaction") return decodeInput;
  return (value) => decodeInput(hasNoKind(value) ? { ...value, kind } : value);
}

function hasNoKind(value: unknown): value is { readonly kind?: null } {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    ((value as { kind?: unknown }).kind ?? null) === null
  );
}

/**
 * Compiles a mapping. An input without an id gets the hash of the value's bytes: the place of the record is not in it, so
 * that a record that was sent twice is a duplicate.
 */
export function compileMapping(mapping: Mapping, sha256: Sha256): RecordMapper {
  const { version } = mapping;
  const inputs = mapping.inputs.map(compileInput);
  const where = `mapping version ${version}`;
  return (value, record) => {
    // What is no object has no fields to map; its refusal says so.
    if (typeof value !== "object" || value === null || Array.isArray(value)) return told(decodeInput(value), where);
    const reasons: string[] = [];
    for (const input of inputs) {
      const mapped = input(value, record, sha256);
      if (mapped.ok !== "skipped") return mapped.ok ? mapped : told(mapped, where);
      reasons.push(mapped.reason);
    }
    return { ok: "skipped", reason: reasons.join("; ") };
  };
}

function told(decoded: Decoded, where: string): Decoded {
  return decoded.ok ? decoded : { ...decoded, error: `${decoded.error} (${where})` };
}

type Source = object;
type InputMapper = (value: Source, record: SourceRecord, sha256: Sha256) => Mapped;

function compileInput(mapping: InputMapping): InputMapper {
  const { kind } = mapping;
  const skips = compileConditions(mapping);
  const fields = [...mapping.fields].map(([name, own]) => ({ name, read: compileField(name, own) }));
  const object = mapping.object === null ? null : compileObject(mapping.object, objectName(kind));
  const erases = mapping.erase.map(compileCondition);
  return (value, record, sha256) => {
    const skipped = skips(value);
    if (skipped !== undefined) return skipped;
    const misses: Miss[] = [];
    const target: Record<string, unknown> = { kind };
    for (const { name, read } of fields) {
      const found = read(value, record, misses);
      if (found !== undefined) target[name] = found;
    }
    if (isNothing(target["id"])) target["id"] = sha256(record.bytes).slice(0, ID_LENGTH);
    if (erases.some((holds) => holds(value))) target["fields"] = null;
    else if (object !== null) target[objectName(kind)] = object(value, record, misses);
    return misses.length > 0 ? missed(misses) : bounded(target);
  };
}

function objectName(kind: Input["kind"]): "attributes" | "fields" {
  return kind === "profile" ? "fields" : "attributes";
}

/** The first reason in the order of all of them, as `decodeInput` would name it. */
function missed(misses: readonly Miss[]): Mapped {
  const skip = misses.find(({ reason }) => reason === "skipped");
  if (skip !== undefined) return { ok: "skipped", reason: skip.error };
  const reason = deadLetterReasons.find((one) => misses.some((miss) => miss.reason === one)) as DeadLetterReason;
  return { ok: false, reason, error: misses.map(({ error }) => error).join("; ") };
}

/** The limit of an input holds for what is mapped: a value may be long of which little is taken. */
function bounded(target: unknown): Decoded {
  const decoded = decodeInput(target);
  if (!decoded.ok || isWithin(decoded.input, INPUT_BYTES_MAX)) return decoded;
  const bytes = new TextEncoder().encode(JSON.stringify(decoded.input)).length;
  return bytes > INPUT_BYTES_MAX ? tooLarge(bytes) : decoded;
}

function compileConditions({ only, except }: InputMapping): (value: Source) => Skipped | undefined {
  const needed = only.map((own) => ({
    holds: compileCondition(own),
    skipped: skippedBy(`${conditionText(own)} does not hold`),
  }));
  const barred = except.map((own) => ({
    holds: compileCondition(own),
    skipped: skippedBy(`${conditionText(own)} holds`),
  }));
  return (value) =>
    needed.find(({ holds }) => !holds(value))?.skipped ?? barred.find(({ holds }) => holds(value))?.skipped;
}

function skippedBy(reason: string): Skipped {
  return { ok: "skipped", reason };
}

function compileCondition({ path, values }: Condition): (value: Source) => boolean {
  const known = new Set<unknown>(values);
  const takesNothing = known.has(null);
  return (value) => {
    const found = find(value, path);
    return isNothing(found) ? takesNothing : known.has(found);
  };
}

const VALUES_SHOWN_MAX = 5;

function conditionText({ path, values }: Condition): string {
  const shown = values.slice(0, VALUES_SHOWN_MAX).map((value) => (value === null ? "nothing" : String(value)));
  if (values.length > shown.length) shown.push("...");
  return `${pathText(path)} is ${shown.join(" or ")}`;
}

type ObjectMapper = (value: Source, record: SourceRecord, misses: Miss[]) => unknown;

function compileObject({ from, without, fields }: ObjectMapping, name: string): ObjectMapper {
  const left = new Set(without);
  const single = [...fields].map(([key, own]) => ({ key, read: compileField(`${name}.${key}`, own) }));
  const places = from.map(pathText).join(" or ");
  const whole = (value: Source, misses: Miss[]): object | undefined => {
    for (const path of from) {
      const found = find(value, path);
      if (found === undefined || found === null) continue;
      if (typeof found === "object" && !Array.isArray(found)) return found;
      misses.push({ reason: "invalid", error: `${name}, from ${places}, is ${kindOfJson(found)}; expected an object` });
      return undefined;
    }
    // Attributes may be missing; a profile that is, is not an empty one.
    if (name === "fields" && from.length > 0)
      misses.push({ reason: "invalid", error: `fields, from ${places}, is missing; a profile is written as a whole` });
    return undefined;
  };
  return (value, record, misses) => {
    const base = whole(value, misses) ?? {};
    if (left.size === 0 && single.length === 0) return base;
    const object: Record<string, unknown> = {};
    for (const key in base) {
      if (!left.has(key)) put(object, key, (base as Readonly<Record<string, unknown>>)[key]);
    }
    for (const { key, read } of single) {
      const found = read(value, record, misses);
      if (found !== undefined) put(object, key, found);
    }
    return object;
  };
}

/** An own property of any name: assigning `__proto__` would exchange the prototype. */
function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}
