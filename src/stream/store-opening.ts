/** Opens the store of a task, and sees whether it and the log belong together. */
import type { Database } from "../database/database.js";
import { ScorefoldError } from "../errors.js";
import type { EpochMs } from "../events/types.js";
import { type StoreExpectation, StoreFormatError } from "../store/meta.js";
import { ContactStore } from "../store/store.js";
import type { Log, Offsets, TaskLog } from "./log.js";
import { adoptedLosses } from "./losses.js";
import type { CommittedPosition } from "./metadata.js";
import { isOfCommitted } from "./models.js";
import { lag } from "./offsets.js";
import { examine, logLost } from "./proof.js";

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
 * @throws ScorefoldError `format-unknown` for one of another log, `history-lost` where nobody knows how far it was,
 *   `log-lost` where the log is not the one that was scored
 */
export async function openStoreOf(opening: StoreOpening): Promise<ContactStore> {
  const { place, log, foldVersion, committed, erased, onNotice } = opening;
  const expected = { clusterId: log.clusterId, foldVersion, origin: originOf(opening) };
  let store = await openStore(opening, expected);
  try {
    // Of a topic that was made anew nothing is committed either, and that is not because it was forgotten.
    await prove(opening, store);
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
      store = await openStore(opening, expected);
      await prove(opening, store);
    }
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

/** Topics as they are now, also where one was made anew since the log was opened. */
function originOf({ log: { origin }, taskLog: { topicIds } }: StoreOpening): Log["origin"] {
  return origin === null || topicIds === null ? origin : { ...origin, topicIds };
}

/**
 * Holds the log against what the store and what is committed say of it.
 *
 * @throws ScorefoldError `log-lost`
 */
async function prove({ log, taskLog, committed }: StoreOpening, store: ContactStore): Promise<void> {
  const adopted = committed === null ? null : await adoptedLosses(taskLog, store, committed);
  if (adopted !== null) {
    const ids = [...(taskLog.topicIds ?? [])].filter(([topic]) => adopted.topics.has(topic));
    store.adopt(adopted.position, new Map(ids));
  }
  const { lost, dropped } = await examine({ log, taskLog, committed, store });
  if (lost.length > 0) throw logLost(taskLog.task, lost);
  const { position } = store;
  const marks = new Map([...position.marks].filter(([topic]) => !dropped.has(topic)));
  store.adopt({ ...position, marks }, taskLog.topicIds);
}

/** One that can't be read is closed: it is tried again, or put aside. */
async function openStore(
  { place, starts }: Pick<StoreOpening, "place" | "starts">,
  expected: StoreExpectation,
): Promise<ContactStore> {
  const database = await place.open();
  try {
    return await ContactStore.open(database, expected);
  } catch (error) {
    await database.close();
    throw error instanceof StoreFormatError ? ofOtherFormat(error, starts) : error;
  }
}

/** How to go on from a store of another version: not without what the topics do not have any more. */
function ofOtherFormat(error: StoreFormatError, starts: Offsets): ScorefoldError {
  const cut = [...starts].filter(([, start]) => start > 0).map(([topic, start]) => `${topic} begins at ${start}`);
  const way =
    cut.length === 0
      ? ". Or stop, move the store away, and start: everything is folded again from the log"
      : `: it has inputs that the topics no longer hold (${cut.join(", ")}). Moved away, it would be missed: what is ` +
        "folded again from the topics lacks them";
  return new ScorefoldError("format-unknown", error.message + way, { cause: error });
}
