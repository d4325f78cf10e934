/** All that a consumer with `read_committed` can read of a partition of a topic. */
import type { Kafka } from "kafkajs";
import { clusterOf } from "../../src/kafka/cluster.js";
import { Fetcher } from "../../src/kafka/fetcher.js";

export async function drained(kafka: Kafka, topic: string, partition = 0): Promise<string[]> {
  return (await drainedValues(kafka, topic, partition)).map(String);
}

/** The same, to the byte. */
export async function drainedValues(kafka: Kafka, topic: string, partition = 0): Promise<(Buffer | null)[]> {
  const cluster = clusterOf(kafka);
  await cluster.connect();
  await cluster.addMultipleTargetTopics([topic]);
  const fetcher = new Fetcher(cluster, [topic], partition, () => undefined);
  const [start] = await cluster.fetchTopicsOffset([{ topic, partitions: [{ partition }], fromBeginning: true }]);
  const values: (Buffer | null)[] = [];
  try {
    for (let from = Number(start?.partitions[0]?.offset ?? 0); ; ) {
      const limits = { recordsMax: 10_000, bytesMax: 1e7, waitMs: 1000 };
      const [taken] = await fetcher.fetch(new Map([[topic, from]]), limits);
      for (const { value } of taken!.records) values.push(value);
      from = taken!.next;
      // The mark of a transaction that is committed may still be on its way.
      if (from >= taken!.high) return values;
    }
  } finally {
    const idle = fetcher.close();
    await cluster.disconnect();
    await idle;
  }
}
