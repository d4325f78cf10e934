/** Whether a JSON value is surely small, without writing it. */

/** A double, a truth value or null, with what separates it from the next. */
const SCALAR_BYTES = 26;
/** As `\u0001`: no unit of UTF-16 takes more, escaped or in UTF-8. */
const UNIT_BYTES = 6;
const QUOTES_BYTES = 4;

/**
 * True where the JSON of a value has surely at most so many bytes in UTF-8; it may be small, too, where this is false.
 *
 * @param value not nested deeper than an input may be
 */
export function isWithin(value: unknown, bytesMax: number): boolean {
  return left(value, bytesMax) >= 0;
}

/** What is left of the bytes behind a value. Ends as soon as they are used up. */
function left(value: unknown, bytes: number): number {
  if (typeof value === "string") return bytes - value.length * UNIT_BYTES - QUOTES_BYTES;
  if (typeof value !== "object" || value === null) return bytes - SCALAR_BYTES;
  let rest = bytes - QUOTES_BYTES;
  for (const name in value) {
    if (rest < 0) return rest;
    rest = left((value as Readonly<Record<string, unknown>>)[name], rest - name.length * UNIT_BYTES - QUOTES_BYTES);
  }
  return rest;
}
