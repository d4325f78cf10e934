/** Takes what must be forgotten out of records that are already written; their offsets stay as they are. */
import type { Database, Operation } from "../database/database.js";
import { ScorefoldError } from "../errors.js";
import type { Original } from "../events/dead-letter.js";
import type { EpochMs } from "../events/types.js";
import type { Offset, Topic } from "../stream/log.js";
import { decodeContent, decodeRow, encodeContent, encodeRow, REMOVED, rowKey, textOf, topicKeysEnd } from "./rows.js";

/** Of one write, about. */
const WRITE_BYTES_MAX = 4 * 1024 * 1024;

/** The record that a value is of. */
export interface ScrubbedRecord {
  readonly offset: Offset;
  /** When the log took it. */
  readonly timestamp: EpochMs;
  /** Of which the value is the text, or what can be read as one. */
  readonly original: Original;
}

/** The text that takes the place of a record's value: the same to leave it, null to remove it. One line. */
export type Keep = (topic: Topic, value: string, record: ScrubbedRecord) => string | null;

export interface Scrubbed {
  /** Records looked at, and of those how many were changed. */
  readonly records: number;
  readonly changed: number;
}

/**
 * Goes through all rows before `end`, which was the end when it began (what came since may still be on its way into
 * memory), and writes those anew that change. Whatever comes in between finds each row old or new; stopped half-way it
 * has done a part, and can be begun again.
 *
 * @param onWritten called after each write, before the next row is looked at
 * @throws ScorefoldError `log-corrupt` and what a write throws
 */
export async function scrubTopic(
  database: Database,
  topic: Topic,
  end: Offset,
  keep: Keep,
  onWritten: () => void,
  onRead: (scrubbed: Scrubbed) => void,
): Promise<Scrubbed> {
  let records = 0;
  let changed = 0;
  let operations: Operation[] = [];
  let bytes = 0;
  const write = async (): Promise<void> => {
    if (operations.length === 0) return;
    await database.write(operations);
    onWritten();
    operations = [];
    bytes = 0;
  };
  for await (const chunk of database.scan({
    gte: rowKey(topic, 0),
    lt: rowKey(topic, end),
  })) {
    for (const [key, value] of chunk) {
      const row = decodeRow(topic, key, value);
      const { base, timestamp } = row;
      const texts = row.texts.map((text, i) => scrubbedText(topic, text, { offset: base + i, timestamp }, keep));
      const differing = texts.filter((text, i) => text !== row.texts[i]).length;
      records += texts.length;
      changed += differing;
      if (differing === 0) continue;
      const newValue = encodeRow({ ...row, texts });
      operations.push({ type: "put", key, value: newValue });
      bytes += newValue.length;
      if (bytes >= WRITE_BYTES_MAX) await write();
    }
    onRead({ records, changed });
  }
  await write();
  return { records, changed };
}

/**
 * Takes records out, and leaves their offsets. Stopped half-way it has done a part, and can be begun again.
 *
 * @param offsets rising; those behind the end, and those that were taken out before, are passed over
 * @param onWritten called after each write, before the next row is looked at
 * @returns how many were taken out
 * @throws ScorefoldError `log-corrupt` and what a write throws
 */
export async function removeRecords(
  database: Database,
  topic: Topic,
  offsets: readonly Offset[],
  onWritten: () => void,
): Promise<number> {
  let operations: Operation[] = [];
  let bytes = 0;
  let removed = 0;
  const write = async (): Promise<void> => {
    if (operations.length > 0) await database.write(operations);
    onWritten();
    operations = [];
    bytes = 0;
  };
  for (let i = 0; i < offsets.length; ) {
    const [entry] = await database.range({ gte: rowKey(topic, offsets[i]!), lt: topicKeysEnd(topic) }, 1);
    if (entry === undefined) break;
    const row = decodeRow(topic, entry[0], entry[1]);
    const texts = [...row.texts];
    for (; i < offsets.length && offsets[i]! < row.end; i++) {
      const place = offsets[i]! - row.base;
      if (texts[place] === REMOVED) continue;
      texts[place] = REMOVED;
      removed += 1;
    }
    const value = encodeRow({ ...row, texts });
    operations.push({ type: "put", key: entry[0], value });
    bytes += value.length;
    if (bytes >= WRITE_BYTES_MAX) await write();
  }
  await write();
  return removed;
}

function scrubbedText(topic: Topic, text: string, at: Omit<ScrubbedRecord, "original">, keep: Keep): string {
  const content = decodeContent(text);
  if (content === null) return text;
  const value = textOf(content.original);
  const kept = keep(topic, value, { ...at, original: content.original });
  if (kept === value) return text;
  if (kept === null) return REMOVED;
  if (!kept.includes("\n")) return encodeContent(kept, content.source);
  throw new ScorefoldError("internal", `a record of topic ${topic} can't become a text of several lines`);
}
