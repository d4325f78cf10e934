/**
 * One contact as the task holds it: its fold, and what of it the store has yet to learn. Hot contacts stay in memory;
 * those with something to write stay until it is written.
 */
import { ScorefoldError } from "../errors.js";
import { compareInputs } from "../events/order.js";
import type { ContactId, EpochMs, Input, InputKey, TenantId } from "../events/types.js";
import { ContactFold, type Received } from "../fold/contact.js";
import { type Published, unpublished } from "../fold/decide.js";
import type { Snapshot } from "../fold/history.js";
import { initial } from "../fold/initial.js";
import { unpackPublished, unpackState } from "../fold/pack.js";
import type { ContactRecord } from "../fold/record.js";
import { type ModelState, sizeOf } from "../fold/state.js";
import type { CompiledModel } from "../model/compile.js";
import { type ContactKey, contactOf } from "../store/keys.js";
import { type KeptPieces, keptPieces, noPieces, PieceChanges } from "../store/pieces.js";
import {
  encodeContact,
  encodeDormant,
  encodeModel,
  inKeyOrder,
  type StoredContact,
  type StoredModel,
  type StoredSnapshot,
} from "../store/rows.js";
import type { ContactChange, ContactStore } from "../store/store.js";

/** `id@version`: names a model in the store. */
export function modelName({ model }: CompiledModel): string {
  return `${model.id}@${model.version}`;
}

/** What a contact takes in memory: measured, rounded up. */
const CONTACT_BYTES = 1600;
const STATE_BYTES = 2600;
const STATE_BYTES_PER_LINE = 96;
const STATE_BYTES_PER_ENTRY = 96;

/** Not asked for in any round. */
export const NO_ROUND = -1;

export class TaskContact {
  readonly key: ContactKey;
  readonly tenantId: TenantId;
  readonly contactId: ContactId;
  readonly fold: ContactFold;
  /** These five are for `HotContacts`: what it counts for there, and where it stands. */
  bytesHeld = 0;
  place = 0;
  /** The round in which it was last asked for. */
  usedIn = NO_ROUND;
  /** Whether it was asked for since the hand came by. */
  isUsed = false;
  /** Whether it came more than once. */
  isKept = false;
  /** Received since the last write began, in the order of arrival. */
  #pending: Input[] = [];
  /** In the write that is under way. */
  #writing: Input[] = [];
  #segments: readonly number[];
  #isStored: boolean;
  /** The entry in the due index, as of the last write that began. */
  #due: EpochMs | null;
  /** Whether an entry that came up early is to be put where it belongs. */
  #movesDue = false;
  /** Rows of snapshots that are in the store, or in the write that is under way. */
  #storedSnapshots: readonly InputKey[];
  /** Of long lists of the states, as of the last write that began. */
  #pieces: KeptPieces;
  /** An erasure that the store has yet to follow. */
  #erasing: EpochMs | null = null;
  /** Models that are not in use, as they were stored. */
  readonly #dormant: readonly { readonly name: string; readonly published: Published }[];

  /** @param stored as the store has it; `isStored` is false where it has only an erasure of it */
  constructor(
    key: ContactKey,
    models: readonly CompiledModel[],
    stored: StoredContact | undefined,
    isStored = stored !== undefined,
  ) {
    this.key = key;
    const { tenantId, contactId } = contactOf(key);
    this.tenantId = tenantId;
    this.contactId = contactId;
    this.fold = new ContactFold(models, tenantId, contactId, { history: "stored" }, recordOf(models, stored));
    this.#isStored = isStored;
    this.#segments = stored?.segments ?? [];
    this.#due = stored?.due ?? null;
    this.#storedSnapshots = keysOf(stored?.snapshots ?? []);
    this.#pieces = keptPieces(stored?.models ?? []);
    const names = models.map(modelName);
    const dormant = stored?.models.filter(({ name }) => !names.includes(name)) ?? [];
    this.#dormant = dormant.length === 0 ? noDormant : dormant.map(publishedOf);
  }

  get isDirty(): boolean {
    return this.#pending.length > 0 || this.#movesDue || this.#erasing !== null;
  }

  /** What it takes in memory, about. */
  bytes(): number {
    let bytes = CONTACT_BYTES + 200 * this.#pending.length;
    for (const state of this.fold.foldedStates())
      bytes += STATE_BYTES + STATE_BYTES_PER_LINE * state.lines.length + STATE_BYTES_PER_ENTRY * sizeOf(state);
    return bytes;
  }

