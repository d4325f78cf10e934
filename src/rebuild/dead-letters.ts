/** The file of inputs that were put aside: why, where from, and the original, so that it can be mended and sent again. */
import { rm, stat } from "node:fs/promises";
import { originalFields } from "../events/dead-letter.js";
import type { DeadLetterReason } from "../events/decode.js";
import { LineOutput } from "./line-output.js";
import type { BrokenLine } from "./lines.js";

export interface DeadLetter {
  readonly reason: DeadLetterReason;
  readonly error: string;
  /** As it was named. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** The line; of a conflict the canonical JSON of the input that does not hold. */
  readonly original: string | BrokenLine;
}

/** Writes dead letters as JSON lines. The file is made with the first of them: without any there is none. */
export class DeadLetters {
  readonly path: string | undefined;
  readonly #counts = new Map<DeadLetterReason, number>();
  #waiting: DeadLetter[] = [];
  #output: LineOutput | undefined;

  readonly #replaces: boolean;

  /**
   * @param path where they go; undefined: they are only counted
   * @param options whether a file of an earlier run is removed when there are no dead letters; default yes
   */
  constructor(path: string | undefined, options: { readonly replaces: boolean } = { replaces: true }) {
    this.path = path;
    this.#replaces = options.replaces;
  }

  get counts(): Readonly<Partial<Record<DeadLetterReason, number>>> {
    return Object.fromEntries(this.#counts);
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  add(letter: DeadLetter): void {
    this.#counts.set(letter.reason, (this.#counts.get(letter.reason) ?? 0) + 1);
    if (this.path !== undefined) this.#waiting.push(letter);
  }

  /** To be awaited after every batch of inputs. @throws ScorefoldError when the file can't be written */
  async flush(): Promise<void> {
    if (this.#waiting.length === 0 || this.path === undefined) return;
    this.#output ??= await LineOutput.open(this.path);
    for (const letter of this.#waiting) {
      this.#output.append(encodeDeadLetter(letter));
      if (this.#output.isFull) await this.#output.flush();
    }
    this.#waiting = [];
    await this.#output.flush();
  }

  /** Gives the file its name; without dead letters, removes the file that an earlier run may have left there. */
  async commit(): Promise<void> {
    if (this.path === undefined) return;
    await this.flush();
    if (this.#output !== undefined) {
      await this.#output.commit();
      return;
    }
    if (!this.#replaces) return;
    const left = await stat(this.path).catch(() => undefined);
    if (left?.isFile()) await rm(this.path, { force: true });
  }

  async discard(): Promise<void> {
    this.#waiting = [];
    await this.#output?.discard();
  }
}

function encodeDeadLetter({ reason, error, file, line, original }: DeadLetter): string {
  return JSON.stringify({ reason, error, file, line, ...originalFields(original) });
}
