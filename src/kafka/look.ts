/** Looks at single batches of one partition number, without reading on from them. */
import { ScorefoldError } from "../errors.js";
import type { Bounds, Mark, Offset, Offsets, Topic } from "../stream/log.js";
import type { Cluster } from "./cluster.js";
import { loadCodecs } from "./compression.js";
import { isolation, sendFetch } from "./fetch-request.js";
import { readFetchResponse } from "./fetch-response.js";

const OFFSET_OUT_OF_RANGE = 1;

export interface Looking {
  readonly cluster: Cluster;
  readonly partition: number;
  /** Rejects while a new leader does not know yet how far it goes. */
  readonly boundsOf: (topics: readonly Topic[]) => Promise<ReadonlyMap<Topic, Bounds>>;
}

/**
 * The batch that has an offset, or else the first behind it, also of transactions that are not decided; null: none.
 *
 * @throws Error of the client, or with the broker's code, and `retriable` where it may pass
 */
export async function lookAtBatches(looking: Looking, offsets: Offsets): Promise<ReadonlyMap<Topic, Mark | null>> {
  await loadCodecs();
  const found = await Promise.all(
    [...offsets].map(async ([topic, offset]) => [topic, await look(looking, topic, offset)] as const),
  );
  return new Map(found);
}

async function look(looking: Looking, topic: Topic, offset: Offset): Promise<Mark | null> {
  const first = await batchAt(looking, topic, offset);
  if (first !== null) return first;
  // Nothing was there: before the beginning, behind the end, or the leader did not know its end yet.
  const { start, end } = (await looking.boundsOf([topic])).get(topic)!;
  return offset < start && start < end ? await batchAt(looking, topic, start) : await batchAt(looking, topic, offset);
}

async function batchAt({ cluster, partition }: Looking, topic: Topic, offset: Offset): Promise<Mark | null> {
  const known = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
  if (known === undefined)
    throw new ScorefoldError(
      "log-failed",
      `topic ${topic}, partition ${partition}: there is no such partition, or none with a leader`,
    );
  const broker = await cluster.findBroker({ nodeId: known.leader });
  const from = new Map([[topic, offset]]);
  const limits = { maxWaitTime: 0, partitionBytes: 1, maxBytes: 1, isolationLevel: isolation.uncommitted };
  const answer = await sendFetch(broker, { partition, from, ...limits });
  // No record of it is wanted: of an offset behind all of them none is unpacked.
  const [found] = readFetchResponse(answer, () => Number.POSITIVE_INFINITY);
  const { errorCode = 0, marks = [] } = found ?? {};
  if (errorCode === OFFSET_OUT_OF_RANGE) return null;
  if (errorCode === 0) return marks[0] ?? null;
  const error = new Error(`topic ${topic}, partition ${partition}: the broker answers a fetch with error ${errorCode}`);
  throw Object.assign(error, { code: errorCode, retriable: true });
}
