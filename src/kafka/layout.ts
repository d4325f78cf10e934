/**
 * The layout that the scores of an application were made with: how many partitions its topics have, and by what hash a
 * contact's place among them is chosen. Both say in which task a contact's history is, so they never change. They are in
 * `<app>.models`, where every process finds them, with a store or without.
 */
import type { Kafka } from "kafkajs";
import { ScorefoldError } from "../errors.js";
import type { Topic } from "../stream/log.js";
import { CompactedTopic } from "./compacted-topic.js";
import type { PartitionerName } from "./partitioner.js";

export interface Layout {
  /** Partitions of each input topic, `<app>.rekeyed` among them. */
  readonly tasks: number;
  readonly partitioner: PartitionerName;
}

const KEY = "layout";

/** @returns null where nothing was scored yet. @throws ScorefoldError `log-failed` */
export async function readLayout(kafka: Kafka, topic: Topic): Promise<Layout | null> {
  const text = (await new CompactedTopic(kafka, topic).read()).get(KEY);
  return text === undefined ? null : (JSON.parse(text) as Layout);
}

/**
 * Makes the layout known that scores are about to be made with.
 *
 * @returns the one that holds: of two processes that start at once, with different ones, the last has it
 * @throws ScorefoldError `log-failed`
 */
export async function noteLayout(kafka: Kafka, topic: Topic, { tasks, partitioner }: Layout): Promise<Layout> {
  await new CompactedTopic(kafka, topic).write([[KEY, JSON.stringify({ tasks, partitioner })]]);
  return (await readLayout(kafka, topic)) as Layout;
}

/**
 * What of the topics that are there is not as it was when scores were made.
 *
 * @param partitions of each input topic
 * @param partitioner null: nobody asks
 * @returns a problem each; none where all is as it was
 */
export function layoutProblems(
  app: string,
  { tasks, partitioner: before }: Layout,
  partitions: ReadonlyMap<Topic, number>,
  partitioner: PartitionerName | null,
): string[] {
  const problems: string[] = [];
  const others = [...partitions].filter(([, count]) => count !== tasks);
  if (others.length > 0) problems.push(otherPartitions(app, tasks, others));
  if (partitioner !== null && partitioner !== before)
    problems.push(
      `the scores of application ${app} were made with the partitioner ${before}, and this process has ${partitioner}: ` +
        `contacts would come to tasks that do not have their histories; start with --partitioner ${before}. Another ` +
        "partitioner is for a new application",
    );
  return problems;
}

/** Of topics whose number of partitions is not that of the scores, with the one way out. */
export function otherPartitions(app: string, tasks: number, others: readonly (readonly [Topic, number])[]): string {
  const each = others.map(([topic, count]) => `${topic} has ${count}`).join(", ");
  return (
    `the scores of application ${app} were made with ${tasks} partitions, and ${each}: contacts lie elsewhere now, and ` +
    "their histories are with other tasks. Partitions can't be taken away again, and adding more helps nothing. The way " +
    "out is a new application, over the same inputs: give all input topics one number of partitions, then start with " +
    "another --app, another --data, and output topics of other names with as many partitions; it reads all inputs from " +
    `their beginning, wherever they lie. (A topic that is new to ${app} is made with ${tasks} partitions.)`
  );
}

/** @throws ScorefoldError `config-invalid` with all problems, one a line */
export function checkLayout(problems: readonly string[]): void {
  if (problems.length > 0) throw new ScorefoldError("config-invalid", problems.join("\n"));
}
