/**
 * Where each contact stands, and its whole history: what follows from the log, kept so that it need not be folded again.
 *
 * The invariant: one write holds the data and the position up to which the log is folded in, so the store is only ever
 * behind the log, never torn. Whatever is lost with it comes back from the log.
 */
import { createHash } from "node:crypto";
import { sealed, unsealed } from "../database/checksum.js";
import type { Batch, Database, Range } from "../database/database.js";
import { ScorefoldError } from "../errors.js";
import { compareInputs } from "../events/order.js";
import type { ContactId, EpochMs, Input, InputKey, TenantId } from "../events/types.js";
import { type Beside, contactIds, knownIds } from "./contact-ids.js";
import {
  type ContactKey,
  contactOf,
  contactOfDue,
  contactOfRow,
  contactRow,
  dueEnd,
  dueRow,
  erasedRow,
  erasedSinceRow,
  historyEnd,
  historyRow,
  historyStart,
  metaRow,
  modelRow,
  pieceRange,
  pieceRow,
  snapshotRange,
  snapshotRow,
} from "./keys.js";
import { emptyMeta, type Meta, moved, positionOf, readMeta, type StoreExpectation } from "./meta.js";
import { putBack, readPieces } from "./pieces.js";
import type { Position, PositionMark } from "./position.js";
import {
  decodeContact,
  decodeInputs,
  inKeyOrder,
  isInPieces,
  joined,
  type StoredContact,
  type StoredInput,
  type StoredModel,
  storedInput,
} from "./rows.js";

const SEGMENT_INPUTS = 500_000;
const ROW_INPUTS_MAX = 64;
const ROW_LENGTH_MAX = 32 * 1024;
const HISTORY_ROWS_READ = 256;

/** A model that the store has states of, or had. */
export interface KnownModel {
  /** `id@version`. */
  readonly name: string;
  /** In its canonical form. */
  readonly text: string;
}

/** What one contact has become since the last write. */
export interface ContactChange {
  readonly contact: ContactKey;
  readonly isNew: boolean;
  /** Null: it is gone, erased. */
  readonly row: string | null;
  /** Inputs to be added to its history, in key order. */
  readonly inputs: readonly StoredInput[];
  readonly snapshots: readonly (readonly [InputKey, string])[];
  readonly snapshotsGone: readonly InputKey[];
  /** Of long lists, by `model NUL piece`: those to be written, and those to be removed. */
  readonly pieces: readonly (readonly [key: string, text: string])[];
  readonly piecesGone: readonly string[];
  /** Its entry in the due index, before and after. */
  readonly dueBefore: EpochMs | null;
  readonly due: EpochMs | null;
  /** Segments with history before this write; needed only where `erasedUntil` is there. */
  readonly segments: readonly number[];
  /** Everything up to here is to be removed; null: nothing is. */
  readonly erasedUntil: EpochMs | null;
}

export class ContactStore {
  readonly #database: Database;
  readonly #meta: Meta;
  readonly #foldVersion: number;

  private constructor(database: Database, meta: Meta, foldVersion: number) {
    this.#database = database;
    this.#meta = meta;
    this.#foldVersion = foldVersion;
  }

  /**
   * Reads what is known of the whole store, or begins one.
   *
   * @throws ScorefoldError `format-unknown`, or `database-corrupt` where it belongs to another log
   */
  static async open(database: Database, expected: StoreExpectation): Promise<ContactStore> {
    const row = await database.get(metaRow);
    if (row === undefined) {
      const [other] = await database.range({}, 1);
      if (other !== undefined) throw new ScorefoldError("database-corrupt", "the store has lost what names its format");
      return new ContactStore(database, emptyMeta(expected), expected.foldVersion);
    }
    const meta = readMeta(unsealed(metaRow, row), expected);
    return new ContactStore(database, meta, expected.foldVersion);
  }

