/**
 * What must hold after every commit, read from the broker alone: the committed inputs, positions and outputs. What is
 * published of each contact is what follows from the inputs up to the committed offsets, and from time up to the
 * committed place of the timers; no output is out twice; dead letters are those of the records that were put aside.
 */
import { decodeLine } from "../../src/events/decode.js";
import { encodeOutput } from "../../src/events/encode.js";
import type { EpochMs, Input, Output } from "../../src/events/types.js";
import { ContactFold } from "../../src/fold/contact.js";
import type { ContactKey } from "../../src/store/keys.js";
import type { TaskLimits } from "../../src/stream/limits.js";
import type { Committed, Topic, Transaction } from "../../src/stream/log.js";
import { decodeMetadata } from "../../src/stream/metadata.js";
import type { ModelSet } from "../../src/stream/models.js";
import { inKeyOrder } from "../fold/engine.js";
import { oracle } from "../oracle/oracle.js";
import { compareText } from "../oracle/order.js";
import { ArrivedContact, textOf } from "./arrived.js";
import type { Broker } from "./broker.js";
import type { Entry } from "./broker-partition.js";
import { PublishedContact } from "./published.js";

export interface InvariantOptions {
  readonly broker: Broker;
  readonly limits: TaskLimits;
  readonly timers: "clock" | "manual";
  readonly note: (text: string) => void;
}

type Place = ReturnType<typeof decodeMetadata>["timer"];

interface Record {
  readonly topic: Topic;
  readonly entry: Entry & { readonly content: NonNullable<Entry["content"]> };
  /** Null: it can't be an input, for this reason. */
  readonly input: Input | null;
  readonly reason: string;
}

export class ContactView {
  readonly key: ContactKey;
  readonly tenantId: string;
  readonly contactId: string;
  readonly arrived = new ArrivedContact();
  readonly published = new PublishedContact();
  models: ModelSet;
  passed: EpochMs | null = null;
  #fold: ContactFold | null = null;

  constructor(key: ContactKey, { tenantId, contactId }: Input, models: ModelSet) {
    this.key = key;
    this.tenantId = tenantId;
    this.contactId = contactId;
    this.models = models;
    this.published.adopt(models.of(tenantId));
  }

  adopt(models: ModelSet): void {
    if (models.id === this.models.id) return;
    this.models = models;
    this.published.adopt(models.of(this.tenantId));
    this.#fold = null;
  }

  receive(input: Input): Input | null {
    this.#fold = null;
    return this.arrived.take(input);
  }

  /** One pass over all that came, in key order, advanced to what timers have passed. */
  folded(passed = this.passed): ContactFold {
    if (this.#fold === null) {
      this.#fold = new ContactFold(this.models.of(this.tenantId), this.tenantId, this.contactId, { history: "kept" });
      for (const input of inKeyOrder(this.arrived.received)) this.#fold.receive(input);
    }
    if (passed !== null) this.#fold.advance(passed);
    return this.#fold;
  }

  check(topics = 1): void {
    const fold = this.folded();
    fold.foldedStates().forEach((state, i) => {
      if (topics > 1 && state.firstSight === null) this.published.wasEmpty = true;
      try {
        this.published.check(fold.models[i]!, state);
      } catch (error) {
        throw new Error(`contact ${JSON.stringify(this.key)}: ${(error as Error).message}`);
      }
    });
  }

  /** The same as a naive reading of the rules has it. */
  checkNaively(asOf: EpochMs): void {
    const models = this.models.of(this.tenantId).map(({ model }) => model);
    const { lines } = oracle(models, this.arrived.received, asOf);
    const own = this.folded(asOf).scoreLines();
    const [one, other] = [JSON.stringify(own), JSON.stringify(lines)];
    if (one !== other) throw new Error(`contact ${JSON.stringify(this.key)}: folded is ${one}, and should be ${other}`);
  }
}

class TaskOutputs {
  offsets = new Map<Topic, number>();
  timer: Place = { all: null, run: null };
  readonly read = new Map<Topic, number>();
  readonly contacts = new Map<ContactKey, ContactView>();
}

export class Invariant {
  readonly #options: InvariantOptions;
  readonly #tasks = new Map<number, TaskOutputs>();
  readonly #ids = new Set<string>();
  readonly #rekeyed: string[] = [];
  commits = 0;

  constructor(options: InvariantOptions) {
    this.#options = options;
  }

