/** What lies in the input topics, and what must have become of each record: written without a look at the engine's own. */
import type { Input } from "../../src/events/types.js";
import type { CommittedRecord } from "../components/kafka/java-client.js";
import { textOf } from "../simulator/arrived.js";
import { REKEYED } from "./application.js";
import { reasonOf, taskOf } from "./load.js";

/** The default of `--input-ahead`. */
const AHEAD_MS_MAX = 3_600_000;

export type InputRecord = CommittedRecord & { readonly input: Input };

export interface Read {
  /** In the partition of their contact, in the order of each partition of a topic. */
  readonly folded: readonly InputRecord[];
  /** By place, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
  /** What is wrong with what was passed on. */
  readonly problems: readonly string[];
}

export function placeOf({ topic, partition, offset }: Pick<CommittedRecord, "topic" | "partition" | "offset">): string {
  return `${topic}-${partition}-${offset}`;
}

/** Sorts records by what they are. Each that lay in a wrong partition must have been passed on, once. */
export function readInputs(records: readonly CommittedRecord[]): Read {
  const folded: InputRecord[] = [];
  const refused = new Map<string, string>();
  const misplaced: string[] = [];
  const passedOn: string[] = [];
  for (const record of records) {
    const reason = reasonOf(record.value);
    if (reason !== null) {
      refused.set(placeOf(record), reason);
      continue;
    }
    const input = JSON.parse(record.value.toString()) as Input;
    const isRight = record.partition === taskOf(input.contactId);
    if (record.topic === REKEYED) passedOn.push(`${record.partition} ${textOf(input)}`);
    if (input.at > record.timestamp + AHEAD_MS_MAX) refused.set(placeOf(record), "too-far-ahead");
    else if (isRight) folded.push({ ...record, input });
    else misplaced.push(`${taskOf(input.contactId)} ${textOf(input)}`);
  }
  return { folded, refused, problems: differences("passed on to the right partition", passedOn, misplaced) };
}

/** What one list has and the other has not, as often as it has it. */
export function differences(what: string, found: readonly string[], expected: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const one of found) counts.set(one, (counts.get(one) ?? 0) + 1);
  for (const one of expected) counts.set(one, (counts.get(one) ?? 0) - 1);
  return [...counts]
    .filter(([, count]) => count !== 0)
    .map(([one, count]) => `${what}: ${count > 0 ? `${count} too many` : `${-count} missing`}: ${one}`);
}
