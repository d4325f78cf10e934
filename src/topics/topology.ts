/** All topics of an engine together: what it reads, and where its outputs go. */
import { type InputTopic, type OutputKind, type OutputTopic, outputKinds, type TopicDefinition } from "./types.js";

/** A definition, and the file it was read from. */
export interface TopicFile {
  readonly file: string;
  readonly topic: TopicDefinition;
}

export interface Topology {
  /** By name. All have as many partitions: a task is one partition number of all of them. */
  readonly inputs: readonly InputTopic[];
  readonly scoreChanged: OutputTopic;
  readonly thresholdCrossed: OutputTopic;
  readonly deadLetters: OutputTopic;
}

export type TopologyResult =
  | { readonly ok: true; readonly topology: Topology }
  /** One line each, with the files in them. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** Puts topics together, or names every reason why they don't fit. */
export function topologyOf(files: readonly TopicFile[]): TopologyResult {
  const problems = doubles(files);
  const inputs = files.filter((one): one is TopicFile & { topic: InputTopic } => one.topic.role === "input");
  if (inputs.length === 0) problems.push("there is no input topic; define one with `role: input`");
  problems.push(...unequalCounts(files));
  const single = (what: OutputKind): TopicDefinition | undefined => {
    const found = files.filter(({ topic }) => purposeOf(topic) === what);
    if (found.length === 0) problems.push(`there is no topic for ${what}; define one`);
    if (found.length > 1)
      problems.push(`${found.map(({ file }) => file).join(" and ")} are both for ${what}; keep one of them`);
    return found[0]?.topic;
  };
  const [scoreChanged, thresholdCrossed, deadLetters] = outputKinds.map(single);
  if (problems.length > 0) return { ok: false, problems };
  const byName = inputs.map(({ topic }) => topic).sort((a, b) => (a.name < b.name ? -1 : 1));
  return { ok: true, topology: { inputs: byName, scoreChanged, thresholdCrossed, deadLetters } as Topology };
}

/** Every topic once: inputs, outputs. */
export function topicsOf({ inputs, scoreChanged, thresholdCrossed, deadLetters }: Topology): TopicDefinition[] {
  return [...inputs, scoreChanged, thresholdCrossed, deadLetters];
}

/** Adds the outputs that `files` lack from those that are shipped, with as many partitions as the inputs have. */
export function completed(files: readonly TopicFile[], shipped: readonly TopicFile[]): readonly TopicFile[] {
  const purposes = new Set(files.map(({ topic }) => purposeOf(topic)));
  const partitions = files.find(({ topic }) => topic.role === "input")?.topic.partitions;
  const added = shipped.filter(({ topic }) => topic.role !== "input" && !purposes.has(purposeOf(topic)));
  return [
    ...files,
    ...added.map(({ file, topic }) =>
      partitions === undefined ? { file, topic } : { file, topic: { ...topic, partitions } },
    ),
  ];
}

/** The same topics with another count of partitions. */
export function withPartitions(topology: Topology, partitions: number): Topology {
  const { inputs, scoreChanged, thresholdCrossed, deadLetters } = topology;
  return {
    inputs: inputs.map((topic) => ({ ...topic, partitions })),
    scoreChanged: { ...scoreChanged, partitions },
    thresholdCrossed: { ...thresholdCrossed, partitions },
    deadLetters: { ...deadLetters, partitions },
  };
}

/** What only one topic may be for; null of inputs. */
function purposeOf(topic: TopicDefinition): OutputKind | null {
  return topic.role === "input" ? null : topic.kind;
}

function doubles(files: readonly TopicFile[]): string[] {
  const problems: string[] = [];
  const seen = new Map<string, string>();
  for (const { file, topic } of files) {
    const first = seen.get(topic.name);
    if (first === undefined) seen.set(topic.name, file);
    else problems.push(`${file}: the topic ${topic.name} is in ${first} too; keep one of them`);
  }
  return problems;
}

/** A task writes its outputs to the partition of its number, so outputs have as many as inputs. */
function unequalCounts(files: readonly TopicFile[]): string[] {
  const first = files.find(({ topic }) => topic.role === "input") ?? files[0];
  return files
    .filter(({ topic }) => topic.partitions !== first?.topic.partitions)
    .map(({ file, topic }) => {
      const other = `${first?.topic.name} has ${first?.topic.partitions}`;
      return `${file}: ${topic.name} has ${topic.partitions} partitions, and ${other}; a task is one partition number of all inputs and outputs, so give all the same`;
    });
}
