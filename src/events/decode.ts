/**
 * From a line, or a parsed JSON value, to an input. What can't be an input is returned with a reason and every problem
 * found; nothing is thrown, since one bad record must not stop the others.
 */

import { nearest } from "../nearest.js";
import { checkedObject, kindOfJson } from "./json.js";
import { formatInstant, INSTANT_SIZE_MAX_MS, MILLISECONDS_SIZE_MIN, PLAUSIBLE_UNTIL, parseInstant } from "./time.js";
import {
  type Adjustment,
  type ContactId,
  type EpochMs,
  type Input,
  type Interaction,
  type JsonObject,
  type Profile,
  RETRACTION,
  type TenantId,
} from "./types.js";

/** An input as JSON, in UTF-8. */
export const INPUT_BYTES_MAX = 256 * 1024;
/** Tenant, contact, type, id, model and dimension, in UTF-8. */
export const NAME_BYTES_MAX = 256;
export const RESOURCE_BYTES_MAX = 8 * 1024;
/** The size of what an adjustment adds or sets, either sign. */
export const ADJUSTMENT_SIZE_MAX = 1e9;
/** What one error tells, so that a line made of mistakes does not give an error larger than itself. */
const PROBLEMS_SHOWN_MAX = 20;
const ERROR_LENGTH_MAX = 4000;
export const DEFAULT_TENANT: TenantId = "default";

/** Why an input was put aside; the first that holds is named, in this order. */
export const deadLetterReasons = [
  "undecodable", // no JSON object, no UTF-8, or bytes that are not what their schema says
  "unknown-schema", // written with a schema that the registry does not have, or that can't be used
  "unknown-kind",
  "unsupported", // has a meaning that this version does not know
  "no-contact",
  "bad-instant",
  "implausible-instant", // a number that looks like seconds, or an instant from 2100 on
  "too-large",
  "invalid", // a field has a wrong type or value
  "too-far-ahead", // dated further after its arrival in the log than is tolerated
  "conflict", // another input with the same key holds
] as const;
export type DeadLetterReason = (typeof deadLetterReasons)[number];

export type Decoded =
  /** `ignored`: names of fields at the top of the input that mean nothing there, perhaps misspelt. */
  { readonly ok: true; readonly input: Input; readonly ignored: readonly string[] } | Refused;

export interface Refused {
  readonly ok: false;
  readonly reason: DeadLetterReason;
  readonly error: string;
}

const commonFields = ["kind", "id", "tenantId", "contactId", "at"];
const fieldsOfKind = {
  interaction: new Set([...commonFields, "type", "resource", "automated", "attributes"]),
  profile: new Set([...commonFields, "fields", "patch"]),
  adjustment: new Set([...commonFields, "model", "dimension", "add", "set", "decays", "reason", "by"]),
} as const satisfies Record<Input["kind"], ReadonlySet<string>>;
const kindNames = Object.keys(fieldsOfKind);

/** The fields an input of this kind may have at its top, for naming what a misspelt one was meant to be. */
export function fieldNames(kind: Input["kind"]): ReadonlySet<string> {
  return fieldsOfKind[kind];
}

/** Reads one line: a JSON object in the form that `decodeInput` takes, of at most `INPUT_BYTES_MAX` bytes in UTF-8. */
export function decodeLine(line: string): Decoded {
  // Three bytes a unit is the most that UTF-8 needs, so that most lines need no counting.
  if (line.length * 3 > INPUT_BYTES_MAX) {
    const bytes = utf8Length(line);
    if (bytes > INPUT_BYTES_MAX) return tooLarge(bytes);
  }
  const parsed = parseLine(line);
  return parsed.ok ? decodeInput(parsed.value) : parsed;
}

