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
import { canonicalJson } from "../../src/events/canonical.js";
import { encodeDeadLetter, type Original } from "../../src/events/dead-letter.js";
import { encodeOutput } from "../../src/events/encode.js";
import type { ContactId, EpochMs, Output } from "../../src/events/types.js";
import type { Committed, Marks, Offset, Topic, Transaction } from "../../src/stream/log.js";
import { BrokerClient } from "./broker-client.js";
import { Partition } from "./broker-partition.js";
import { ProducerTransaction } from "./broker-transaction.js";
import { goOn, type Step } from "./step.js";

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
  /** The task that a contact belongs to: inputs of another one go to it through the last of the input topics. */
  readonly taskOf?: (contactId: ContactId) => number;
  readonly step?: Step;
  /** What the broker waits for before it tells a partition how a transaction has ended; else all know it at once. */
  readonly mark?: () => Promise<void>;
  /** How many of so many records one fetch gives; at least one. All of them, if it is left out. */
  readonly cut?: (records: number) => number;
  /** Told of each transaction that has gone through, when all of it can be read; outputs over all topics. */
  readonly onCommit?: (task: number, transaction: Transaction, owner: BrokerClient | null) => void;
}

interface TaskState {
  epoch: number;
  owner: BrokerClient | null;
  committed: Committed | null;
  /** The last one; its end may not be told everywhere. */
  transaction: ProducerTransaction | null;
  /** Sent with it, to hold once it is committed. */
  offsets: Committed | null;
}

export class Broker {
  readonly clusterId = "simulated";
  readonly inputTopics: readonly Topic[];
  readonly tasks: number;
  readonly taskOf: ((contactId: ContactId) => number) | null;
  /** By input topic: one that is made anew has another. */
  readonly topicIds = new Map<Topic, string>();
  /** How many partitions its topics are said to have: more than `tasks` where somebody has added some. */
  partitions: number;
  /** The texts of sets of models, by the set, as the processes of an application share them. */
  readonly models = new Map<string, ReadonlyMap<string, string>>();
  readonly step: Step;
  readonly cut: (records: number) => number;
  readonly #mark: (() => Promise<void>) | null;
  readonly #onCommit: NonNullable<BrokerOptions["onCommit"]>;
  #now: EpochMs = 1_767_225_600_000;
  readonly #partitions = new Map<string, Partition>();
  readonly #states: TaskState[];
  readonly #waiting = new Set<() => void>();

