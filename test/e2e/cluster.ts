/** An application on the broker of the tests as commands take it: topic files, and topics that they have made. */
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Folder, scorefold } from "./command.js";

const outputs = ["score-changed", "threshold-crossed", "dead-letters"] as const;
const kinds = {
  "score-changed": "score-changed",
  "threshold-crossed": "threshold-crossed",
  "dead-letters": "dead-letter",
};

export interface ClusterTopics {
  readonly app: string;
  /** The name of a topic on the cluster. */
  readonly named: (topic: string) => string;
  /** What commands that run on it are given. */
  readonly args: readonly string[];
}

/** Writes topic files of names that nobody else has, and makes the topics. */
export async function clusterTopics(
  folder: Folder,
  brokers: string,
  inputs: Readonly<Record<string, "interaction" | "profile" | "adjustment">>,
  partitions: number,
): Promise<ClusterTopics> {
  const app = `e2e-${randomUUID()}`;
  const named = (topic: string): string => `${app}.${topic}`;
  const topics = join(folder.path, "topics");
  mkdirSync(topics);
  const write = (topic: string, role: string, kind: string): void => {
    const config = "config: { retention.ms: -1, message.timestamp.type: LogAppendTime }";
    const lines = [`name: ${named(topic)}`, `role: ${role}`, `kind: ${kind}`, `partitions: ${partitions}`, config];
    folder.write(join("topics", `${topic}.yaml`), `${lines.join("\n")}\n`);
  };
  for (const [topic, kind] of Object.entries(inputs)) write(topic, "input", kind);
  for (const topic of outputs) write(topic, "output", kinds[topic]);
  const applied = await scorefold(["topics", "apply", "--brokers", brokers, "--topics", topics], { cwd: folder.path });
  if (applied.code !== 0) throw new Error(`topics were not made: ${applied.stdout}${applied.stderr}`);
  return { app, named, args: ["--brokers", brokers, "--app", app, "--topics", topics] };
}
