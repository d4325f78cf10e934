/**
 * The world of one seed: a broker, disks, and processes that run the real task. A turn either lets one of those go on
 * that wait, or does something to them.
 */
import type { Database } from "../../src/database/database.js";
import { ScorefoldError } from "../../src/errors.js";
import type { EpochMs } from "../../src/events/types.js";
import { compile } from "../../src/model/compile.js";
import { ModelSet } from "../../src/stream/models.js";
import { Task } from "../../src/stream/task.js";
import { Broker, type BrokerClient } from "./broker.js";
import { SimulatedDisk } from "./disk.js";
import { Invariant } from "./invariant.js";
import type { Arrival, Faults, Plan } from "./plan.js";
import type { Random } from "./random.js";
import { Scheduler } from "./scheduler.js";
import { never } from "./step.js";
import { checkStore } from "./store-check.js";

/** A place for a store of one task: on the machine of one process at a time. */
export class Host {
  readonly name: string;
  readonly task: number;
  disk: SimulatedDisk;
  /** Whether the disk has a damaged value, which nobody may have looked at. */
  isDamaged = false;
  /** What a crash has left open for whoever comes next. */
  #left: Database | null = null;
  #asides = 0;
  readonly #makeDisk: () => SimulatedDisk;

  constructor(name: string, task: number, makeDisk: () => SimulatedDisk) {
    this.name = name;
    this.task = task;
    this.#makeDisk = makeDisk;
    this.disk = makeDisk();
  }

  async open(): Promise<Database> {
    const left = this.#left;
    this.#left = null;
    return left ?? this.disk.open();
  }

  async setAside(): Promise<string> {
    const { isFull } = this.disk;
    this.disk = this.#makeDisk();
    this.disk.isFull = isFull;
    this.isDamaged = false;
    this.#left = null;
    this.#asides += 1;
    return `${this.name} aside ${this.#asides}`;
  }

  crash(loseTail: number): void {
    this.#left = this.disk.crash({ loseTail });
  }
}

export class Process {
  readonly name: string;
  readonly host: Host;
  readonly client: BrokerClient;
  readonly task: Task;
  readonly models: ModelSet;
  readonly generation: number;
  isGone = false;
  /** What has ended it. */
  error: unknown = null;

  constructor(name: string, host: Host, client: BrokerClient, task: Task, models: ModelSet, generation: number) {
    this.name = name;
    this.host = host;
    this.client = client;
    this.task = task;
    this.models = models;
    this.generation = generation;
  }
}

export class World {
  readonly plan: Plan;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly broker: Broker;
  readonly invariant: Invariant;
  readonly hosts: Host[] = [];
  readonly trace: string[] = [];
  faults: Faults;
  processes: Process[] = [];
  failure: Error | null = null;
  /** Which of the sets of models new processes run. */
  generation = 0;
  /** How far the wall clock is from the true time. */
  skew = 0;
  readonly #sets: ModelSet[];
  #arrived = 0;
  #started = 0;

  constructor(plan: Plan, random: Random) {
    this.plan = plan;
    this.random = random;
    this.faults = plan.faults;
    this.scheduler = new Scheduler(random);
    this.#sets = plan.models.map((models) => new ModelSet(models.map(compile)));
    this.broker = new Broker({
      inputTopics: plan.topics,
      tasks: plan.tasks,
      cut: (records) => (random.chance(0.3) ? random.between(1, records) : records),
      onCommit: (task, committed, owner) => {
        const process = this.processes.find(({ client }) => client === owner) as Process;
        this.note(`${process.name} has committed ${committed.metadata}`);
        this.#guard(() => this.invariant.committed(task, committed, process.models));
      },
    });
    this.broker.advance(plan.start - this.broker.now);
    const { limits, timers } = plan;
    this.invariant = new Invariant({ broker: this.broker, limits, timers, note: (text) => this.note(text) });
    for (let task = 0; task < plan.tasks; task++) {
      for (let i = 0; i < plan.stores; i++) {
        const name = `store-${task}-${i}`;
        this.hosts.push(new Host(name, task, () => new SimulatedDisk(this.scheduler.step(name))));
      }
    }
  }

  get wallClock(): EpochMs {
    return this.broker.now + this.skew;
  }

