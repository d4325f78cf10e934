/**
 * What the store and the embedded log ask of an ordered key-value database: atomic batches, ranges in key order. Narrow,
 * so that the simulator can put a disk under it that loses its tail.
 */

export type Operation =
  | { readonly type: "put"; readonly key: string; readonly value: string }
  | { readonly type: "del"; readonly key: string };

/** Keys are compared by their UTF-8 bytes. */
export interface Range {
  readonly gte?: string;
  readonly gt?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly reverse?: boolean;
}

export type Entry = readonly [key: string, value: string];

/** Operations gathered for one write, taken over as they come: they need not all be in memory twice. */
export interface Batch {
  put(key: string, value: string): void;
  del(key: string): void;
  /** All of the operations or none of them, as `Database.write`; once. */
  write(): Promise<void>;
}

export interface Database {
  get(key: string): Promise<string | undefined>;
  /** In the order of the keys asked for. */
  getMany(keys: readonly string[]): Promise<(string | undefined)[]>;
  /**
   * All of the operations or none of them, on disk when it resolves.
   *
   * @throws ScorefoldError `disk-full`, `database-corrupt` or `database-failed`; what `checkPlace` throws
   */
  write(operations: readonly Operation[]): Promise<void>;
  batch(): Batch;
  /** The first entries of a range, at most `limit`. */
  range(range: Range, limit: number): Promise<Entry[]>;
  /** A whole range as it is now, in chunks; what is written meanwhile is not seen. */
  scan(range: Range): AsyncGenerator<readonly Entry[]>;
  /**
   * Sees that what is written lies where whoever opens the database next looks for it.
   *
   * @throws ScorefoldError `database-failed`, or what the database was opened with, where its directory was removed, moved
   *   or replaced
   */
  checkPlace(): Promise<void>;
  /** Bytes on disk, about. */
  size(): Promise<number>;
  close(): Promise<void>;
}

/** A batch that is a list until it is written. */
export class ListedBatch implements Batch {
  readonly #write: (operations: readonly Operation[]) => Promise<void>;
  readonly #operations: Operation[] = [];

  constructor(write: (operations: readonly Operation[]) => Promise<void>) {
    this.#write = write;
  }

  put(key: string, value: string): void {
    this.#operations.push({ type: "put", key, value });
  }

  del(key: string): void {
    this.#operations.push({ type: "del", key });
  }

  async write(): Promise<void> {
    await this.#write(this.#operations);
  }
}
