/** A person accepts that a part of the log is lost: the position moves to what is there, and it is kept who has said so. */
import { ScorefoldError } from "../errors.js";
import { noProof, noTimers } from "../store/position.js";
import type { Mark, Offset, Offsets, Topic } from "./log.js";
import { type Acceptance, withLosses } from "./losses.js";
import { type CommittedPosition, encodeMetadata } from "./metadata.js";
import { type Examining, examine, type Lost } from "./proof.js";

export interface Accepting extends Examining, Acceptance {
  /** The topics that are accepted. */
  readonly topics: ReadonlySet<Topic>;
  /** Names the models that the store is folded under; null: not known. */
  readonly models: string | null;
  /** Gives offsets that are lost to nothing, so that they are not used again; null where a log can't. */
  readonly fill: ((topic: Topic, end: Offset) => Promise<void>) | null;
  /** Puts the store aside: it is of another log. */
  readonly setStoreAside: () => Promise<void>;
}

export interface Accepted {
  readonly lost: readonly Lost[];
  /** What is lost too, and was not accepted. */
  readonly left: readonly Lost[];
}

/** @throws ScorefoldError `usage` for a topic of which nothing is lost */
export async function acceptLosses(accepting: Accepting): Promise<Accepted> {
  const { taskLog, committed, store, topics, fill } = accepting;
  const examined = await examine(accepting);
  const all = examined.lost.map((one) => (fill === null ? one : filled(one)));
  const sound = [...topics].filter((topic) => !all.some((one) => one.topic === topic));
  if (sound.length > 0)
    throw new ScorefoldError(
      "usage",
      `${sound.map((topic) => `${topic}-${taskLog.task}`).join(", ")}: nothing is lost of it; leave it out`,
    );
  const lost = all.filter(({ topic }) => topics.has(topic));
  // Where the log goes on from what the store knows, all that is committed follows it.
  const isOfStore = lost.some((one) => one.kind === "committed" || (fill !== null && one.kind === "end"));
  const own: CommittedPosition = { ...store.position, models: accepting.models };
  const nothing: CommittedPosition = { ...noProof, offsets: new Map(), timer: noTimers, change: null, models: null };
  const base = isOfStore ? own : (committed ?? nothing);
  const losses = withLosses((committed ?? own).losses, lost, accepting);
  if (fill !== null) for (const { topic, kind, position } of lost) if (kind === "end") await fill(topic, position);
  if (lost.some(isOfOtherStore)) await accepting.setStoreAside();
  await taskLog.publish({
    ...movedTo(accepting, lost, base),
    metadata: encodeMetadata({ ...base, losses, inputs: null }, base.models),
    outputs: [],
    deadLetters: [],
  });
  return { lost, left: all.filter(({ topic }) => !topics.has(topic)) };
}

/** An end that is lost of a log that can leave offsets empty: reading goes on behind them. */
function filled(lost: Lost): Lost {
  if (lost.kind !== "end") return lost;
  const { position, bounds } = lost;
  return { ...lost, isStoreOnly: false, resumed: position, mark: null, records: position - bounds.end };
}

/** Whether the store has inputs that the log never had, and the log agrees with what it has committed. */
function isOfOtherStore({ isStoreOnly, kind }: Lost): boolean {
  return isStoreOnly && (kind === "other" || kind === "end");
}

function movedTo(
  { log, store }: Accepting,
  lost: readonly Lost[],
  base: CommittedPosition,
): { readonly offsets: Offsets; readonly marks: ReadonlyMap<Topic, Mark> } {
  const offsets = new Map([...base.offsets].filter(([topic]) => log.inputTopics.includes(topic)));
  const marks = new Map([...base.marks].filter(([topic]) => offsets.has(topic)));
  for (const one of lost) {
    const { topic, kind, resumed, isOutput } = one;
    if (isOutput || isOfOtherStore(one)) continue;
    const before = offsets.get(topic) ?? 0;
    offsets.set(topic, kind === "begin" ? Math.max(before, resumed) : resumed);
    if (kind === "begin" && before > resumed) continue;
    const mark = kind === "committed" ? (store.position.marks.get(topic) ?? null) : one.mark;
    if (mark === null) marks.delete(topic);
    else marks.set(topic, mark);
  }
  return { offsets, marks };
}
