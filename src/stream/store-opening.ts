/** Opens the store of a task, and sees whether it and the log belong together. */
import type { Database } from "../database/database.js";
import { ScorefoldError } from "../errors.js";
import type { EpochMs } from "../events/types.js";
import type { StoreExpectation } from "../store/meta.js";
import { ContactStore } from "../store/store.js";
import type { Log, Offsets, TaskLog } from "./log.js";
import type { CommittedPosition } from "./metadata.js";
import { isOfCommitted } from "./models.js";
import { lag } from "./offsets.js";

/** Where a task's store lies. */
export interface StorePlace {
  /** Opens the database, made where there is none. */
  open(): Promise<Database>;
  /** Puts a store aside that can't be used, so that the next `open` makes a new one. @returns where it is now */
  setAside(): Promise<string>;
}

export interface StoreOpening {
  readonly place: StorePlace;
  readonly log: Log;
  readonly taskLog: TaskLog;
  readonly foldVersion: number;
  /** What the log has committed. */
  readonly committed: CommittedPosition | null;
  /** Names the models that are to run. */
  readonly wanted: string;
  /** Where the log begins now. */
  readonly starts: Offsets;
  readonly onNotice: (text: string) => void;
  /** Who is erased, of whom the log has nothing left. */
  readonly erased?: () => Promise<ReadonlyMap<string, EpochMs>>;
}

/**
 * The store, as it can be gone on with: one that can't is put aside, and everything is folded again.
 *
 * @throws ScorefoldError `format-unknown` for one of another log, `history-lost` where nothing makes up for what is gone
 */
export async function openStoreOf(opening: StoreOpening): Promise<ContactStore> {
  const { place, log, foldVersion, committed, erased, onNotice } = opening;
  const expected = { clusterId: log.clusterId, foldVersion, origin: log.origin };
  let store = await openStore(place, expected);
  try {
    if (log.origin !== null) await checkKnown(opening, store);
    const offsets = committed?.offsets ?? new Map<string, number>();
    const isAhead = lag(offsets, foldedOf(log, store)) > 0;
    // States of another fold can't be brought up to what is committed: then the log brings everything back.
    const isStuck = store.isOfOtherFold && lag(store.position.offsets, offsets) > 0;
    // Where models are shared, others may have changed them since.
    const isOfOthers =
      log.models !== null && committed !== null && !(await isOfCommitted(store, committed, opening.wanted));
    if (isAhead || isStuck || isOfOthers) {
      await store.close();
      const where = await place.setAside();
      const why = isAhead
        ? "is ahead of what the log has committed"
        : `was left behind by ${isStuck ? "another version of scorefold" : "a change of models elsewhere"}`;
      onNotice(`the store ${why}: put aside in ${where}, and everything is folded again from the log`);
      store = await openStore(place, expected);
    }
    if (committed !== null && log.origin !== null) checkWhole(opening, store);
    if (store.position.offsets.size === 0 && erased !== undefined) {
      const known = await erased();
      if (known.size > 0) await store.learnErased(known);
    }
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Topics that are no inputs any more do not count. */
function foldedOf({ inputTopics }: Log, store: ContactStore): Offsets {
  return new Map([...store.position.offsets].filter(([topic]) => inputTopics.includes(topic)));
}

/** What is committed can be forgotten by a broker. Then only a first start may begin without it. */
async function checkKnown({ committed, log, taskLog }: StoreOpening, store: ContactStore): Promise<void> {
  const folded = [...foldedOf(log, store)].filter(([, offset]) => offset > 0);
  const unknown = folded.filter(([topic]) => committed?.offsets.get(topic) === undefined).map(([topic]) => topic);
  const isFirst = committed === null && folded.length === 0;
  const hasPublished = isFirst && (await taskLog.hasPublished());
  if (unknown.length === 0 && !hasPublished) return;
  const where = unknown.length === 0 ? "there are outputs of it" : `the store has inputs of ${unknown.join(", ")}`;
  throw new ScorefoldError(
    "history-lost",
    `nothing is committed for task ${taskLog.task}, and ${where}: committed offsets are forgotten a week after the last ` +
      "member of the group has left. Up to where outputs were published is to be said: `scorefold recover " +
      "--published-until store` (up to where the store is) or an instant; `nothing` publishes everything again",
  );
}

/** What is not in the store has to be in the log. */
function checkWhole({ starts, taskLog }: StoreOpening, store: ContactStore): void {
  const gone = [...starts].filter(([topic, start]) => start > (store.position.offsets.get(topic) ?? 0));
  if (gone.length === 0) return;
  const names = gone.map(([topic, start]) => `${topic} begins at ${start}`).join(", ");
  throw new ScorefoldError(
    "history-lost",
    `task ${taskLog.task}: the log no longer has all inputs that were scored (${names}), and the store does not have ` +
      "them; bring back a store of this task that has, from a backup or from the host that had the task, into the data " +
      "directory",
  );
}

/** One that can't be read is closed: it is tried again, or put aside. */
async function openStore(place: StorePlace, expected: StoreExpectation): Promise<ContactStore> {
  const database = await place.open();
  try {
    return await ContactStore.open(database, expected);
  } catch (error) {
    await database.close();
    throw error;
  }
}
