/**
 * Whose a line is that need not be an input. Privacy asks it of everything that lies in the log: of lines that can't be
 * decoded, that name their contact by a misspelt key, or that are no JSON at all.
 */
import { nearest } from "../nearest.js";
import type { Original } from "./dead-letter.js";
import { DEFAULT_TENANT, decodeInput, fieldNames, parseLine } from "./decode.js";
import type { ContactId, EpochMs, TenantId } from "./types.js";

/** What a line says of whose it is. */
export interface Claim {
  readonly contactId: ContactId;
  /** The tenants that it may belong to: where the tenant is misspelt, the one that was meant and the one that is taken. */
  readonly tenantIds: readonly TenantId[];
  /** Null: it says no instant that an input could have. */
  readonly at: EpochMs | null;
}

const knownFields = new Set([...fieldNames("interaction"), ...fieldNames("profile"), ...fieldNames("adjustment")]);

/**
 * A key, and its value: quoted either way, or bare, as people and programs write what they take for JSON. A value is
 * passed over as a whole, so that what is inside a text is nobody's name.
 */
const pairs =
  /(?<![\w-])(["']?)([A-Za-z_][\w-]{0,63})\1[ \t]{0,20}[:=][ \t]{0,20}(?:("(?:[^"\\]|\\.)*")|'((?:[^'\\]|\\.)*)'|([^\s"',;{}[\]]+))/g;

/** Whose a line is, or an item of the list that it is; of an input that can be used, the one contact that it is of. */
export function claimsOf(line: string): Claim[] {
  const parsed = parseLine(line);
  if (!parsed.ok) return claimsInText(line);
  const { value } = parsed;
  // A text that holds the JSON of an input: encoded twice.
  if (typeof value === "string") return claimsOf(value);
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.flatMap(claimsOfItem);
}

/** The same of an original in a dead letter, or of what the log has of a line that is not UTF-8 or too long. */
export function claimsOfOriginal(original: Original): Claim[] {
  return textsOfOriginal(original).flatMap(claimsOf);
}

/** An original as text; where it is no UTF-8, in the encodings that it may be in. */
export function textsOfOriginal(original: Original): string[] {
  if (typeof original === "string") return [original];
  const { head, base64 } = original;
  if (base64 === undefined) return [head];
  const bytes = Buffer.from(base64, "base64");
  // Lines are cut at the byte of the line feed, which in UTF-16 is half a character.
  const wide = [bytes, bytes.subarray(1)].map((one) => one.toString("utf16le"));
  return [bytes.toString("utf8"), bytes.toString("latin1"), ...wide];
}

function claimsOfItem(item: unknown): Claim[] {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return [];
  const decoded = decodeInput(item);
  if (decoded.ok) {
    const { contactId, tenantId, at } = decoded.input;
    return [{ contactId, tenantIds: [tenantId], at }];
  }
  return claimed(Object.entries(item));
}

function claimsInText(text: string): Claim[] {
  const found = [...text.matchAll(pairs)].map(([, , key, double, single, bare]): [string, unknown] => {
    const quoted = double === undefined ? null : parseLine(double);
    return [key as string, quoted === null ? (single ?? bare) : quoted.ok ? quoted.value : undefined];
  });
  return claimed(found);
}

/** @param fields of what is no input, by their keys */
function claimed(fields: readonly (readonly [string, unknown])[]): Claim[] {
  const contactIds = namesOf("contactId", fields);
  if (contactIds.length === 0) return [];
  const tenantIds = new Set(namesOf("tenantId", fields));
  if (!fields.some(([key, value]) => key === "tenantId" && nameOf(value) !== undefined)) tenantIds.add(DEFAULT_TENANT);
  const at = instantOf(fields.find(([key]) => key === "at")?.[1]);
  return contactIds.map((contactId) => ({ contactId, tenantIds: [...tenantIds], at }));
}

/** The values of a field; where it has none, those of keys that were probably meant to be it. */
function namesOf(field: string, fields: readonly (readonly [string, unknown])[]): string[] {
  const valuesOf = (meant: ReadonlySet<string>): string[] =>
    fields.flatMap(([key, value]) => (meant.has(key) ? (nameOf(value) ?? []) : []));
  const own = valuesOf(new Set([field]));
  if (own.length > 0) return own;
  const others = [...new Set(fields.map(([key]) => key))].filter((key) => !knownFields.has(key));
  return valuesOf(new Set(others.filter((key) => nearest(key, knownFields) === field)));
}

function nameOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function instantOf(value: unknown): EpochMs | null {
  const decoded = decodeInput({ contactId: "-", type: "a.b", at: value });
  if (decoded.ok) return decoded.input.at;
  // Digits in a text that is no JSON are a number.
  return typeof value === "string" && /^\d{1,16}$/.test(value) ? instantOf(Number(value)) : null;
}
