/** What every engine on a cluster answers alike: inputs and outputs are in its topics, and are read there. */
import type { OutputRecord, TopicBounds } from "../api/engine.js";
import { ScorefoldError } from "../errors.js";

export abstract class ClusterEngine {
  readonly hasOffsets = false;
  readonly deadLetters = null;

  /** None: they are read from Kafka. */
  async topics(): Promise<readonly TopicBounds[]> {
    return [];
  }

  // biome-ignore lint/correctness/useYield: nothing to give, as there are no topics
  async *outputs(topic: string): AsyncGenerator<readonly OutputRecord[]> {
    throw new ScorefoldError("usage", `topic ${topic} is read from Kafka, by its consumers`);
  }

  async folded(): Promise<void> {
    throw new ScorefoldError("usage", "on Kafka inputs go to several topics, and nobody waits for one to be folded");
  }
}
