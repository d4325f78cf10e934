/** How far a task is behind: what its log says of it, and what it knows itself and is newer. */
import type { EpochMs } from "../events/types.js";
import type { Offset, Offsets, TaskPlace } from "../stream/log.js";
import type { Task } from "../stream/task.js";

export interface TaskLag {
  /** Inputs that are in the log, and not folded and published; null: nobody has said yet. */
  readonly lag: number | null;
  /** How long the oldest of them has been in the log; 0: there is none; null: not known. */
  readonly oldestInputAgeMs: number | null;
}

/**
 * @param task null: it is not here
 * @param place null: the log has not said yet
 * @param now by the host's clock
 */
export function lagOf(task: Pick<Task, "published" | "ends"> | null, place: TaskPlace | null, now: EpochMs): TaskLag {
  const positions = later(task?.published ?? null, place?.positions ?? null);
  const ends = later(task?.ends ?? null, place?.ends ?? null);
  if (positions === null || ends === null) return { lag: null, oldestInputAgeMs: null };
  let lag = 0;
  let oldest: EpochMs | null = null;
  for (const [topic, end] of ends) {
    const own = Math.max(0, end - (positions.get(topic) ?? 0));
    lag += own;
    const at = place?.oldest.get(topic);
    if (own > 0 && at !== undefined) oldest = Math.min(oldest ?? at, at);
  }
  if (lag === 0) return { lag, oldestInputAgeMs: 0 };
  return { lag, oldestInputAgeMs: oldest === null ? null : Math.max(0, now - oldest) };
}

/** Of several tasks together: null where one of them is not known. */
export function totalLag(all: readonly TaskLag[]): TaskLag {
  const sum = (total: number | null, { lag }: TaskLag): number | null =>
    total === null || lag === null ? null : total + lag;
  const ages = all.flatMap(({ oldestInputAgeMs }) => (oldestInputAgeMs === null ? [] : [oldestInputAgeMs]));
  const isKnown = ages.length === all.length;
  return {
    lag: all.reduce(sum, 0),
    oldestInputAgeMs: isKnown || ages.some((age) => age > 0) ? Math.max(0, ...ages) : null,
  };
}

/** For each topic the later one: a broker tells what it knew some seconds ago, a task what it knew when it last could. */
function later(a: Offsets | null, b: Offsets | null): Offsets | null {
  if (a === null || b === null) return a ?? b;
  const offsets = new Map<string, Offset>(a);
  for (const [topic, offset] of b) offsets.set(topic, Math.max(offset, a.get(topic) ?? offset));
  return offsets;
}
