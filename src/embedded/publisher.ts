/** What the owner of the task writes: outputs, dead letters and positions in one batch; and who the owner is. */
import type { Database, Operation } from "../database/database.js";
import { ScorefoldError } from "../errors.js";
import { encodeDeadLetter } from "../events/dead-letter.js";
import { encodeOutput } from "../events/encode.js";
import type { Output } from "../events/types.js";
import {
  type Committed,
  type Mark,
  type Marks,
  METADATA_BYTES_MAX,
  type Topic,
  type Transaction,
} from "../stream/log.js";
import { endOf, findEnd } from "./appends.js";
import type { Clock } from "./clock.js";
import type { End, Ends } from "./ends.js";
import { encodeTaskState, readTaskState, TASK, TASK_KEY, type TaskState } from "./meta.js";
import { cutRows, encodeRow, markOf, rowKey } from "./rows.js";
import { Turns } from "./turns.js";

const topicOfOutput: Readonly<Record<Output["kind"], Topic>> = {
  ScoreChanged: "score-changed",
  ContactErased: "score-changed",
  ThresholdCrossed: "threshold-crossed",
};
const DEAD_LETTERS: Topic = "dead-letters";
export const OUTPUT_TOPICS: readonly Topic[] = ["score-changed", "threshold-crossed", DEAD_LETTERS];

export class Publisher {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #ends: Ends;
  readonly #turns = new Turns();
  /** Undefined after a write that failed: what is on disk is not known. */
  #state: TaskState | undefined;
  /** The epoch that opened the task last; 0 before anyone has. */
  #owner = 0;

  constructor(database: Database, clock: Clock, ends: Ends) {
    this.#database = database;
    this.#clock = clock;
    this.#ends = ends;
  }

  /** Makes the caller the owner, and gives its epoch. */
  async open(): Promise<number> {
    return await this.#turns.take(async () => {
      const { epoch, committed } = await this.#known();
      await this.#write([], { epoch: epoch + 1, committed });
      this.#owner = epoch + 1;
      return this.#owner;
    });
  }

  isOwner(epoch: number): boolean {
    return epoch === this.#owner;
  }

  async committed(): Promise<Committed | null> {
    return await this.#turns.take(async () => (await this.#known()).committed);
  }

  /** @returns the last row that it wrote to each topic */
  async publish(epoch: number, transaction: Transaction): Promise<Marks> {
    const { offsets, marks = new Map(), metadata } = transaction;
    const bytes = Buffer.byteLength(metadata);
    if (bytes > METADATA_BYTES_MAX) {
      throw new ScorefoldError(
        "internal",
        `the metadata of a transaction has ${bytes} bytes; at most ${METADATA_BYTES_MAX} are allowed`,
      );
    }
    const texts = encodeTransaction(transaction);
    // A copy: the caller may go on with its own.
    const committed = { offsets: new Map(offsets), marks: new Map(marks), metadata };
    return await this.#turns.take(async () => {
      const state = await this.#known();
      if (state.epoch !== epoch) {
        throw new ScorefoldError(
          "fenced",
          `task ${TASK} of the log has another owner now (epoch ${state.epoch}, this one has ${epoch}); open it again`,
        );
      }
      return await this.#write(texts, { epoch, committed });
    });
  }

  async idle(): Promise<void> {
    await this.#turns.idle();
  }

  async #known(): Promise<TaskState> {
    if (this.#state === undefined) {
      const state = await readTaskState(this.#database);
      for (const topic of OUTPUT_TOPICS) this.#ends.move(topic, await findEnd(this.#database, topic));
      this.#state = state;
    }
    return this.#state;
  }

  async #write(texts: ReadonlyArray<readonly [Topic, readonly string[]]>, state: TaskState): Promise<Marks> {
    const hasRecords = texts.some(([, ofTopic]) => ofTopic.length > 0);
    const timestamp = hasRecords ? this.#clock.stamp() : this.#clock.read();
    const operations: Operation[] = [{ type: "put", key: TASK_KEY, value: encodeTaskState(state) }];
    const ends: (readonly [Topic, End])[] = [];
    const marks = new Map<Topic, Mark>();
    for (const [topic, ofTopic] of texts) {
      if (ofTopic.length === 0) continue;
      const { offset, link } = this.#ends.last(topic);
      const rows = cutRows(offset, timestamp, ofTopic, link);
      for (const row of rows) {
        operations.push({ type: "put", key: rowKey(topic, row.end - 1), value: encodeRow(row) });
        marks.set(topic, markOf(row));
      }
      ends.push([topic, endOf(rows, link)]);
    }
    this.#state = undefined;
    await this.#database.write(operations);
    this.#state = state;
    for (const [topic, end] of ends) this.#ends.move(topic, end);
    return marks;
  }
}

function encodeTransaction({ outputs, deadLetters }: Transaction): (readonly [Topic, readonly string[]])[] {
  const texts = new Map<Topic, string[]>(OUTPUT_TOPICS.map((topic) => [topic, []]));
  for (const output of outputs)
    texts.get(topicOfOutput[output.kind])?.push("encoded" in output ? String(output.encoded) : encodeOutput(output));
  for (const letter of deadLetters) texts.get(DEAD_LETTERS)?.push(encodeDeadLetter(letter));
  return [...texts];
}