/** The JSON value of a line that is no input yet. */
export function parseLine(line: string): { readonly ok: true; readonly value: unknown } | Refused {
  try {
    return { ok: true, value: JSON.parse(line) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return refused("undecodable", `not JSON (${message}); write one JSON object on each line`);
  }
}

/** The answer to a line of so many bytes, for readers that do not keep such a line. */
export function tooLarge(bytes: number): Refused {
  return refused(
    "too-large",
    `the input has ${bytes} bytes; at most ${INPUT_BYTES_MAX} are allowed: leave out attributes that no model reads`,
  );
}

/**
 * Reads a parsed JSON value: `{"kind":"interaction"|"profile"|"adjustment", ...}` with the fields of that kind of input.
 * `kind` may be left out for interactions; `at` is ISO 8601 with a zone or integer milliseconds. A null is a missing
 * field, except `fields: null` of a profile, which is erasure. A missing `tenantId` is `default`, a missing `id` is empty.
 */
export function decodeInput(value: unknown): Decoded {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refused("undecodable", `expected a JSON object, found ${kindOfJson(value)}`);
  }
  const source = value as Source;
  const kind = source["kind"] ?? "interaction";
  if (kind !== "interaction" && kind !== "profile" && kind !== "adjustment") return unknownKind(kind);
  const problems = new Problems();
  const input = readers[kind](source, problems);
  if (problems.list.length > 0) return problems.refusal();
  return { ok: true, input, ignored: ignoredFields(source, fieldsOfKind[kind]) };
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };
type Source = Readonly<Record<string, unknown>>;

const readers = { interaction: readInteraction, profile: readProfile, adjustment: readAdjustment };

/** Gathers what is wrong with one input. */
class Problems {
  readonly list: { readonly reason: DeadLetterReason; readonly text: string }[] = [];

  add(reason: DeadLetterReason, text: string): void {
    this.list.push({ reason, text });
  }

  refusal(): Decoded {
    const reason = deadLetterReasons.find((candidate) => this.list.some((problem) => problem.reason === candidate));
    const texts = this.list.slice(0, PROBLEMS_SHOWN_MAX).map((problem) => problem.text);
    if (this.list.length > texts.length) texts.push(`and ${this.list.length - texts.length} more`);
    return refused(reason ?? "invalid", texts.join("; ").slice(0, ERROR_LENGTH_MAX));
  }
}

function refused(reason: DeadLetterReason, error: string): Refused {
  return { ok: false, reason, error };
}

function unknownKind(kind: unknown): Decoded {
  if (kind === "population") {
    return refused("unsupported", "population inputs belong to percentage models, which this version does not have");
  }
  const near = typeof kind === "string" ? nearest(kind, kindNames) : undefined;
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  return refused("unknown-kind", `kind is ${quoted(kind)}; expected interaction, profile or adjustment${hint}`);
}

const noneIgnored: readonly string[] = [];

function ignoredFields(source: Source, known: ReadonlySet<string>): readonly string[] {
  let ignored: string[] | undefined;
  for (const name in source) {
    if (known.has(name) || !Object.hasOwn(source, name)) continue;
    ignored ??= [];
    ignored.push(name);
  }
  return ignored ?? noneIgnored;
}

function readInteraction(source: Source, problems: Problems): Interaction {
  const type = readType(source, problems);
  const resource = readText(source, "resource", problems);
  if (resource !== undefined && resource.length * 3 > RESOURCE_BYTES_MAX && utf8Length(resource) > RESOURCE_BYTES_MAX) {
    problems.add("too-large", `resource has ${utf8Length(resource)} bytes; at most ${RESOURCE_BYTES_MAX} are allowed`);
  }
  const automated = source["automated"] ?? "no";
  if (automated !== "yes" && automated !== "maybe" && automated !== "no") {
    problems.add("invalid", `automated is ${quoted(automated)}; expected yes, maybe or no`);
  }
  const attributes = readObject(source["attributes"] ?? {}, "attributes", problems);
  // Assigned, not spread: most inputs are interactions, and spreading costs as much as all the checks together.
  const input: Writable<Interaction> = {
    kind: "interaction",
    id: readId(source, problems),
    tenantId: readTenant(source, problems),
    contactId: readContact(source, problems),
    at: readInstant(source["at"], "at", problems),
    type,
    attributes: type === RETRACTION ? readRetracted(attributes, problems) : attributes,
  };
  if (resource !== undefined) input.resource = resource;
  if (automated === "yes" || automated === "maybe") input.automated = automated;
  return input;
}

