/** Score lines of several tasks as one stream, in order. */
import { compareText } from "../events/order.js";
import type { ScoreLine } from "../events/types.js";

/** Of so many lines together. */
const BATCH_LINES = 512;

/** @param streams each in order of contacts and models; a contact is in one of them */
export async function* mergedScores(
  streams: readonly AsyncIterable<readonly ScoreLine[]>[],
): AsyncGenerator<readonly ScoreLine[]> {
  const heads = streams.map((stream) => new Head(stream[Symbol.asyncIterator]()));
  try {
    await Promise.all(heads.map((head) => head.fill()));
    let lines: ScoreLine[] = [];
    for (;;) {
      let lowest: Head | null = null;
      for (const head of heads) {
        if (head.line === undefined) continue;
        if (lowest === null || compareText(head.line.contactId, lowest.line!.contactId) < 0) lowest = head;
      }
      if (lowest === null) break;
      lines.push(lowest.line!);
      if (lowest.next()) await lowest.fill();
      if (lines.length < BATCH_LINES) continue;
      yield lines;
      lines = [];
    }
    if (lines.length > 0) yield lines;
  } finally {
    await Promise.all(heads.map((head) => head.close()));
  }
}

class Head {
  readonly #stream: AsyncIterator<readonly ScoreLine[]>;
  #lines: readonly ScoreLine[] = [];
  #at = 0;

  constructor(stream: AsyncIterator<readonly ScoreLine[]>) {
    this.#stream = stream;
  }

  /** Undefined at the end. */
  get line(): ScoreLine | undefined {
    return this.#lines[this.#at];
  }

  /** @returns whether more is to be brought */
  next(): boolean {
    this.#at += 1;
    return this.#at >= this.#lines.length;
  }

  async fill(): Promise<void> {
    this.#lines = [];
    this.#at = 0;
    while (this.#lines.length === 0) {
      const next = await this.#stream.next();
      if (next.done === true) return;
      this.#lines = next.value;
    }
  }

  async close(): Promise<void> {
    await this.#stream.return?.();
  }
}
