/** What an application finds when it starts: the cluster, its topics, and what it needs of them. */
import type { Topic } from "../stream/log.js";
import { allEnded } from "./all-ended.js";
import type { Kafka } from "./client.js";
import { clusterOf } from "./cluster.js";
import { connectionError, kafkaError } from "./errors.js";
import { type InternalTopics, internalTopics, makeInternalTopics } from "./internal-topics.js";
import { checkLayout, type Layout, layoutProblems, noteLayout, readLayout } from "./layout.js";
import type { PartitionerName } from "./partitioner.js";
import { type CheckedTopics, checkTopics, type FoundTopics, lookAtTopics, type TopicsReport } from "./topic-check.js";
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
 * @param partitioner how contacts are placed; null: nobody is about to score
 * @throws ScorefoldError `config-invalid` with all problems, `log-failed`
 */
export async function openCluster(
  kafka: Kafka,
  app: string,
  checked: CheckedTopics,
  partitioner: PartitionerName | null,
): Promise<OpenedCluster> {
  const admin = kafka.admin();
  const cluster = clusterOf(kafka);
  try {
    await allEnded([admin.connect(), cluster.connect()]).catch((error: unknown) => {
      throw connectionError(error);
    });
    const internal = internalTopics(app);
    const inputs = [...checked.inputs, internal.rekeyed];
    const all = [...inputs, internal.clock, internal.models, ...Object.values<Topic>({ ...checked.outputs })];
    let found = await lookAtTopics(admin, all);
    const layout = found.has(internal.models) ? await readLayout(kafka, internal.models) : null;
    // First and alone: what is wrong with single topics is not mended by adding to them where this is wrong.
    const isAsItWas = (scoredWith: Layout): void =>
      checkLayout(layoutProblems(app, scoredWith, partitionsOf(found, inputs), partitioner));
    if (layout !== null) isAsItWas(layout);
    const report = checkTopics(found, checked);
    if (await makeInternalTopics(admin, internal, (topic) => found.has(topic), report.tasks))
      found = await lookAtTopics(admin, all);
    // What another process has made, perhaps of another count.
    const { tasks } = checkTopics(found, { ...checked, inputs });
    if (layout === null && partitioner !== null)
      isAsItWas(await noteLayout(kafka, internal.models, { tasks, partitioner }));
    const { clusterId } = await admin.describeCluster();
    return { ...report, clusterId, internal, topicIds: await topicIds(cluster, inputs) };
  } catch (error) {
    throw kafkaError(error, "the cluster");
  } finally {
    await Promise.allSettled([admin.disconnect(), cluster.disconnect()]);
  }
}

/** Of those that are there. */
function partitionsOf(found: FoundTopics, topics: readonly Topic[]): ReadonlyMap<Topic, number> {
  const there = topics.flatMap((topic) => {
    const state = found.get(topic);
    return state === undefined ? [] : [[topic, state.partitions] as const];
  });
  return new Map(there);
}
