/** A record of an input topic, decoded. */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { decodeRead } from "../events/avro.js";
import { brokenOriginal, decodeOriginal, ORIGINAL_BYTES_MAX, type Original } from "../events/dead-letter.js";
import type { Decoded } from "../events/decode.js";
import type { LogRecord, Topic } from "../stream/log.js";
import type { FetchedRecord } from "./fetch-response.js";
import { MAGIC, type ValueReader } from "./values.js";

const EMPTY = Buffer.alloc(0);

/** @param values prepared for this record */
export function recordOf(topic: Topic, partition: number, record: FetchedRecord, values: ValueReader): LogRecord {
  const { offset, timestamp, bytes } = record;
  const value = record.value ?? EMPTY;
  const isText = value[0] !== MAGIC;
  const text = isText ? originalOf(value) : null;
  const decoded = text === null ? decodeRead(values.read(value)) : decodeText(text);
  const original = decoded.ok ? null : (text ?? originalOf(value));
  return { topic, partition, offset, timestamp, bytes, decoded, original, source: null };
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
