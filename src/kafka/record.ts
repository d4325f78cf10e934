/** A record of an input topic, decoded. */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { type BrokenOriginal, decodeOriginal, ORIGINAL_BYTES_MAX, type Original } from "../events/dead-letter.js";
import type { LogRecord, Topic } from "../stream/log.js";
import type { FetchedRecord } from "./fetch-response.js";

export function recordOf(topic: Topic, partition: number, record: FetchedRecord): LogRecord {
  const { offset, timestamp, bytes, value } = record;
  const original = originalOf(value ?? Buffer.alloc(0));
  const decoded = decodeOriginal(original);
  return { topic, partition, offset, timestamp, bytes, decoded, original: decoded.ok ? null : original, source: null };
}

function originalOf(value: Buffer): Original {
  const isText = isUtf8(value);
  if (isText && value.length <= ORIGINAL_BYTES_MAX) return value.toString("utf8");
  const head = value.subarray(0, ORIGINAL_BYTES_MAX).toString("utf8");
  const sha256 = createHash("sha256").update(value).digest("hex");
  return { bytes: value.length, sha256, head, isUtf8: isText } satisfies BrokenOriginal;
}
