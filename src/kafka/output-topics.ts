/** Where outputs go. */
import type { Output } from "../events/types.js";
import type { Topic } from "../stream/log.js";

export interface OutputTopics {
  readonly scoreChanged: Topic;
  readonly thresholdCrossed: Topic;
  readonly deadLetters: Topic;
}

export const topicOfOutput: Readonly<Record<Output["kind"], keyof OutputTopics>> = {
  ScoreChanged: "scoreChanged",
  ContactErased: "scoreChanged",
  ThresholdCrossed: "thresholdCrossed",
};