function readProfile(source: Source, problems: Problems): Profile {
  const fields = source["fields"];
  if ((source["patch"] ?? undefined) !== undefined) {
    problems.add(
      "unsupported",
      "patch is there, and this version takes whole profiles only; write all fields in `fields`",
    );
  } else if (fields === undefined) {
    problems.add("invalid", "fields is missing; write the whole profile, or null to erase the contact");
  }
  return {
    kind: "profile",
    id: readId(source, problems),
    tenantId: readTenant(source, problems),
    contactId: readContact(source, problems),
    at: readInstant(source["at"], "at", problems),
    fields: fields === undefined || fields === null ? null : readObject(fields, "fields", problems),
  };
}

function readAdjustment(source: Source, problems: Problems): Adjustment {
  const model = readName(source, "model", problems);
  if (model === undefined || model === "") problems.add("invalid", "model is missing; name the model to adjust");
  const dimension = readName(source, "dimension", problems);
  const add = readPoints(source, "add", problems);
  const set = readPoints(source, "set", problems);
  if ((source["add"] ?? undefined) === undefined && (source["set"] ?? undefined) === undefined) {
    problems.add("invalid", "one of add and set is needed");
  } else if (add !== undefined && set !== undefined) {
    problems.add("invalid", "add and set are both there; keep one of them");
  }
  const decays = source["decays"] ?? false;
  if (decays === true) {
    problems.add(
      "unsupported",
      "decays is true, and this version has no adjustments that decay; leave it out for lasting points",
    );
  } else if (decays !== false) {
    problems.add("invalid", `decays is ${quoted(decays)}; expected true or false`);
  }
  const reason = readText(source, "reason", problems);
  const by = readText(source, "by", problems);
  return {
    kind: "adjustment",
    id: readId(source, problems),
    tenantId: readTenant(source, problems),
    contactId: readContact(source, problems),
    at: readInstant(source["at"], "at", problems),
    model: model ?? "",
    ...(dimension === undefined ? undefined : { dimension }),
    ...(add === undefined ? undefined : { add }),
    ...(set === undefined ? undefined : { set }),
    ...(reason === undefined ? undefined : { reason }),
    ...(by === undefined ? undefined : { by }),
  };
}

function readTenant(source: Source, problems: Problems): TenantId {
  const tenantId = readName(source, "tenantId", problems) ?? DEFAULT_TENANT;
  if (tenantId === "") problems.add("invalid", `tenantId is empty; leave it out for the tenant ${DEFAULT_TENANT}`);
  return tenantId;
}

function readContact(source: Source, problems: Problems): ContactId {
  const value = source["contactId"] ?? "";
  if (value === "") {
    problems.add("no-contact", "contactId is missing; say whose input this is");
    return "";
  }
  const contactId = readName(source, "contactId", problems) ?? "";
  if (contactId.startsWith("account:")) {
    problems.add("unsupported", "contactId begins with account:, and this version does not score accounts");
  }
  return contactId;
}

function readId(source: Source, problems: Problems): string {
  return readName(source, "id", problems) ?? "";
}

function readType(source: Source, problems: Problems): string {
  const type = readName(source, "type", problems);
  if (type === undefined) {
    if ((source["type"] ?? undefined) === undefined) {
      problems.add("invalid", "type is missing; expected channel.action, as in email.opened");
    }
    return "";
  }
  const dot = type.indexOf(".");
  if (dot < 1 || type.endsWith(".") || type.includes("..")) {
    problems.add("invalid", `type is ${quoted(type)}; expected channel.action, as in email.opened`);
  }
  if (type === "identity.linked") {
    problems.add("unsupported", "type is identity.linked, and this version does not link identities");
  }
  return type;
}

