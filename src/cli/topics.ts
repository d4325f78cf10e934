/** The topics of an application on a cluster. */
import type { Input } from "../events/types.js";
import type { OutputTopics } from "../kafka/output-topics.js";
import type { Topic } from "../stream/log.js";

const CHANNELS = ["email", "web", "form", "sms", "product", "social", "meeting"];

export interface ApplicationTopics {
  readonly inputTopics: readonly Topic[];
  readonly outputTopics: OutputTopics;
  /** Where an input goes that comes over HTTP. */
  readonly topicOf: (input: Input) => Topic;
}

export function topicsOf(_cluster: object): ApplicationTopics {
  return {
    inputTopics: [...CHANNELS.map((channel) => `interactions.${channel}`), "contacts", "adjustments"],
    outputTopics: {
      scoreChanged: "score-changed",
      thresholdCrossed: "threshold-crossed",
      deadLetters: "dead-letters",
    },
    topicOf: (input) => {
      if (input.kind === "profile") return "contacts";
      if (input.kind === "adjustment") return "adjustments";
      const channel = input.type.slice(0, Math.max(0, input.type.indexOf(".")));
      return `interactions.${CHANNELS.includes(channel) ? channel : "product"}`;
    },
  };
}
