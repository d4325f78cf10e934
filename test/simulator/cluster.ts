/**
 * The processes of a cluster: members of one group on some machines, each with the tasks that the group has given it, or
 * that it still believes to have.
 */
import { OwnedTask } from "../../src/engine/owned-task.js";
import type { Committed } from "../../src/stream/log.js";
import { decodeMetadata } from "../../src/stream/metadata.js";
import { GroupCoordinator } from "./group-coordinator.js";
import type { Host } from "./host.js";
import { Member } from "./member.js";
import type { ClusterPlan } from "./plan.js";
import { Process } from "./process.js";
import type { Step } from "./step.js";
import type { World } from "./world.js";

/** Tasks that nobody may go on with, and the code that says so. */
export interface Refusal {
  readonly code: string;
  readonly tasks: ReadonlySet<number>;
  /** Of those, the ones that were refused. */
  readonly met: Set<number>;
}

export class Cluster {
  readonly coordinator = new GroupCoordinator();
  members: Member[] = [];
  /** How many members somebody wants. */
  wanted: number;
  /** Null: there is nothing to be refused. */
  refusal: Refusal | null = null;
  readonly #world: World;
  #started = 0;
  /** Those that were refused a task that only another machine's store can go on with. */
  #misplaced: { readonly member: Member; readonly task: number }[] = [];

  constructor(world: World, plan: ClusterPlan) {
    this.#world = world;
    this.wanted = plan.membersMax;
  }

  get living(): readonly Member[] {
    return this.members.filter(({ isGone }) => !isGone);
  }

  /** Whether each task has been given to one member, and all of them know. */
  get isSettled(): boolean {
    const { coordinator, living } = this;
    const ids = living.map(({ memberId }) => memberId);
    const given = living.flatMap(({ assigned }) => assigned).sort((a, b) => a - b);
    return (
      coordinator.isStable &&
      coordinator.memberIds.length === living.length &&
      coordinator.memberIds.every((id) => ids.includes(id)) &&
      given.join() === Array.from({ length: this.#world.plan.tasks }, (_, task) => task).join()
    );
  }

  start(machine: number): Member {
    const { scheduler, broker, random, hosts, models, generation } = this.#world;
    const name = `member ${++this.#started}`;
    const step = scheduler.step(name);
    const client = broker.connect(step);
    const clock = scheduler.clock(() => broker.now);
    const member = new Member({
      name,
      machine,
      client,
      models,
      generation,
      consumer: {
        coordinator: this.coordinator,
        owner: client,
        partitions: broker.tasks,
        gate: async (what) => {
          await client.gate(what);
          await clock.sleep(member.fallSilent());
        },
        sleep: async (ms, signal) => await clock.sleep(ms, signal),
        restarts: () => random.chance(0.5),
      },
      stores: () => hosts.filter((host) => host.machine === machine && host.disk.batches > 0).map(({ task }) => task),
      make: (own, task) => this.#begin(own, task, step),
      note: (text) => this.#world.note(text),
    });
    this.members.push(member);
    this.#world.note(`${name} starts on machine ${machine}`);
    member.start();
    return member;
  }

  /** Somebody sees to it that there are enough members, most of the time. */
  ensure(): void {
    const { random, plan, hosts } = this.#world;
    // A person sees it, and puts a process where the store is.
    for (const { member, task } of this.#misplaced.splice(0)) {
      const host = hosts.find((one) => one.task === task && one.isMidway);
      if (member.isGone || host === undefined) continue;
      this.kill(member, true);
      this.start(host.machine);
    }
    const running = this.living.filter(({ isStopping }) => !isStopping).length;
    if (running === 0 || (running < this.wanted && random.chance(0.05))) this.start(random.between(0, plan.stores - 1));
  }

  /** The group lets go of those that are silent: the dead sooner or later, and now and then one that lives. */
  expel(isLivingToo: boolean): void {
    const { random } = this.#world;
    const { coordinator } = this;
    for (const id of coordinator.memberIds) {
      const owner = coordinator.ownerOf(id);
      const member = this.living.find(({ client }) => client === owner);
      if (member === undefined ? !random.chance(0.2) : !isLivingToo || coordinator.isJoining(id)) continue;
      this.#world.note(`${member?.name ?? id} is taken out of the group`);
      coordinator.remove(id);
      if (member === undefined) continue;
      // It goes on with its tasks, and learns of it later.
      member.silentMs = random.pick([0, 4000, 60_000]);
      return;
    }
  }

  /** Those that run models of before are replaced. */
  renew(): void {
    for (const member of this.living) if (member.generation < this.#world.generation) void member.stop();
  }

  kill(member: Member, delivers: boolean): void {
    for (const process of this.#world.processes)
      if (process.member === member && !process.isGone) this.#world.lose(process);
    this.#world.note(`${member.name} is killed${delivers ? ", and what it has sent arrives" : ""}`);
    member.kill(delivers);
  }

  /** Whether a task has ended as it had to, or as one with a damaged store may. */
  isRefused({ host, generation, member }: Process, code: string | null): boolean {
    // A change to other models was half published, and this one was to go back from there without the store.
    if (code === "model-changed" && generation < this.#world.generation) return true;
    // One with the models of before was to go back, and did half of it; this one has come after it, without the store.
    const isHalfway = code === "model-changed" && isHalfPublished(this.#world.broker.committed(host.task));
    if (isHalfway && member !== null && !host.isMidway) {
      this.#misplaced.push({ member, task: host.task });
      return true;
    }
    const { refusal } = this;
    if (refusal === null || refusal.code !== code) return false;
    if (refusal.tasks.has(host.task)) refusal.met.add(host.task);
    return true;
  }

  #begin(member: Member, task: number, step: Step): OwnedTask {
    const { random, hosts } = this.#world;
    const host = hosts.find((one) => one.machine === member.machine && one.task === task) as Host;
    const { client, models, generation } = member;
    const process = new Process({ name: `${member.name}, task ${task}`, host, client, models, generation, member });
    // One that is begun by what a dead process had under way does nothing.
    process.isGone = member.isGone;
    const owned = new OwnedTask({
      ...this.#world.taskOptions(process, step),
      owns: async () => {
        const before = this.coordinator.heard(client);
        const isOwner = await member.owns(task);
        // An answer from before the producer was fenced proves nothing.
        if (isOwner && (this.coordinator.heard(client) === before || !member.assigned.includes(task)))
          this.#world.fail(new Error(`${process.name} is told that it is its own, and the group has not said so`));
        this.#world.note(`${process.name} is ${isOwner ? "still" : "not any more"} its own`);
        return isOwner;
      },
      chance: () => random.next(),
    });
    process.run(owned);
    this.#world.add(process);
    void owned.ended.then(() => {
      if (!process.isGone) this.#world.ended(process, owned.error);
    });
    return owned;
  }
}

function isHalfPublished(committed: Committed | null): boolean {
  return committed !== null && decodeMetadata(committed.metadata).change !== null;
}
