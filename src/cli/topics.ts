/** The topics of an application on a cluster, as its engine takes them. */
import type { KafkaConfig } from "../config/kafka.js";
import type { Input } from "../events/types.js";
import { internalTopics } from "../kafka/internal-topics.js";
import type { OutputTopics } from "../kafka/output-topics.js";
import type { Topic } from "../stream/log.js";
import { compileTopic } from "../topics/mapping.js";
import { meaningOf } from "../topics/meaning.js";
import type { RecordMapper } from "../topics/record.js";
import type { Topology } from "../topics/topology.js";
import type { InputTopic } from "../topics/types.js";
import { sha256 } from "./map-values.js";

/** The channel whose topic has the interactions of channels without one. */
const CHANNEL_OF_OTHERS = "product";

export interface ApplicationTopics {
  readonly inputTopics: readonly Topic[];
  readonly outputTopics: OutputTopics;
  /** How values become inputs, by topic; those of other topics are inputs as they are. */
  readonly mappers: ReadonlyMap<Topic, RecordMapper>;
  /** The same as texts, to be compared with those of other processes. */
  readonly meanings: ReadonlyMap<Topic, string>;
  /** Where an input goes that comes over HTTP. */
  readonly topicOf: (input: Input) => Topic;
}

export function topicsOf(topology: Topology, { app }: Pick<KafkaConfig, "app">): ApplicationTopics {
  const { inputs, scoreChanged, thresholdCrossed, deadLetters } = topology;
  const mapped = inputs.filter(({ kind, mapping }) => mapping !== null || kind !== "interaction");
  const plain = inputs.filter(({ mapping }) => mapping === null);
  return {
    inputTopics: inputs.map(({ name }) => name),
    outputTopics: {
      scoreChanged: scoreChanged.name,
      thresholdCrossed: thresholdCrossed.name,
      deadLetters: deadLetters.name,
    },
    mappers: new Map(mapped.map((topic) => [topic.name, compileTopic(topic, sha256)])),
    meanings: new Map(inputs.map((topic) => [topic.name, meaningOf(topic)])),
    topicOf: (input) => topicFor(input, plain) ?? internalTopics(app).rekeyed,
  };
}

/** That of the channel, else any of the kind, else any: an input says its kind wherever it lies. Null: there is none. */
function topicFor(input: Input, inputs: readonly InputTopic[]): Topic | null {
  const ofKind = inputs.filter(({ kind }) => kind === input.kind);
  const channels = input.kind === "interaction" ? [channelOf(input.type), CHANNEL_OF_OTHERS] : [];
  const names = channels.map((channel) => `interactions.${channel}`);
  const own = names.find((name) => ofKind.some((topic) => topic.name === name));
  return own ?? ofKind[0]?.name ?? inputs[0]?.name ?? null;
}

function channelOf(type: string): string {
  return type.slice(0, Math.max(0, type.indexOf(".")));
}
