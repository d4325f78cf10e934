/**
 * What is written beside a committed offset: of each topic the mark that proves it, and of the last topic what the task
 * itself has to say, before that.
 */
import type { Mark } from "../stream/log.js";
import { decodeMark, type EncodedMark, encodeMark } from "../stream/marks.js";

/** Before the mark, which comes last: no mark has one. */
const SEPARATOR = "\n";

export function encodeCommitted(metadata: string, mark: Mark | null): string {
  return mark === null && !metadata.includes(SEPARATOR)
    ? metadata
    : `${metadata}${SEPARATOR}${mark === null ? "" : JSON.stringify(encodeMark(mark))}`;
}

/** Of an offset that was committed without a mark, by an earlier version or by somebody else's tool, there is none. */
export function decodeCommitted(text: string): { readonly metadata: string; readonly mark: Mark | null } {
  const at = text.lastIndexOf(SEPARATOR);
  if (at < 0) return { metadata: text, mark: null };
  const mark = text.slice(at + 1);
  return { metadata: text.slice(0, at), mark: mark === "" ? null : decodeMark(JSON.parse(mark) as EncodedMark) };
}
