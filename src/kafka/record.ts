/** A record of an input topic, decoded. */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { decodeRead } from "../events/avro.js";
import { brokenOriginal, decodeOriginal, ORIGINAL_BYTES_MAX, type Original } from "../events/dead-letter.js";
import { type Decoded, parseLine } from "../events/decode.js";
import type { LogRecord, Topic } from "../stream/log.js";
import type { Mapped, RecordMapper, Skipped, SourceRecord } from "../topics/record.js";
import type { FetchedRecord } from "./fetch-response.js";
import { MAGIC, type ValueReader } from "./values.js";

const EMPTY = Buffer.alloc(0);

/** How the values of a topic are read. */
export interface Reading {
  readonly values: ValueReader;
  /** How they become inputs; null: they are inputs as they are. */
  readonly mapper: RecordMapper | null;
}

/** @param values of `reading`, prepared for this record. @returns what the topic's mapping does not take, likewise */
export function recordOf(
  topic: Topic,
  partition: number,
  record: FetchedRecord,
  reading: Reading,
): LogRecord | Skipped {
  const { offset, timestamp, bytes } = record;
  const value = record.value ?? EMPTY;
  const text = value[0] === MAGIC ? null : originalOf(value);
  const decoded = decode(value, text, record, reading);
  if (decoded.ok === "skipped") return decoded;
  const original = decoded.ok ? null : (text ?? originalOf(value));
  return { topic, partition, offset, timestamp, bytes, decoded, original, source: null };
}

/** @param text of the value; null where it is Avro */
function decode(value: Buffer, text: Original | null, record: FetchedRecord, { values, mapper }: Reading): Mapped {
  if (text === null) {
    const read = values.read(value);
    if (mapper === null || !read.ok) return decodeRead(read);
    return mapper(read.value, new Source(value, record));
  }
  if (mapper === null || typeof text !== "string") return decodeText(text);
  const parsed = parseLine(text);
  return parsed.ok ? mapper(parsed.value, new Source(value, record)) : parsed;
}

/** What few mappings ask for. */
class Source implements SourceRecord {
  readonly bytes: Buffer;
  readonly #record: FetchedRecord;

  constructor(bytes: Buffer, record: FetchedRecord) {
    this.bytes = bytes;
    this.#record = record;
  }

  get key(): Buffer | null {
    return this.#record.key;
  }

  get timestamp(): number {
    return this.#record.timestamp;
  }
}

function decodeText(original: Original): Decoded {
  if (typeof original === "string" || original.isUtf8) return decodeOriginal(original);
  const error = "the value is not JSON in UTF-8, and does not begin with byte 0, as Avro of a registered schema does";
  return { ok: false, reason: "undecodable", error };
}

function originalOf(value: Buffer): Original {
  if (value.length <= ORIGINAL_BYTES_MAX && isUtf8(value)) return value.toString("utf8");
  const sha256 = createHash("sha256").update(value).digest("hex");
  return brokenOriginal(value.subarray(0, ORIGINAL_BYTES_MAX), value.length, sha256);
}
