/**
 * A database on a simulated disk: a sorted map and the list of batches that made it. A crash can lose the batches at the
 * end; whatever held the database before hears nothing more.
 */
import { type Database, type Entry, ListedBatch, type Operation, type Range } from "../../src/database/database.js";
import { ScorefoldError } from "../../src/errors.js";
import { goOn, never, type Step } from "./step.js";

interface Row {
  readonly key: string;
  readonly bytes: Buffer;
  value: string;
}

interface Batch {
  readonly operations: readonly Operation[];
  isAcknowledged: boolean;
}

const CHUNK_ENTRIES = 16;
/** So many operations are done one by one, each of which moves all rows behind it. */
const SPLICED_MAX = 64;

export class SimulatedDisk {
  /** Whether writes fail for want of room. */
  isFull = false;
  readonly step: Step;
  #batches: Batch[] = [];
  #rows: Row[] = [];
  #handle: Handle | undefined;

  constructor(step: Step = goOn) {
    this.step = step;
  }

  /** Whether somebody has the database open. */
  get isOpen(): boolean {
    return this.#handle?.isOpen === true;
  }

  get batches(): number {
    return this.#batches.length;
  }

  /** Batches at the end whose writers have not heard of them: a synced disk may lose these and no others. */
  get unacknowledged(): number {
    const last = this.#batches.findLastIndex(({ isAcknowledged }) => isAcknowledged);
    return this.#batches.length - 1 - last;
  }

  open(): Database {
    if (this.#handle?.isOpen === true) {
      throw new ScorefoldError("directory-in-use", "the simulated disk: it is open; close it first, or crash it");
    }
    this.#handle = new Handle(this);
    return this.#handle;
  }

  /** The process is gone, and the last batches with it; gives the database as it is after that. */
  crash({ loseTail }: { readonly loseTail: number }): Database {
    if (this.#handle !== undefined) this.#handle.isGone = true;
    this.#handle = undefined;
    for (const batch of this.#batches) batch.isAcknowledged = true;
    if (loseTail > 0) {
      this.#batches.splice(Math.max(0, this.#batches.length - loseTail));
      this.#rows = [];
      for (const { operations } of this.#batches) this.#apply(operations);
    }
    return this.open();
  }

  /** Changes a value behind the back of whoever wrote it. */
  damage(key: string, change: (value: string) => string): void {
    const row = this.find(key);
    if (row === undefined) throw new Error(`nothing on the disk under ${JSON.stringify(key)}`);
    this.commit([{ type: "put", key, value: change(row.value) }]).isAcknowledged = true;
  }

  commit(operations: readonly Operation[]): Batch {
    const batch = { operations: [...operations], isAcknowledged: false };
    this.#batches.push(batch);
    this.#apply(operations);
    return batch;
  }

  find(key: string): Row | undefined {
    const row = this.#rows[this.#indexOf(Buffer.from(key))];
    return row?.key === key ? row : undefined;
  }

  /** A copy, which does not change with the disk. */
  entries({ gt, gte, lt, lte, reverse = false }: Range): Entry[] {
    const from = gt !== undefined ? this.#indexOf(Buffer.from(gt), true) : this.#indexOf(Buffer.from(gte ?? ""));
    const last = Buffer.from(lte ?? lt ?? "");
    const to =
      lte !== undefined ? this.#indexOf(last, true) : lt !== undefined ? this.#indexOf(last) : this.#rows.length;
    const found = this.#rows.slice(from, to).map(({ key, value }): Entry => [key, value]);
    return reverse ? found.reverse() : found;
  }

  get bytes(): number {
    return this.#rows.reduce((sum, { bytes, value }) => sum + bytes.length + value.length, 0);
  }

  #apply(operations: readonly Operation[]): void {
    if (operations.length > SPLICED_MAX) {
      this.#merge(operations);
      return;
    }
    for (const operation of operations) {
      const bytes = Buffer.from(operation.key);
      const index = this.#indexOf(bytes);
      const isThere = this.#rows[index]?.key === operation.key;
      if (operation.type === "del") this.#rows.splice(index, isThere ? 1 : 0);
      else this.#rows.splice(index, isThere ? 1 : 0, { key: operation.key, bytes, value: operation.value });
    }
  }

  /** The same for many operations: one walk over all rows. */
  #merge(operations: readonly Operation[]): void {
    const last = new Map(operations.map((operation) => [operation.key, operation]));
    const changes = [...last.values()].map((operation) => ({ operation, bytes: Buffer.from(operation.key) }));
    changes.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
    const rows: Row[] = [];
    let at = 0;
    for (const { operation, bytes } of changes) {
      const index = this.#indexOf(bytes);
      while (at < index) rows.push(this.#rows[at++] as Row);
      if (this.#rows[at]?.key === operation.key) at += 1;
      if (operation.type === "put") rows.push({ key: operation.key, bytes, value: operation.value });
    }
    while (at < this.#rows.length) rows.push(this.#rows[at++] as Row);
    this.#rows = rows;
  }

  /** The first row at or after these bytes, or after them. */
  #indexOf(bytes: Buffer, isAfter = false): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const order = Buffer.compare((this.#rows[middle] as Row).bytes, bytes);
      if (order < 0 || (isAfter && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

class Handle implements Database {
  isOpen = true;
  isGone = false;
  readonly #disk: SimulatedDisk;

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
  }

  async get(key: string): Promise<string | undefined> {
    await this.#step("disk get");
    return this.#disk.find(key)?.value;
  }

  async getMany(keys: readonly string[]): Promise<(string | undefined)[]> {
    await this.#step("disk get many");
    return keys.map((key) => this.#disk.find(key)?.value);
  }

  async write(operations: readonly Operation[]): Promise<void> {
    // What the caller does with its array meanwhile does not matter.
    const taken = [...operations];
    await this.#step("disk write");
    if (this.#disk.isFull) throw new ScorefoldError("disk-full", "the simulated disk: it is full; make room");
    const batch = this.#disk.commit(taken);
    await this.#step("disk written");
    batch.isAcknowledged = true;
  }

  batch(): ListedBatch {
    return new ListedBatch(async (operations) => await this.write(operations));
  }

  async range(range: Range, limit: number): Promise<Entry[]> {
    await this.#step("disk range");
    return this.#disk.entries(range).slice(0, limit);
  }

  async *scan(range: Range): AsyncGenerator<readonly Entry[]> {
    await this.#step("disk scan");
    const entries = this.#disk.entries(range);
    for (let at = 0; at < entries.length; at += CHUNK_ENTRIES) {
      yield entries.slice(at, at + CHUNK_ENTRIES);
      await this.#step("disk scan");
    }
  }

  async checkPlace(): Promise<void> {
    // Nobody moves it.
  }

  async size(): Promise<number> {
    return this.#disk.bytes;
  }

  async close(): Promise<void> {
    await this.#step("disk close");
    this.isOpen = false;
  }

  async #step(name: string): Promise<void> {
    if (!this.isGone) await this.#disk.step(name);
    if (this.isGone) await never();
    if (!this.isOpen) throw new ScorefoldError("database-failed", "the simulated disk: the database is closed");
  }
}
