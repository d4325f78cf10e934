/**
 * The world of one seed: a broker, disks, and processes that run the real task. A turn either lets one of those go on
 * that wait, or does something to them.
 */
import { ScorefoldError } from "../../src/errors.js";
import type { Original } from "../../src/events/dead-letter.js";
import type { EpochMs } from "../../src/events/types.js";
import { compile } from "../../src/model/compile.js";
import { ModelSet } from "../../src/stream/models.js";
import { Task, type TaskOptions } from "../../src/stream/task.js";
import { Broker } from "./broker.js";
import { Cluster } from "./cluster.js";
import { SimulatedDisk } from "./disk.js";
import { Host } from "./host.js";
import { Invariant } from "./invariant.js";
import { type Arrival, type Faults, type Plan, REKEYED, taskOf } from "./plan.js";
import { Process } from "./process.js";
import type { Random } from "./random.js";
import { Scheduler } from "./scheduler.js";
import { never, type Step } from "./step.js";
import { checkStore } from "./store-check.js";

export class World {
  readonly plan: Plan;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly broker: Broker;
  readonly invariant: Invariant;
  readonly hosts: Host[] = [];
  /** Null: there is a process for each task, and no group. */
  readonly cluster: Cluster | null;
  readonly trace: string[] = [];
  faults: Faults;
  processes: Process[] = [];
  failure: Error | null = null;
  /** Which of the sets of models new processes run. */
  generation = 0;
  /** How far the wall clock is from the true time. */
  skew = 0;
  readonly #sets: ModelSet[];
  /** Writers upstream with a transaction that they have not ended, and what they write again where it is aborted. */
  #writers: { readonly end: (how: "committed" | "aborted") => void; readonly arrival: Arrival }[] = [];
  #arrived = 0;
  #started = 0;

