/**
 * The topics that an application has for itself: inputs that lay in a partition where their contact does not belong, one
 * to be told the broker's time by, and one with the models that its processes run.
 */
import type { Admin } from "kafkajs";
import type { Topic } from "../stream/log.js";
import { waitForTopics } from "./admin.js";
import { kafkaError } from "./errors.js";

export interface InternalTopics {
  readonly rekeyed: Topic;
  readonly clock: Topic;
  readonly models: Topic;
}

export function internalTopics(app: string): InternalTopics {
  return { rekeyed: `${app}.rekeyed`, clock: `${app}.clock`, models: `${app}.models` };
}

/** Of the clock nothing is ever read. */
const CLOCK_RETENTION_MS = 3_600_000;

/**
 * Makes those that are not there.
 *
 * @param isThere by the name of a topic
 * @param tasks partitions of each input topic
 * @returns whether any was not there: another process may have made it meanwhile
 * @throws ScorefoldError `log-failed`
 */
export async function makeInternalTopics(
  admin: Admin,
  { rekeyed, clock, models }: InternalTopics,
  isThere: (topic: Topic) => boolean,
  tasks: number,
): Promise<boolean> {
  const append = { name: "message.timestamp.type", value: "LogAppendTime" };
  const retention = (ms: number) => ({ name: "retention.ms", value: String(ms) });
  const forEver = { name: "retention.bytes", value: "-1" };
  const wanted = [
    { topic: rekeyed, numPartitions: tasks, configEntries: [append, retention(-1), forEver] },
    { topic: clock, numPartitions: 1, configEntries: [append, retention(CLOCK_RETENTION_MS)] },
    { topic: models, numPartitions: 1, configEntries: [{ name: "cleanup.policy", value: "compact" }] },
  ];
  const missing = wanted.filter(({ topic }) => !isThere(topic));
  if (missing.length === 0) return false;
  try {
    // Another process of the group may be making them as well; then nothing is made, which is no error.
    await admin.createTopics({ topics: missing, waitForLeaders: false });
    await waitForTopics(
      admin,
      missing.map(({ topic }) => topic),
    );
    return true;
  } catch (error) {
    throw kafkaError(error, "making the topics of the application");
  }
}
