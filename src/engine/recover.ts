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
import { noTimers } from "../store/position.js";
import { ContactStore } from "../store/store.js";
import type { Log, Offsets, TaskLog, Topic } from "../stream/log.js";
import { type CommittedPosition, encodeMetadata, uncounted } from "../stream/metadata.js";
import { setOfStore } from "../stream/models.js";
import { knownPart } from "../stream/set-offsets.js";
import { FOLD_VERSION } from "../stream/task.js";
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
  readonly publishedUntil: PublishedUntil;
}

export interface RecoveredTask {
  readonly task: number;
  /** Null: it was known, and is as it was. */
  readonly offsets: Offsets | null;
}

/** No cache is worth its memory for one row. */
const STORE_MEMORY = { bytes: 3 * 1024 * 1024, openFilesMax: 24 };

/** @throws ScorefoldError `usage` while the group has members, or where a store is missing; as starting an engine does */
export async function recover(options: RecoverOptions): Promise<RecoveredTask[]> {
  const { directory, kafka, app, inputTopics, outputTopics, isHistoryLocal } = options;
  await directory.beOfCluster();
  const { clusterId, tasks, topicIds, internal } = await openCluster(
    kafka,
    app,
    { inputs: inputTopics, outputs: outputTopics, isHistoryLocal },
    null,
  );
  await directory.beOfApplication({ app, clusterId });
  const members = await membersOf(kafka, app);
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
    for (let task = 0; task < tasks; task++) recovered.push(await recoverTask(options, log, task));
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
    if (committed !== null && log.inputTopics.every((topic) => committed.offsets.has(topic)))
      return { task, offsets: null };
    const { offsets, timer, change, models } = await positionOf(options, log, taskLog);
    const starts = [...(await taskLog.bounds())].map(([topic, { start }]) => [topic, start] as const);
    // What is known of some of the topics stays.
    const whole = new Map([...starts, ...offsets, ...(committed?.offsets ?? [])]);
    const metadata = uncounted(committed?.metadata ?? "") || encodeMetadata({ timer, change }, models);
    await taskLog.publish({ offsets: whole, metadata, outputs: [], deadLetters: [] });
    return { task, offsets: whole };
  } finally {
    await taskLog.close();
  }
}

async function positionOf(options: RecoverOptions, log: Log, { task }: TaskLog): Promise<CommittedPosition> {
  const { publishedUntil, directory, kafka } = options;
  if (publishedUntil === "nothing") return { offsets: new Map(), timer: noTimers, change: null, models: null };
  if (publishedUntil !== "store") {
    const offsets = await offsetsAt(kafka, log.inputTopics, task, publishedUntil);
    return { offsets, timer: { all: publishedUntil, run: null }, change: null, models: null };
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
