/**
 * Contacts in memory: those with something to write, and as many of the others as the budget holds.
 *
 * Most of a million contacts come once in a long while. Such a one is packed as soon as its inputs are folded, and let go
 * as soon as it is written: it takes no place from those that come often. Who comes again while it is remembered is kept.
 * Among those that are kept a hand goes round (the CLOCK algorithm): who was not asked for since it last came by has to go.
 */
import type { ContactId, TenantId } from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import { type ContactKey, contactOf } from "../store/keys.js";
import type { ContactChange, ContactStore } from "../store/store.js";
import { NO_ROUND, TaskContact } from "./contact.js";
import { tombstone } from "./stored-contact.js";

/** What was asked for in so many rounds before is not let go. */
const roundsKept = 2;
/** A contact comes again soon when no more contacts than these were asked for meanwhile. */
const SOON = 4096;
/** So often running it comes again soon before it stays unpacked. */
const TIMES_SOON = 2;
/** So many contacts that were let go are remembered, or up to twice as many. */
const REMEMBERED = 32_768;

export class HotContacts {
  readonly #store: ContactStore;
  readonly #modelsOf: (tenantId: TenantId) => readonly CompiledModel[];
  readonly #bytesMax: number;
  /** By tenant, then by contact: an input is found by its own fields, without a text that joins them. */
  readonly #held = new Map<TenantId, Map<ContactId, TaskContact>>();
  readonly #ring: TaskContact[] = [];
  #hand = 0;
  /** Those that were let go lately, and before. */
  #remembered: readonly [Set<ContactKey>, ReadonlySet<ContactKey>] = [new Set(), new Set()];
  #bytes = 0;
  #round = roundsKept;
  /** Contacts asked for so far, and when those that did not come again soon were last packed. */
  #asked = 0;
  #packedAt = 0;
  /** With something that the store has yet to learn, apart from a write under way. */
  #unwritten = new Set<TaskContact>();
  #writing: ReadonlySet<TaskContact> = new Set();
  /** Being read from the store, by so many: meanwhile nobody else may let them go, or what is read would be out of date. */
  readonly #loading = new Map<ContactKey, number>();

  constructor(store: ContactStore, modelsOf: (tenantId: TenantId) => readonly CompiledModel[], bytesMax: number) {
    this.#store = store;
    this.#modelsOf = modelsOf;
    this.#bytesMax = bytesMax;
  }

