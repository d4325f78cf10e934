/** What lies between two positions in the log. */
import { ScorefoldError } from "../errors.js";
import type { Fetched, Offset, Offsets } from "./log.js";

/** How many offsets lie between two positions. */
export function lag(from: Offsets, to: Offsets): number {
  let sum = 0;
  for (const [topic, offset] of to) sum += Math.max(0, offset - (from.get(topic) ?? 0));
  return sum;
}

/** The part of what was fetched that lies before `offset`. */
export function upTo(fetched: Fetched, offset: Offset): Fetched {
  if (fetched.next <= offset) return fetched;
  const records = fetched.records.filter((record) => record.offset < offset);
  return { ...fetched, records, next: offset };
}

/** @throws ScorefoldError `log-failed` where a topic ends before what is committed of it */
export function checkEnds(fetched: readonly Fetched[], committed: Offsets): void {
  for (const { topic, end } of fetched) {
    const wanted = committed.get(topic) ?? 0;
    if (end >= wanted) continue;
    throw new ScorefoldError(
      "log-failed",
      `topic ${topic} can be read up to offset ${end}, and inputs up to ${wanted} were scored`,
    );
  }
}
