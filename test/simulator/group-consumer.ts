/**
 * What `Group` sees of the client: a consumer that joins, sends heartbeats, joins again after a rebalance, and now and then
 * gives up. Requests go through `gate`, so that they may be late, or fail; the coordinator is a model.
 */

import type { PartitionAssigner } from "../../src/kafka/assigner.js";
import type { Kafka } from "../../src/kafka/client.js";
import { kafkajs } from "../../src/kafka/kafkajs.js";
import type { Topic } from "../../src/stream/log.js";
import { type GroupCoordinator, GroupError } from "./group-coordinator.js";

export interface ConsumerOptions {
  readonly coordinator: GroupCoordinator;
  /** In whose name it joins. */
  readonly owner: object;
  /** Partitions of each topic. */
  readonly partitions: number;
  readonly gate: (what: string) => Promise<void>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Whether the client begins again by itself after an error. */
  readonly restarts: () => boolean;
}

interface ConsumerSettings {
  readonly partitionAssigners: readonly PartitionAssigner[];
  readonly heartbeatInterval: number;
}

/** As long as the client waits before it begins again. */
const RESTART_MS = 300;

/** A client that is good for a `Group` and nothing else. */
export function groupKafka(options: ConsumerOptions, onConsumer: (consumer: GroupConsumer) => void): Kafka {
  const consumer = (settings: ConsumerSettings): GroupConsumer => {
    const made = new GroupConsumer(options, settings);
    onConsumer(made);
    return made;
  };
  return { consumer } as unknown as Kafka;
}

export class GroupConsumer {
  readonly events = {
    GROUP_JOIN: "consumer.group_join",
    REBALANCING: "consumer.rebalancing",
    HEARTBEAT: "consumer.heartbeat",
    CRASH: "consumer.crash",
  } as const;
  readonly #options: ConsumerOptions;
  readonly #assigner: ReturnType<PartitionAssigner>;
  readonly #heartbeatMs: number;
  readonly #listeners = new Map<string, (event: { readonly payload: object }) => void>();
  readonly #over = new AbortController();
  #topics: readonly Topic[] = [];
  #memberId: string | null = null;
  #generation = 0;

  constructor(options: ConsumerOptions, { partitionAssigners, heartbeatInterval }: ConsumerSettings) {
    this.#options = options;
    this.#heartbeatMs = heartbeatInterval;
    const partitions = Array.from({ length: options.partitions }, (_, partitionId) => ({ partitionId }));
    const cluster = { findTopicPartitionMetadata: () => partitions };
    const [make] = partitionAssigners as [PartitionAssigner];
    this.#assigner = make({ cluster } as unknown as Parameters<PartitionAssigner>[0]);
  }

  /** The name that the group knows it by; null: none. */
  get memberId(): string | null {
    return this.#memberId;
  }

  on(event: string, listener: (event: { readonly payload: object }) => void): void {
    this.#listeners.set(event, listener);
  }

  async connect(): Promise<void> {
    await this.#options.gate("group connect");
  }

  async subscribe({ topics }: { readonly topics: readonly Topic[] }): Promise<void> {
    this.#topics = topics;
  }

  async run(): Promise<void> {
    void this.#live();
  }

  pause(): void {}

  async disconnect(): Promise<void> {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    const id = this.#memberId;
    if (id === null) return;
    await this.#options.gate("group leave");
    this.#options.coordinator.remove(id);
  }

  async #live(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        await this.#join();
        await this.#heartbeats();
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof GroupError) this.#refused(error);
        else {
          const restart = this.#options.restarts();
          this.#memberId = null;
          this.#emit("CRASH", { error, restart });
          if (!restart) return;
          await this.#options.sleep(RESTART_MS, signal);
        }
      }
    }
  }

  /** Only a heartbeat tells of a rebalance; who joins just joins again. */
  #refused({ type }: GroupError): void {
    if (type === "UNKNOWN_MEMBER_ID") this.#memberId = null;
  }

  async #join(): Promise<void> {
    const { coordinator, gate, owner } = this.#options;
    for (;;) {
      try {
        await gate("group join");
        const { metadata } = this.#assigner.protocol({ topics: [...this.#topics] });
        const { memberId, generation, members } = await coordinator.join(this.#memberId, metadata, owner);
        await gate("group joined");
        [this.#memberId, this.#generation] = [memberId, generation];
        const assignments = members === null ? null : await this.#assign(members);
        await gate("group sync");
        const assignment = await coordinator.sync(memberId, generation, assignments);
        await gate("group synced");
        const { MemberAssignment } = kafkajs().kafkajs.AssignerProtocol;
        const memberAssignment = MemberAssignment.decode(assignment)?.assignment ?? {};
        if (!this.#over.signal.aborted) this.#emit("GROUP_JOIN", { memberId, memberAssignment });
        return;
      } catch (error) {
        if (!(error instanceof GroupError) || this.#over.signal.aborted) throw error;
        this.#refused(error);
      }
    }
  }

  async #assign(
    members: readonly { memberId: string; memberMetadata: Buffer }[],
  ): Promise<ReadonlyMap<string, Buffer>> {
    const assigned = await this.#assigner.assign({ members: [...members], topics: [...this.#topics] });
    return new Map(assigned.map(({ memberId, memberAssignment }) => [memberId, memberAssignment]));
  }

  async #heartbeats(): Promise<void> {
    const { coordinator, gate, sleep } = this.#options;
    const { signal } = this.#over;
    for (;;) {
      await sleep(this.#heartbeatMs, signal);
      if (signal.aborted) return;
      try {
        await gate("heartbeat");
        coordinator.heartbeat(this.#memberId as string, this.#generation);
        await gate("heartbeat answered");
      } catch (error) {
        if (error instanceof GroupError && error.type !== "UNKNOWN_MEMBER_ID") this.#emit("REBALANCING", {});
        throw error;
      }
      if (!signal.aborted) this.#emit("HEARTBEAT", {});
    }
  }

  #emit(event: keyof GroupConsumer["events"], payload: object): void {
    this.#listeners.get(this.events[event])?.({ payload });
  }
}