  /** Of all that is held, about. */
  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#ring.length;
  }

  /** Contacts that have something to be written, apart from a write under way. */
  get unwritten(): ReadonlySet<TaskContact> {
    return this.#unwritten;
  }

  /** Contacts of which memory knows more than the store: also those in the write under way. */
  *ahead(): Generator<TaskContact> {
    yield* this.#unwritten;
    for (const contact of this.#writing) if (!this.#unwritten.has(contact)) yield contact;
  }

  get(key: ContactKey): TaskContact | undefined {
    const { tenantId, contactId } = contactOf(key);
    return this.find(tenantId, contactId);
  }

  find(tenantId: TenantId, contactId: ContactId): TaskContact | undefined {
    const contact = this.#at(tenantId, contactId);
    if (contact === undefined) return undefined;
    this.#asked += 1;
    if (contact.usedIn !== NO_ROUND && contact.usedIn !== this.#round) {
      contact.isKept = true;
      contact.timesSoon = this.#asked - contact.seenAt <= SOON ? contact.timesSoon + 1 : 0;
    }
    contact.seenAt = this.#asked;
    contact.usedIn = this.#round;
    contact.isUsed = true;
    return contact;
  }

  /** Brings contacts that are not in memory, for the round; ones that are not in the store either begin. */
  async load(keys: Iterable<ContactKey>): Promise<void> {
    const missing = [...new Set(keys)].filter((key) => this.get(key) === undefined);
    if (missing.length === 0) return;
    await this.#pinned(missing, async () => {
      await this.#bring(missing);
      for (const key of missing) this.get(key);
    });
  }

  /**
   * A contact for somebody who asks and does not change it. It need not stay: when it is let go meanwhile, it is what it
   * was when it was asked for.
   */
  async loaded(key: ContactKey): Promise<TaskContact> {
    const { tenantId, contactId } = contactOf(key);
    const held = this.#at(tenantId, contactId);
    if (held !== undefined) held.isUsed = true;
    const contact =
      held ??
      (await this.#pinned([key], async () => {
        await this.#bring([key]);
        return this.#at(tenantId, contactId)!;
      }));
    if (held !== undefined && !held.isPacked) return held;
    // Whoever asks looks at it, which unpacks it.
    contact.unpack();
    this.#measure(contact);
    this.#shrink();
    return contact;
  }

  /** Without a trace of having been asked for. */
  #at(tenantId: TenantId, contactId: ContactId): TaskContact | undefined {
    return this.#held.get(tenantId)?.get(contactId);
  }

  async #pinned<T>(keys: readonly ContactKey[], read: () => Promise<T>): Promise<T> {
    for (const key of keys) this.#loading.set(key, (this.#loading.get(key) ?? 0) + 1);
    try {
      return await read();
    } finally {
      for (const key of keys) {
        const left = this.#loading.get(key)! - 1;
        if (left === 0) this.#loading.delete(key);
        else this.#loading.set(key, left);
      }
    }
  }

  async #bring(missing: readonly ContactKey[]): Promise<void> {
    const stored = await this.#store.contacts(missing);
    const unknown = missing.filter((_, i) => stored[i] === undefined);
    const erased = new Map<ContactKey, number>();
    (await this.#store.erasedUntil(unknown)).forEach((at, i) => {
      if (at !== undefined) erased.set(unknown[i]!, at);
    });
    missing.forEach((key, i) => {
      const { tenantId, contactId } = contactOf(key);
      // Somebody who asks may have brought it meanwhile.
      if (this.#at(tenantId, contactId) !== undefined) return;
      const row = stored[i];
      const erasedUntil = erased.get(key);
      const known = row ?? (erasedUntil === undefined ? undefined : tombstone(erasedUntil));
      this.#hold(new TaskContact(key, this.#modelsOf(tenantId), known, row !== undefined));
    });
  }

  /** Takes a contact that was made elsewhere, with something to be written. */
  adopt(contact: TaskContact): void {
    this.#hold(contact);
    this.touch(contact);
    this.settle(contact);
  }

  /** Ends the turn of a contact: unless it comes all the time it is packed. */
  settle(contact: TaskContact): void {
    if (contact.timesSoon < TIMES_SOON) contact.pack(this.#store.segment);
    contact.keep();
    // Who stays unpacked grows slowly, and is measured again at each write.
    if (contact.isPacked || !contact.isMeasured) this.#measure(contact);
  }

  /** Notes that the contact has something to be written. */
  touch(contact: TaskContact): void {
    this.#unwritten.add(contact);
  }

  /**
   * What the store has to learn, of all contacts; under way until `written`. Each is made as it is taken, so all are to be
   * taken before anything changes.
   */
  beginWrite(): { readonly contacts: number; readonly changes: Iterable<ContactChange> } {
    this.#writing = this.#unwritten;
    this.#unwritten = new Set();
    return { contacts: this.#writing.size, changes: this.#changes(this.#writing) };
  }

  *#changes(contacts: Iterable<TaskContact>): Generator<ContactChange> {
    const { segment } = this.#store;
    for (const contact of contacts) {
      this.#measure(contact);
      yield contact.beginWrite(segment);
    }
  }

  written(): void {
    const written = this.#writing;
    this.#writing = new Set();
    for (const contact of written) {
      contact.written();
      if (contact.isKept || contact.usedIn === this.#round || this.#bytes <= this.#bytesMax / 2) continue;
      if (!this.#unwritten.has(contact) && !this.#loading.has(contact.key)) this.#letGo(contact);
    }
  }

  /** Ends a round of work: lets go what is beyond the budget. */
  endRound(): void {
    this.#round += 1;
    if (this.#asked - this.#packedAt >= SOON) this.#packOld();
    this.#shrink();
  }

  /** Packs those that came all the time, and do no more. */
  #packOld(): void {
    this.#packedAt = this.#asked;
    for (const contact of this.#ring) {
      if (contact.isPacked || this.#asked - contact.seenAt <= SOON) continue;
      contact.pack(this.#store.segment);
      this.#measure(contact);
    }
  }

  #shrink(): void {
    if (this.#bytes <= this.#bytesMax) return;
    // Twice round: the first time those that were used are only marked as not used since.
    for (let looked = 2 * this.#ring.length; looked > 0 && this.#bytes > this.#bytesMax; looked--) {
      if (this.#hand >= this.#ring.length) this.#hand = 0;
      const contact = this.#ring[this.#hand]!;
      const isNeeded =
        contact.usedIn > this.#round - roundsKept ||
        this.#unwritten.has(contact) ||
        this.#writing.has(contact) ||
        this.#loading.has(contact.key);
      if (isNeeded || contact.isUsed) {
        if (!isNeeded) contact.isUsed = false;
        this.#hand += 1;
      } else this.#letGo(contact);
    }
  }

  #letGo(contact: TaskContact): void {
    const last = this.#ring.pop()!;
    if (last !== contact) {
      this.#ring[contact.place] = last;
      last.place = contact.place;
    }
    if (this.#remembered[0].size >= REMEMBERED) this.#remembered = [new Set(), this.#remembered[0]];
    this.#remembered[0].add(contact.key);
    this.#bytes -= contact.bytesHeld;
    const ofTenant = this.#held.get(contact.tenantId)!;
    ofTenant.delete(contact.contactId);
    if (ofTenant.size === 0) this.#held.delete(contact.tenantId);
  }

  #hold(contact: TaskContact): void {
    const { tenantId, contactId } = contact;
    let ofTenant = this.#held.get(tenantId);
    if (ofTenant === undefined) {
      ofTenant = new Map();
      this.#held.set(tenantId, ofTenant);
    }
    ofTenant.set(contactId, contact);
    contact.place = this.#ring.length;
    this.#ring.push(contact);
    const [lately, before] = this.#remembered;
    contact.isKept = lately.has(contact.key) || before.has(contact.key);
    contact.isUsed = true;
    contact.seenAt = this.#asked;
    this.#measure(contact);
  }

  #measure(contact: TaskContact): void {
    const bytes = contact.bytes();
    this.#bytes += bytes - contact.bytesHeld;
    contact.bytesHeld = bytes;
    contact.isMeasured = !contact.isPacked;
  }
}