  /** Takes an input whose history has been loaded where it `needs` one. */
  receive(input: Input): Received {
    const received = this.fold.receive(input);
    const isErasure = input.kind === "profile" && input.fields === null;
    if (isErasure && received.status !== "erased") {
      this.#erasing = this.fold.erasedUntil;
      this.#pending = this.#pending.filter(({ at }) => at > input.at);
    } else if (received.status === "folded" || received.status === "late") {
      this.#pending.push(input);
    } else if (received.status === "conflict" && received.loser !== input) {
      this.#pending.push(input);
    }
    return received;
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
    const unwritten = [...this.#writing, ...this.#pending];
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
    const record = this.fold.record();
    const due = this.#nextEntry();
    const isGone = record.inputs === 0 && record.erasedUntil !== null;
    const inputs = inKeyOrder([...this.#pending]);
    const segments = this.#segments;
    if (inputs.length > 0 && this.#segments.at(-1) !== segment) this.#segments = [...this.#segments, segment];
    if (isGone) this.#segments = [];
    const snapshots = record.snapshots.filter(({ status }) => status === "new");
    // An erasure takes all of them with it.
    const pieces = new PieceChanges(this.#erasing === null ? this.#pieces : noPieces);
    const row = isGone ? null : this.#encode(record, due, pieces);
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
    this.#due = change.due;
    this.#movesDue = false;
    this.#erasing = null;
    this.#isStored = !isGone;
    this.#writing = this.#pending;
    this.#pending = [];
    this.#storedSnapshots = keysOf(record.snapshots);
    for (const snapshot of snapshots) snapshot.status = "writing";
    return change;
  }

  /** The write that `beginWrite` began has ended well. */
  written(): void {
    this.#writing = [];
    this.fold.written();
  }

  /** Where the due index is to have the contact: an entry may be early, and moving it later costs a write. */
  #nextEntry(): EpochMs | null {
    const due = this.fold.due();
    if (due === null || this.#due === null) return due;
    return this.#due <= due && !this.#movesDue ? this.#due : due;
  }

  #encode(record: ContactRecord, due: EpochMs | null, pieces: PieceChanges): string {
    const names = this.fold.models.map(modelName);
    const models = names.map((name, i) => encodeModel(name, record.published[i]!, record.states[i]!, pieces));
    for (const { name, published } of this.#dormant) models.push(encodeDormant(name, published));
    const { clock, newest, inputs, inForce, erasedUntil, retracted } = record;
    const snapshots: StoredSnapshot[] = record.snapshots.map((one) => ({
      last: one.last,
      inputs: one.inputs,
      inForce: one.inForce,
    }));
    const head = { clock, newest, inputs, inForce, erasedUntil, due, segments: this.#segments, retracted, snapshots };
    return encodeContact(head, models);
  }

  /** A snapshot is written as a contact's row is, with only what it needs. */
  #encodeSnapshot({ states, inputs, inForce }: Snapshot): string {
    const models = this.fold.models.map((model, i) => encodeModel(modelName(model), unpublished(model), states![i]!));
    const head = { clock: null, newest: null, inputs, inForce, erasedUntil: null, due: null, segments: [] };
    return encodeContact({ ...head, retracted: new Map(), snapshots: [] }, models);
  }
}

/** Of a contact of which only an erasure is known. */
export function tombstone(erasedUntil: EpochMs): StoredContact {
  const nothing = { clock: null, newest: null, inputs: 0, inForce: 0, due: null, segments: [] };
  return { ...nothing, erasedUntil, retracted: [], snapshots: [], models: [] };
}

function recordOf(models: readonly CompiledModel[], stored: StoredContact | undefined): ContactRecord | undefined {
  if (stored === undefined) return undefined;
  const { clock, newest, inputs, inForce, erasedUntil } = stored;
  const found = models.map((model) => storedModel(model, stored.models));
  return {
    states: models.map((model, i) => stateOf(model, found[i])),
    published: models.map((model, i) =>
      found[i] === undefined
        ? unpublished(model)
        : unpackPublished(found[i].published, () => unpublished(model), found[i].state),
    ),
    clock,
    newest,
    inputs,
    inForce,
    erasedUntil,
    retracted: new Map(stored.retracted),
    snapshots: stored.snapshots.map((snapshot) => ({ ...snapshot, states: null, status: "stored" as const })),
  };
}

function storedModel(model: CompiledModel, stored: readonly StoredModel[]): StoredModel | undefined {
  const name = modelName(model);
  return stored.find((one) => one.name === name);
}

function stateOf(model: CompiledModel, stored: StoredModel | undefined): ModelState {
  return stored?.state == null ? initial(model) : unpackState(model, stored.state);
}

function statesOf(models: readonly CompiledModel[], stored: readonly StoredModel[]): ModelState[] {
  return models.map((model) => stateOf(model, storedModel(model, stored)));
}

/** What was published under a model, without looking at the model. */
export function publishedOf({ name, published, state }: StoredModel): { name: string; published: Published } {
  return { name, published: unpackPublished(published, () => nothingPublished, state) };
}

const nothingPublished: Published = {
  score: null,
  dimensions: [],
  salesReady: false,
  grade: -1,
  thresholds: [],
  triggers: [],
  lines: [],
  standing: [],
};

const noDormant: readonly never[] = [];
const noKeys: readonly InputKey[] = [];

function keysOf(snapshots: readonly { readonly last: InputKey }[]): readonly InputKey[] {
  return snapshots.length === 0 ? noKeys : snapshots.map(({ last }) => last);
}

function notIn(keys: readonly InputKey[], snapshots: readonly Snapshot[]): readonly InputKey[] {
  if (keys.length === 0) return noKeys;
  const current = new Set(snapshots.map(({ last }) => keyText(last)));
  return keys.filter((key) => !current.has(keyText(key)));
}

function keyText({ at, kind, id }: InputKey): string {
  return `${at} ${kind} ${id}`;
}