  constructor(options: BrokerOptions = {}) {
    const { inputTopics = ["inputs"], tasks = 1 } = options;
    this.inputTopics = inputTopics;
    this.tasks = tasks;
    this.partitions = tasks;
    this.taskOf = options.taskOf ?? null;
    this.step = options.step ?? goOn;
    this.#mark = options.mark ?? null;
    this.cut = options.cut ?? ((records) => records);
    this.#onCommit = options.onCommit ?? (() => undefined);
    this.#states = Array.from({ length: tasks }, () => ({
      epoch: 0,
      owner: null,
      committed: null,
      transaction: null,
      offsets: null,
    }));
    for (const topic of inputTopics) this.topicIds.set(topic, `${topic} 1`);
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
    const transaction = new ProducerTransaction();
    const partition = this.partition(topic, task);
    for (const line of lines) transaction.add(partition, line, this.#now);
    return (outcome) => this.#end(transaction, outcome, () => undefined);
  }

  /** Offsets that nobody gets a record for: compaction has taken what was there. */
  leaveGap(topic: Topic, task: number, count: number): void {
    const partition = this.partition(topic, task);
    for (let i = 0; i < count; i++) partition.add(null, this.#now, null);
    this.changed();
  }

  dropBefore(topic: Topic, task: number, offset: Offset): void {
    this.partition(topic, task).dropBefore(offset);
  }

  /** A partition loses its end, as where a leader is elected that did not have it, or an older disk is put in its place. */
  truncate(topic: Topic, task: number, offset: Offset): void {
    this.partition(topic, task).truncate(offset);
    this.changed();
  }

  /** A topic is deleted and made anew under its name; what was committed of it is forgotten. */
  makeAnew(topic: Topic): void {
    this.topicIds.set(topic, `${this.topicIds.get(topic)} anew`);
    for (let task = 0; task < this.tasks; task++) {
      this.partition(topic, task).makeAnew();
      this.forget(task, [topic]);
    }
    this.changed();
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

  /** The same as soon as it is decided, and before everybody is told. */
  decided(task: number): Committed | null {
    const { transaction, offsets, committed } = this.#state(task);
    return transaction?.outcome === "committed" ? offsets : committed;
  }

  /** Whether no task has a transaction that is open, or not told everywhere. */
  get isQuiet(): boolean {
    return this.#states.every(({ transaction }) => transaction?.isOver !== false);
  }

  /** Who took the task over last. */
  owner(task: number): BrokerClient | null {
    return this.#state(task).owner;
  }

  /** As after a week without members: what was committed for these topics is known no more. */
  forget(task: number, topics: readonly Topic[]): void {
    const state = this.#state(task);
    if (state.committed === null) return;
    const offsets = new Map([...state.committed.offsets].filter(([topic]) => !topics.includes(topic)));
    state.committed = offsets.size === 0 ? null : { ...state.committed, offsets };
  }

  /** Brings back what was known. */
  recall(task: number, committed: Committed | null): void {
    this.#state(task).committed = committed;
  }

  /**
   * As `InitProducerId`: aborts what hangs open, waits until that, or what was committed last, is told everywhere, and
   * gives an epoch that fences all before it.
   */
  async takeOver(task: number, owner: BrokerClient | null = null): Promise<number> {
    const state = this.#state(task);
    while (state.transaction?.isOver === false) {
      this.timeOut(task);
      await this.until(() => state.transaction?.isOver !== false);
    }
    state.epoch += 1;
    state.owner = owner;
    return state.epoch;
  }

  /** Aborts what hangs open, and fences who has begun it. */
  timeOut(task: number): void {
    const state = this.#state(task);
    const { transaction } = state;
    if (transaction === null || transaction.outcome !== null) return;
    state.epoch += 1;
    state.owner = null;
    this.#end(transaction, "aborted", () => undefined);
  }

  /** Begins a transaction and takes its records. @returns the last of each output topic. @throws ScorefoldError `fenced` */
  async produce(task: number, epoch: number, transaction: Transaction): Promise<Marks> {
    const state = this.#owned(task, epoch);
    await this.until(() => state.transaction?.isOver !== false);
    this.#owned(task, epoch);
    const begun = new ProducerTransaction();
    state.transaction = begun;
    state.offsets = null;
    const add = (topic: Topic, value: string, to = task): void =>
      begun.add(this.partition(topic, to), value, this.#now);
    for (const output of transaction.outputs) add(topicOfOutput[output.kind], encodeOutput(output as Output));
    for (const letter of transaction.deadLetters) add("dead-letters", encodeDeadLetter(letter));
    for (const { task: to, input } of transaction.rekeyed ?? [])
      add(this.inputTopics.at(-1) as Topic, canonicalJson(input), to);
    return new Map(begun.written(task, OUTPUT_TOPICS));
  }

  /** As `TxnOffsetCommit`. @throws ScorefoldError `fenced` */
  sendOffsets(task: number, epoch: number, { offsets, marks, metadata }: Committed): void {
    this.#owned(task, epoch).offsets = { offsets, marks, metadata };
  }

  /** As `EndTxn`. @throws ScorefoldError `fenced` */
  commit(task: number, epoch: number, transaction: Transaction): void {
    const state = this.#owned(task, epoch);
    const { owner, offsets } = state;
    this.#end(state.transaction as ProducerTransaction, "committed", () => {
      state.committed = offsets;
      this.#onCommit(task, transaction, owner);
    });
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

  #end(transaction: ProducerTransaction, outcome: "committed" | "aborted", onOver: () => void): void {
    transaction.end(outcome, { now: () => this.#now, mark: this.#mark, onMark: () => this.changed(), onOver });
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
