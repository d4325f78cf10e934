/** Names of changes of the past, for the ids of the outputs that tell them. */
import type { Input } from "../events/types.js";
import { escaped } from "./decide.js";

/** Names a change of the past by the whole key of its input: inputs without an id are many. */
export function lateName(what: "late" | "conflict" | "erasure", { kind, at, id }: Input): string {
  return `${what}/${kind}/${at}/${escaped(id)}`;
}

/** Of a key that has other content now, its canonical JSON: a third one may take its place. */
export function conflictName(input: Input, json: string): string {
  return `${lateName("conflict", input)}/${digest(json).toString(36)}`;
}

/** Tells the contents of one key apart: they are a handful. @returns 32 bits */
export function digest(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
