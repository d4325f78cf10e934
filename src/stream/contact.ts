/**
 * One contact as the task holds it: its fold, and what of it the store has yet to learn. Hot contacts stay in memory;
 * those with something to write stay until it is written.
 *
 * The fold is some sixty objects, all over the memory. So between its turns a contact is `packed` into the very text that
 * the store is to have of it, and its turn borrows one fold, whose objects are near at hand, and which serves all contacts
 * in turn: a turn makes no objects but what it publishes, and a hundred thousand contacts are a hundred thousand texts.
 */
import { ScorefoldError } from "../errors.js";
import { compareInputs } from "../events/order.js";
import type { ContactId, EpochMs, Input, InputKey, TenantId } from "../events/types.js";
import { ContactFold } from "../fold/contact.js";
import type { Received } from "../fold/contact-types.js";
import { unpublished } from "../fold/decide.js";
import type { Snapshot } from "../fold/history.js";
import type { ContactRecord } from "../fold/record.js";
import { sizeOf } from "../fold/state.js";
import type { CompiledModel } from "../model/compile.js";
import { type ContactKey, contactOf } from "../store/keys.js";
import { type KeptPieces, keptPieces, noPieces, PieceChanges } from "../store/pieces.js";
import {
  decodeContact,
  encodeContact,
  inKeyOrder,
  type Spare,
  type StoredContact,
  type StoredModel,
  type StoredSnapshot,
  storedModel,
} from "../store/rows.js";
import type { ContactChange, ContactStore } from "../store/store.js";
import { PendingInputs } from "./pending.js";
import { keysOf, modelName, noKeys, notIn, recordOf, statesOf } from "./stored-contact.js";

/** What a contact takes in memory: measured, rounded up. */
const CONTACT_BYTES = 1600;
const STATE_BYTES = 2600;
const STATE_BYTES_PER_LINE = 96;
const STATE_BYTES_PER_ENTRY = 96;
/** Beside the text. */
const PACKED_BYTES = 700;

/** A contact's row, where its fold is not in memory. */
interface Packed {
  readonly row: string;
  /** What the row says of both, and when the contact is due; null: it is the row that was read from the store. */
  readonly unwritten: {
    readonly segments: readonly number[];
    readonly entry: EpochMs | null;
    readonly due: EpochMs | null;
  } | null;
}

/** What contacts under the same models share. */
interface Shared {
  readonly names: readonly string[];
  /** To be borrowed; null: it is. */
  fold: ContactFold | null;
}

const sharedBy = new WeakMap<readonly CompiledModel[], Shared>();

function sharedOf(models: readonly CompiledModel[]): Shared {
  let shared = sharedBy.get(models);
  if (shared === undefined) {
    shared = { names: models.map(modelName), fold: null };
    sharedBy.set(models, shared);
  }
  return shared;
}

/** Not asked for in any round. */
export const NO_ROUND = -1;

export class TaskContact {
  readonly key: ContactKey;
  readonly tenantId: TenantId;
  readonly contactId: ContactId;
  readonly #models: readonly CompiledModel[];
  readonly #shared: Shared;
  /** Null while it is packed, and until it is asked for. */
  #fold: ContactFold | null = null;
  /** Whether it is the shared one, to be given back before anybody else has a turn. */
  #isBorrowed = false;
  #packed: Packed | null = null;
  /** These eight are for `HotContacts`: what it counts for there, and where it stands. */
  bytesHeld = 0;
  /** Whether that is unpacked. */
  isMeasured = false;
  place = 0;
  /** The round in which it was last asked for. */
  usedIn = NO_ROUND;
  /** Whether it was asked for since the hand came by. */
  isUsed = false;
  /** Whether it came more than once. */
  isKept = false;
  /** When it was last asked for, in contacts asked for, and how often running it came again soon. */
  seenAt = 0;
  timesSoon = 0;
  /** Null: there are none, as with nearly all contacts. */
  #pending: PendingInputs | null = null;
  #segments: readonly number[] = noSegments;
  #isStored: boolean;
  /** The entry in the due index, as of the last write that began. */
  #due: EpochMs | null = null;
  /** Whether an entry that came up early is to be put where it belongs. */
  #movesDue = false;
  /** Rows of snapshots that are in the store, or in the write that is under way. */
  #storedSnapshots: readonly InputKey[] = noKeys;
  /** Of long lists of the states, as of the last write that began. */
  #pieces: KeptPieces = noPieces;
  /** An erasure that the store has yet to follow. */
  #erasing: EpochMs | null = null;
  /** Models that are not in use, as they were stored. */
  #dormant: readonly StoredModel[] = noDormant;

