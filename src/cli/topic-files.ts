/** Finds and reads topic files. */
import { fileURLToPath } from "node:url";
import { ScorefoldError } from "../errors.js";
import { parseTopic } from "../topics/parse.js";
import { completed, type TopicFile, type Topology, topologyOf } from "../topics/topology.js";
import type { InputTopic, TopicProblem } from "../topics/types.js";
import { filesWhere, formatProblem, readText } from "./models.js";
import { counted } from "./table.js";

/** The directory of the package's own topics. */
const shippedPath = fileURLToPath(new URL("../../topics", import.meta.url));

/**
 * The topics of these files and directories. Outputs come from those that are shipped, where none of the files defines
 * its own; inputs are only those that are named.
 *
 * @param paths null: those that are shipped
 * @throws ScorefoldError `config-invalid` with a line for each problem, `input-missing`
 */
export function loadTopology(paths: readonly string[] | null): Topology {
  const shipped = readTopics([shippedPath]);
  const result = topologyOf(paths === null ? shipped : completed(readTopics(paths), shipped));
  if (!result.ok) throw new ScorefoldError("config-invalid", result.problems.join("\n"));
  return result.topology;
}

/**
 * The input topic of a file.
 *
 * @throws ScorefoldError `config-invalid` with a line for each problem, `input-missing`, `usage` for a directory of several
 */
export function loadInput(file: string): InputTopic {
  const [found, ...others] = readTopics([file]);
  if (found === undefined || others.length > 0)
    throw new ScorefoldError("usage", `${file}: has ${others.length + 1} topics; name the file of one`);
  const { topic } = found;
  if (topic.role === "input") return topic;
  throw new ScorefoldError("config-invalid", `${file}: ${topic.name} is no input topic; name one with \`role: input\``);
}

function readTopics(paths: readonly string[]): TopicFile[] {
  const files = new Set(paths.flatMap((path) => filesWhere(path, isTopicFile, "topic files (*.yaml)")));
  const topics: TopicFile[] = [];
  const problems: TopicProblem[] = [];
  for (const file of files) {
    const result = parseTopic(readText(file), file);
    if (result.ok) topics.push({ file, topic: result.topic });
    else problems.push(...result.problems);
  }
  if (problems.length === 0) return topics;
  const lines = [...problems.map(formatProblem), `${counted(problems.length, "problem")} of topic files`];
  throw new ScorefoldError("config-invalid", lines.join("\n"));
}

function isTopicFile(name: string): boolean {
  return name.endsWith(".yaml") || name.endsWith(".yml");
}