  /** Records that are still to come. */
  get waiting(): readonly Arrival[] {
    return this.plan.arrivals.slice(this.#arrived);
  }

  note(text: string): void {
    this.trace.push(text);
  }

  fail(error: Error): void {
    this.failure ??= error;
  }

  /** The models that each task has in the end. */
  get lastModels(): string {
    return Array.from({ length: this.plan.tasks }, (_, task) => this.running(task).at(-1)?.models.id).join(" ");
  }

  running(task: number): Process[] {
    return this.processes.filter((process) => process.host.task === task && !process.isGone);
  }

  advance(ms: number): void {
    this.broker.advance(ms);
    this.scheduler.advance(ms);
  }

  /** Lets one call go on, or fail. */
  release(): void {
    const { calls } = this.faults;
    const told = this.scheduler.release((who, what) => {
      if (calls === 0 || what === "disk close" || what === "turn" || !this.random.chance(1 / calls)) return null;
      return who.startsWith("store")
        ? new ScorefoldError("database-failed", "the disk did not answer")
        : new Error("connection reset");
    });
    this.note(told);
  }

  arrive(count: number): void {
    for (const arrival of this.plan.arrivals.slice(this.#arrived, this.#arrived + count)) {
      const late = arrival.at - this.broker.now;
      if (late > 0) this.advance(late);
      const { topic, task, content } = arrival;
      this.#arrived += 1;
      if (this.random.chance(0.05)) {
        // A writer that has to do it again: what was aborted is not there.
        this.broker.appendInTransaction(topic, task, [content])("aborted");
      }
      const offset = this.broker.append(topic, task, [content]);
      this.note(`${topic}-${task} ${offset} ${typeof content === "string" ? content : content.head}`);
    }
  }

  start(host: Host): Process {
    const name = `process ${++this.#started}`;
    const step = this.scheduler.step(name);
    const client = this.broker.connect(step);
    const models = this.#sets[this.generation] as ModelSet;
    let process: Process | undefined;
    const task = new Task({
      log: client,
      task: host.task,
      store: {
        open: async () => await (process?.isGone === true ? never() : host.open()),
        setAside: async () => await (process?.isGone === true ? never() : host.setAside()),
      },
      models: models.all,
      clock: this.scheduler.clock(
        () => this.wallClock,
        () => step("turn"),
      ),
      timers: this.plan.timers,
      limits: this.plan.limits,
      events: {
        onState: (state, detail) => {
          this.note(`${name} is ${state}${detail === null ? "" : `: ${detail}`}`);
          if (state === "running") this.#caughtUp(host, client);
        },
        onNotice: (text) => {
          this.note(`${name}: ${text}`);
          // No broker here loses what it has committed, so somebody has written what was not published.
          if (text.startsWith("the store is ahead")) this.fail(new Error(`${host.name}: ${text}`));
        },
      },
    });
    process = new Process(name, host, client, task, models, this.generation);
    this.processes.push(process);
    this.note(`${name} starts on ${host.name} with ${models.names.join(" ")}`);
    const owned = process;
    task.run().then(
      () => this.#ended(owned, null),
      (error: unknown) => this.#ended(owned, error),
    );
    return process;
  }

  /** kill -9: nothing it has asked for is answered any more. */
  crash(process: Process): void {
    const { disk } = process.host;
    const { losesTail, losesStore } = this.faults;
    const unheard = disk.unacknowledged;
    let lost = this.random.between(0, unheard);
    if (losesTail && this.random.chance(0.3)) lost = this.random.between(0, disk.batches);
    if (losesStore && this.random.chance(0.1)) lost = disk.batches;
    this.note(`${process.name} is killed; ${process.host.name} loses ${lost} of ${disk.batches} batches`);
    process.isGone = true;
    process.client.kill();
    process.host.crash(lost);
  }

  /** Its machine is cut off from its disk, and what it has sent to the broker may still come there. */
  strand(process: Process): void {
    this.note(`${process.name} has lost its disk, and goes on`);
    process.host.crash(0);
    process.isGone = true;
  }

  /** A task that begins to run has caught up and written it: its store is where the log is. */
  #caughtUp(host: Host, client: BrokerClient): void {
    const { task, disk } = host;
    if (host.isDamaged || this.broker.owner(task) !== client || this.broker.committed(task) === null) return;
    this.#guard(() => checkStore(disk, this.invariant.contacts(task), null));
  }

  #ended(process: Process, error: unknown): void {
    process.error = error;
    process.isGone = true;
    const code = error instanceof ScorefoldError ? error.code : null;
    this.note(`${process.name} has ended${error === null ? "" : `: ${String(error)}`}`);
    const isFenced = code === "fenced";
    if (error !== null && !isFenced) this.fail(new Error(`${process.name} has failed for good`, { cause: error }));
  }

  #guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.fail(error as Error);
    }
  }
}
