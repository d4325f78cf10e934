/**
 * A model of a Kafka cluster in memory, for the simulator and for tests: what a task can see of transactions, epochs of
 * producers, marks that take offsets, the last stable offset, and publishes of whose outcome nobody hears. It has its own
 * clock, and knows no time but that.
 *
 * Every call of a client goes through `step`, by name. A step that throws is a broker that does not answer: before
 * `publish written` nothing was sent, after it the transaction hangs open until its task is opened again, and at
 * `publish committed` it went through and the caller does not learn it.
 */
import { ScorefoldError } from "../../src/errors.js";
import { encodeDeadLetter, type Original } from "../../src/events/dead-letter.js";
import { encodeOutput } from "../../src/events/encode.js";
import type { EpochMs, Output } from "../../src/events/types.js";
import type { Committed, Log, Offset, TaskLog, Topic, Transaction } from "../../src/stream/log.js";
import { type BrokerTransaction, Partition } from "./broker-partition.js";
import { BrokerTaskLog } from "./broker-task.js";
import { goOn, never, type Step } from "./step.js";

const OUTPUT_TOPICS: readonly Topic[] = ["score-changed", "threshold-crossed", "dead-letters"];
const topicOfOutput: Readonly<Record<Output["kind"], Topic>> = {
  ScoreChanged: "score-changed",
  ContactErased: "score-changed",
  ThresholdCrossed: "threshold-crossed",
};

export interface BrokerOptions {
  readonly inputTopics?: readonly Topic[];
  /** Partitions of each topic. */
  readonly tasks?: number;
  readonly step?: Step;
  /** How many of so many records one fetch gives; at least one. All of them, if it is left out. */
  readonly cut?: (records: number) => number;
  /** Told of each transaction that has gone through, before anybody else hears of it; outputs over all topics. */
  readonly onCommit?: (task: number, transaction: Transaction, owner: BrokerClient | null) => void;
}

interface TaskState {
  epoch: number;
  owner: BrokerClient | null;
  committed: Committed | null;
  /** Begun and neither committed nor aborted. */
  open: BrokerTransaction | null;
  /** The partitions that have records of it. */
  partitions: Set<Partition>;
}

export class Broker {
  readonly clusterId = "simulated";
  readonly inputTopics: readonly Topic[];
  readonly tasks: number;
  readonly step: Step;
  readonly cut: (records: number) => number;
  readonly #onCommit: NonNullable<BrokerOptions["onCommit"]>;
  #now: EpochMs = 1_767_225_600_000;
  readonly #partitions = new Map<string, Partition>();
  readonly #states: TaskState[];
  readonly #waiting = new Set<() => void>();

