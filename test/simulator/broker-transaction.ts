/**
 * A transaction in the broker model: its end is decided at once, and told to one partition after the other by marks. Until
 * its mark is there a partition holds back what lies behind, and until all of them are its producer can begin no other.
 */
import type { Original } from "../../src/events/dead-letter.js";
import type { EpochMs } from "../../src/events/types.js";
import type { Mark, Topic } from "../../src/stream/log.js";
import type { BrokerTransaction, Partition } from "./broker-partition.js";

export interface Ending {
  readonly now: () => EpochMs;
  /** Waits until the broker comes to a mark; null: all of them are there at once. */
  readonly mark: (() => Promise<void>) | null;
  /** Told of each mark, once it is there. */
  readonly onMark: () => void;
  /** Told when all are there. */
  readonly onOver: () => void;
}

export class ProducerTransaction {
  /** What each partition knows of it. */
  readonly #parts = new Map<Partition, BrokerTransaction>();
  #outcome: "committed" | "aborted" | null = null;
  #isOver = false;

  /** Null: it is open. */
  get outcome(): "committed" | "aborted" | null {
    return this.#outcome;
  }

  /** Whether its end has been told to all partitions. */
  get isOver(): boolean {
    return this.#isOver;
  }

  add(partition: Partition, content: Original, timestamp: EpochMs): void {
    let part = this.#parts.get(partition);
    if (part === undefined) {
      part = { state: "open" };
      this.#parts.set(partition, part);
    }
    partition.add(content, timestamp, part);
  }

  /** The last batch that it has written to partitions of these topics, before it has ended. */
  *written(number: number, topics: readonly Topic[]): Generator<readonly [Topic, Mark]> {
    for (const partition of this.#parts.keys()) {
      if (partition.number !== number || !topics.includes(partition.topic)) continue;
      yield [partition.topic, partition.look(partition.end - 1) as Mark];
    }
  }

  /** Decides how it ends, and tells the partitions. */
  end(outcome: "committed" | "aborted", { now, mark, onMark, onOver }: Ending): void {
    this.#outcome = outcome;
    let left = this.#parts.size + 1;
    const marked = (): void => {
      left -= 1;
      if (left === 0) {
        this.#isOver = true;
        onOver();
      }
      onMark();
    };
    const marks = [...this.#parts].map(([partition, part]) => (): void => {
      part.state = outcome;
      partition.add(null, now(), part);
      marked();
    });
    // The offsets lie in a partition of their own.
    for (const one of [...marks, marked]) {
      if (mark === null) one();
      else void mark().then(one);
    }
  }
}
