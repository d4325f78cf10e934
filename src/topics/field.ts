/** One field of an input out of a foreign record. */
import type { DeadLetterReason } from "../events/decode.js";
import { writable } from "../events/encode.js";
import { kindOfJson } from "../events/json.js";
import { INSTANT_SIZE_MAX_MS, parseInstant } from "../events/time.js";
import { find, isNothing, pathText } from "./path.js";
import type { SourceRecord } from "./record.js";
import type { FieldMapping, InstantFormat } from "./types.js";

/** Why a field can't be made: the record is skipped, or becomes a dead letter. */
export interface Miss {
  readonly reason: DeadLetterReason | "skipped";
  readonly error: string;
}

/** Undefined where there is nothing to be had; what is wrong goes to `misses`. */
export type FieldReader = (value: object, record: SourceRecord, misses: Miss[]) => unknown;

/** Fields that are texts: a whole number in the source is one, too, as ids often are. */
const textFields = new Set(["contactId", "tenantId", "id", "type", "resource", "model", "dimension", "reason", "by"]);
const SHOWN_LENGTH_MAX = 60;

/** @param name as in messages: `at`, `attributes.campaign` */
export function compileField(name: string, mapping: FieldMapping): FieldReader {
  const { constant, format } = mapping;
  const search = compileSearch(name, mapping);
  const translate = compileTable(name, mapping);
  const isText = textFields.has(name);
  const place = placeText(mapping);
  return (value, record, misses) => {
    const found = search(value, record, misses);
    const translated = found === undefined ? undefined : translate(found, misses);
    if (translated === undefined) return constant;
    if (format !== null) return instantOf(translated, format, `${name}, from ${place},`, misses);
    return isText && typeof translated === "number" && Number.isSafeInteger(translated)
      ? String(translated)
      : translated;
  };
}

/** A name's empty text is nothing, so that the next path is tried; of free attributes it is a value. */
function compileSearch(name: string, { from, record: own }: FieldMapping): FieldReader {
  const isFree = name.includes(".");
  const isMissing = isFree ? (found: unknown) => found === undefined || found === null : isNothing;
  const ofRecord = compileRecord(name, own);
  return (value, record, misses) => {
    for (const path of from) {
      const found = find(value, path);
      if (!isMissing(found)) return found;
    }
    return ofRecord(record, misses);
  };
}

function compileRecord(name: string, own: FieldMapping["record"]): (record: SourceRecord, misses: Miss[]) => unknown {
  if (own === null) return () => undefined;
  if (own === "timestamp") return ({ timestamp }) => timestamp;
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return ({ key }, misses) => {
    if (key === null || key.length === 0) return undefined;
    try {
      return decoder.decode(key);
    } catch {
      misses.push({ reason: "invalid", error: `${name}, from the record's key, is not UTF-8` });
      return undefined;
    }
  };
}

function compileTable(name: string, mapping: FieldMapping): (found: unknown, misses: Miss[]) => unknown {
  const { values, others, prefix } = mapping;
  const prefixed = (found: unknown): unknown => {
    if (prefix === "") return found;
    return typeof found === "string" || Number.isSafeInteger(found) ? `${prefix}${found}` : found;
  };
  if (values === null) return prefixed;
  const place = placeText(mapping);
  return (found, misses) => {
    const known = isScalar(found) ? values.get(String(found)) : undefined;
    if (known !== undefined) return known ?? undefined;
    if (others === "pass") return prefixed(found);
    // What was found is data of a contact: a reason that is counted must not have it.
    if (others === "skip") misses.push({ reason: "skipped", error: `${place} is not in the values of ${name}` });
    else
      misses.push({
        reason: "invalid",
        error: `${name}, from ${place}, is ${shown(found)}, which is not in its values`,
      });
    return undefined;
  };
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

const expected = {
  iso: "ISO 8601 with a zone, as 2024-05-01T12:00:00Z",
  ms: "milliseconds since 1970",
  s: "seconds since 1970",
  us: "microseconds since 1970",
} as const satisfies Record<InstantFormat, string>;

/** The instant as inputs may have it: who has named a format has said that a small number means an old instant. */
function instantOf(value: unknown, format: InstantFormat, place: string, misses: Miss[]): number | string | undefined {
  const at = format === "iso" ? isoOf(value) : millisecondsOf(value, format);
  if (at !== undefined && Math.abs(at) <= INSTANT_SIZE_MAX_MS) return writable(at);
  misses.push({ reason: "bad-instant", error: `${place} is ${shown(value)}; expected ${expected[format]}` });
  return undefined;
}

function isoOf(value: unknown): number | undefined {
  return typeof value === "string" ? parseInstant(value) : undefined;
}

/** A number, or its text. What is below a millisecond is cut off, as of a text with a fraction. */
function millisecondsOf(value: unknown, format: "ms" | "s" | "us"): number | undefined {
  const isDigits = typeof value === "string" && /^-?\d{1,17}(\.\d{1,9})?$/.test(value);
  const count = typeof value === "number" ? value : isDigits ? Number(value) : Number.NaN;
  if (!Number.isFinite(count)) return undefined;
  if (format === "ms") return Math.floor(count);
  // A fraction of a second is no exact double: 1.001 times 1000 is a little less than 1001.
  return Math.floor(format === "us" ? count / 1000 : Math.round(count * 1e6) / 1000);
}

function placeText({ from, record }: FieldMapping): string {
  const places = from.map(pathText);
  if (record !== null) places.push(`the record's ${record}`);
  return places.join(" or ");
}

function shown(value: unknown): string {
  if (typeof value === "number") return String(value);
  if (typeof value !== "string") return kindOfJson(value);
  return JSON.stringify(value.length > SHOWN_LENGTH_MAX ? `${value.slice(0, SHOWN_LENGTH_MAX)}...` : value);
}
