/**
 * Committed offsets that somebody else has set, with Kafka's own tool or another: they say nothing any more of what was
 * published. The store does, so what is committed is put right by it before anything else, once.
 *
 * Set ahead, no input is left out of scores: the task goes on where its store is, and publishes what it has not. Set back,
 * everything from there on is folded and published again, under the same ids.
 */
import { ScorefoldError } from "../errors.js";
import { noTimers } from "../store/position.js";
import { ContactStore } from "../store/store.js";
import type { Committed, Log, Offset, Offsets, TaskLog, Topic } from "./log.js";
import { decodeMetadata, encodeMetadata, uncounted } from "./metadata.js";
import { setOfStore } from "./models.js";
import type { StorePlace } from "./store-opening.js";

export interface CommittedReading {
  readonly place: StorePlace;
  readonly log: Log;
  readonly taskLog: TaskLog;
  readonly foldVersion: number;
  /** Where the log begins now. */
  readonly starts: Offsets;
  readonly onNotice: (text: string) => void;
}

/** An offset that was set, and up to where the store has folded. */
interface SetOffset {
  readonly topic: Topic;
  readonly to: Offset;
  readonly folded: Offset;
}

/**
 * What the task has committed, by its own word.
 *
 * @throws ScorefoldError `history-lost` where offsets were set and nobody here knows what was published
 */
export async function ownCommitted(reading: CommittedReading): Promise<Committed | null> {
  const { taskLog, place, log, foldVersion } = reading;
  const committed = await taskLog.committed();
  if (committed === null || (committed.set?.size ?? 0) === 0) return committed;
  const database = await place.open();
  try {
    const store = await ContactStore.open(database, { clusterId: log.clusterId, foldVersion, origin: log.origin });
    const own = await byStore(reading, committed, store);
    await taskLog.publish({ ...own, outputs: [], deadLetters: [] });
    return own;
  } finally {
    await database.close();
  }
}

/** What is committed, without offsets that somebody else has set; null: nothing of it is known. */
export function knownPart(committed: Committed | null): Committed | null {
  if (committed === null || committed.set === undefined) return committed;
  const offsets = new Map([...committed.offsets].filter(([topic]) => !committed.set!.has(topic)));
  return offsets.size === 0 ? null : { offsets, marks: committed.marks, metadata: uncounted(committed.metadata) };
}

async function byStore(reading: CommittedReading, committed: Committed, store: ContactStore): Promise<Committed> {
  const { starts, taskLog, onNotice } = reading;
  const { position } = store;
  const hasStore = position.offsets.size > 0;
  const set = [...(committed.set ?? [])].map((topic): SetOffset => {
    const start = starts.get(topic) ?? 0;
    return { topic, to: committed.offsets.get(topic) ?? start, folded: position.offsets.get(topic) ?? start };
  });
  if (!hasStore && set.some(({ to, folded }) => to > folded)) throw unknown(taskLog.task, set);
  const isBack = !hasStore || set.some(({ to, folded }) => to < folded);
  const resumed = set.map(({ topic, to, folded }) => [topic, Math.min(to, folded)] as const);
  const known = hasStore ? await setOfStore(store) : null;
  const models = committed.metadata === "" ? known : decodeMetadata(committed.metadata).models;
  const offsets = new Map([...committed.offsets, ...resumed]);
  const marks = new Map([...committed.marks].filter(([topic]) => !committed.set?.has(topic)));
  // Where the store is is proven by what it has read.
  for (const { topic, to, folded } of set) {
    const mark = position.marks.get(topic);
    if (to >= folded && mark !== undefined) marks.set(topic, mark);
  }
  const how = set.map(({ topic, to, folded }) => `${topic} to ${to}, where ${folded} is scored`).join("; ");
  const text = `somebody else has set committed offsets of task ${taskLog.task} (${how})`;
  if (isBack) {
    onNotice(`${text}: what follows is published again from there on, under the same ids; scores stay what they are`);
    // Time passes again, too: inputs are folded in the order that they had, not behind it.
    const again = { ...position, timer: noTimers, change: null, inputs: null };
    return { offsets, marks, metadata: encodeMetadata(again, models) };
  }
  onNotice(
    `${text}: no input is left out of scores; the task goes on where its store is, and publishes what it has not. After ` +
      "a crash, outputs of the last seconds before it come again, under the same ids",
  );
  return {
    offsets,
    marks,
    // Of some topics it is the store's position, of others what is committed: nobody has counted up to there.
    metadata: uncounted(committed.metadata === "" ? encodeMetadata(position, models) : committed.metadata),
  };
}

function unknown(task: number, set: readonly SetOffset[]): ScorefoldError {
  const which = set.map(({ topic, to }) => `${topic} to ${to}`).join(", ");
  return new ScorefoldError(
    "history-lost",
    `somebody else has set committed offsets of task ${task} (${which}), and there is no store of it here that knows up ` +
      "to where outputs were published. Start where its store is; or say it with all processes stopped: `scorefold " +
      "recover --published-until INSTANT`, or `nothing`, which publishes everything again",
  );
}