  /** @param stored as the store has it, or its row; `isStored` is false where the store has only an erasure of it */
  constructor(
    key: ContactKey,
    models: readonly CompiledModel[],
    stored: StoredContact | string | undefined,
    isStored = stored !== undefined,
  ) {
    this.key = key;
    const { tenantId, contactId } = contactOf(key);
    this.tenantId = tenantId;
    this.contactId = contactId;
    this.#models = models;
    this.#shared = sharedOf(models);
    this.#isStored = isStored;
    if (typeof stored === "string") this.#packed = { row: stored, unwritten: null };
    else if (stored !== undefined) {
      this.#take(stored);
      this.#learn(stored);
    }
  }

  /** Its fold; where that is packed it is unpacked. */
  get fold(): ContactFold {
    return this.#fold ?? this.unpack();
  }

  /** Has a fold of its own in memory. */
  unpack(): ContactFold {
    if (this.#fold === null) this.#take(this.#unpacked());
    return this.#fold!;
  }

  /**
   * Its fold, for as long as nobody else has a turn: from here on to `pack` and `keep` nothing may be waited for, and
   * nobody is given it. Without one of its own it is the shared one.
   *
   * @param isMuted whether nobody wants to know what is published
   */
  borrow(isMuted: boolean): ContactFold {
    const fold = this.#fold ?? this.#borrowed();
    fold.isMuted = isMuted;
    return fold;
  }

  #borrowed(): ContactFold {
    const { fold, names } = this.#shared;
    if (fold === null) this.unpack();
    else {
      this.#shared.fold = null;
      const { states, published } = fold.record();
      const stored = this.#unpacked({ names, states, published });
      fold.restart(this.tenantId, this.contactId, recordOf(this.#models, stored));
      this.#fold = fold;
    }
    this.#isBorrowed = true;
    return this.#fold!;
  }

  /** Ends a turn. What is still borrowed is its own from here on. */
  keep(): void {
    this.#pending?.pack();
    this.#isBorrowed = false;
  }

  /** What it was packed into, which it is no more. */
  #unpacked(spare?: Spare): StoredContact | undefined {
    const packed = this.#packed;
    if (packed === null) return undefined;
    const stored = decodeContact(packed.row, spare);
    this.#packed = null;
    if (packed.unwritten === null) this.#learn(stored);
    return stored;
  }

  get isPacked(): boolean {
    return this.#fold === null;
  }

  /** Has a fold of its own, of what was stored. */
  #take(stored: StoredContact | undefined): void {
    const record = recordOf(this.#models, stored);
    this.#fold = new ContactFold(this.#models, this.tenantId, this.contactId, { history: "stored" }, record);
  }

  /** Notes what the store has. */
  #learn(stored: StoredContact): void {
    const { names } = this.#shared;
    this.#segments = stored.segments.length === 0 ? noSegments : stored.segments;
    this.#due = stored.due;
    this.#storedSnapshots = keysOf(stored.snapshots);
    this.#pieces = keptPieces(stored.models);
    if (stored.models.every(({ name }) => names.includes(name))) return;
    const dormant = stored.models.filter(({ name }) => !names.includes(name));
    this.#dormant = dormant.map(({ name, published }) => ({ name, published, state: null }));
  }

