/** What a task does, as metrics and as lines of the log. */
import type { TaskStatus } from "../api/engine.js";
import { noLosses } from "../store/position.js";
import type { Clock } from "../stream/clock.js";
import type { Task, TaskEvents } from "../stream/task.js";
import type { Logger, MeasuredTask, Metrics } from "../telemetry.js";
import { CauseLog } from "./cause-log.js";
import type { TaskLag } from "./task-lag.js";

/** @param lag of the task, as its log says */
export async function measured(number: number, task: Task, { lag, oldestInputAgeMs }: TaskLag): Promise<MeasuredTask> {
  const { store, memory } = task;
  return {
    ...unmeasured({ task: number, state: task.state.state, lag, oldestInputAgeMs }),
    contacts: store?.counts.contacts ?? 0,
    hotContacts: memory.contacts,
    hotBytes: memory.bytes,
    // One that is closed meanwhile has none.
    storeBytes: (await store?.size().catch(() => 0)) ?? 0,
    timersBehind: task.timersBehindMs / 1000,
    clockAhead: task.clockAheadMs / 1000,
    acceptedLosses: task.losses.count,
    acceptedRecords: task.losses.records,
  };
}

/** A task that is not here. */
export function unmeasured({
  task,
  state,
  lag,
  oldestInputAgeMs,
}: Pick<TaskStatus, "task" | "state" | "lag" | "oldestInputAgeMs">): MeasuredTask {
  return {
    task,
    state,
    lag,
    oldestInputAge: oldestInputAgeMs === null ? null : oldestInputAgeMs / 1000,
    contacts: 0,
    hotContacts: 0,
    hotBytes: 0,
    storeBytes: 0,
    timersBehind: 0,
    clockAhead: 0,
    acceptedLosses: 0,
    acceptedRecords: 0,
  };
}

/** Counts and logs what a task does. */
export function countingEvents(
  metrics: Metrics,
  logger: Logger,
  clock: Clock,
): Required<Omit<TaskEvents, "onProgress" | "onState">> {
  const causes = new CauseLog(logger, () => clock.elapsed());
  return {
    onShown: (state, detail) => logger.info({ state, detail }, `task is ${state}`),
    onNotice: (text, error) => {
      metrics.failures.inc();
      causes.warn(text, error);
    },
    onClock: (text) => logger.warn(text),
    onCommit: ({ kind, isMuted, gathered, foldMs, publishMs }) => {
      metrics.inputs.inc(gathered.inputs);
      metrics.foldSeconds.observe({ kind }, foldMs / 1000);
      // What is repeated was counted when it was published.
      if (isMuted) return;
      metrics.commits.inc({ kind });
      metrics.late.inc(gathered.late);
      metrics.duplicates.inc(gathered.duplicates);
      metrics.erased.inc(gathered.erased);
      metrics.rekeyed.inc(gathered.rekeyed.length);
      for (const { kind: output } of gathered.outputs) metrics.outputs.inc({ kind: output });
      for (const { reason } of gathered.deadLetters) metrics.deadLetters.inc({ reason });
      metrics.commitSeconds.observe({ kind }, publishMs / 1000);
    },
    onWrite: ({ ms }) => metrics.writeSeconds.observe(ms / 1000),
  };
}

/** @param lag of the task, as its log says */
export function statusOf(number: number, task: Task, lag: TaskLag): TaskStatus {
  const { state, detail } = task.state;
  const { store, published } = task;
  return {
    task: number,
    state,
    detail,
    ...lag,
    contacts: store?.counts.contacts ?? 0,
    offsets: Object.fromEntries(published ?? []),
    timersBehindMs: task.timersBehindMs,
    losses: task.losses,
  };
}

/** A task that is not here, or not yet. */
export function absent(task: number, state: string, detail: string, lag: TaskLag): TaskStatus {
  return { task, state, detail, ...lag, contacts: 0, offsets: {}, timersBehindMs: 0, losses: noLosses };
}

const worstFirst = [
  "failed",
  "retrying",
  "unassigned",
  "waiting",
  "starting",
  "catching-up",
  "rebuilding",
  "stopping",
  "stopped",
  "running",
];

/** The one whose state is the worst: what several are in together. Undefined of none. */
export function worstOf<T extends { readonly state: string }>(all: readonly T[]): T | undefined {
  return [...all].sort((a, b) => worstFirst.indexOf(a.state) - worstFirst.indexOf(b.state))[0];
}
