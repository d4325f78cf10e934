/** A task as one process has it, for as long as it has it. */
import type { ModelSet } from "../../src/stream/models.js";
import type { Task } from "../../src/stream/task.js";
import type { BrokerClient } from "./broker-client.js";
import type { Host } from "./host.js";
import type { Member } from "./member.js";

export interface ProcessOptions {
  readonly name: string;
  readonly host: Host;
  readonly client: BrokerClient;
  readonly models: ModelSet;
  readonly generation: number;
  /** The member of the group that has the task; null: it is a process by itself. */
  readonly member: Member | null;
}

export class Process {
  readonly name: string;
  readonly host: Host;
  readonly client: BrokerClient;
  readonly models: ModelSet;
  readonly generation: number;
  readonly member: Member | null;
  isGone = false;
  /** What has ended it. */
  error: unknown = null;
  #running: { readonly task: Task } | null = null;

  constructor({ name, host, client, models, generation, member }: ProcessOptions) {
    this.name = name;
    this.host = host;
    this.client = client;
    this.models = models;
    this.generation = generation;
    this.member = member;
  }

  /** The task of now: one that was fenced may be another than before. */
  get task(): Task {
    return this.#running!.task;
  }

  run(running: { readonly task: Task }): void {
    this.#running = running;
  }
}
