/**
 * From records to what they do: inputs in order of their instants over all topics, each folded into its contact; outputs
 * and dead letters gathered for one transaction.
 */
import type { DeadLetter, Original } from "../events/dead-letter.js";
import type { DeadLetterReason } from "../events/decode.js";
import { encodeInput } from "../events/encode.js";
import { isAlsoLater } from "../events/erasure.js";
import { formatInstant } from "../events/time.js";
import type { ContactId, EpochMs, Input, Output } from "../events/types.js";
import { type ContactKey, contactKey } from "../store/keys.js";
import type { TimerPlace } from "../store/position.js";
import type { ContactStore } from "../store/store.js";
import type { TaskContact } from "./contact.js";
import type { HotContacts } from "./hot-contacts.js";
import type { TaskLimits } from "./limits.js";
import type { EncodedOutput, Fetched, LogRecord, Offsets, Rekeyed } from "./log.js";
import { passedBy } from "./timers.js";

/** Reads of histories under way at a time: more would only wait for each other. */
const LOADS_AT_ONCE = 16;
/** Contacts whose histories may be in memory at a time. */
const HISTORIES_AT_ONCE = 128;

/** What folding gathered: to be published together. */
export class Gathered {
  readonly outputs: (Output | EncodedOutput)[] = [];
  readonly deadLetters: DeadLetter[] = [];
  readonly rekeyed: Rekeyed[] = [];
  records = 0;
  inputs = 0;
  late = 0;
  duplicates = 0;
  /** Inputs that an erasure keeps from being folded. */
  erased = 0;
  /** The newest instant of an input. */
  newest: EpochMs | null = null;
  /** Nothing is to be published: it was, before. */
  readonly isMuted: boolean;
  readonly #encode: ((output: Output) => EncodedOutput) | null;

  constructor({ isMuted = false, encode }: GatheredOptions = {}) {
    this.isMuted = isMuted;
    this.#encode = encode ?? null;
  }

  /** Takes all that `outputsOf` has given. */
  take(outputs: readonly (Output | EncodedOutput)[]): void {
    for (const output of outputs) this.outputs.push(output);
  }

  /** What a contact has to say, as it is to be published. */
  outputsOf({ fold }: TaskContact): readonly (Output | EncodedOutput)[] {
    const outputs = fold.drain();
    if (this.isMuted || outputs.length === 0) return noOutputs;
    return this.#encode === null ? outputs : outputs.map(this.#encode);
  }

  /** What came of the records of a batch, in their order. */
  takeAll({ outputs, deadLetters }: Fates): void {
    for (const own of outputs) if (own !== undefined) this.take(own);
    deadLetters.sort(([a], [b]) => a - b);
    for (const [, letter] of deadLetters) this.deadLetters.push(letter);
  }
}

interface GatheredOptions {
  readonly isMuted?: boolean;
  readonly encode?: ((output: Output) => EncodedOutput) | undefined;
}

const noOutputs: readonly never[] = [];

/** What comes of the records of a batch, by their places. */
interface Fates {
  readonly outputs: (readonly (Output | EncodedOutput)[] | undefined)[];
  readonly deadLetters: [place: number, letter: DeadLetter][];
}

function setAside(record: LogRecord, reason: DeadLetterReason, error: string, original: Original): DeadLetter {
  const { topic, partition, offset, source } = record;
  return { reason, error, topic, partition, offset, source, original };
}

/** Records to be folded, in order, and where the topics stand afterwards. */
export interface Merged {
  readonly records: readonly LogRecord[];
  readonly offsets: Offsets;
}

/**
 * Brings what was fetched into the order of event time, so that fewer inputs are late. Where a topic has more that was
 * not fetched, what would come after it waits for the next fetch.
 */
export function mergeByTime(fetched: readonly Fetched[], from: Offsets): Merged {
  const offsets = new Map(from);
  const active = fetched.filter(({ records }) => records.length > 0);
  for (const { topic, records, next } of fetched) if (records.length === 0) offsets.set(topic, next);
  if (active.length === 1) {
    offsets.set(active[0]!.topic, active[0]!.next);
    return { records: active[0]!.records, offsets };
  }
  const places = active.map(() => 0);
  const merged: LogRecord[] = [];
  for (;;) {
    let lowest = -1;
    let at = Number.POSITIVE_INFINITY;
    let isCut = false;
    active.forEach(({ records, next, end }, i) => {
      const record = records[places[i]!];
      if (record === undefined) {
        isCut ||= next < end;
        return;
      }
      const own = record.decoded.ok ? record.decoded.input.at : Number.NEGATIVE_INFINITY;
      if (lowest < 0 || own < at) [lowest, at] = [i, own];
    });
    if (lowest < 0 || isCut) break;
    merged.push(active[lowest]!.records[places[lowest]!++]!);
  }
  active.forEach(({ topic, records, next }, i) => {
    offsets.set(topic, records[places[i]!]?.offset ?? next);
  });
  return { records: merged, offsets };
}

