/**
 * When the brokers took the records that come next in partitions of which something is not taken yet. Of each partition the
 * batch at the position is read, once for each position; marks of transactions and what was aborted are stepped over.
 */
import type { EpochMs } from "../events/types.js";
import type { Offset, Offsets, Topic } from "../stream/log.js";
import type { Cluster } from "./cluster.js";
import { loadCodecs } from "./compression.js";
import { FETCH_VERSION, type FetchedPartition, readFetchResponse } from "./fetch-response.js";
import { kafkajs } from "./kafkajs.js";

/** Of one partition in an answer. The first of an answer comes whole, however large it is; others that are larger do not. */
const PARTITION_BYTES = 16 * 1024;
const ANSWER_BYTES = 1024 * 1024;
/** Requests to one broker in one look, at most: what is left is asked for in the next one. */
const REQUESTS_MAX = 16;
const REQUEST_FILE = `src/protocol/requests/fetch/v${FETCH_VERSION}/request.js`;

interface Head {
  readonly topic: Topic;
  readonly partition: number;
  readonly position: Offset;
  /** Before it there is nothing to be read. */
  cursor: Offset;
  /** Of the first record; null: not known yet. */
  at: EpochMs | null;
  /** Of the one that was the first before the position moved on. */
  readonly before: EpochMs | null;
}

interface Place {
  readonly task: number;
  readonly positions: Offsets;
  readonly ends: Offsets;
}

export class Heads {
  readonly #cluster: Cluster;
  readonly #topics: readonly Topic[];
  readonly #known: Map<string, Head>;
  /** Makes a request of `FETCH_VERSION`. */
  readonly #request: (options: object) => unknown;

  /** @param before what was known by another connection */
  constructor(cluster: Cluster, topics: readonly Topic[], before: Heads | null) {
    this.#cluster = cluster;
    this.#topics = topics;
    this.#known = before === null ? new Map() : before.#known;
    this.#request = kafkajs().load(REQUEST_FILE) as (options: object) => unknown;
  }

  /** By topic, where something is not taken; of a position that has moved on and was not read yet, the one before it. */
  of(task: number, positions: Offsets, ends: Offsets): ReadonlyMap<Topic, EpochMs> {
    const oldest = new Map<Topic, EpochMs>();
    for (const topic of this.#topics) {
      const head = this.#known.get(keyOf(topic, task));
      const at = head?.at ?? head?.before ?? null;
      if (at !== null && (ends.get(topic) ?? 0) > (positions.get(topic) ?? 0)) oldest.set(topic, at);
    }
    return oldest;
  }

  /**
   * Reads what is not known.
   *
   * @param starts by task and topic: what is before them is gone
   */
  async look(places: readonly Place[], starts: ReadonlyMap<number, Offsets>): Promise<void> {
    await loadCodecs();
    const wanted = new Map<number, Head[]>();
    for (const { task, positions, ends } of places) {
      for (const topic of this.#topics) {
        const head = this.#headOf(topic, task, positions.get(topic) ?? 0, starts.get(task)?.get(topic) ?? 0);
        if (head.cursor >= (ends.get(topic) ?? 0) || head.at !== null) continue;
        const leader = this.#leaderOf(topic, task);
        if (leader !== null) wanted.set(leader, [...(wanted.get(leader) ?? []), head]);
      }
    }
    for (const [leader, heads] of wanted) await this.#read(leader, heads);
  }

  #headOf(topic: Topic, partition: number, position: Offset, start: Offset): Head {
    const key = keyOf(topic, partition);
    const known = this.#known.get(key);
    if (known?.position === position && known.cursor >= start) return known;
    const before = known?.at ?? known?.before ?? null;
    const head: Head = { topic, partition, position, cursor: Math.max(position, start), at: null, before };
    this.#known.set(key, head);
    return head;
  }

  async #read(leader: number, heads: readonly Head[]): Promise<void> {
    const broker = await this.#cluster.findBroker({ nodeId: leader });
    let open = [...heads];
    let isStuck = false;
    for (let requests = 0; open.length > 0 && !isStuck && requests < REQUESTS_MAX; requests++) {
      const bytes = (await broker.connectionPool.send({
        request: this.#request(requestOf(open)),
        response: { decode: async (own) => own, parse: async (own) => own },
      })) as Buffer;
      const cursors = new Map(open.map((head) => [keyOf(head.topic, head.partition), head]));
      const from = (topic: Topic, partition: number): Offset => cursors.get(keyOf(topic, partition))?.cursor ?? 0;
      const moved = readFetchResponse(bytes, from).map((found) =>
        take(cursors.get(keyOf(found.topic, found.partition)), found),
      );
      isStuck = !moved.includes(true);
      // Whoever was the first had its turn: the batch of each comes whole once.
      open = [...open.slice(1), open[0]!].filter(({ at }) => at === null);
    }
  }

  #leaderOf(topic: Topic, partition: number): number | null {
    const all = this.#cluster.findTopicPartitionMetadata(topic);
    return all.find(({ partitionId }) => partitionId === partition)?.leader ?? null;
  }
}

/** @returns whether more is known than before */
function take(head: Head | undefined, { records, next }: FetchedPartition): boolean {
  const first = records[0];
  if (head === undefined || (first === undefined && next === null)) return false;
  head.cursor = first?.offset ?? next!;
  head.at = first?.timestamp ?? null;
  return true;
}

function requestOf(heads: readonly Head[]): object {
  const topics = new Map<Topic, object[]>();
  for (const { topic, partition, cursor } of heads) {
    const one = { partition, fetchOffset: String(cursor), maxBytes: PARTITION_BYTES };
    topics.set(topic, [...(topics.get(topic) ?? []), one]);
  }
  return {
    replicaId: -1,
    maxWaitTime: 0,
    minBytes: 1,
    maxBytes: ANSWER_BYTES,
    isolationLevel: 1,
    topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })),
  };
}

function keyOf(topic: Topic, partition: number): string {
  return `${partition} ${topic}`;
}
