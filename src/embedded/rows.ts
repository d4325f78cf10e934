/**
 * How the log lies in its database: the keys, the record batches that are their values, and the records in those.
 *
 * A row is a whole record batch, so that a million records are some hundred rows. Its key ends with the offset of its
 * *last* record: the row that holds an offset is then the first one at or after it, which a range of one entry finds.
 */
import { crc32 } from "node:zlib";
import { ScorefoldError } from "../errors.js";
import type { Original } from "../events/dead-letter.js";
import type { EpochMs } from "../events/types.js";
import type { Mark, Offset, Topic } from "../stream/log.js";

/** Of the records of one row, about; one record may be larger. */
export const ROW_BYTES_MAX = 1024 * 1024;
/** There is one partition a topic. */
export const PARTITION = 0;
const OFFSET_DIGITS = 16;
const CHECKSUM_DIGITS = 8;
/** Begins the text of a record that is not simply its line. No JSON begins with it. */
const TAG = "\u0001";
/** A record whose content was taken out: it keeps its offset, so that the others keep theirs. */
export const REMOVED = TAG;

export interface Row {
  readonly base: Offset;
  /** The offset after the last record. */
  readonly end: Offset;
  /** When the log took these records. */
  readonly timestamp: EpochMs;
  /**
   * What it was written as, and all before it in its topic: made of the link of the row before and of its own content. It
   * stays where content is taken out later, so it proves the log below it, and two logs that went different ways differ.
   */
  readonly link: number;
  /** One text a record, without line feeds. */
  readonly texts: readonly string[];
}

/** Of a topic that has no row yet. */
export const NO_LINK = 0;

export function markOf({ base, end, timestamp, link }: Row): Mark {
  return { base, count: end - base, at: timestamp, checksum: link };
}

export function topicPrefix(topic: Topic): string {
  return `r\0${topic}\0${PARTITION}\0`;
}

/** The key of the row whose last record has this offset; also the first key that can hold it. */
export function rowKey(topic: Topic, last: Offset): string {
  return topicPrefix(topic) + String(last).padStart(OFFSET_DIGITS, "0");
}

/** The key behind all rows of a topic. */
export function topicKeysEnd(topic: Topic): string {
  return `${topicPrefix(topic)}~`;
}

/** The offset behind the last record of a row, of its key. */
export function endOfKey(key: string): Offset {
  return Number(key.slice(-OFFSET_DIGITS)) + 1;
}

/** The value of a row: its checksum, then a line of base offset, count, timestamp and link, then one line a record. */
export function encodeRow({ base, timestamp, link, texts }: Row): string {
  const rest = `${base} ${texts.length} ${timestamp} ${link}\n${texts.join("\n")}`;
  return checksum(rest) + rest;
}

/** @throws ScorefoldError `log-corrupt` when the value is not what was written under this key */
export function decodeRow(topic: Topic, key: string, value: string): Row {
  const rest = value.slice(CHECKSUM_DIGITS);
  if (checksum(rest) !== value.slice(0, CHECKSUM_DIGITS)) throw damaged(topic, key, "its checksum does not match");
  const [head, ...texts] = rest.split("\n");
  const numbers = (head as string).split(" ").map(Number) as [number, number, number, number?];
  const [base, count, timestamp] = numbers;
  // Rows of before there were links are known by their content.
  const link = numbers[3] ?? crc32(rest);
  const end = base + count;
  if (count !== texts.length || end !== endOfKey(key)) throw damaged(topic, key, "it belongs to another place");
  return { base, end, timestamp, link, texts };
}

/**
 * Cuts records that follow each other into rows of `ROW_BYTES_MAX`.
 *
 * @param before the link of the row before
 */
export function cutRows(base: Offset, timestamp: EpochMs, texts: readonly string[], before: number): Row[] {
  const rows: Row[] = [];
  let link = before;
  let from = 0;
  let bytes = 0;
  for (let i = 0; i <= texts.length; i++) {
    const size = texts[i]?.length ?? 0;
    if (i === texts.length || (i > from && bytes + size > ROW_BYTES_MAX)) {
      if (i > from) {
        const own = { base: base + from, end: base + i, timestamp, texts: texts.slice(from, i) };
        link = linkOf(link, own);
        rows.push({ ...own, link });
      }
      from = i;
      bytes = 0;
    }
    bytes += size;
  }
  return rows;
}

/** What stands in a record: the line or what is left of it, and where it came from. */
export interface Content {
  readonly original: Original;
  readonly source: string | null;
}

/** The text of a record: the line itself wherever that can be, which is nearly always. */
export function encodeContent(original: Original, source: string | null): string {
  if (source === null && typeof original === "string" && !original.startsWith(TAG) && !original.includes("\n")) {
    return original;
  }
  return TAG + JSON.stringify(source === null ? { original } : { original, source });
}

/** Null where the content was removed. */
export function decodeContent(text: string): Content | null {
  if (!text.startsWith(TAG)) return { original: text, source: null };
  if (text === REMOVED) return null;
  const { original, source } = JSON.parse(text.slice(1)) as { original: Original; source?: string };
  return { original, source: source ?? null };
}

/** What a consumer is given of a record: of a broken line its head. */
export function textOf(original: Original): string {
  return typeof original === "string" ? original : original.head;
}

/** The error of a place that should hold a row. */
export function missing(topic: Topic, offset: Offset): ScorefoldError {
  return corrupt(topic, offset, "its row is not there");
}

function damaged(topic: Topic, key: string, how: string): ScorefoldError {
  return corrupt(topic, endOfKey(key) - 1, `the row that ends with it is damaged: ${how}`);
}

function corrupt(topic: Topic, offset: Offset, how: string): ScorefoldError {
  return new ScorefoldError(
    "log-corrupt",
    `the log, topic ${topic}, offset ${offset}: ${how}; stop, and restore the directory of the log from a backup` +
      " (it is the only copy of the inputs and can't be made anew from anything else)",
  );
}

function linkOf(before: number, { base, timestamp, texts }: Omit<Row, "link">): number {
  return crc32(texts.join("\n"), crc32(`${before} ${base} ${texts.length} ${timestamp}\n`));
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(CHECKSUM_DIGITS, "0");
}
