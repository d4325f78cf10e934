/**
 * A checksum in front of a value. LevelDB checks its own only when it compacts, so a flipped bit would be read as if it
 * had been written.
 */
import { crc32 } from "node:zlib";
import { ScorefoldError } from "../errors.js";

const DIGITS = 8;

/** The value with its checksum in front. */
export function sealed(value: string): string {
  return crc32(value).toString(16).padStart(DIGITS, "0") + value;
}

/**
 * The value that `sealed` took.
 *
 * @param key of the row; the message tells what it begins with, which says its kind, and not whose it is
 * @throws ScorefoldError `database-corrupt`
 */
export function unsealed(key: string, row: string): string {
  const value = row.slice(DIGITS);
  if (crc32(value).toString(16).padStart(DIGITS, "0") !== row.slice(0, DIGITS))
    throw new ScorefoldError(
      "database-corrupt",
      `a row of the kind ${key.split("\0", 1)[0]} is damaged: its checksum is wrong`,
    );
  return value;
}