  contacts(task: number): ReadonlyMap<ContactKey, ContactView> {
    return this.#of(task).contacts;
  }

  /** @param models of the owner who committed */
  committed(task: number, committed: Transaction, models: ModelSet): void {
    this.commits += 1;
    const view = this.#of(task);
    const { timer, change } = decodeMetadata(committed.metadata);
    const records = this.#records(task, view, committed);
    const { letters, rekeyed } = this.#fold(task, view, records, models);
    for (const contact of view.contacts.values()) {
      if (change === null || compareText(contact.key, change.done) <= 0) contact.adopt(models);
    }
    this.#pass(view, timer);
    const away = rekeyed.length > 0 ? `, ${rekeyed.length} passed on` : "";
    this.#options.note(`    ${records.length} records, ${letters.length} dead letters${away}`);
    this.#outputs(task, view, committed.outputs as readonly Output[]);
    this.#deadLetters(task, view, letters);
    const passedOn = (committed.rekeyed ?? []).map(({ task: to, input }) => `${to} ${textOf(input)}`);
    same("what is passed on to other tasks", passedOn.sort(), rekeyed.toSorted());
    for (const one of rekeyed) this.#rekeyed.push(one);
    for (const contact of view.contacts.values()) contact.check(this.#options.broker.inputTopics.length);
  }

  /** Once all is folded: over all tasks, each input that came has been folded once, in the task of its contact. */
  checkWhole(): void {
    const { broker } = this.#options;
    const own = broker.taskOf === null ? broker.inputTopics : broker.inputTopics.slice(0, -1);
    const partitions = Array.from({ length: broker.tasks }, (_, task) => task);
    const inputsOf = (topic: Topic, task: number): Input[] =>
      [...broker.partition(topic, task).readable(0)].flatMap((entry) => this.#recordOf(topic, entry).input ?? []);
    const came = own.flatMap((topic) => partitions.flatMap((task) => inputsOf(topic, task).map(textOf)));
    const folded = partitions.flatMap((task) =>
      [...this.contacts(task).values()].flatMap(({ arrived }) => arrived.received.map(textOf)),
    );
    same("the inputs that are folded", folded.sort(), came.sort());
    if (broker.taskOf === null) return;
    const topic = broker.inputTopics.at(-1) as Topic;
    const passedOn = partitions.flatMap((task) => inputsOf(topic, task).map((input) => `${task} ${textOf(input)}`));
    same("what lies in the topic between tasks", passedOn.sort(), this.#rekeyed.toSorted());
  }

  #of(task: number): TaskOutputs {
    let view = this.#tasks.get(task);
    if (view === undefined) {
      view = new TaskOutputs();
      this.#tasks.set(task, view);
    }
    return view;
  }

  /** What the positions say is taken, in the order of event time over all topics; in a topic the order is its own. */
  #records(task: number, view: TaskOutputs, { offsets }: Pick<Committed, "offsets">): Record[] {
    const { broker } = this.#options;
    const queues: Record[][] = [];
    for (const topic of broker.inputTopics) {
      const from = view.offsets.get(topic) ?? 0;
      const to = offsets.get(topic) ?? 0;
      if (to < from) throw new Error(`the position in ${topic} goes back from ${from} to ${to}`);
      view.offsets.set(topic, to);
      const queue: Record[] = [];
      for (const entry of broker.partition(topic, task).readable(from)) {
        if (entry.offset >= to) break;
        queue.push(this.#recordOf(topic, entry));
      }
      queues.push(queue);
    }
    const merged: Record[] = [];
    for (;;) {
      const heads = queues.filter((queue) => queue.length > 0);
      if (heads.length === 0) return merged;
      const timeOf = ([head]: Record[]): number => head?.input?.at ?? decodedAt(head);
      merged.push(heads.reduce((best, queue) => (timeOf(queue) < timeOf(best) ? queue : best)).shift() as Record);
    }
  }

  #recordOf(topic: Topic, entry: Record["entry"]): Record {
    const { content } = entry;
    if (typeof content !== "string") return { topic, entry, input: null, reason: "undecodable" };
    const decoded = decodeLine(content);
    if (!decoded.ok) return { topic, entry, input: null, reason: decoded.reason };
    const isAhead = decoded.input.at > entry.timestamp + this.#options.limits.inputAheadMsMax;
    return { topic, entry, input: isAhead ? null : decoded.input, reason: isAhead ? "too-far-ahead" : "conflict" };
  }

  /** @returns the dead letters that follow, and the inputs that other tasks have to fold */
  #fold(
    task: number,
    view: TaskOutputs,
    records: readonly Record[],
    models: ModelSet,
  ): { readonly letters: string[]; readonly rekeyed: string[] } {
    const letters: string[] = [];
    const rekeyed: string[] = [];
    const taskOf = this.#options.broker.taskOf ?? (() => task);
    for (const { topic, entry, input, reason } of records) {
      const place = `${topic} ${entry.offset} ${reason}`;
      if (input === null) {
        letters.push(place);
        continue;
      }
      const to = taskOf(input.contactId);
      if (to !== task) {
        rekeyed.push(`${to} ${textOf(input)}`);
        continue;
      }
      const key = `${input.tenantId}\0${input.contactId}`;
      let contact = view.contacts.get(key);
      if (contact === undefined) {
        contact = new ContactView(key, input, models);
        view.contacts.set(key, contact);
      }
      const loser = contact.receive(input);
      if (loser !== null) letters.push(`${place} ${textOf(loser)}`);
    }
    return { letters, rekeyed };
  }

