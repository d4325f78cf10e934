/** One partition of the broker model: records and marks, of transactions that are open, committed or aborted. */
import { crc32 } from "node:zlib";
import { ScorefoldError } from "../../src/errors.js";
import type { Original } from "../../src/events/dead-letter.js";
import type { EpochMs } from "../../src/events/types.js";
import type { Bounds, Mark, Offset, Topic } from "../../src/stream/log.js";

export interface BrokerTransaction {
  state: "open" | "committed" | "aborted";
}

export interface Entry {
  readonly offset: Offset;
  readonly timestamp: EpochMs;
  /** Null of a mark that ends a transaction: it takes an offset, and no reader gets it. */
  readonly content: Original | null;
  readonly transaction: BrokerTransaction | null;
}

export class Partition {
  readonly topic: Topic;
  readonly number: number;
  #start: Offset = 0;
  /** Without gaps, from `start`. */
  #entries: Entry[] = [];
  /** No open transaction has a record before it. Never goes back. */
  #stable: Offset = 0;
  #elections = 0;

  constructor(topic: Topic, number: number) {
    this.topic = topic;
    this.number = number;
  }

  /** The offset that the next record gets. */
  get end(): Offset {
    return this.#start + this.#entries.length;
  }

  /** The last stable offset: up to there, committed records can be read. */
  get stable(): Offset {
    while (this.#stable < this.end && this.#at(this.#stable).transaction?.state !== "open") this.#stable += 1;
    return this.#stable;
  }

  get bounds(): Bounds {
    return { start: this.#start, end: this.stable };
  }

  add(content: Original | null, timestamp: EpochMs, transaction: BrokerTransaction | null): Offset {
    const offset = this.end;
    this.#entries.push({ offset, timestamp, content, transaction });
    return offset;
  }

  dropBefore(offset: Offset): void {
    this.#entries.splice(0, offset - this.#start);
    this.#start = offset;
    this.#stable = Math.max(this.#stable, offset);
  }

  /** The record or mark at an offset, or the first behind it; null: there is none. */
  look(offset: Offset): Mark | null {
    const at = Math.max(offset, this.#start);
    return at < this.end ? markOf(this.#at(at)) : null;
  }

  /** The records and marks of `[from, next)`, each as a batch of its own. */
  marks(from: Offset, next: Offset): Mark[] {
    return Array.from({ length: next - from }, (_, i) => markOf(this.#at(from + i)));
  }

  /** Its end is lost, from `offset` on: also what readers have seen. Whoever reads it notices that its leader has changed. */
  truncate(offset: Offset): void {
    this.#entries.splice(Math.max(0, offset - this.#start));
    this.#stable = Math.min(this.#stable, this.end);
    this.#elections += 1;
  }

  /** What it has now. @returns what brings that back */
  keep(): () => void {
    const [entries, stable] = [[...this.#entries], this.#stable];
    return () => {
      this.#entries = entries;
      this.#stable = stable;
      this.#elections += 1;
    };
  }

  /** Deleted and made anew, empty. */
  makeAnew(): void {
    this.#start = 0;
    this.#entries = [];
    this.#stable = 0;
    this.#elections += 1;
  }

  /** How often its leader has changed. */
  get elections(): number {
    return this.#elections;
  }

  /** @throws ScorefoldError `log-failed` when the offset is not in the partition */
  check(offset: Offset): void {
    if (offset >= this.#start && offset <= this.end) return;
    throw new ScorefoldError(
      "log-failed",
      `offset ${offset} of ${this.topic}-${this.number} is not there: it has ${this.#start} to ${this.end}`,
    );
  }

  /** What a reader of committed records gets, in order, up to the last stable offset. */
  *readable(from: Offset): Generator<Entry & { readonly content: Original }> {
    const { stable } = this;
    for (let offset = from; offset < stable; offset++) {
      const entry = this.#at(offset);
      const { content, transaction } = entry;
      if (content !== null && transaction?.state !== "aborted") yield { ...entry, content };
    }
  }

  #at(offset: Offset): Entry {
    return this.#entries[offset - this.#start] as Entry;
  }
}

function markOf({ offset, timestamp, content }: Entry): Mark {
  return { base: offset, count: 1, at: timestamp, checksum: crc32(JSON.stringify(content)) };
}
