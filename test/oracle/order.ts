/**
 * The order of inputs, duplicates and conflicts.
 */
import type { Input, Json } from "../../src/events/types.js";

const kindOrder = ["profile", "population", "interaction", "adjustment"];

/** Compares texts by their code points, which is the order of their UTF-8 bytes. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export function compareInputs(a: Input, b: Input): number {
  return a.at - b.at || kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind) || compareText(a.id, b.id);
}

export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((one) => canonicalJson(one)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value as Record<string, Json | undefined>)
    // A null is a missing field; the `fields: null` of an erasure says something, and an erasure is its key anyway.
    .filter((entry): entry is [string, Json] => entry[1] !== undefined && entry[1] !== null)
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, one]) => `${JSON.stringify(name)}:${canonicalJson(one)}`);
  return `{${entries.join(",")}}`;
}

const canonicalOf = (input: Input): string => canonicalJson(input as unknown as Json);

const isErasure = (input: Input): boolean => input.kind === "profile" && input.fields === null;

/** Of inputs of one contact: those that hold their key, in order, and the others with the same key but other content. */
export function settle(inputs: readonly Input[]): { held: Input[]; conflicts: Input[] } {
  const held: Input[] = [];
  const conflicts: Input[] = [];
  const distinct = new Map(inputs.map((input) => [canonicalOf(input), input]));
  // An erasure holds its key against any profile; otherwise the smaller canonical text does.
  const ranked = [...distinct].sort(
    ([textA, a], [textB, b]) =>
      compareInputs(a, b) || Number(isErasure(b)) - Number(isErasure(a)) || compareText(textA, textB),
  );
  for (const [, input] of ranked) {
    const last = held.at(-1);
    if (last !== undefined && compareInputs(last, input) === 0) conflicts.push(input);
    else held.push(input);
  }
  return { held, conflicts };
}