  #pass(view: TaskOutputs, timer: Place): void {
    const { broker, limits, timers } = this.#options;
    const until = Math.max(timer.all ?? Number.NEGATIVE_INFINITY, timer.run?.until ?? Number.NEGATIVE_INFINITY);
    if (timers === "clock" && until > broker.now + limits.clockAheadMsMax - limits.timerGraceMs)
      throw new Error(`timers are at ${until}, and the log's clock is at ${broker.now}`);
    view.timer = timer;
    for (const contact of view.contacts.values()) {
      const hadTurn = timer.run !== null && compareText(contact.key, timer.run.done) <= 0;
      const passed = hadTurn ? (timer.run?.until as EpochMs) : timer.all;
      if (contact.passed !== null && (passed === null || passed < contact.passed))
        throw new Error(`timers of ${JSON.stringify(contact.key)} go back from ${contact.passed} to ${passed}`);
      contact.passed = passed;
    }
  }

  #outputs(task: number, view: TaskOutputs, outputs: readonly Output[]): void {
    for (const topic of ["score-changed", "threshold-crossed"]) {
      const isHere = (output: Output): boolean =>
        (output.kind === "ThresholdCrossed") === (topic === "threshold-crossed");
      same(`what is readable of ${topic}`, [...this.#new(task, view, topic)], outputs.filter(isHere).map(encodeOutput));
    }
    for (const output of outputs) {
      this.#options.note(`    ${encodeOutput(output)}`);
      const id = output.kind === "ThresholdCrossed" ? output.eventId : output.id;
      // Back and forth between models at one instant of a contact, there is nothing else to tell two outputs by.
      if (this.#ids.has(id) && (output.kind === "ContactErased" || output.cause.kind !== "model"))
        throw new Error(`the output ${id} is out twice`);
      this.#ids.add(id);
      const contact = view.contacts.get(`${output.tenantId}\0${output.contactId}`);
      if (contact === undefined) throw new Error(`the output ${id} is of a contact without inputs`);
      contact.published.take(output, contact.models.of(contact.tenantId));
    }
  }

  #deadLetters(task: number, view: TaskOutputs, expected: readonly string[]): void {
    const found = [...this.#new(task, view, "dead-letters")].map((value) => {
      const { topic, offset, reason, original } = JSON.parse(value);
      const place = `${topic} ${offset} ${reason}`;
      return reason === "conflict" ? `${place} ${textOf(JSON.parse(original))}` : place;
    });
    same("the dead letters", found.sort(), expected.toSorted());
  }

  *#new(task: number, view: TaskOutputs, topic: Topic): Generator<string> {
    const { broker } = this.#options;
    const partition = broker.partition(topic, task);
    const from = view.read.get(topic) ?? 0;
    view.read.set(topic, partition.stable);
    for (const { content } of partition.readable(from)) yield content as string;
  }
}

function same(what: string, found: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${what}: ${one}, and should be ${other}`);
}

/** A record that is too far ahead has its place by its instant; one that can't be read comes first. */
function decodedAt(head: Record | undefined): number {
  const content = head?.entry.content;
  if (head?.reason !== "too-far-ahead" || typeof content !== "string") return Number.NEGATIVE_INFINITY;
  const decoded = decodeLine(content);
  return decoded.ok ? decoded.input.at : Number.NEGATIVE_INFINITY;
}
