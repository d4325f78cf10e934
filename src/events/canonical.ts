/** One text for one content, whatever order a source wrote its keys in. */
import { compareText } from "./order.js";
import type { Input, Json, JsonObject } from "./types.js";

/**
 * The canonical JSON of a decoded input: keys sorted by code point, no blanks, `at` in milliseconds, absent fields left
 * out. A null in an object is an absent field; in a list it is kept. An erasure keeps its `"fields":null`, since that
 * null is what it says. Two inputs with the same key are the same input exactly if this text is the same.
 */
export function canonicalJson(input: Input): string {
  const isErasure = input.kind === "profile" && input.fields === null;
  return writtenObject(input as unknown as JsonObject, isErasure ? "fields" : undefined);
}

/** The canonical JSON of any JSON value: keys sorted by code point, no blanks, nulls in objects left out. */
export function canonicalValue(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalValue).join(",")}]`;
  return writtenObject(value as JsonObject, undefined);
}

function writtenObject(object: JsonObject, keptNull: string | undefined): string {
  const parts: string[] = [];
  for (const name of Object.keys(object).sort(compareText)) {
    const item = object[name];
    if (item === undefined || (item === null && name !== keptNull)) continue;
    parts.push(`${JSON.stringify(name)}:${canonicalValue(item)}`);
  }
  return `{${parts.join(",")}}`;
}