/** Where the topics stand when only the first `taken` records of a batch were. */
export function offsetsAfter({ records, offsets }: Merged, taken: number): Offsets {
  if (taken === records.length) return offsets;
  const after = new Map(offsets);
  for (let place = records.length - 1; place >= taken; place--)
    after.set(records[place]!.topic, records[place]!.offset);
  return after;
}

export interface BatchContext {
  readonly store: ContactStore;
  readonly contacts: HotContacts;
  readonly limits: TaskLimits;
  /** A contact that an input makes due before where its timers have gone passes that at once. */
  readonly timer: TimerPlace;
  /** The task that folds, and the one that a contact belongs to: an input of another one is passed on to that. */
  readonly task: number;
  readonly taskOf: ((contactId: ContactId) => number) | null;
  /** Told of each contact that may be due at another instant now. */
  readonly onMoved: (contact: TaskContact) => void;
  /** Lets everything else have its turn. */
  readonly yield: () => Promise<void>;
}

/** The places of the records of one contact in the batch. */
type Places = readonly number[];
type Share = readonly [contact: TaskContact, places: Places];

interface Batch {
  readonly records: readonly LogRecord[];
  readonly context: BatchContext;
  readonly into: Gathered;
  readonly fates: Fates;
}

/**
 * Folds records into their contacts: contact by contact, each one's inputs in their order. So the states of one are in
 * the processor's cache for all its inputs, and of the histories that late inputs need few are in memory at a time. What
 * comes of it is in the order of the records all the same, however the log is cut into batches.
 *
 * @returns how many of the records were taken, from the first on: it ends before the contact that would be one more than
 *   `readContactsMax` to be read from the store
 */
export async function foldRecords(
  records: readonly LogRecord[],
  context: BatchContext,
  into: Gathered,
): Promise<number> {
  const { contacts, limits } = context;
  const shares = new Map<TaskContact, number[]>();
  const unknown: number[] = [];
  const fates: Fates = { outputs: new Array<Fates["outputs"][number]>(records.length), deadLetters: [] };
  const missing = new Set<ContactKey>();
  let taken = 0;
  for (; taken < records.length; taken++) {
    const record = records[taken]!;
    const { decoded } = record;
    if (!decoded.ok) {
      fates.deadLetters.push([taken, setAside(record, decoded.reason, decoded.error, record.original ?? "")]);
      continue;
    }
    const { input } = decoded;
    if (input.at > record.timestamp + limits.inputAheadMsMax && !isAlsoLater(input)) {
      const letter = setAside(record, "too-far-ahead", tooFarAhead(input, record, limits), encodeInput(input));
      fates.deadLetters.push([taken, letter]);
      continue;
    }
    const contact = contacts.find(input.tenantId, input.contactId);
    const task = contact === undefined ? (context.taskOf?.(input.contactId) ?? context.task) : context.task;
    if (task !== context.task) {
      into.rekeyed.push({ task, input });
      continue;
    }
    if (contact !== undefined) addTo(shares, contact, taken);
    else {
      const key = contactKey(input.tenantId, input.contactId);
      if (missing.size >= limits.readContactsMax && !missing.has(key)) break;
      missing.add(key);
      unknown.push(taken);
    }
  }
  into.records += taken;
  await contacts.load(missing);
  for (const place of unknown) {
    const { tenantId, contactId } = inputAt(records, place);
    addTo(shares, contacts.find(tenantId, contactId)!, place);
  }
  const batch = { records, context, into, fates };
  const waiting: Share[] = [];
  let inTurn = 0;
  for (const [contact, places] of shares) {
    const folded = foldShare(batch, contact, places);
    if (folded < places.length) waiting.push([contact, places.slice(folded)]);
    if (waiting.length >= HISTORIES_AT_ONCE) await foldWithHistories(batch, waiting.splice(0));
    inTurn += folded;
    if (inTurn < limits.turnInputsMax) continue;
    inTurn = 0;
    await context.yield();
  }
  await foldWithHistories(batch, waiting);
  into.takeAll(fates);
  return taken;
}

/** Folds the records of a contact, up to the first that needs a part of its history. @returns how many */
function foldShare(batch: Batch, contact: TaskContact, places: Places): number {
  const { records, context, into } = batch;
  const fold = contact.borrow(into.isMuted);
  for (let i = 0; i < places.length; i++) {
    if (fold.needs(inputAt(records, places[i]!)) !== null) {
      contact.keep();
      return i;
    }
    foldRecord(batch, contact, places[i]!);
  }
  fold.unload();
  context.contacts.settle(contact);
  return places.length;
}