/** What a retraction removes: the id as it was, the instant in milliseconds. */
function readRetracted(attributes: JsonObject, problems: Problems): JsonObject {
  const id = attributes["id"];
  if (typeof id !== "string") {
    problems.add("invalid", `attributes.id is ${kindOfJson(id)}; expected the id of what is retracted, as a text`);
  }
  return { ...attributes, at: readInstant(attributes["at"], "attributes.at", problems) };
}

function readInstant(value: unknown, path: string, problems: Problems): EpochMs {
  if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= INSTANT_SIZE_MAX_MS) {
    if (Math.abs(value) < MILLISECONDS_SIZE_MIN) {
      const shown = `${path} is ${value}, as milliseconds ${formatInstant(value)}`;
      const advice = "if these are seconds, write milliseconds (in a mapping `format: s`)";
      problems.add("implausible-instant", `${shown}; ${advice}; for an instant before 1973-03-03 write ISO 8601`);
      return 0;
    }
    return plausible(value, value, path, problems);
  }
  const parsed = typeof value === "string" ? parseInstant(value) : undefined;
  if (parsed !== undefined) return plausible(parsed, value, path, problems);
  const found = value === undefined || value === null ? "missing" : quoted(value);
  const expected = "ISO 8601 with a zone, as 2024-05-01T12:00:00Z, or whole milliseconds since 1970";
  problems.add("bad-instant", `${path} is ${found}; expected ${expected}`);
  return 0;
}

function plausible(at: EpochMs, value: unknown, path: string, problems: Problems): EpochMs {
  if (at >= PLAUSIBLE_UNTIL) {
    const shown = typeof value === "number" ? `${value}, which is ${formatInstant(at)}` : quoted(value);
    problems.add("implausible-instant", `${path} is ${shown}; an input is dated before 2100-01-01T00:00:00Z`);
  }
  return at;
}

function readPoints(source: Source, name: string, problems: Problems): number | undefined {
  const value = source[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === "number" && Math.abs(value) <= ADJUSTMENT_SIZE_MAX) return value + 0;
  problems.add("invalid", `${name} is ${quoted(value)}; expected a number of at most ${ADJUSTMENT_SIZE_MAX} in size`);
  return undefined;
}

function readObject(value: unknown, name: string, problems: Problems): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    problems.add("invalid", `${name} is ${kindOfJson(value)}; expected an object`);
    return {};
  }
  const texts: string[] = [];
  const object = checkedObject(value, name, texts);
  for (const text of texts) problems.add("invalid", text);
  return object;
}

function readText(source: Source, name: string, problems: Problems): string | undefined {
  const value = source[name];
  if (typeof value === "string") return value;
  if (value !== undefined && value !== null) {
    problems.add("invalid", `${name} is ${kindOfJson(value)}; expected a text`);
  }
  return undefined;
}

/** A text that names something: of limited length, without control characters, and writable as UTF-8. */
function readName(source: Source, name: string, problems: Problems): string | undefined {
  const text = readText(source, name, problems);
  if (text === undefined) return undefined;
  let isPlain = text.length <= NAME_BYTES_MAX;
  for (let index = 0; isPlain && index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    isPlain = code >= 0x20 && code < 0x7f;
  }
  if (!isPlain) checkName(text, name, problems);
  return text;
}

function checkName(text: string, name: string, problems: Problems): void {
  const bytes = utf8Length(text);
  if (bytes > NAME_BYTES_MAX) {
    problems.add("too-large", `${name} has ${bytes} bytes; at most ${NAME_BYTES_MAX} are allowed`);
  }
  const control = /\p{Cc}/u.exec(text);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    problems.add("invalid", `${name} holds the control character U+${code}; remove it`);
  }
  if (/\p{Cs}/u.test(text)) {
    problems.add("invalid", `${name} holds half of a surrogate pair, which is no character; remove it`);
  }
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** A value as found, short enough for a message. */
function quoted(value: unknown): string {
  if (typeof value !== "string") return typeof value === "number" ? String(value) : kindOfJson(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
}