  /**
   * Packs the fold, unless there is something that the row does not have: states of a new snapshot, lists that are in
   * rows of their own, an erasure.
   *
   * @param segment as for `beginWrite`
   */
  pack(segment: number): void {
    const fold = this.#fold;
    if (fold === null || !fold.isAtRest || fold.inputs === 0) return;
    if (this.#erasing !== null || this.#pieces.size > 0) return;
    const record = fold.record();
    if (record.snapshots.length !== this.#storedSnapshots.length) return;
    const entry = this.#nextEntry();
    const segments = this.#segmentsWith(segment);
    const pieces = new PieceChanges(noPieces);
    const row = this.#encode(record, entry, segments, pieces);
    if (pieces.after.size > 0) return;
    this.#packed = { row, unwritten: { segments, entry, due: fold.due() } };
    this.#fold = null;
    if (this.#isBorrowed) this.#shared.fold = fold;
    this.#isBorrowed = false;
  }

  /** The next instant at which time alone changes something; null: never. */
  due(): EpochMs | null {
    return this.#packed?.unwritten != null ? this.#packed.unwritten.due : this.fold.due();
  }

  get isDirty(): boolean {
    return this.#unwrittenInputs > 0 || this.#movesDue || this.#erasing !== null;
  }

  /** What it takes in memory, about. */
  bytes(): number {
    const inputs = 200 * this.#unwrittenInputs;
    if (this.#fold === null) return PACKED_BYTES + (this.#packed?.row.length ?? 0) + inputs;
    let bytes = CONTACT_BYTES + inputs;
    for (const state of this.#fold.foldedStates())
      bytes += STATE_BYTES + STATE_BYTES_PER_LINE * state.lines.length + STATE_BYTES_PER_ENTRY * sizeOf(state);
    return bytes;
  }

  /** Takes an input whose history has been loaded where it `needs` one. */
  receive(input: Input): Received {
    const received = this.fold.receive(input);
    const isErasure = input.kind === "profile" && input.fields === null;
    if (isErasure && received.status !== "erased") {
      this.#erasing = this.fold.erasedUntil;
      this.#pending?.erase(input.at);
      // What was published under models out of use is of the erased contact as well.
      this.#dormant = noDormant;
    } else if (received.status === "folded" || received.status === "late") {
      this.#addPending(input);
    } else if (received.status === "conflict" && received.loser !== input) {
      this.#addPending(input);
    }
    return received;
  }

  #addPending(input: Input): void {
    this.#pending ??= new PendingInputs();
    this.#pending.add(input);
  }

  /** How many inputs wait for the next write. */
  get #unwrittenInputs(): number {
    return this.#pending?.count ?? 0;
  }

  /** An entry of the due index came up before the contact is due: it is to be moved. */
  moveDue(): void {
    this.#movesDue = true;
  }

  /** Brings back the history from `from` on. @throws ScorefoldError `database-corrupt` where some of it is missing */
  async load(store: ContactStore, from: EpochMs): Promise<void> {
    await this.#loadAfter(store, this.fold.snapshotBefore(from));
  }

  /** Brings back the whole history. */
  async loadAll(store: ContactStore): Promise<void> {
    await this.#loadAfter(store, null);
  }

  async #loadAfter(store: ContactStore, base: Snapshot | null): Promise<void> {
    const inputs = await this.history(store, base?.last ?? null);
    const before = base?.inputs ?? 0;
    if (before + inputs.length !== this.fold.inputs) {
      throw new ScorefoldError(
        "database-corrupt",
        `the store has ${before + inputs.length} of the ${this.fold.inputs} inputs of a contact`,
      );
    }
    // Last, and nothing is waited for afterwards: a write that ends meanwhile lets go the states that the store has.
    if (base !== null && base.states === null)
      base.states = statesOf(this.fold.models, await store.snapshot(this.key, base.last));
    this.fold.load(base, inputs);
  }

  /** The contact's inputs after `after` (null: all), in key order: those in the store, and those on their way there. */
  async history(store: ContactStore, after: InputKey | null = null): Promise<Input[]> {
    // Taken before reading: a write that ends meanwhile must not take from both.
    const unwritten = this.#pending?.all(this.tenantId, this.contactId) ?? [];
    const erasedUntil = this.fold.erasedUntil;
    const stored = await store.history(this.key, this.#segments, after);
    return inKeyOrder(
      [...stored, ...unwritten].filter(
        (input) =>
          (erasedUntil === null || input.at > erasedUntil) && (after === null || compareInputs(after, input) < 0),
      ),
    );
  }

  /** What the store has to learn; from here on that is under way until `written`. */
  beginWrite(segment: number): ContactChange {
    const packed = this.#packed;
    if (packed?.unwritten != null) {
      const { segments, entry } = packed.unwritten;
      if (this.#unwrittenInputs === 0 || segments.at(-1) === segment)
        return this.#beginPacked(packed.row, segments, entry);
    }
    const record = this.fold.record();
    const due = this.#nextEntry();
    const isGone = record.inputs === 0 && record.erasedUntil !== null;
    const segments = this.#segments;
    this.#segments = isGone ? noSegments : this.#segmentsWith(segment);
    const inputs = this.#pending?.beginWrite(this.tenantId, this.contactId) ?? noRows;
    const snapshots = record.snapshots.filter(({ status }) => status === "new");
    // An erasure takes all of them with it.
    const pieces = new PieceChanges(this.#erasing === null ? this.#pieces : noPieces);
    const row = isGone ? null : this.#encode(record, due, this.#segments, pieces);
    this.#pieces = pieces.after;
    const change: ContactChange = {
      contact: this.key,
      isNew: !this.#isStored,
      row,
      inputs,
      snapshots: snapshots.map((snapshot) => [snapshot.last, this.#encodeSnapshot(snapshot)]),
      pieces: pieces.changed,
      piecesGone: pieces.gone,
      snapshotsGone: notIn(this.#storedSnapshots, record.snapshots),
      dueBefore: this.#due,
      due: isGone ? null : due,
      segments,
      erasedUntil: this.#erasing,
    };
    this.#begun(change);
    this.#erasing = null;
    this.#storedSnapshots = keysOf(record.snapshots);
    for (const snapshot of snapshots) snapshot.status = "writing";
    return change;
  }

  #beginPacked(row: string, segments: readonly number[], due: EpochMs | null): ContactChange {
    const change: ContactChange = {
      contact: this.key,
      isNew: !this.#isStored,
      row,
      inputs: this.#pending?.beginWrite(this.tenantId, this.contactId) ?? noRows,
      snapshots: noRows,
      pieces: noRows,
      piecesGone: noRows,
      snapshotsGone: noKeys,
      dueBefore: this.#due,
      due,
      segments: this.#segments,
      erasedUntil: null,
    };
    this.#segments = segments;
    this.#begun(change);
    return change;
  }

  #begun({ row, due }: ContactChange): void {
    this.#due = due;
    this.#movesDue = false;
    this.#isStored = row !== null;
  }

  /** The write that `beginWrite` began has ended well. */
  written(): void {
    this.#pending?.written();
    if (this.#unwrittenInputs === 0) this.#pending = null;
    this.#fold?.written();
  }

  /** Segments with history of the contact once what is pending is written to one. */
  #segmentsWith(segment: number): readonly number[] {
    if (this.#unwrittenInputs === 0 || this.#segments.at(-1) === segment) return this.#segments;
    return [...this.#segments, segment];
  }

  /** Where the due index is to have the contact: an entry may be early, and moving it later costs a write. */
  #nextEntry(): EpochMs | null {
    const due = this.fold.due();
    if (due === null || this.#due === null) return due;
    return this.#due <= due && !this.#movesDue ? this.#due : due;
  }

  #encode(record: ContactRecord, due: EpochMs | null, segments: readonly number[], pieces: PieceChanges): string {
    const { names } = this.#shared;
    const models = names.map((name, i) => storedModel(name, record.published[i]!, record.states[i]!, pieces));
    models.push(...this.#dormant);
    const { clock, newest, inputs, inForce, erasedUntil, retracted, conflicts } = record;
    const snapshots: StoredSnapshot[] = record.snapshots.map((one) => ({
      last: one.last,
      inputs: one.inputs,
      inForce: one.inForce,
    }));
    const head = { clock, newest, inputs, inForce, erasedUntil, due, segments, retracted, conflicts, snapshots };
    return encodeContact(head, models);
  }

  /** A snapshot is written as a contact's row is, with only what it needs. */
  #encodeSnapshot({ states, inputs, inForce }: Snapshot): string {
    const models = this.#models.map((model, i) => storedModel(this.#shared.names[i]!, unpublished(model), states![i]!));
    const head = { clock: null, newest: null, inputs, inForce, erasedUntil: null, due: null };
    return encodeContact({ ...head, segments: [], retracted: new Map(), conflicts: new Map(), snapshots: [] }, models);
  }
}

const noDormant: readonly never[] = [];
const noSegments: readonly never[] = [];
const noRows: readonly never[] = [];
