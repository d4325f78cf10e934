/** Values by their path. Only what a value has of its own is found: no name leads to what all objects share. */
import type { Path } from "./types.js";

/** What lies at the path in a JSON value, lists by number; undefined where there is no such thing. */
export function find(value: unknown, path: Path): unknown {
  let found = value;
  for (const name of path) {
    if (typeof found !== "object" || found === null) return undefined;
    // A list has its length of its own, too.
    if (Array.isArray(found) ? !isIndex(name) : !Object.hasOwn(found, name)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found;
}

function isIndex(name: string): boolean {
  return /^(0|[1-9]\d{0,8})$/.test(name);
}

/** Missing, null, or the empty text. */
export function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

/** The path as a mapping writes it. */
export function pathText(path: Path): string {
  return path.length === 0 ? "." : path.map((name) => name.replace(/[\\.]/g, "\\$&")).join(".");
}
