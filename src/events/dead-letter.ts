/** What could not be used, with the reason and the original, so that it can be mended and sent again. */
import { type DeadLetterReason, type Decoded, decodeLine, tooLarge } from "./decode.js";

/** What is kept of an original; of a longer one the beginning, its whole length and hash. */
export const ORIGINAL_BYTES_MAX = 512 * 1024;

/** An original that can't be a text as it is: too long, or not UTF-8. */
export interface BrokenOriginal {
  /** Of the whole original. */
  readonly bytes: number;
  /** Of all these bytes, in hex. */
  readonly sha256: string;
  /** The first `ORIGINAL_BYTES_MAX` bytes; what is not UTF-8 is replaced by U+FFFD. */
  readonly head: string;
  readonly isUtf8: boolean;
}

export type Original = string | BrokenOriginal;

/** What an original means. It never throws: what can't be an input is put aside by whoever reads it. */
export function decodeOriginal(original: Original): Decoded {
  if (typeof original === "string") return decodeLine(original);
  if (original.isUtf8) return tooLarge(original.bytes);
  return { ok: false, reason: "undecodable", error: "the line is not UTF-8; save the file in that encoding" };
}

export interface DeadLetter {
  readonly reason: DeadLetterReason;
  /** All that is wrong, and what was expected. */
  readonly error: string;
  /** The record's place in the log. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Where it came from before the log, as `inputs.jsonl:12`; null where that is not known. */
  readonly source: string | null;
  /** Of a conflict, the canonical JSON of the input that does not hold. */
  readonly original: Original;
}

/** The fields that tell an original: `original`, and of a broken one `length` and `sha256` beside what is left. */
export function originalFields(original: Original): { original: string; length?: number; sha256?: string } {
  if (typeof original === "string") return { original };
  return { original: original.head, length: original.bytes, sha256: original.sha256 };
}

/** A dead letter as one line of JSON. */
export function encodeDeadLetter({ original, ...letter }: DeadLetter): string {
  const { reason, error, topic, partition, offset, source } = letter;
  const place = { topic, partition, offset, ...(source === null ? undefined : { source }) };
  return JSON.stringify({ kind: "DeadLetter", reason, error, ...place, ...originalFields(original) });
}