  get position(): Position {
    return positionOf(this.#meta);
  }

  /** Of a topic, older marks of positions that it had, the newest last. */
  marksOf(topic: string): readonly PositionMark[] {
    return this.#meta.marks[topic] ?? [];
  }

  /** The id that an input topic had when it was folded in; undefined where that is not known. */
  topicId(topic: string): string | undefined {
    return this.#meta.origin?.topicIds[topic];
  }

  /** Takes a position for its own, and these topics for those that it is of; written with the next write. */
  adopt(position: Position, topicIds: ReadonlyMap<string, string> | null): void {
    Object.assign(this.#meta, moved(this.#meta, position));
    const { origin } = this.#meta;
    if (origin === undefined || topicIds === null) return;
    this.#meta.origin = { ...origin, topicIds: { ...origin.topicIds, ...Object.fromEntries(topicIds) } };
  }

  /** The models that contacts are folded under, by `id@version`. */
  get models(): readonly string[] {
    return this.#meta.models;
  }

  /** Whether the states in it are of another fold, and can't be gone on from. */
  get isOfOtherFold(): boolean {
    return this.#meta.foldVersion !== this.#foldVersion;
  }

  /** How many there are, as of the last write. */
  get counts(): { readonly contacts: number; readonly inputs: number } {
    return { contacts: this.#meta.contacts, inputs: this.#meta.inputs };
  }

  /** The segment that the next write adds history to. */
  get segment(): number {
    return this.#meta.segment;
  }

  async size(): Promise<number> {
    return await this.#database.size();
  }

  /** @throws ScorefoldError `database-failed` where its directory was removed, moved or replaced */
  async checkPlace(): Promise<void> {
    await this.#database.checkPlace();
  }

  /** Each as the text of its row, for `decodeContact`; with its long lists where they are in rows of their own. */
  async contacts(keys: readonly ContactKey[]): Promise<(string | StoredContact | undefined)[]> {
    const rows = await this.#database.getMany(keys.map(contactRow));
    const found: (string | StoredContact | undefined)[] = [];
    for (const [i, row] of rows.entries()) {
      const key = contactRow(keys[i]!);
      const text = row === undefined ? undefined : unsealed(key, row);
      found.push(text !== undefined && isInPieces(text) ? await this.#whole(key, row!, decodeContact(text)) : text);
    }
    return found;
  }

  /** The contact with its long lists. What was read may be of before a write, and they of after it: then it is read again. */
  async #whole(key: string, row: string, stored: StoredContact): Promise<StoredContact | undefined> {
    const found = await Promise.all(stored.models.map((model) => this.#withPieces(contactOfRow(key), model)));
    const models = found.filter((model) => model !== null);
    if (models.length === found.length) return { ...stored, models };
    const now = await this.#database.get(key);
    if (now === row) throw new ScorefoldError("database-corrupt", "the store has lost a part of a contact's state");
    if (now === undefined) return undefined;
    return await this.#whole(key, now, decodeContact(unsealed(key, now)));
  }

  /** @returns null where the pieces are not those that the contact's row names */
  async #withPieces(contact: ContactKey, model: StoredModel): Promise<StoredModel | null> {
    const { name, state, pieces } = model;
    if (pieces === undefined || state === null) return model;
    const read = await readPieces(this.#database, contact, name, pieces);
    if (read === null) return null;
    putBack(state, read);
    return model;
  }

  /** Until when contacts are erased of which there is nothing else. */
  async erasedUntil(keys: readonly ContactKey[]): Promise<(EpochMs | undefined)[]> {
    if (this.#meta.erased === 0) return keys.map(() => undefined);
    const rows = await this.#database.getMany(keys.map((key) => erasedRow(this.#hash(key))));
    return rows.map((row) => (row === undefined ? undefined : Number(row)));
  }

  /**
   * The contact's inputs after `after` (null: all of them), in key order.
   *
   * @param segments those with history of the contact
   */
  async history(contact: ContactKey, segments: readonly number[], after: InputKey | null): Promise<Input[]> {
    const { tenantId, contactId } = contactOf(contact);
    const inputs: Input[] = [];
    for (const segment of segments) {
      let from: { gte: string } | { gt: string } = { gte: historyStart(segment, contact, after?.at) };
      for (;;) {
        const rows = await this.#database.range({ ...from, lt: historyEnd(segment, contact) }, HISTORY_ROWS_READ);
        for (const [key, row] of rows) {
          for (const input of decodeInputs(unsealed(key, row), tenantId, contactId)) {
            if (after === null || compareInputs(after, input) < 0) inputs.push(input);
          }
        }
        const last = rows.at(-1);
        if (rows.length < HISTORY_ROWS_READ || last === undefined) break;
        from = { gt: last[0] };
      }
    }
    return inKeyOrder(inputs);
  }

  /** The states of a snapshot, as `storedModel` gave them. @throws ScorefoldError `database-corrupt` if it is gone */
  async snapshot(contact: ContactKey, last: InputKey): Promise<readonly StoredModel[]> {
    const key = snapshotRow(contact, last);
    const row = await this.#database.get(key);
    if (row === undefined) throw new ScorefoldError("database-corrupt", "the store has lost a snapshot of a contact");
    return decodeContact(unsealed(key, row)).models;
  }

  /** Contacts that the index has as due at or before `until`, by rising instant, in chunks. */
  async *due(until: EpochMs): AsyncGenerator<ContactKey[]> {
    for await (const rows of this.#database.scan({ gt: "d\0", lt: dueEnd(until) })) {
      yield rows.map(([key]) => contactOfDue(key));
    }
  }

  /** All contacts after `after`, by tenant and id, as they are now. */
  async *allContacts(after?: ContactKey): AsyncGenerator<(readonly [ContactKey, StoredContact])[]> {
    const gt = after === undefined ? "c\0" : contactRow(after);
    for await (const rows of this.#database.scan({ gt, lt: "c\x01" })) {
      const contacts: [ContactKey, StoredContact][] = [];
      for (const [key, row] of rows) {
        const text = unsealed(key, row);
        const stored = decodeContact(text);
        const whole = isInPieces(text) ? await this.#whole(key, row, stored) : stored;
        if (whole !== undefined) contacts.push([contactOfRow(key), whole]);
      }
      yield contacts;
    }
  }

  /** Ids of a tenant's contacts beside one, at most `limit`. */
  async contactIds(tenantId: TenantId, beside: Beside, limit: number): Promise<ContactId[]> {
    return await contactIds(this.#database, tenantId, beside, limit);
  }

  /** Those of the ids that a tenant has contacts of. */
  async knownIds(tenantId: TenantId, ids: readonly ContactId[]): Promise<ContactId[]> {
    return await knownIds(this.#database, tenantId, ids);
  }

  /** The canonical text of models that were used once, by `id@version`. */
  async knownModels(): Promise<ReadonlyMap<string, string>> {
    const known = new Map<string, string>();
    const start = modelRow("");
    for await (const rows of this.#database.scan({ gte: start, lt: "m\0model\x01" })) {
      for (const [key, row] of rows) known.set(key.slice(start.length), unsealed(key, row));
    }
    return known;
  }

  async learnModels(models: readonly KnownModel[]): Promise<void> {
    const batch = this.#database.batch();
    for (const { name, text } of models) batch.put(modelRow(name), sealed(text));
    await this.#write(batch, this.#meta);
  }

  /** Contacts erased since the files were last compacted, and until when. */
  async erasedSince(): Promise<ReadonlyMap<ContactKey, EpochMs>> {
    const erased = new Map<ContactKey, EpochMs>();
    for await (const rows of this.#database.scan(erasedSinceRange)) {
      for (const [key, row] of rows) erased.set(key.slice(2), Number(row));
    }
    return erased;
  }

  /**
   * Writes what contacts have become, and up to where the log is folded in: all of it or nothing.
   *
   * @param changes all taken before this returns its promise, one after the other: so they may be made as they are taken
   * @param models set when all contacts are folded under these now
   */
  async write(changes: Iterable<ContactChange>, position: Position, models?: readonly string[]): Promise<void> {
    const meta = moved(this.#meta, position);
    if (models !== undefined) {
      meta.models = [...models];
      meta.foldVersion = this.#foldVersion;
    }
    meta.flush += 1;
    const batch = this.#database.batch();
    const erasures: ContactChange[] = [];
    for (const change of changes) {
      if (change.erasedUntil === null) this.#change(change, meta, batch);
      else erasures.push(change);
    }
    for (const change of erasures) {
      await this.#erase(change, meta, batch);
      this.#change(change, meta, batch);
    }
    if (meta.segmentInputs >= SEGMENT_INPUTS) {
      meta.segment += 1;
      meta.segmentInputs = 0;
    }
    await this.#write(batch, meta);
  }

  /**
   * Takes inputs of a contact out of its history that another content of their key keeps out of its state. Not to be
   * called while anybody writes.
   */
  async forget(contact: ContactKey, isForgotten: (input: Input) => boolean): Promise<void> {
    const row = await this.#database.get(contactRow(contact));
    if (row === undefined) return;
    const { segments } = decodeContact(unsealed(contactRow(contact), row));
    const batch = this.#database.batch();
    const meta = { ...this.#meta };
    for (const segment of segments)
      meta.inputs -= await this.#filter(contact, segment, (input) => !isForgotten(input), batch);
    await this.#write(batch, meta);
  }

  /** @returns how many inputs were taken out of the history of a contact in a segment */
  async #filter(
    contact: ContactKey,
    segment: number,
    isKept: (input: Input) => boolean,
    batch: Batch,
  ): Promise<number> {
    const { tenantId, contactId } = contactOf(contact);
    const range = { gte: historyStart(segment, contact), lt: historyEnd(segment, contact) };
    let gone = 0;
    for await (const rows of this.#database.scan(range)) {
      for (const [key, row] of rows) {
        const inputs = decodeInputs(unsealed(key, row), tenantId, contactId);
        const left = inputs.filter(isKept);
        if (left.length === inputs.length) continue;
        gone += inputs.length - left.length;
        if (left.length === 0) batch.del(key);
        else batch.put(key, sealed(joined(left.map(storedInput))));
      }
    }
    return gone;
  }

  /** Learns who is erased of whom nothing else is kept, by `erasedHash`: of a log whose inputs are gone. */
  async learnErased(erased: ReadonlyMap<string, EpochMs>): Promise<void> {
    const meta = { ...this.#meta, erased: this.#meta.erased + erased.size };
    const batch = this.#database.batch();
    for (const [hash, at] of erased) batch.put(erasedRow(hash), String(at));
    await this.#write(batch, meta);
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  async #write(batch: Batch, meta: Meta): Promise<void> {
    batch.put(metaRow, sealed(JSON.stringify(meta)));
    await batch.write();
    Object.assign(this.#meta, meta);
  }

  #change(change: ContactChange, meta: Meta, batch: Batch): void {
    const { contact, row, inputs, dueBefore, due } = change;
    if (row !== null) batch.put(contactRow(contact), sealed(row));
    if (dueBefore !== due) {
      if (dueBefore !== null) batch.del(dueRow(dueBefore, contact));
      if (due !== null) batch.put(dueRow(due, contact), "");
    }
    for (const piece of change.piecesGone) batch.del(pieceRow(contact, piece));
    for (const [piece, text] of change.pieces) batch.put(pieceRow(contact, piece), text);
    for (const last of change.snapshotsGone) batch.del(snapshotRow(contact, last));
    for (const [last, text] of change.snapshots) batch.put(snapshotRow(contact, last), sealed(text));
    for (let from = 0; from < inputs.length; from += ROW_INPUTS_MAX) {
      const some = inputs.length <= ROW_INPUTS_MAX ? inputs : inputs.slice(from, from + ROW_INPUTS_MAX);
      this.#addHistory(contact, some, meta.segment, batch);
    }
    meta.segmentInputs += inputs.length;
    meta.inputs += inputs.length;
    if (change.isNew && row !== null) meta.contacts += 1;
    if (!change.isNew && row === null) meta.contacts -= 1;
  }

  #addHistory(contact: ContactKey, inputs: readonly StoredInput[], segment: number, batch: Batch): void {
    const text = joined(inputs);
    if (text.length > ROW_LENGTH_MAX && inputs.length > 1) {
      const middle = inputs.length >>> 1;
      this.#addHistory(contact, inputs.slice(0, middle), segment, batch);
      this.#addHistory(contact, inputs.slice(middle), segment, batch);
      return;
    }
    const key = historyRow(segment, contact, inputs[inputs.length - 1]!, this.#meta.flush + 1);
    batch.put(key, sealed(text));
  }

  /** Removes what is erased; inputs that came after it go back in rows of their own. */
  async #erase(change: ContactChange, meta: Meta, batch: Batch): Promise<void> {
    const { contact, segments, erasedUntil } = change;
    for (const segment of segments)
      meta.inputs -= await this.#filter(contact, segment, ({ at }) => at > erasedUntil!, batch);
    for (const range of [snapshotRange(contact), pieceRange(contact)]) {
      for await (const rows of this.#database.scan(range)) for (const [key] of rows) batch.del(key);
    }
    if (change.row === null) {
      batch.del(contactRow(contact));
      batch.put(erasedRow(this.#hash(contact)), String(erasedUntil));
      meta.erased += 1;
    }
    batch.put(erasedSinceRow(contact), String(erasedUntil));
  }

  #hash(contact: ContactKey): string {
    return erasedHash(this.#meta.clusterId, contact);
  }
}

/** Who is erased since the files were last compacted. A copy that is compacted has none of it. */
export const erasedSinceRange: Range = { gte: erasedSinceRow(""), lt: `${erasedSinceRow("").slice(0, -1)}\x01` };

/** Names an erased contact without telling who it was: the log's id, which is random, is the salt. */
export function erasedHash(clusterId: string, contact: ContactKey): string {
  return createHash("sha256").update(clusterId).update("\0").update(contact).digest("base64url");
}
