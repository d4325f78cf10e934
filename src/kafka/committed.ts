/**
 * What is written beside a committed offset: of the last topic what the task itself has to say; then of each topic the mark
 * that proves it, and the offset once more, so that one that somebody else has set is known by not having it.
 */
import type { Mark, Offset } from "../stream/log.js";
import { decodeMark, type EncodedMark, encodeMark } from "../stream/marks.js";

/** Before the mark and before the offset: neither has one. */
const SEPARATOR = "\n";

export interface DecodedCommitted {
  readonly metadata: string;
  readonly mark: Mark | null;
  /** Who has committed the offset: an owner of the task, or somebody else; null: a version that did not say. */
  readonly isOwn: boolean | null;
}

export function encodeCommitted(metadata: string, mark: Mark | null, offset: Offset): string {
  return [metadata, mark === null ? "" : JSON.stringify(encodeMark(mark)), offset].join(SEPARATOR);
}

/** @param offset the one that it lies beside */
export function decodeCommitted(text: string, offset: Offset): DecodedCommitted {
  const parts = text.split(SEPARATOR);
  const own = parts.pop() as string;
  const mark = parts.pop();
  // Nothing at all is what the tools write.
  if (mark === undefined) return { metadata: text, mark: null, isOwn: null };
  const metadata = parts.join(SEPARATOR);
  if (own !== String(offset)) return { metadata, mark: null, isOwn: false };
  return { metadata, mark: mark === "" ? null : decodeMark(JSON.parse(mark) as EncodedMark), isOwn: true };
}
