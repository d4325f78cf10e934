/**
 * Membership in the consumer group: which tasks are this process's. It fetches nothing: all partitions stay paused, and
 * each task fetches its own.
 *
 * Who had a task before may go on for a while; its transactions are fenced as soon as the new owner has opened the task.
 */
import type { Consumer, Kafka } from "kafkajs";
import type { ScorefoldError } from "../errors.js";
import type { Topic } from "../stream/log.js";
import { stickyAssigner } from "./assigner.js";
import type { Member } from "./assignment.js";
import { kafkaError } from "./errors.js";

const SESSION_MS = 30_000;
const REBALANCE_MS = 60_000;
const HEARTBEAT_MS = 3_000;
/** Between two looks at heartbeats: with everything paused the client only waits. */
const IDLE_MS = 500;

export interface GroupOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly Topic[];
  /** The tasks of which there is a store here. */
  readonly stores: () => readonly number[];
  /** Told of the tasks after each rebalance, also where they are the same. */
  readonly onAssigned: (tasks: readonly number[]) => void;
  /** The client has given up. */
  readonly onFailed: (error: ScorefoldError) => void;
  readonly sessionMs?: number;
  readonly heartbeatMs?: number;
}

export class Group {
  readonly #options: GroupOptions;
  readonly #consumer: Consumer;
  #tasks: readonly number[] = [];
  /** Wait for a heartbeat, or for the end of the generation. */
  #proofs: { readonly resolve: (isOwner: boolean) => void; heartbeats: number }[] = [];

  constructor(options: GroupOptions) {
    this.#options = options;
    const { kafka, groupId } = options;
    const own = (): Omit<Member, "id"> => ({ owned: this.#tasks, stores: options.stores() });
    this.#consumer = kafka.consumer({
      groupId,
      partitionAssigners: [stickyAssigner(own)],
      sessionTimeout: options.sessionMs ?? SESSION_MS,
      rebalanceTimeout: REBALANCE_MS,
      heartbeatInterval: options.heartbeatMs ?? HEARTBEAT_MS,
      maxWaitTimeInMs: IDLE_MS,
      allowAutoTopicCreation: false,
    });
  }

  get tasks(): readonly number[] {
    return this.#tasks;
  }

  /** Joins the group; resolves when the first assignment has come. @throws ScorefoldError */
  async join(): Promise<void> {
    const consumer = this.#consumer;
    const { GROUP_JOIN, REBALANCING, HEARTBEAT, CRASH } = consumer.events;
    const joined = new Promise<void>((resolve, reject) => {
      consumer.on(GROUP_JOIN, ({ payload }) => {
        const { memberAssignment } = payload;
        // Before the first fetch of the generation.
        consumer.pause(Object.entries(memberAssignment).map(([topic, partitions]) => ({ topic, partitions })));
        this.#tasks = [...new Set(Object.values(memberAssignment).flat())].sort((a, b) => a - b);
        this.#lose();
        this.#options.onAssigned(this.#tasks);
        resolve();
      });
      consumer.on(CRASH, ({ payload }) => {
        if (payload.restart) return;
        const error = kafkaError(payload.error, "membership in the consumer group");
        this.#tasks = [];
        this.#lose();
        this.#options.onFailed(error);
        reject(error);
      });
    });
    consumer.on(REBALANCING, () => this.#lose());
    consumer.on(HEARTBEAT, () => this.#heartbeat());
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true });
      await consumer.run({ autoCommit: false, eachBatch: async () => undefined });
    } catch (error) {
      throw kafkaError(error, "joining the consumer group");
    }
    await joined;
  }

  /**
   * Whether a task is still this process's: the group answers a heartbeat that is sent from now on, in the generation that
   * has given the task. To be asked before a task is taken over again after its producer was fenced.
   */
  async owns(task: number): Promise<boolean> {
    if (!this.#tasks.includes(task)) return false;
    return await new Promise((resolve) => {
      // The first answer may be to one that was sent before.
      this.#proofs.push({ resolve, heartbeats: 2 });
    });
  }

  /** Leaves the group, so that others take over at once. */
  async leave(): Promise<void> {
    this.#tasks = [];
    this.#lose();
    await this.#consumer.disconnect();
  }

  #heartbeat(): void {
    for (const proof of this.#proofs) proof.heartbeats -= 1;
    const proven = this.#proofs.filter(({ heartbeats }) => heartbeats === 0);
    this.#proofs = this.#proofs.filter(({ heartbeats }) => heartbeats > 0);
    for (const { resolve } of proven) resolve(true);
  }

  /** The generation has ended, or may have. */
  #lose(): void {
    const lost = this.#proofs;
    this.#proofs = [];
    for (const { resolve } of lost) resolve(false);
  }
}
