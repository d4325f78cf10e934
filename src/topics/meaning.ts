/** How the values of a topic become inputs, as one text: two topics with the same text read every record alike. */
import type { InputTopic } from "./types.js";

/** Between what people are told of it and the rest, which only has to be the same. */
export const CONTENT = " = ";

/** @returns the kind of values that do not say theirs, the version of the mapping, and all that is in that */
export function meaningOf({ kind, mapping }: InputTopic): string {
  return mapping === null ? kind : `${kind} by version ${mapping.version} of its mapping${CONTENT}${stable(mapping)}`;
}

/** JSON with keys in one order; maps are lists of their entries, so that nothing of them is left out. */
function stable(value: unknown): string {
  if (value instanceof Map) return stable([...value].sort(byKey));
  if (Array.isArray(value)) return `[${value.map(stable).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, own]) => own !== undefined);
  return `{${entries.sort(byKey).map(([key, own]) => `${JSON.stringify(key)}:${stable(own)}`)}}`;
}

function byKey([a]: readonly [unknown, unknown], [b]: readonly [unknown, unknown]): number {
  return String(a) < String(b) ? -1 : 1;
}
