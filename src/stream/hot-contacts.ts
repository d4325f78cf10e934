/**
 * Contacts in memory: those with something to write, and as many of the others as the budget holds, the least recently
 * used going first.
 */
import type { TenantId } from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import type { ContactKey } from "../store/keys.js";
import type { ContactChange, ContactStore } from "../store/store.js";
import { TaskContact, tombstone } from "./contact.js";

interface Held {
  readonly contact: TaskContact;
  bytes: number;
  /** The round in which it was last asked for. */
  used: number;
}

/** What was asked for in so many rounds before is not let go. */
const roundsKept = 2;

export class HotContacts {
  readonly #store: ContactStore;
  readonly #modelsOf: (tenantId: TenantId) => readonly CompiledModel[];
  readonly #bytesMax: number;
  /** In the order in which they were last looked at for letting go. */
  readonly #held = new Map<ContactKey, Held>();
  #bytes = 0;
  #round = 0;
  /** With something that the store has yet to learn, apart from a write under way. */
  readonly #unwritten = new Set<TaskContact>();
  #writing: readonly TaskContact[] = [];

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
    return this.#held.size;
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
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    held.used = this.#round;
    return held.contact;
  }

  /** Brings contacts that are not in memory; ones that are not in the store either begin. */
  async load(keys: readonly ContactKey[]): Promise<void> {
    const missing = [...new Set(keys)].filter((key) => this.get(key) === undefined);
    if (missing.length === 0) return;
    const stored = await this.#store.contacts(missing);
    const unknown = missing.filter((_, i) => stored[i] === undefined);
    const erased = new Map<ContactKey, number>();
    (await this.#store.erasedUntil(unknown)).forEach((at, i) => {
      if (at !== undefined) erased.set(unknown[i]!, at);
    });
    missing.forEach((key, i) => {
      // Somebody who asks may have brought it meanwhile.
      if (this.#held.has(key)) return;
      const row = stored[i];
      const erasedUntil = erased.get(key);
      const known = row ?? (erasedUntil === undefined ? undefined : tombstone(erasedUntil));
      const models = this.#modelsOf(key.slice(0, key.indexOf("\0")));
      this.#hold(key, new TaskContact(key, models, known, row !== undefined));
    });
  }

  async loaded(key: ContactKey): Promise<TaskContact> {
    await this.load([key]);
    return this.get(key)!;
  }

  /** Takes a contact that was made elsewhere, with something to be written. */
  adopt(contact: TaskContact): void {
    this.#hold(contact.key, contact);
    this.touch(contact);
  }

  /** Notes that the contact has something to be written. */
  touch(contact: TaskContact): void {
    this.#unwritten.add(contact);
  }

  /** What the store has to learn, of all contacts; under way until `written`. */
  beginWrite(): ContactChange[] {
    this.#writing = [...this.#unwritten];
    this.#unwritten.clear();
    const { segment } = this.#store;
    return this.#writing.map((contact) => {
      this.#measure(contact);
      return contact.beginWrite(segment);
    });
  }

  written(): void {
    for (const contact of this.#writing) contact.written();
    this.#writing = [];
  }

  /** Ends a round of work: lets go what is beyond the budget. */
  endRound(): void {
    this.#round += 1;
    if (this.#bytes <= this.#bytesMax) return;
    const writing = new Set(this.#writing);
    let looked = this.#held.size;
    for (const [key, held] of this.#held) {
      if (this.#bytes <= this.#bytesMax || looked === 0) return;
      looked -= 1;
      const { contact, used, bytes } = held;
      this.#held.delete(key);
      if (used > this.#round - roundsKept || this.#unwritten.has(contact) || writing.has(contact)) {
        this.#held.set(key, held);
      } else {
        this.#bytes -= bytes;
      }
    }
  }

  #hold(key: ContactKey, contact: TaskContact): void {
    const bytes = contact.bytes();
    this.#held.set(key, { contact, bytes, used: this.#round });
    this.#bytes += bytes;
  }

  #measure(contact: TaskContact): void {
    const held = this.#held.get(contact.key);
    if (held === undefined) return;
    const bytes = contact.bytes();
    this.#bytes += bytes - held.bytes;
    held.bytes = bytes;
  }
}
