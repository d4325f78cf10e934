/**
 * Whether the log is the one that was scored. What was read and published is held against what lies in those places now:
 * at the start of each life of a task, so also after every error. Scores never run on over a gap: what is not proven, and
 * not accepted by a person, ends the task, with what is affected.
 */
import { ScorefoldError } from "../errors.js";
import type { EpochMs } from "../events/types.js";
import type { LossKind } from "../store/position.js";
import type { ContactStore } from "../store/store.js";
import type { Bounds, Log, Mark, Marks, Offset, TaskLog, Topic } from "./log.js";
import { type Finding, lookAt } from "./marks.js";
import type { CommittedPosition } from "./metadata.js";

/** What is not in the log any more as it was read or written. */
export interface Lost {
  readonly topic: Topic;
  readonly kind: LossKind;
  /** Whether it is of the outputs. */
  readonly isOutput: boolean;
  /** Whether the log agrees with what it has committed, and only the store is of another one. */
  readonly isStoreOnly: boolean;
  /** Up to where it was read or written; what the log has now; where reading goes on. */
  readonly position: Offset;
  readonly bounds: Bounds;
  readonly resumed: Offset;
  /** Of the last batch below `resumed` that is proven; null: none is. */
  readonly mark: Mark | null;
  /** How many records are affected, at most, and when the log took them; null: not known. */
  readonly records: number;
  readonly since: EpochMs | null;
  readonly until: EpochMs | null;
}

export interface Examined {
  readonly lost: readonly Lost[];
  /** Topics that have dropped the batch below a position: nothing is known against them, and nothing for them. */
  readonly dropped: ReadonlySet<Topic>;
}

export interface Examining {
  readonly log: Pick<Log, "origin" | "inputTopics">;
  readonly taskLog: TaskLog;
  readonly committed: CommittedPosition | null;
  readonly store: ContactStore;
}

interface Found {
  readonly bounds: ReadonlyMap<Topic, Bounds>;
  readonly committed: ReadonlyMap<Topic, Finding>;
  readonly store: ReadonlyMap<Topic, Finding>;
}

/** Holds what was committed, and what the store was folded from, against the log. */
export async function examine(examining: Examining): Promise<Examined> {
  const { log, taskLog, committed, store } = examining;
  const { marks, outputs } = store.position;
  const topics = [...log.inputTopics, ...outputs.keys()];
  const found: Found = {
    bounds: await taskLog.bounds(topics),
    committed: await lookAt(taskLog, ofTopics(committed?.marks ?? new Map(), log.inputTopics)),
    store: await lookAt(taskLog, new Map([...ofTopics(marks, log.inputTopics), ...outputs])),
  };
  const lost: Lost[] = [];
  for (const topic of log.inputTopics) {
    const one = await lostOfInput(examining, found, topic);
    if (one !== null) lost.push(one);
  }
  for (const [topic, mark] of outputs) {
    const one = lostOfOutput(found, topic, mark);
    if (one !== null) lost.push(one);
  }
  const dropped = [...found.committed, ...found.store].filter(([, finding]) => finding === "dropped");
  return { lost, dropped: new Set(dropped.map(([topic]) => topic)) };
}

async function lostOfInput(examining: Examining, found: Found, topic: Topic): Promise<Lost | null> {
  const { taskLog, committed, store } = examining;
  const bounds = found.bounds.get(topic)!;
  const own = store.position.offsets.get(topic) ?? 0;
  const known = committed?.offsets.get(topic);
  const position = Math.max(own, known ?? 0);
  const until = (store.position.marks.get(topic) ?? committed?.marks.get(topic))?.at ?? null;
  const base = { topic, isOutput: false, isStoreOnly: false, bounds, until };
  const id = store.topicId(topic);
  const now = taskLog.topicIds?.get(topic);
  if (position > 0 && id !== undefined && now !== undefined && id !== now)
    return { ...base, kind: "anew", position, resumed: bounds.start, mark: null, records: position, since: null };
  const kind = kindOf(examining, found, topic);
  if (kind === null) return null;
  if (kind === "begin") {
    const first = (await taskLog.look(new Map([[topic, bounds.start]]))).get(topic) ?? null;
    const since = store.position.marks.get(topic)?.at ?? null;
    const records = bounds.start - own;
    return {
      ...base,
      kind,
      position: own,
      resumed: bounds.start,
      mark: null,
      records,
      since,
      until: first?.at ?? null,
    };
  }
  if (kind === "committed")
    return { ...base, kind, position: own, resumed: own, mark: null, records: own - (known ?? 0), since: null };
  const mark = await lastProven(taskLog, topic, [
    ...store.marksOf(topic),
    ...[committed?.marks.get(topic) ?? []].flat(),
  ]);
  const resumed = mark === null ? bounds.start : Math.min(position, mark.base + mark.count);
  // Where the log agrees with itself only the store is of another one.
  const isStoreOnly = committed === null || ["same", "dropped"].includes(found.committed.get(topic) ?? "");
  return { ...base, kind, isStoreOnly, position, resumed, mark, records: position - resumed, since: mark?.at ?? null };
}

