/** Inputs on their way into the topics of a cluster, from whoever does not write to Kafka: HTTP, an erasure. */
import type { Appended } from "../api/engine.js";
import { decodeOriginal, type Original } from "../events/dead-letter.js";
import type { ContactId, Input, Profile } from "../events/types.js";
import type { Kafka } from "../kafka/client.js";
import { type InputPlace, InputProducer } from "../kafka/input-producer.js";
import type { Topic } from "../stream/log.js";

export interface InputGatewayOptions {
  readonly kafka: Kafka;
  readonly topicOf: (input: Input) => Topic;
  readonly taskOf: (contactId: ContactId) => number;
}

export class InputGateway {
  readonly #options: InputGatewayOptions;
  readonly #producer: InputProducer;

  constructor(options: InputGatewayOptions) {
    this.#options = options;
    this.#producer = new InputProducer(options.kafka);
  }

  /** What can't be used is told to whoever sends it, and goes nowhere. @throws ScorefoldError `log-failed` */
  async append(lines: readonly Original[]): Promise<Appended & { readonly offset: null }> {
    const decoded = lines.map(decodeOriginal);
    await this.#send(decoded.flatMap((one) => (one.ok ? [one.input] : [])));
    return { offset: null, decoded };
  }

  /** @returns where the erasure is in the topics. @throws ScorefoldError `log-failed` */
  async erase(erasure: Profile): Promise<InputPlace> {
    const [place] = await this.#send([erasure]);
    return place as InputPlace;
  }

  async close(): Promise<void> {
    await this.#producer.close();
  }

  async #send(inputs: readonly Input[]): Promise<readonly InputPlace[]> {
    const { topicOf, taskOf } = this.#options;
    if (inputs.length === 0) return [];
    return await this.#producer.send(
      inputs.map((input) => ({ topic: topicOf(input), task: taskOf(input.contactId), input })),
    );
  }
}
