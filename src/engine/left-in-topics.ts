/** Where records of a contact stay whom an application on a cluster has forgotten. */
import type { LeftInTopic } from "../api/engine.js";
import type { Kafka } from "../kafka/client.js";
import { boundsOf } from "../kafka/offsets.js";
import type { Topic } from "../stream/log.js";

/**
 * The partitions of these topics that may hold records of a contact. Which of their records those are is not looked for:
 * that would be to read all of them.
 *
 * @param partition that the contact belongs to
 */
export async function leftInTopics(kafka: Kafka, topics: readonly Topic[], partition: number): Promise<LeftInTopic[]> {
  const bounds = await boundsOf(kafka, topics, partition);
  return [...bounds].flatMap(([topic, known]): LeftInTopic[] => {
    if (known === null) return [{ topic, partition, start: null, end: null }];
    return known.start < known.end ? [{ topic, partition, ...known }] : [];
  });
}
