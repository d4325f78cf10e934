/** A process of the cluster: the real group and the real tasks, on a consumer and a log that are models. */
import { AssignedTasks } from "../../src/engine/assigned-tasks.js";
import type { OwnedTask } from "../../src/engine/owned-task.js";
import { Group } from "../../src/kafka/group.js";
import type { ModelSet } from "../../src/stream/models.js";
import type { BrokerClient } from "./broker-client.js";
import { type ConsumerOptions, type GroupConsumer, groupKafka } from "./group-consumer.js";

export interface MemberOptions {
  readonly name: string;
  readonly machine: number;
  readonly client: BrokerClient;
  readonly models: ModelSet;
  readonly generation: number;
  readonly consumer: ConsumerOptions;
  /** The tasks of which its machine has a store. */
  readonly stores: () => readonly number[];
  readonly make: (member: Member, task: number) => OwnedTask;
  readonly note: (text: string) => void;
}

const REJOIN_MS = 1000;

export class Member {
  readonly name: string;
  readonly machine: number;
  readonly client: BrokerClient;
  readonly models: ModelSet;
  readonly generation: number;
  readonly tasks: AssignedTasks;
  /** Killed, or stopped and at its end. */
  isGone = false;
  isStopping = false;
  /** How long its next answer from the group will be on its way. */
  silentMs = 0;
  readonly #options: MemberOptions;
  #consumer: GroupConsumer | null = null;
  #group: Group;
  #isRejoining = false;

  constructor(options: MemberOptions) {
    this.#options = options;
    const { name, machine, client, models, generation, make } = options;
    this.name = name;
    this.machine = machine;
    this.client = client;
    this.models = models;
    this.generation = generation;
    this.tasks = new AssignedTasks((task) => make(this, task));
    this.#group = this.#makeGroup();
  }

  /** The name that the group knows it by; null: none yet, or none any more. */
  get memberId(): string | null {
    return this.#consumer?.memberId ?? null;
  }

  /** What the group has given, as far as this one knows. */
  get assigned(): readonly number[] {
    return this.#group.tasks;
  }

  start(): void {
    this.#group.join().catch(() => this.#rejoin());
  }

  async owns(task: number): Promise<boolean> {
    return await this.#group.owns(task);
  }

  /** @returns how long it has to wait for the answer that it waits for */
  fallSilent(): number {
    const { silentMs } = this;
    this.silentMs = 0;
    return silentMs;
  }

  /** Ends as the engine does: tasks first, then membership. */
  async stop(): Promise<void> {
    if (this.isStopping) return;
    this.isStopping = true;
    await this.tasks.release();
    await this.#group.leave().catch(() => undefined);
    this.isGone = true;
    await this.client.close();
  }

  kill(delivers: boolean): void {
    this.isGone = true;
    this.client.kill(delivers);
  }

  #makeGroup(): Group {
    const { name, client, consumer, stores, note } = this.#options;
    return new Group({
      kafka: groupKafka(consumer, (made) => {
        this.#consumer = made;
      }),
      groupId: "simulated",
      topics: client.inputTopics,
      stores,
      onAssigned: (tasks) => {
        if (this.isGone || this.isStopping) return;
        note(`${name} is given ${tasks.length === 0 ? "nothing" : tasks.join(" and ")}`);
        this.tasks.assign(tasks);
      },
      onFailed: (error) => {
        note(`${name} is no member any more: ${error.message}`);
        this.#rejoin();
      },
    });
  }

  #rejoin(): void {
    if (this.#isRejoining || this.isGone || this.isStopping) return;
    this.#isRejoining = true;
    this.tasks.forget();
    const { sleep } = this.#options.consumer;
    void (async () => {
      await this.#group.leave().catch(() => undefined);
      await sleep(REJOIN_MS, new AbortController().signal);
      this.#isRejoining = false;
      if (this.isGone || this.isStopping) return;
      this.#group = this.#makeGroup();
      this.start();
    })();
  }
}