  constructor(options: BrokerOptions = {}) {
    const { inputTopics = ["inputs"], tasks = 1 } = options;
    this.inputTopics = inputTopics;
    this.tasks = tasks;
    this.step = options.step ?? goOn;
    this.cut = options.cut ?? ((records) => records);
    this.#onCommit = options.onCommit ?? (() => undefined);
    this.#states = Array.from({ length: tasks }, () => ({
      epoch: 0,
      owner: null,
      committed: null,
      open: null,
      partitions: new Set(),
    }));
    for (const topic of [...inputTopics, ...OUTPUT_TOPICS]) {
      for (let task = 0; task < tasks; task++) this.#partitions.set(`${topic}-${task}`, new Partition(topic, task));
    }
  }

  /** A client, as one process has it. */
  connect(step: Step = this.step): BrokerClient {
    return new BrokerClient(this, step);
  }

  get now(): EpochMs {
    return this.#now;
  }

  /** Lets time pass for the broker and for whoever waits. */
  advance(ms: number): void {
    this.#now += ms;
    this.changed();
  }

  partition(topic: Topic, task: number): Partition {
    const partition = this.#partitions.get(`${topic}-${task}`);
    if (partition === undefined) throw new ScorefoldError("usage", `the broker has no partition ${topic}-${task}`);
    return partition;
  }

  /** What an application upstream does; its clock may be anything. Gives the first offset. */
  append(topic: Topic, task: number, lines: readonly Original[], timestamp = this.#now): Offset {
    const partition = this.partition(topic, task);
    const base = partition.end;
    for (const line of lines) partition.add(line, timestamp, null);
    this.changed();
    return base;
  }

  /** The same in a transaction, which holds up all behind it until it is ended. */
  appendInTransaction(topic: Topic, task: number, lines: readonly Original[]): (end: "committed" | "aborted") => void {
    const transaction: BrokerTransaction = { state: "open" };
    const partition = this.partition(topic, task);
    for (const line of lines) partition.add(line, this.#now, transaction);
    return (end) => this.#end(transaction, end, [partition]);
  }

  dropBefore(topic: Topic, task: number, offset: Offset): void {
    this.partition(topic, task).dropBefore(offset);
  }

  /** What a consumer of committed records sees of a topic. */
  read(topic: Topic, task = 0): { readonly offset: Offset; readonly value: string }[] {
    const partition = this.partition(topic, task);
    return [...partition.readable(partition.bounds.start)].map(({ offset, content }) => {
      return { offset, value: typeof content === "string" ? content : content.head };
    });
  }

  /** What the last transaction of a task committed. */
  committed(task: number): Committed | null {
    return this.#state(task).committed;
  }

  /** Who took the task over last. */
  owner(task: number): BrokerClient | null {
    return this.#state(task).owner;
  }

  /** As `InitProducerId`: aborts what hangs open, and gives an epoch that fences all before it. */
  takeOver(task: number, owner: BrokerClient | null = null): number {
    const state = this.#state(task);
    state.epoch += 1;
    state.owner = owner;
    if (state.open !== null) this.#end(state.open, "aborted", state.partitions);
    state.open = null;
    return state.epoch;
  }

  /** @throws ScorefoldError `fenced` */
  begin(task: number, epoch: number, { outputs, deadLetters }: Transaction): BrokerTransaction {
    const state = this.#owned(task, epoch);
    const transaction: BrokerTransaction = { state: "open" };
    state.open = transaction;
    state.partitions = new Set();
    const add = (topic: Topic, value: string): void => {
      const partition = this.partition(topic, task);
      partition.add(value, this.#now, transaction);
      state.partitions.add(partition);
    };
    for (const output of outputs) add(topicOfOutput[output.kind], encodeOutput(output));
    for (const letter of deadLetters) add("dead-letters", encodeDeadLetter(letter));
    return transaction;
  }

  /** @throws ScorefoldError `fenced` */
  commit(task: number, epoch: number, begun: BrokerTransaction, transaction: Transaction): void {
    const state = this.#owned(task, epoch);
    state.committed = { offsets: transaction.offsets, metadata: transaction.metadata };
    state.open = null;
    this.#end(begun, "committed", state.partitions);
    this.#onCommit(task, transaction, state.owner);
  }

  /** Resolves when `isOver` says so after something changed. */
  async until(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  /** Lets all who wait look again. */
  changed(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #end(transaction: BrokerTransaction, state: "committed" | "aborted", partitions: Iterable<Partition>): void {
    transaction.state = state;
    for (const partition of partitions) partition.add(null, this.#now, transaction);
    this.changed();
  }

  #owned(task: number, epoch: number): TaskState {
    const state = this.#state(task);
    if (state.epoch === epoch) return state;
    throw new ScorefoldError(
      "fenced",
      `task ${task} has another owner: its epoch is ${state.epoch}, this one is ${epoch}`,
    );
  }

  #state(task: number): TaskState {
    const state = this.#states[task];
    if (state === undefined) throw new ScorefoldError("internal", `the broker has no task ${task}`);
    return state;
  }
}

/** The log as one process sees it. */
export class BrokerClient implements Log {
  readonly clusterId: string;
  readonly inputTopics: readonly Topic[];
  readonly origin = null;
  readonly taskOf = null;
  readonly models = null;
  readonly broker: Broker;
  isClosed = false;
  readonly #step: Step;
  #isGone = false;

  constructor(broker: Broker, step: Step) {
    this.broker = broker;
    this.#step = step;
    this.clusterId = broker.clusterId;
    this.inputTopics = broker.inputTopics;
  }

  async open(task: number): Promise<TaskLog> {
    await this.gate("open");
    const epoch = this.broker.takeOver(task, this);
    await this.gate("opened");
    return new BrokerTaskLog(this, task, epoch);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.broker.changed();
  }

  /** The process is gone: nothing it asked is answered any more, and nothing it was about to send is sent. */
  kill(): void {
    this.#isGone = true;
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
    }
    if (this.#isGone) await never();
  }

  checkOpen(): void {
    if (this.isClosed) throw new ScorefoldError("stopping", "the log is closed; connect again");
  }
}
