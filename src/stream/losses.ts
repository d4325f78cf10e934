/** What a person has accepted as lost, as a store and what is committed take it. */
import type { Loss, Losses, Position } from "../store/position.js";
import type { ContactStore } from "../store/store.js";
import type { TaskLog, Topic } from "./log.js";
import { lookAt } from "./marks.js";
import type { CommittedPosition } from "./metadata.js";
import type { Lost } from "./proof.js";

/** How many are kept with their details. */
const KEPT_MAX = 20;

/** Who has accepted something, and when. */
export interface Acceptance {
  readonly by: string;
  readonly at: number;
}

export function withLosses(before: Losses, lost: readonly Lost[], { by, at }: Acceptance): Losses {
  const added = lost.map(({ topic, kind, position, resumed, records, since, until }): Loss => {
    return { topic, kind, position, resumed, records, since, until, by, at };
  });
  return {
    count: before.count + added.length,
    records: before.records + added.reduce((sum, { records }) => sum + records, 0),
    last: [...before.last, ...added].slice(-KEPT_MAX),
  };
}

/**
 * The position of a store in a log of which parts were accepted as lost that the store does not know of yet: where it was
 * beyond them it goes on where the log does. What it has of them stays in it: what comes again is a duplicate.
 *
 * @returns null where it knows of all of them
 */
export async function adoptedLosses(
  taskLog: TaskLog,
  store: ContactStore,
  committed: CommittedPosition,
): Promise<{ readonly position: Position; readonly topics: ReadonlySet<Topic> } | null> {
  const { position } = store;
  const added = committed.losses.count - position.losses.count;
  if (added <= 0) return null;
  const offsets = new Map(position.offsets);
  const marks = new Map(position.marks);
  const outputs = new Map(position.outputs);
  for (const { topic, kind, resumed } of committed.losses.last.slice(-added)) {
    outputs.delete(topic);
    const own = offsets.get(topic);
    const isMoved = kind === "begin" ? (own ?? 0) < resumed : own !== undefined && own > resumed;
    if (isMoved && kind !== "committed") offsets.set(topic, resumed);
  }
  const concerned = new Set(committed.losses.last.slice(-added).map(({ topic }) => topic));
  for (const topic of concerned) {
    const below = store.marksOf(topic).filter(({ base, count }) => base + count <= (offsets.get(topic) ?? 0));
    marks.delete(topic);
    // What it knows below where it goes on may be of the log that is lost.
    for (const mark of below)
      if ((await lookAt(taskLog, new Map([[topic, mark]]))).get(topic) === "same") marks.set(topic, mark);
  }
  return {
    position: { ...position, offsets, marks, outputs, losses: committed.losses, inputs: null },
    topics: concerned,
  };
}
