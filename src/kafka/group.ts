/**
 * Membership in the consumer group: which tasks are this process's. It fetches nothing: all partitions stay paused, and
 * each task fetches its own.
 *
 * Who had a task before may go on for a while; its transactions are fenced as soon as the new owner has opened the task.
 */
import type { Consumer, Kafka } from "kafkajs";
import { ScorefoldError } from "../errors.js";
import type { Topic } from "../stream/log.js";
import { type Agreement, stickyAssigner } from "./assigner.js";
import type { Member } from "./assignment.js";
import { clusterOf } from "./cluster.js";
import { kafkaError } from "./errors.js";
import { kafkajs } from "./kafkajs.js";

/** How long a process may be silent; one that has died is let go of at its next start, if that is sooner. */
const SESSION_MS = 20_000;
const REBALANCE_MS = 60_000;
/** A member hears of a rebalance by a heartbeat: so long the others wait for it, and so long a new process for its tasks. */
const HEARTBEAT_MS = 500;
/** So many answers prove something: the first may be to a heartbeat that was sent before. */
const HEARTBEATS = 2;
/** Between two looks at heartbeats: with everything paused the client only waits. */
const IDLE_MS = 500;

export interface GroupOptions {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly topics: readonly Topic[];
  /** The tasks of which there is a store here. */
  readonly stores: () => readonly number[];
  /** Told of the name that the group knows this member by, whenever that may be a new one. */
  readonly onJoined?: (memberId: string) => void;
  /** Told of the tasks after each rebalance, also where they are the same. */
  readonly onAssigned: (tasks: readonly number[]) => void;
  /** The client has given up. */
  readonly onFailed: (error: ScorefoldError) => void;
  /** What members have to have in common to be given tasks; null: they are alike. */
  readonly agreement?: Agreement | null;
  readonly sessionMs?: number;
  readonly heartbeatMs?: number;
}

export class Group {
  readonly #options: GroupOptions;
  readonly #consumer: Consumer;
  #tasks: readonly number[] = [];
  /** Whether the group is between two rebalances, and what it has given holds. */
  #isStable = false;
  #isLeaving = false;
  #memberId: string | null = null;
  #proofs: Proof[] = [];

  constructor(options: GroupOptions) {
    this.#options = options;
    const { kafka, groupId } = options;
    const own = (): Omit<Member, "id"> => {
      if (this.#isLeaving) throw new (kafkajs().kafkajs.KafkaJSNonRetriableError)("the member is leaving the group");
      return { owned: this.#tasks, stores: options.stores() };
    };
    this.#consumer = kafka.consumer({
      groupId,
      partitionAssigners: [stickyAssigner(own, options.agreement ?? null)],
      sessionTimeout: options.sessionMs ?? SESSION_MS,
      rebalanceTimeout: REBALANCE_MS,
      heartbeatInterval: options.heartbeatMs ?? HEARTBEAT_MS,
      maxWaitTimeInMs: IDLE_MS,
      allowAutoTopicCreation: false,
      // A connection that breaks while the member leaves would bring it back, for ever and with nobody to know of it.
      retry: { retries: 5, restartOnFailure: async () => !this.#isLeaving },
    });
  }

  get tasks(): readonly number[] {
    return this.#tasks;
  }

  /** What the group knows this member by; null before it has joined, and after it has left. */
  get memberId(): string | null {
    return this.#tasks.length === 0 && !this.#isStable ? null : this.#memberId;
  }

  /** Joins the group; resolves when the first assignment has come. @throws ScorefoldError */
  async join(): Promise<void> {
    const consumer = this.#consumer;
    const { GROUP_JOIN, REBALANCING, HEARTBEAT, CRASH } = consumer.events;
    const left = (reject: (error: unknown) => void): void => {
      void this.#letGo();
      reject(new ScorefoldError("stopping", "the member has left the group"));
    };
    const joined = new Promise<void>((resolve, reject) => {
      consumer.on(GROUP_JOIN, ({ payload }) => {
        const { memberAssignment } = payload;
        this.#memberId = payload.memberId;
        if (this.#isLeaving) return left(reject);
        // Before the first fetch of the generation.
        consumer.pause(Object.entries(memberAssignment).map(([topic, partitions]) => ({ topic, partitions })));
        this.#tasks = [...new Set(Object.values(memberAssignment).flat())].sort((a, b) => a - b);
        this.#isStable = true;
        this.#options.onJoined?.(payload.memberId);
        this.#settle(({ task }) => !this.#tasks.includes(task), false);
        this.#options.onAssigned(this.#tasks);
        resolve();
      });
      consumer.on(CRASH, ({ payload }) => {
        if (payload.restart) return;
        if (this.#isLeaving) return left(reject);
        const error = kafkaError(payload.error, "membership in the consumer group");
        this.#end();
        this.#options.onFailed(error);
        reject(error);
      });
    });
    // It may be left before anybody waits for it.
    joined.catch(() => undefined);
    consumer.on(REBALANCING, () => {
      this.#isStable = false;
    });
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
   * Whether a task is this process's: the group answers heartbeats that are sent from now on, in a generation that has
   * given it the task; a rebalance is waited for. To be asked before a task is taken over again after its producer was
   * fenced.
   */
  async owns(task: number): Promise<boolean> {
    if (!this.#tasks.includes(task)) return false;
    return await new Promise((resolve) => this.#proofs.push({ task, resolve, heartbeats: HEARTBEATS }));
  }

  /** Leaves the group, so that others take over at once. For good: it does not join again. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    this.#end();
    await this.#consumer.disconnect();
  }

  /** Where leaving was cut short by a crash of the client, or came while it was joining. */
  async #letGo(): Promise<void> {
    const { kafka, groupId } = this.#options;
    if (this.#memberId !== null) await letGo(kafka, groupId, [this.#memberId]);
  }

  #heartbeat(): void {
    if (!this.#isStable) return;
    for (const proof of this.#proofs) proof.heartbeats -= 1;
    this.#settle(({ heartbeats }) => heartbeats === 0, true);
  }

  #end(): void {
    this.#isStable = false;
    this.#tasks = [];
    this.#settle(() => true, false);
  }

  /** Answers the proofs that are chosen. */
  #settle(isChosen: (proof: Proof) => boolean, isOwner: boolean): void {
    const [settled, open] = [this.#proofs.filter(isChosen), this.#proofs.filter((proof) => !isChosen(proof))];
    this.#proofs = open;
    for (const { resolve } of settled) resolve(isOwner);
  }
}

/**
 * Takes members out of a group whose processes have died: or it would wait for their sessions to end. One that the group
 * does not know is none. Where that fails it is only later.
 */
export async function letGo(kafka: Kafka, groupId: string, memberIds: readonly string[]): Promise<void> {
  if (memberIds.length === 0) return;
  const cluster = clusterOf(kafka);
  try {
    await cluster.connect();
    const coordinator = await cluster.findGroupCoordinator({ groupId });
    for (const memberId of memberIds) await coordinator.leaveGroup({ groupId, memberId }).catch(() => undefined);
  } catch {
    return;
  } finally {
    await cluster.disconnect();
  }
}

interface Proof {
  readonly task: number;
  readonly resolve: (isOwner: boolean) => void;
  heartbeats: number;
}