/** Folds the records of contacts that need parts of their histories. */
async function foldWithHistories(batch: Batch, shares: readonly Share[]): Promise<void> {
  const { records, context } = batch;
  await loadHistories(shares, records, context);
  let inTurn = 0;
  for (const [contact, places] of shares) {
    const { fold } = contact;
    for (const place of places) {
      const input = inputAt(records, place);
      for (let at = fold.needs(input); at !== null; at = fold.needs(input)) await contact.load(context.store, at);
      foldRecord(batch, contact, place);
    }
    fold.unload();
    context.contacts.settle(contact);
    inTurn += places.length;
    if (inTurn < context.limits.turnInputsMax) continue;
    inTurn = 0;
    await context.yield();
  }
}

function foldRecord({ records, context, into, fates }: Batch, contact: TaskContact, place: number): void {
  const letter = foldInput(contact, inputAt(records, place), records[place]!, context, into);
  if (letter !== null) fates.deadLetters.push([place, letter]);
  fates.outputs[place] = into.outputsOf(contact);
}

function addTo(shares: Map<TaskContact, number[]>, contact: TaskContact, place: number): void {
  const places = shares.get(contact);
  if (places === undefined) shares.set(contact, [place]);
  else places.push(place);
}

/** Of a record that is known to have one. */
function inputAt(records: readonly LogRecord[], place: number): Input {
  return (records[place]!.decoded as Extract<LogRecord["decoded"], { ok: true }>).input;
}

/** Brings the histories that late inputs of the batch need, many at a time: one after the other they would be waited for. */
async function loadHistories(
  shares: readonly Share[],
  records: readonly LogRecord[],
  { store }: BatchContext,
): Promise<void> {
  const waiting: (readonly [TaskContact, EpochMs])[] = [];
  for (const [contact, places] of shares) {
    let earliest: EpochMs | null = null;
    for (const place of places) {
      const from = contact.fold.needs(inputAt(records, place));
      if (from !== null && (earliest === null || from < earliest)) earliest = from;
    }
    if (earliest !== null) waiting.push([contact, earliest]);
  }
  if (waiting.length === 0) return;
  const load = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await next[0].load(store, next[1]);
  };
  await Promise.all(Array.from({ length: Math.min(LOADS_AT_ONCE, waiting.length) }, load));
}

/** @returns the input that is set aside, this one or one of before */
function foldInput(
  contact: TaskContact,
  input: Input,
  record: LogRecord,
  { contacts, timer, onMoved }: BatchContext,
  into: Gathered,
): DeadLetter | null {
  let deadLetter: DeadLetter | null = null;
  const received = contact.receive(input);
  into.inputs += 1;
  if ((into.newest === null || input.at > into.newest) && !isAlsoLater(input)) into.newest = input.at;
  switch (received.status) {
    case "duplicate":
      into.duplicates += 1;
      return null;
    case "erased":
      into.erased += 1;
      return null;
    case "late":
      into.late += 1;
      break;
    case "conflict": {
      const { loser } = received;
      deadLetter = setAside(record, "conflict", conflictText(input, loser), encodeInput(loser));
      // That it has come is part of what the contact is.
      if (loser === input) {
        contacts.touch(contact);
        return deadLetter;
      }
      break;
    }
    case "folded":
      break;
  }
  const passed = passedBy(timer, contact.key);
  if (passed !== null) advanceDue(contact, passed);
  contacts.touch(contact);
  onMoved(contact);
  return deadLetter;
}

/** Lets time pass for a contact, from due instant to due instant: its clock stays at the last one that came. */
export function advanceDue({ fold }: TaskContact, until: EpochMs): boolean {
  let moved = false;
  for (let due = fold.due(); due !== null && due <= until; due = fold.due()) {
    fold.advance(due);
    moved = true;
  }
  return moved;
}

function tooFarAhead({ at }: Input, { timestamp }: LogRecord, { inputAheadMsMax }: TaskLimits): string {
  const minutes = Math.round(inputAheadMsMax / 60_000);
  return (
    `at is ${formatInstant(at)}, more than ${minutes} minutes after the input arrived (${formatInstant(timestamp)}); ` +
    "check the clock of the source, and whether it writes milliseconds"
  );
}

function conflictText(input: Input, loser: Input): string {
  const { at, kind, id, contactId } = input;
  const name = `${kind} ${JSON.stringify(id)} of contact ${JSON.stringify(contactId)} at ${formatInstant(at)}`;
  const which = loser === input ? "came before with other content, which holds" : "takes the place of other content";
  return `${name} ${which}; give each its own id`;
}