  constructor(plan: Plan, random: Random) {
    this.plan = plan;
    this.random = random;
    this.faults = plan.faults;
    this.scheduler = new Scheduler(random);
    this.#sets = plan.models.map((models) => new ModelSet(models.map(compile)));
    const marks = this.scheduler.step("broker");
    this.broker = new Broker({
      inputTopics: plan.cluster === null ? plan.topics : [...plan.topics, REKEYED],
      tasks: plan.tasks,
      ...(plan.cluster === null ? {} : { taskOf: (contactId) => taskOf(contactId, plan.tasks) }),
      mark: async () => await marks("mark"),
      cut: (records) => (random.chance(0.3) ? random.between(1, records) : records),
      onCommit: (task, committed, owner) => {
        const process = this.processes.findLast((one) => one.client === owner && one.host.task === task) as Process;
        this.note(`${process.name} has committed ${committed.metadata}`);
        this.#guard(() => this.invariant.committed(task, committed, process.models));
      },
    });
    this.broker.advance(plan.start - this.broker.now);
    const { limits, timers } = plan;
    this.invariant = new Invariant({ broker: this.broker, limits, timers, note: (text) => this.note(text) });
    for (let task = 0; task < plan.tasks; task++) {
      for (let machine = 0; machine < plan.stores; machine++) {
        const name = `store-${task}-${machine}`;
        this.hosts.push(new Host(name, task, machine, () => new SimulatedDisk(this.scheduler.step(name))));
      }
    }
    this.cluster = plan.cluster === null ? null : new Cluster(this, plan.cluster);
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
      if (calls === 0 || who === "broker" || what === "disk close" || what === "turn" || !this.random.chance(1 / calls))
        return null;
      return who.startsWith("store")
        ? new ScorefoldError("database-failed", "the disk did not answer")
        : new Error("connection reset");
    });
    this.note(told);
  }

  arrive(count: number): void {
    const { random, broker } = this;
    for (const arrival of this.plan.arrivals.slice(this.#arrived, this.#arrived + count)) {
      const late = arrival.at - broker.now;
      if (late > 0) this.advance(late);
      const { topic, task, content } = arrival;
      this.#arrived += 1;
      if (random.chance(0.05)) broker.leaveGap(topic, task, random.between(1, 3));
      if (random.chance(0.05)) {
        this.#writers.push({ arrival, end: broker.appendInTransaction(topic, task, [content]) });
        this.note(`${topic}-${task} in a transaction: ${textOf(content)}`);
      } else this.#append(arrival);
    }
  }

  get hasWriters(): boolean {
    return this.#writers.length > 0;
  }

  /** One of those who write in transactions ends his; what was aborted he has to write again. */
  endWriter(): void {
    const [writer] = this.#writers.splice(this.random.between(0, this.#writers.length - 1), 1);
    if (writer === undefined) return;
    const how = this.random.pick(["committed", "aborted"] as const);
    const { topic, task, content } = writer.arrival;
    this.note(`${topic}-${task} has ${how}: ${textOf(content)}`);
    writer.end(how);
    if (how === "aborted") this.#append(writer.arrival);
  }

  #append({ topic, task, content }: Arrival): void {
    const offset = this.broker.append(topic, task, [content]);
    this.note(`${topic}-${task} ${offset} ${textOf(content)}`);
  }

  /** Those that a process has that starts now. */
  get models(): ModelSet {
    return this.#sets[this.generation] as ModelSet;
  }

  /** Starts a process for one task alone. */
  start(host: Host): Process {
    const name = `process ${++this.#started}`;
    const step = this.scheduler.step(name);
    const { models, generation } = this;
    const client = this.broker.connect(step);
    const process = new Process({ name, host, client, models, generation, member: null });
    const task = new Task(this.taskOptions(process, step));
    process.run({ task });
    this.add(process);
    task.run().then(
      () => this.ended(process, null),
      (error: unknown) => this.ended(process, error),
    );
    return process;
  }

  add(process: Process): void {
    this.processes.push(process);
    this.note(`${process.name} starts on ${process.host.name} with ${process.models.names.join(" ")}`);
  }

  taskOptions(process: Process, step: Step): TaskOptions {
    const { name, host, client, models } = process;
    return {
      log: client,
      task: host.task,
      store: {
        open: async () => await (process.isGone ? never() : host.open(process)),
        setAside: async () => await (process.isGone ? never() : host.setAside()),
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
          if (state === "running") this.#caughtUp(process);
        },
        onNotice: (text) => {
          this.note(`${name}: ${text}`);
          // No broker here loses what it has committed, so somebody has written what was not published.
          if (text.startsWith("the store is ahead")) this.fail(new Error(`${host.name}: ${text}`));
        },
      },
    };
  }

  /** Asks a process to end, after its commits under way. */
  stop(process: Process): void {
    this.note(`${(process.member ?? process).name} is asked to stop`);
    if (process.member === null) process.task.stop();
    else void process.member.stop();
  }

  /** kill -9: nothing it has asked for is answered any more; what it has sent may still come to the broker. */
  crash(process: Process): void {
    const delivers = this.random.chance(0.3);
    if (process.member !== null) this.cluster?.kill(process.member, delivers);
    else {
      this.lose(process);
      process.client.kill(delivers);
    }
  }

  /** The process is gone, and what it has not heard of may be gone from its disk. */
  lose(process: Process): void {
    process.isGone = true;
    const { host } = process;
    if (host.isOfAnother(process)) return;
    const { disk } = host;
    const { losesTail, losesStore } = this.faults;
    let lost = this.random.between(0, disk.unacknowledged);
    if (losesTail && this.random.chance(0.3)) lost = this.random.between(0, disk.batches);
    if (losesStore && this.random.chance(0.1)) lost = disk.batches;
    this.note(`${process.name} is killed; ${host.name} loses ${lost} of ${disk.batches} batches`);
    host.crash(lost);
  }

  /** Its machine is cut off from its disk, and what it asks of the broker goes on. */
  strand(process: Process): void {
    this.note(`${process.name} has lost its disk, and goes on`);
    process.host.crash(0);
    process.isGone = true;
  }

  /** A task that begins to run has caught up and written it: its store is where the log is. */
  #caughtUp({ host, client }: Process): void {
    const { task, disk } = host;
    if (host.isDamaged || this.broker.owner(task) !== client || this.broker.committed(task) === null) return;
    this.#guard(() => checkStore(disk, this.invariant.contacts(task), null));
  }

  ended(process: Process, error: unknown): void {
    process.error = error;
    process.isGone = true;
    const code = error instanceof ScorefoldError ? error.code : null;
    this.note(`${process.name} has ended${error === null ? "" : `: ${String(error)}`}`);
    if (error === null || code === "fenced" || this.cluster?.isRefused(process, code) === true) return;
    this.fail(new Error(`${process.name} has failed for good`, { cause: error }));
  }

  #guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.fail(error as Error);
    }
  }
}

function textOf(content: Original): string {
  return typeof content === "string" ? content : content.head;
}
