/** What could not be used, with the reason and the original, so that it can be mended and sent again. */
import { bufferOf } from "./avro-bytes.js";
import { type DeadLetterReason, type Decoded, decodeLine, tooLarge } from "./decode.js";

/** What is kept of an original; of a longer one the beginning, its whole length and hash. */
export const ORIGINAL_BYTES_MAX = 512 * 1024;

/** The text of an original that is not UTF-8 is for people; its bytes are beside it. */
const TEXT_BYTES_MAX = 4 * 1024;

/** An original that can't be a text as it is: too long, or not UTF-8. */
export interface BrokenOriginal {
  /** Of the whole original. */
  readonly bytes: number;
  /** Of all these bytes, in hex. */
  readonly sha256: string;
  /** Its beginning; what is not UTF-8 is replaced by U+FFFD. */
  readonly head: string;
  readonly isUtf8: boolean;
  /** Where the head is not the same bytes as the original: its first `ORIGINAL_BYTES_MAX` bytes. */
  readonly base64?: string;
}

/** Fails instead of putting U+FFFD, and takes nothing away. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * What is kept of an original that is longer than `ORIGINAL_BYTES_MAX`, or not UTF-8.
 *
 * @param head its first `ORIGINAL_BYTES_MAX` bytes, or all
 * @param bytes of the whole original
 * @param sha256 of the whole original, in hex
 */
export function brokenOriginal(head: Uint8Array, bytes: number, sha256: string): BrokenOriginal {
  const cut = bytes > head.length ? wholeCharacters(head) : head;
  try {
    return { bytes, sha256, head: utf8.decode(cut), isUtf8: true };
  } catch {
    return { ...inBase64(head, bytes, sha256), isUtf8: false };
  }
}

/** The same of an original whose text takes too much where it is to be written. */
export function inBase64(head: Uint8Array, bytes: number, sha256: string): BrokenOriginal {
  const all = bufferOf(head);
  const text = all.subarray(0, TEXT_BYTES_MAX);
  return {
    ...{ bytes, sha256, head: (text.length < all.length ? bufferOf(wholeCharacters(text)) : text).toString("utf8") },
    ...{ isUtf8: true, base64: all.toString("base64") },
  };
}

/** Without the beginning of a character whose end was cut off. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
  let start = bytes.length - 1;
  while (start > 0 && start > bytes.length - 4 && ((bytes[start] as number) & 0xc0) === 0x80) start -= 1;
  const first = bytes[start] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return start >= 0 && start + length > bytes.length ? bytes.subarray(0, start) : bytes;
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

export interface OriginalFields {
  readonly original: string;
  readonly originalBase64?: string;
  readonly length?: number;
  readonly sha256?: string;
}

/**
 * The fields that tell an original: `original`, and of a broken one `length` and `sha256` beside what is left, with
 * `originalBase64` where the text is not its bytes.
 */
export function originalFields(original: Original): OriginalFields {
  if (typeof original === "string") return { original };
  const { head, base64, bytes, sha256 } = original;
  return { original: head, ...(base64 === undefined ? undefined : { originalBase64: base64 }), length: bytes, sha256 };
}

/** A dead letter as one line of JSON. */
export function encodeDeadLetter({ original, ...letter }: DeadLetter): string {
  const { reason, error, topic, partition, offset, source } = letter;
  const place = { topic, partition, offset, ...(source === null ? undefined : { source }) };
  return JSON.stringify({ kind: "DeadLetter", reason, error, ...place, ...originalFields(original) });
}
