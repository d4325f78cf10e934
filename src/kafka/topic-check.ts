/** Whether the topics of an application are such that every input is folded once, and nothing is lost. */
import type { Admin } from "kafkajs";
import { ScorefoldError } from "../errors.js";
import type { Topic } from "../stream/log.js";
import { describeTopics, type TopicState } from "./admin.js";
import { kafkaError } from "./errors.js";
import type { OutputTopics } from "./output-topics.js";

export interface CheckedTopics {
  /** Without those that the application makes for itself. */
  readonly inputs: readonly Topic[];
  readonly outputs: OutputTopics;
  /** Whether inputs may be gone from their topics once they are folded. */
  readonly isHistoryLocal: boolean;
}

export interface TopicsReport {
  /** Partitions of each input topic. */
  readonly tasks: number;
  /** What is allowed, and should be known. */
  readonly notices: readonly string[];
}

/** Above what a dead letter has with its original. */
const MESSAGE_BYTES_MIN = 1_000_000;

/** What is there, by name, with the settings that matter to a check. */
export type FoundTopics = ReadonlyMap<Topic, TopicState>;

/** Those of these that are there. @throws ScorefoldError `log-failed` */
export async function lookAtTopics(admin: Admin, topics: readonly Topic[]): Promise<FoundTopics> {
  const settings = ["retention.ms", "retention.bytes", "cleanup.policy", "message.timestamp.type", "max.message.bytes"];
  try {
    return await describeTopics(admin, topics, settings);
  } catch (error) {
    throw kafkaError(error, "looking at topics");
  }
}

/** @throws ScorefoldError `config-invalid` with all problems, one a line */
export function checkTopics(found: FoundTopics, { inputs, outputs, isHistoryLocal }: CheckedTopics): TopicsReport {
  const all = [...inputs, ...Object.values<Topic>({ ...outputs })];
  const problems: string[] = [];
  const notices: string[] = [];
  for (const topic of all.filter((one) => !found.has(one)))
    problems.push(`topic ${topic} is not there; \`scorefold topics apply\` makes it`);
  const there = inputs.flatMap((topic) => {
    const state = found.get(topic);
    return state === undefined ? [] : [{ ...state, topic }];
  });
  const counts = new Set(there.map(({ partitions }) => partitions));
  if (counts.size > 1) {
    const each = there.map(({ topic, partitions }) => `${topic} has ${partitions}`).join(", ");
    problems.push(
      `input topics need equal numbers of partitions, so that a contact's inputs meet in one task: ${each}`,
    );
  }
  const tasks = Math.max(0, ...counts);
  for (const topic of Object.values<Topic>({ ...outputs })) {
    const output = found.get(topic);
    if (output === undefined) continue;
    if (output.partitions < tasks)
      problems.push(
        `topic ${topic} has ${output.partitions} partitions, fewer than the ${tasks} of the inputs, and task N writes to ` +
          `partition N; add partitions to this topic, up to ${tasks}, and to no input`,
      );
    if (output.partitions > tasks)
      notices.push(
        `topic ${topic} has ${output.partitions} partitions, and the inputs have ${tasks}: those from ${tasks} on stay ` +
          "empty, and nothing else is wrong with it; who joins it with inputs by partition needs as many",
      );
    const bytes = numberOf(output, "max.message.bytes", MESSAGE_BYTES_MIN);
    if (bytes < MESSAGE_BYTES_MIN)
      problems.push(`topic ${topic}: max.message.bytes is ${bytes}; expected ${MESSAGE_BYTES_MIN} or more`);
  }
  for (const input of there) {
    const text = `topic ${input.topic}`;
    if (input.config.get("cleanup.policy")?.includes("compact") === true)
      problems.push(`${text} is compacted, which takes inputs away; set its cleanup.policy to delete`);
    const kept = ["retention.ms", "retention.bytes"].filter((name) => numberOf(input, name, -1) >= 0);
    const which = kept.map((name) => `${name}=${input.config.get(name)}`).join(", ");
    if (kept.length > 0 && isHistoryLocal)
      notices.push(`${text} drops inputs (${which}): the stores are the only copies of older ones`);
    else if (kept.length > 0)
      problems.push(
        `${text} drops inputs (${which}), and a lost store could not be made anew; set them to -1, or say \`--history ` +
          "local`: then the data directory is the only copy of what the topic has dropped, and has to be kept safe",
      );
    if (input.config.get("message.timestamp.type") === "CreateTime")
      notices.push(`${text} has the timestamps of its producers: inputs too far ahead are told by those`);
  }
  if (problems.length > 0) throw new ScorefoldError("config-invalid", problems.join("\n"));
  return { tasks, notices };
}

function numberOf({ config }: TopicState, name: string, byDefault: number): number {
  const text = config.get(name);
  return text === undefined || text === "" ? byDefault : Number(text);
}
