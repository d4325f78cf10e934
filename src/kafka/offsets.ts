/** What a cluster knows of a group, and of its topics at an instant. */
import type { EpochMs } from "../events/types.js";
import type { Bounds, Offset, Topic } from "../stream/log.js";
import type { Kafka } from "./client.js";
import { kafkaError } from "./errors.js";

/** How many members a group has. @throws ScorefoldError `log-failed` */
export async function membersOf(kafka: Kafka, groupId: string): Promise<number> {
  return await asked(kafka, "the members of the group", async (admin) => {
    const { groups } = await admin.describeGroups([groupId]);
    return groups[0]?.members.length ?? 0;
  });
}

/**
 * For each topic the offset of the first record of a partition that the broker took at or after an instant; the end where
 * there is none.
 *
 * @throws ScorefoldError `log-failed`
 */
export async function offsetsAt(
  kafka: Kafka,
  topics: readonly Topic[],
  partition: number,
  at: EpochMs,
): Promise<ReadonlyMap<Topic, Offset>> {
  return await asked(kafka, "the offsets at an instant", async (admin) => {
    const offsets = new Map<Topic, Offset>();
    for (const topic of topics) {
      const found = await admin.fetchTopicOffsetsByTimestamp(topic, at);
      const own = found.find((one) => one.partition === partition);
      if (own !== undefined) offsets.set(topic, Number(own.offset));
    }
    return offsets;
  });
}

/** Of a partition of each topic, what it has now; null where the cluster does not say. */
export async function boundsOf(
  kafka: Kafka,
  topics: readonly Topic[],
  partition: number,
): Promise<ReadonlyMap<Topic, Bounds | null>> {
  const bounds = new Map<Topic, Bounds | null>(topics.map((topic) => [topic, null]));
  try {
    await asked(kafka, "the offsets of topics", async (admin) => {
      for (const topic of topics) {
        const found = (await admin.fetchTopicOffsets(topic)).find((one) => one.partition === partition);
        if (found !== undefined) bounds.set(topic, { start: Number(found.low), end: Number(found.high) });
      }
    });
  } catch {
    // They go with an answer that does not depend on them.
  }
  return bounds;
}

async function asked<T>(
  kafka: Kafka,
  what: string,
  ask: (admin: ReturnType<Kafka["admin"]>) => Promise<T>,
): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await ask(admin);
  } catch (error) {
    throw kafkaError(error, what);
  } finally {
    await admin.disconnect();
  }
}
