/** What proves that the log below a position is the one that was read. */
import type { Fetched, Mark, Marks, Offset, Offsets, TaskLog, Topic } from "./log.js";

/** The marks of positions that were moved on to `offsets` by what was fetched. */
export function marksAfter(before: Marks, fetched: readonly Fetched[], offsets: Offsets): Marks {
  const after = new Map(before);
  for (const { topic, marks } of fetched) {
    const mark = markBelow(marks, offsets.get(topic) ?? 0);
    if (mark !== null) after.set(topic, mark);
  }
  return after;
}

/** The last of these batches that begins before `offset`. */
export function markBelow(marks: readonly Mark[], offset: Offset): Mark | null {
  return marks.findLast(({ base }) => base < offset) ?? null;
}

/** What a log has where a mark says that a batch lies. */
export type Finding =
  /** That batch. */
  | "same"
  /** Another one. */
  | "other"
  /** Nothing, and something behind it: it was dropped, and says nothing any more of what was there. */
  | "dropped"
  /** Nothing, there and behind it. */
  | "nothing";

export function findingOf(mark: Mark, found: Mark | null): Finding {
  if (found === null) return "nothing";
  if (found.base > mark.base) return "dropped";
  const isSame = found.base === mark.base && found.at === mark.at;
  return isSame && (mark.checksum === null || found.checksum === mark.checksum) ? "same" : "other";
}

/** What the log has now in the places of these marks. */
export async function lookAt(log: TaskLog, marks: Marks): Promise<ReadonlyMap<Topic, Finding>> {
  if (marks.size === 0) return new Map();
  const found = await log.look(new Map([...marks].map(([topic, { base }]) => [topic, base])));
  const findings = new Map([...marks].map(([topic, mark]) => [topic, findingOf(mark, found.get(topic) ?? null)]));
  const empty = [...findings].filter(([, finding]) => finding === "nothing").map(([topic]) => topic);
  if (empty.length === 0) return findings;
  // All may be dropped, so that there is nothing behind it.
  for (const [topic, { start }] of await log.bounds(empty))
    if (start > marks.get(topic)!.base) findings.set(topic, "dropped");
  return findings;
}

/** As it is written. */
export type EncodedMark = readonly [base: Offset, count: number, at: number, checksum: number | null];

export function encodeMark({ base, count, at, checksum }: Mark): EncodedMark {
  return [base, count, at, checksum];
}

export function decodeMark([base, count, at, checksum]: EncodedMark): Mark {
  return { base, count, at, checksum };
}

export function encodeMarks(marks: Marks): Record<Topic, EncodedMark> {
  return Object.fromEntries([...marks].map(([topic, mark]) => [topic, encodeMark(mark)]));
}

/** @param encoded undefined where what was written is older than marks */
export function decodeMarks(encoded: Record<Topic, EncodedMark> | undefined): Marks {
  return new Map(Object.entries(encoded ?? {}).map(([topic, mark]) => [topic, decodeMark(mark)]));
}
