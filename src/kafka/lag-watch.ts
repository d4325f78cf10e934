/**
 * How far the tasks of an application are behind, as the brokers say it: committed offsets, the ends of what can be read,
 * and when the broker took the first record that is not taken. Asked apart from the tasks, by connections of its own, so
 * that it is right of a task that hangs, has failed, or that nobody has.
 *
 * Each process asks for the tasks that it has. Those that no member of the group has are shown by the member whose id is
 * the first in order, and by every process while the group has no members.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Offset, Offsets, TaskPlace, Topic } from "../stream/log.js";
import type { Kafka } from "./client.js";
import { type Cluster, clusterOf } from "./cluster.js";
import { assignedTasks } from "./group-members.js";
import { Heads } from "./heads.js";

/** Between two looks. */
const LOOK_MS = 5_000;

export interface LagWatchOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly Topic[];
  /** Partitions of each of them. */
  readonly tasks: number;
  /** The tasks that this process has. */
  readonly own: () => readonly number[];
  /** What the group knows this process by; null: it is not in the group. */
  readonly memberId: () => string | null;
  /** Told of a look that has failed; the next one is made all the same. */
  readonly onFailed: (error: unknown) => void;
  readonly lookMs?: number;
}

export class LagWatch {
  readonly #options: LagWatchOptions;
  readonly #closing = new AbortController();
  #places: ReadonlyMap<number, TaskPlace> = new Map();
  #unassigned: readonly number[] = [];
  /** Aborted by what makes the next look due at once. */
  #soon = new AbortController();
  #cluster: Cluster | null = null;
  #heads: Heads | null = null;
  readonly #ended: Promise<void>;

  constructor(options: LagWatchOptions) {
    this.#options = options;
    this.#ended = this.#run();
  }

  /** What the brokers have said last; null: nothing yet. */
  of(task: number): TaskPlace | null {
    return this.#places.get(task) ?? null;
  }

  /** The tasks that nobody has and this process is to show. */
  get unassigned(): readonly number[] {
    return this.#unassigned;
  }

  /** The tasks have been shared out anew: what was said of those that nobody has is of no worth any more. */
  regrouped(): void {
    this.#unassigned = [];
    this.#soon.abort();
  }

  /** Resolves when nothing is asked any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#soon.abort();
    await this.#disconnect();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { lookMs = LOOK_MS, onFailed } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#soon = new AbortController();
      try {
        await this.#look();
      } catch (error) {
        if (!signal.aborted) onFailed(error);
        await this.#disconnect();
      }
      await sleep(lookMs, undefined, { signal: this.#soon.signal, ref: false }).catch(() => undefined);
    }
    await this.#disconnect();
  }

  async #look(): Promise<void> {
    const { groupId, topics, tasks, own, memberId } = this.#options;
    const cluster = await this.#connected();
    const soon = this.#soon.signal;
    await cluster.refreshMetadataIfNecessary();
    const all = Array.from({ length: tasks }, (_, task) => task);
    const group = await assignedTasks(cluster, groupId);
    if (group !== null && !soon.aborted) {
      const isShown = group.first === null || group.first === memberId();
      this.#unassigned = isShown ? all.filter((task) => !group.tasks.has(task) && !own().includes(task)) : [];
    }
    const wanted = [...new Set([...own(), ...this.#unassigned])].sort((a, b) => a - b);
    if (wanted.length === 0) {
      this.#places = new Map();
      return;
    }
    const partitions = wanted.map((partition) => ({ partition }));
    // Positions first: an end that is asked for later is not before them.
    const coordinator = await cluster.findGroupCoordinator({ groupId });
    const { responses } = await coordinator.offsetFetch({
      groupId,
      topics: topics.map((topic) => ({ topic, partitions })),
    });
    const committed = byTask(responses);
    const boundsOf = async (fromBeginning: boolean) =>
      byTask(await cluster.fetchTopicsOffset(topics.map((topic) => ({ topic, partitions, fromBeginning }))));
    const [starts, ends] = [await boundsOf(true), await boundsOf(false)];
    const places = wanted.map((task) => {
      const positions = topics.map((topic) => {
        const position = committed.get(task)?.get(topic) ?? -1;
        return [topic, position >= 0 ? position : (starts.get(task)?.get(topic) ?? 0)] as const;
      });
      return { task, positions: new Map(positions), ends: ends.get(task) ?? new Map<Topic, Offset>() };
    });
    // Told before the rest is asked: what is known is shown also where that hangs.
    this.#tell(places);
    await this.#heads!.look(places, starts);
    this.#tell(places);
  }

  #tell(places: readonly { task: number; positions: Offsets; ends: Offsets }[]): void {
    const heads = this.#heads!;
    this.#places = new Map(
      places.map(({ task, positions, ends }) => [task, { positions, ends, oldest: heads.of(task, positions, ends) }]),
    );
  }

  async #connected(): Promise<Cluster> {
    if (this.#cluster !== null) return this.#cluster;
    const { kafka, topics } = this.#options;
    const cluster = clusterOf(kafka);
    this.#cluster = cluster;
    this.#heads = new Heads(cluster, topics, this.#heads);
    await cluster.connect();
    await cluster.addMultipleTargetTopics(topics);
    return cluster;
  }

  async #disconnect(): Promise<void> {
    const cluster = this.#cluster;
    this.#cluster = null;
    await cluster?.disconnect().catch(() => undefined);
  }
}

/** Offsets by partition, and by topic in each. */
function byTask(
  answers: readonly {
    readonly topic: Topic;
    readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
  }[],
): ReadonlyMap<number, ReadonlyMap<Topic, Offset>> {
  const found = new Map<number, Map<Topic, Offset>>();
  for (const { topic, partitions } of answers) {
    for (const { partition, offset } of partitions) {
      const own = found.get(partition) ?? new Map<Topic, Offset>();
      own.set(topic, Number(offset));
      found.set(partition, own);
    }
  }
  return found;
}
