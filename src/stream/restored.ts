/**
 * Whether a store that was brought up to what is committed has read all that was read before. The number of inputs that
 * were folded up to a position is committed with it: who comes to the same position with fewer has read less, because the
 * registry has lost a schema, or because a topic or a mapping is not there any more.
 */
import { ScorefoldError } from "../errors.js";
import type { DeadLetter } from "../events/dead-letter.js";
import type { Position } from "../store/position.js";

/** Reasons that are told, of records that can't be read now. */
const CAUSES_MAX = 10;

interface Cause {
  readonly topic: string;
  readonly error: string;
  readonly first: number;
  last: number;
  records: number;
}

/** Records that could not be read while a store was brought up to what is committed, by their topics and reasons. */
export class UnreadRecords {
  readonly #causes = new Map<string, Cause>();

  note(letters: readonly DeadLetter[]): void {
    for (const { topic, partition, offset, error } of letters) {
      const place = `${topic}-${partition}`;
      const known = this.#causes.get(`${place} ${error}`);
      if (known !== undefined) {
        known.last = offset;
        known.records += 1;
      } else if (this.#causes.size < CAUSES_MAX)
        this.#causes.set(`${place} ${error}`, { topic: place, error, first: offset, last: offset, records: 1 });
    }
  }

  get text(): string {
    if (this.#causes.size === 0) return "no record is unreadable, so a topic or a mapping is not what it was";
    const each = [...this.#causes.values()].map(
      ({ topic, error, first, last, records }) => `${topic}, ${records} from offset ${first} to ${last}: ${error}`,
    );
    return `what can't be read now: ${each.join("; ")}`;
  }
}

/** A store that was made of less than was scored: it is put aside, since what it has read is not read again. */
export class RestoredLess extends ScorefoldError {}

/**
 * @param committed what was scored
 * @param position of the store, now that it is level with that
 * @throws RestoredLess `history-lost`
 */
export function checkRestored(
  task: number,
  committed: Pick<Position, "inputs">,
  position: Pick<Position, "inputs">,
  unread: UnreadRecords,
): void {
  const [before, now] = [committed.inputs ?? null, position.inputs ?? null];
  if (before === null || now === null || now >= before) return;
  throw new RestoredLess(
    "history-lost",
    `task ${task}: ${before} inputs were scored up to what is committed, and ${now} of them can be read: the store would ` +
      `lack ${before - now}. ${unread.text}. Bring back what they were read by (the schema, the topic, the mapping), or ` +
      "a store of the task that has them, and start again. To go on without them, end all processes and set the " +
      "offsets of all topics of the group to the earliest (`kafka-consumer-groups --reset-offsets --to-earliest " +
      "--all-topics --execute`): what can be read is published again then",
  );
}
