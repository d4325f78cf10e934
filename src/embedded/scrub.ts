/** Takes what must be forgotten out of records that are already written; their offsets stay as they are. */
import type { Database, Operation } from "../database/database.js";
import { ScorefoldError } from "../errors.js";
import type { Offset, Topic } from "../stream/log.js";
import { decodeContent, decodeRow, encodeContent, encodeRow, REMOVED, rowKey, textOf } from "./rows.js";

/** Of one write, about. */
const WRITE_BYTES_MAX = 4 * 1024 * 1024;

/** The text that takes the place of a record's value: the same to leave it, null to remove it. One line. */
export type Keep = (topic: Topic, value: string) => string | null;

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
      const texts = row.texts.map((text) => scrubbedText(topic, text, keep));
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

function scrubbedText(topic: Topic, text: string, keep: Keep): string {
  const content = decodeContent(text);
  if (content === null) return text;
  const value = textOf(content.original);
  const kept = keep(topic, value);
  if (kept === value) return text;
  if (kept === null) return REMOVED;
  if (!kept.includes("\n")) return encodeContent(kept, content.source);
  throw new ScorefoldError("internal", `a record of topic ${topic} can't become a text of several lines`);
}
