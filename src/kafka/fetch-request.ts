/** Sends a fetch, as a client makes it who has no session with the broker. */
import type { Offset, Topic } from "../stream/log.js";
import type { Broker } from "./cluster.js";
import { FETCH_VERSION } from "./fetch-response.js";
import { kafkajs } from "./kafkajs.js";

const REQUEST_FILE = `src/protocol/requests/fetch/v${FETCH_VERSION}/request.js`;

/** What is not decided yet can be read too, or is held back. */
export const isolation = { uncommitted: 0, committed: 1 } as const;

export interface FetchRequest {
  readonly partition: number;
  readonly from: ReadonlyMap<Topic, Offset>;
  readonly maxWaitTime: number;
  /** Of one partition, and of the answer; the first batch of the first partition that has one comes whole all the same. */
  readonly partitionBytes: number;
  readonly maxBytes: number;
  readonly isolationLevel: number;
}

/** @returns the answer, for `readFetchResponse` */
export async function sendFetch(broker: Broker, request: FetchRequest): Promise<Buffer> {
  const { partition, from, maxWaitTime, partitionBytes, maxBytes, isolationLevel } = request;
  const topics = [...from].map(([topic, offset]) => ({
    topic,
    partitions: [{ partition, fetchOffset: String(offset), maxBytes: partitionBytes }],
  }));
  const make = kafkajs().load(REQUEST_FILE) as (options: object) => unknown;
  const bytes = await broker.connectionPool.send({
    request: make({ replicaId: -1, maxWaitTime, minBytes: 1, maxBytes, isolationLevel, topics }),
    response: { decode: async (own) => own, parse: async (own) => own },
  });
  return bytes as Buffer;
}