/** @returns null where nothing is wrong */
function kindOf({ log, committed, store }: Examining, found: Found, topic: Topic): LossKind | null {
  const { start, end } = found.bounds.get(topic)!;
  const own = store.position.offsets.get(topic) ?? 0;
  const known = committed?.offsets.get(topic);
  const findings = [found.committed.get(topic), found.store.get(topic)];
  if (findings.includes("other")) return "other";
  if (findings.includes("nothing")) return "end";
  // Without a mark only the end tells.
  const isUnmarked = (offset: Offset, finding: Finding | undefined): boolean => finding === undefined && offset > end;
  if (isUnmarked(own, findings[1]) || isUnmarked(known ?? 0, findings[0])) return "end";
  // What begins behind what was read is a gap, unless nothing was ever read.
  const isUnread = own === 0 && (known ?? start) === start && committed?.marks.has(topic) !== true;
  if (committed !== null && log.origin !== null && start > own && !isUnread) return "begin";
  // Without a mark somebody else has set the offset: then all is folded again from there on.
  const isOfTask = log.origin === null || committed?.marks.has(topic) === true;
  return isOfTask && own > (known ?? 0) ? "committed" : null;
}

function lostOfOutput(found: Found, topic: Topic, mark: Mark): Lost | null {
  const finding = found.store.get(topic);
  if (finding !== "nothing" && finding !== "other") return null;
  const bounds = found.bounds.get(topic)!;
  const position = mark.base + mark.count;
  const isEnd = finding === "nothing";
  return {
    topic,
    kind: isEnd ? "end" : "other",
    isOutput: true,
    isStoreOnly: false,
    position,
    bounds,
    resumed: bounds.end,
    mark: null,
    records: isEnd ? position - bounds.end : mark.count,
    since: null,
    until: mark.at,
  };
}

/** The newest of these that the log still has; they lie in the order of their offsets. */
async function lastProven(log: TaskLog, topic: Topic, marks: readonly Mark[]): Promise<Mark | null> {
  for (const mark of marks.toSorted((a, b) => b.base - a.base))
    if ((await lookAt(log, new Map([[topic, mark]]))).get(topic) === "same") return mark;
  return null;
}

function ofTopics(marks: Marks, topics: readonly Topic[]): Marks {
  return new Map([...marks].filter(([topic]) => topics.includes(topic)));
}

/** @returns `log-lost`, with all that is lost, and the one way out */
export function logLost(task: number, lost: readonly Lost[]): ScorefoldError {
  const accept = lost.map(({ topic }) => ` --accept-loss ${topic}-${task}`).join("");
  return new ScorefoldError(
    "log-lost",
    `the log is not the one that was scored. ${lost.map((one) => textOf(task, one)).join(". ")}. ` +
      "Bring the old log back, from a backup; or stop, and go on with what is there, with the options of `run` but --models: " +
      `\`scorefold recover${accept}\``,
  );
}

function textOf(task: number, { topic, kind, isOutput, position, bounds, records, since, until }: Lost): string {
  const name = `${topic}-${task}`;
  const what = isOutput ? "outputs" : "inputs";
  const has = `has ${bounds.start} to ${bounds.end} now`;
  const times =
    since === null && until === null ? "" : `, of ${instant(since) ?? "the beginning"} to ${instant(until) ?? "now"}`;
  const count = `at most ${records} ${what} are affected${times}`;
  switch (kind) {
    case "end":
      return isOutput
        ? `${name} ${has}, and was written up to ${position}: ${records} outputs are gone${times}`
        : `${name} ${has}, and was read up to ${position}: its end is gone; ${count}`;
    case "other":
      return `${name} ${has}, and was ${isOutput ? "written" : "read"} up to ${position}: other records are in the place of those; ${count}`;
    case "begin":
      return `${name} ${has}, and was read up to ${position}: what is between is gone (but from a store of this task that has it, of a backup or another host); ${count}`;
    case "anew":
      return `${name} was deleted and made anew, ${has}, and the one before was read up to ${position}; ${count}`;
    case "committed":
      return `${name} was scored up to ${position}, and what is committed of it is older: the outputs of ${records} inputs may be gone`;
  }
}

function instant(at: EpochMs | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
