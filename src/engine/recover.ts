/**
 * Says up to where outputs were published, for tasks of which the cluster has forgotten it: committed offsets of a group
 * without members go after a week.
 */
import { ScorefoldError } from "../errors.js";
import type { EpochMs } from "../events/types.js";
import type { Kafka } from "../kafka/client.js";
import { KafkaLog } from "../kafka/log.js";
import { membersOf, offsetsAt } from "../kafka/offsets.js";
import type { OutputTopics } from "../kafka/output-topics.js";
import { openCluster } from "../kafka/start.js";
import { noProof, noTimers } from "../store/position.js";
import { ContactStore } from "../store/store.js";
import type { Committed, Log, Offsets, TaskLog, Topic } from "../stream/log.js";
import { type CommittedPosition, encodeMetadata, uncounted } from "../stream/metadata.js";
import { setOfStore } from "../stream/models.js";
import type { Lost } from "../stream/proof.js";
import { knownPart } from "../stream/set-offsets.js";
import { FOLD_VERSION } from "../stream/task.js";
import { acceptOfTask, type LostPartition } from "./accept-loss.js";
import type { DataDirectory } from "./directory.js";

/** Up to where the stores are; nothing, so that all is published again; or what the log had at an instant. */
export type PublishedUntil = "store" | "nothing" | EpochMs;

export interface RecoverOptions {
  readonly directory: DataDirectory;
  readonly kafka: Kafka;
  readonly app: string;
  readonly inputTopics: readonly Topic[];
  readonly outputTopics: OutputTopics;
  readonly isHistoryLocal: boolean;
  /** Null: where nothing is committed, nothing is changed. */
  readonly publishedUntil: PublishedUntil | null;
  /** The partitions of which a loss is accepted. */
  readonly accepted?: readonly LostPartition[];
}

export interface RecoveredTask {
  readonly task: number;
  /** Null: it was known, and is as it was. */
  readonly offsets: Offsets | null;
  /** What was accepted as lost of it, and what is lost of it too. */
  readonly lost: readonly Lost[];
  readonly left: readonly Lost[];
}

/** No cache is worth its memory for one row. */
const STORE_MEMORY = { bytes: 3 * 1024 * 1024, openFilesMax: 24 };

/** @throws ScorefoldError `usage` while the group has members, or where a store is missing; as starting an engine does */
export async function recover(options: RecoverOptions): Promise<RecoveredTask[]> {
  const { directory, kafka, app, inputTopics, outputTopics, isHistoryLocal, accepted = [] } = options;
  await directory.beOfCluster();
  const { clusterId, tasks, topicIds, internal } = await openCluster(
    kafka,
    app,
    { inputs: inputTopics, outputs: outputTopics, isHistoryLocal },
    null,
  );
  await directory.beOfApplication({ app, clusterId });
  const members = await membersOf(kafka, app);
  const unknown = accepted.find(({ task }) => task >= tasks);
  if (unknown !== undefined)
    throw new ScorefoldError("usage", `${unknown.topic}-${unknown.task}: partitions are 0 to ${tasks - 1}`);
  if (members > 0)
    throw new ScorefoldError("usage", `the group ${app} has ${members} members; stop all its processes first`);
  const log = new KafkaLog({
    kafka,
    app,
    clusterId,
    inputTopics: [...inputTopics, internal.rekeyed],
    origin: { app, tasks, topicIds },
    outputTopics,
    rekeying: null,
    clockTopic: internal.clock,
    models: null,
    elapsed: () => performance.now(),
  });
  const recovered: RecoveredTask[] = [];
  try {
    for (let task = 0; task < tasks; task++) {
      const one = await recoverTask(options, log, task);
      const topics = new Set(accepted.filter((of) => of.task === task).map(({ topic }) => topic));
      const { lost, left } = topics.size === 0 ? one : await acceptOfTask(directory, log, task, topics);
      recovered.push({ ...one, lost, left });
    }
  } finally {
    await log.close();
  }
  return recovered;
}

async function recoverTask(options: RecoverOptions, log: Log, task: number): Promise<RecoveredTask> {
  const taskLog = await log.open(task);
  try {
    const found = await taskLog.committed().catch((error: unknown) => {
      if (error instanceof ScorefoldError && error.code === "history-lost") return null;
      throw error;
    });
    const committed = knownPart(found);
    if (options.publishedUntil === null || isWhole(committed, log)) return { task, offsets: null, lost: [], left: [] };
    const { offsets, marks, timer, change, models, losses } = await positionOf(options, log, taskLog);
    const starts = [...(await taskLog.bounds())].map(([topic, { start }]) => [topic, start] as const);
    // What is known of some of the topics stays.
    const whole = new Map([...starts, ...offsets, ...(committed?.offsets ?? [])]);
    const metadata = uncounted(committed?.metadata ?? "") || encodeMetadata({ timer, change, losses }, models);
    const own = [...marks].filter(([topic]) => log.inputTopics.includes(topic));
    const proven = new Map([...own, ...(committed?.marks ?? [])]);
    await taskLog.publish({ offsets: whole, marks: proven, metadata, outputs: [], deadLetters: [] });
    return { task, offsets: whole, lost: [], left: [] };
  } finally {
    await taskLog.close();
  }
}

function isWhole(committed: Committed | null, { inputTopics }: Log): boolean {
  return committed !== null && inputTopics.every((topic) => committed.offsets.has(topic));
}

async function positionOf(options: RecoverOptions, log: Log, { task }: TaskLog): Promise<CommittedPosition> {
  const { publishedUntil, directory, kafka } = options;
  if (publishedUntil === null || publishedUntil === "nothing")
    return { ...noProof, offsets: new Map(), timer: noTimers, change: null, models: null };
  if (publishedUntil !== "store") {
    const offsets = await offsetsAt(kafka, log.inputTopics, task, publishedUntil);
    return { ...noProof, offsets, timer: { all: publishedUntil, run: null }, change: null, models: null };
  }
  if (!directory.storedTasks().includes(task))
    throw new ScorefoldError(
      "usage",
      `${directory.path} has no store of task ${task}; name the directory that has, or an instant up to which outputs ` +
        "were published",
    );
  const expected = { clusterId: log.clusterId, foldVersion: FOLD_VERSION, origin: log.origin };
  const database = await directory.openTaskStore(task, STORE_MEMORY);
  try {
    const store = await ContactStore.open(database, expected);
    return { ...store.position, models: await setOfStore(store) };
  } finally {
    await database.close();
  }
}
