/** What an application finds when it starts: the cluster, its topics, and what it needs of them. */
import type { Topic } from "../stream/log.js";
import type { Kafka } from "./client.js";
import { clusterOf } from "./cluster.js";
import { kafkaError } from "./errors.js";
import { type InternalTopics, internalTopics, makeInternalTopics } from "./internal-topics.js";
import { type CheckedTopics, checkTopics, lookAtTopics, type TopicsReport } from "./topic-check.js";
import { topicIds } from "./topic-ids.js";

export interface OpenedCluster extends TopicsReport {
  readonly clusterId: string;
  readonly internal: InternalTopics;
  /** Of all input topics, by name. */
  readonly topicIds: ReadonlyMap<Topic, string>;
}

/**
 * Checks the topics of an application, and makes those that it has for itself.
 *
 * @throws ScorefoldError `config-invalid` with all problems, `log-failed`
 */
export async function openCluster(kafka: Kafka, app: string, checked: CheckedTopics): Promise<OpenedCluster> {
  const admin = kafka.admin();
  const cluster = clusterOf(kafka);
  try {
    await Promise.all([admin.connect(), cluster.connect()]);
    const internal = internalTopics(app);
    const inputs = [...checked.inputs, internal.rekeyed];
    const all = [...inputs, internal.clock, internal.models, ...Object.values<Topic>({ ...checked.outputs })];
    let found = await lookAtTopics(admin, all);
    const report = checkTopics(found, checked);
    if (await makeInternalTopics(admin, internal, (topic) => found.has(topic), report.tasks))
      found = await lookAtTopics(admin, all);
    // What another process has made, perhaps of another count.
    checkTopics(found, { ...checked, inputs });
    const { clusterId } = await admin.describeCluster();
    return { ...report, clusterId, internal, topicIds: await topicIds(cluster, inputs) };
  } catch (error) {
    throw kafkaError(error, "the cluster");
  } finally {
    await Promise.allSettled([admin.disconnect(), cluster.disconnect()]);
  }
}
