/** The broker model as one process sees it. */
import { ScorefoldError } from "../../src/errors.js";
import type { Log, Origin, SharedModels, TaskLog, Topic } from "../../src/stream/log.js";
import type { Broker } from "./broker.js";
import { BrokerTaskLog } from "./broker-task.js";
import { never, type Step } from "./step.js";

export class BrokerClient implements Log {
  readonly name = "the broker";
  readonly clusterId: string;
  readonly inputTopics: readonly Topic[];
  readonly origin: Origin | null;
  readonly taskOf: Log["taskOf"];
  readonly models: SharedModels | null;
  readonly broker: Broker;
  isClosed = false;
  readonly #step: Step;
  #isGone = false;
  /** Whether what it has sent before it was gone comes to the broker all the same. */
  #delivers = false;

  constructor(broker: Broker, step: Step) {
    this.broker = broker;
    this.#step = step;
    this.clusterId = broker.clusterId;
    this.inputTopics = broker.inputTopics;
    this.taskOf = broker.taskOf;
    this.models = broker.taskOf === null ? null : this.#sharedModels();
    // The embedded log, with its one task, says nothing of where it is from.
    this.origin =
      broker.taskOf === null
        ? null
        : { app: "simulated", tasks: broker.partitions, topicIds: new Map(broker.topicIds) };
  }

  #sharedModels(): SharedModels {
    const { models } = this.broker;
    return {
      textsOf: async (set) => {
        await this.gate("models");
        return models.get(set) ?? null;
      },
      learn: async (set, texts) => {
        await this.gate("models to learn");
        models.set(set, texts);
        await this.gate("models learnt");
      },
    };
  }

  async open(task: number): Promise<TaskLog> {
    await this.gate("open");
    const epoch = await this.broker.takeOver(task, this);
    await this.gate("opened");
    return new BrokerTaskLog(this, task, epoch);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.broker.changed();
  }

  /**
   * The process is gone: nothing it asked is answered any more.
   *
   * @param delivers whether requests that are on their way come to the broker, later than whatever comes in between
   */
  kill(delivers = false): void {
    this.#isGone = true;
    this.#delivers = delivers;
    this.broker.changed();
  }

  /** What every call goes through before and after it reaches the broker. */
  async gate(name: string): Promise<void> {
    if (this.#isGone) await never();
    this.checkOpen();
    try {
      await this.#step(name);
    } catch (error) {
      if (!this.#isGone) {
        if (error instanceof ScorefoldError) throw error;
        throw new ScorefoldError("log-failed", `the broker did not answer: ${name}`, { cause: error });
      }
      await never();
    }
    if (this.#isGone && !this.#delivers) await never();
  }

  checkOpen(): void {
    if (this.isClosed) throw new ScorefoldError("stopping", "the log is closed; connect again");
  }
}
