/** The topics of an application on a cluster, as its engine takes them. */
import type { KafkaConfig } from "../config/kafka.js";
import { ScorefoldError } from "../errors.js";
import type { Input } from "../events/types.js";
import type { OutputTopics } from "../kafka/output-topics.js";
import type { Topic } from "../stream/log.js";
import type { InputTopic } from "../topics/types.js";
import { loadTopology } from "./topic-files.js";

/** The channel whose topic has the interactions of channels without one. */
const CHANNEL_OF_OTHERS = "product";

export interface ApplicationTopics {
  readonly inputTopics: readonly Topic[];
  readonly outputTopics: OutputTopics;
  /** Where an input goes that comes over HTTP. */
  readonly topicOf: (input: Input) => Topic;
}

/** @throws ScorefoldError `config-invalid` with a line for each problem of the topic files, `input-missing` */
export function topicsOf({ topics }: Pick<KafkaConfig, "topics">): ApplicationTopics {
  const { inputs, scoreChanged, thresholdCrossed, deadLetters } = loadTopology(topics);
  const mapped = inputs.filter(({ mapping }) => mapping !== null).map(({ name }) => name);
  if (mapped.length > 0) {
    const text = `${mapped.join(", ")}: the engine does not apply mappings yet; leave them out, or use \`scorefold topics map\``;
    throw new ScorefoldError("config-invalid", text);
  }
  return {
    inputTopics: inputs.map(({ name }) => name),
    outputTopics: {
      scoreChanged: scoreChanged.name,
      thresholdCrossed: thresholdCrossed.name,
      deadLetters: deadLetters.name,
    },
    topicOf: (input) => topicFor(input, inputs),
  };
}

/** That of the channel, else any of the kind, else any: an input says its kind wherever it lies. */
function topicFor(input: Input, inputs: readonly InputTopic[]): Topic {
  const ofKind = inputs.filter(({ kind }) => kind === input.kind);
  const channels = input.kind === "interaction" ? [channelOf(input.type), CHANNEL_OF_OTHERS] : [];
  const names = channels.map((channel) => `interactions.${channel}`);
  const own = names.find((name) => ofKind.some((topic) => topic.name === name));
  return own ?? (ofKind[0] ?? (inputs[0] as InputTopic)).name;
}

function channelOf(type: string): string {
  return type.slice(0, Math.max(0, type.indexOf(".")));
}
