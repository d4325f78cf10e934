/** Reads files of input lines into a sorter; what is no input becomes a dead letter, and the rest goes on. */
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { ScorefoldError } from "../errors.js";
import { decodeOriginal } from "../events/dead-letter.js";
import { fieldNames } from "../events/decode.js";
import { isAlsoLater } from "../events/erasure.js";
import { type EpochMs, type Input, RETRACTION } from "../events/types.js";
import { nearest } from "../nearest.js";
import type { DeadLetters } from "./dead-letters.js";
import { type BrokenLine, readError, readLines, STANDARD_INPUT } from "./lines.js";
import type { InputSorter } from "./sort.js";

/** Different names of unknown fields that are counted; a file of random names must not fill the memory. */
const IGNORED_FIELDS_MAX = 100;
const FIELD_NAME_LENGTH_MAX = 100;

/** A field at the top of inputs that means nothing there. */
export interface IgnoredField {
  readonly kind: Input["kind"];
  readonly field: string;
  readonly count: number;
  /** The field that was probably meant. */
  readonly nearest?: string;
}

export interface ReadOptions {
  readonly files: readonly string[];
  readonly stdin?: Readable;
  /** Inputs after this instant are counted and left out. */
  readonly asOf?: EpochMs;
  /** Inputs of other contacts are checked and counted, but not gathered. */
  readonly select?: (tenantId: string, contactId: string) => boolean;
  /** Bytes read, and in all; undefined in all where one of the files is standard input or no plain file. */
  readonly onProgress?: (done: number, total: number | undefined) => void;
}

/** Before 1990 nobody clicked a mail: a source that made texts out of seconds as if they were milliseconds is there. */
const EARLY_MS = Date.UTC(1990, 0, 1);
const NAMES_MAX = 1_000;

export class ReadCounts {
  /** Lines that are not empty. */
  lines = 0;
  readonly inputs: Record<Input["kind"], number> = { interaction: 0, profile: 0, adjustment: 0 };
  afterAsOf = 0;
  /** The newest `at` of the good inputs that are not after `asOf`. */
  newest: EpochMs | null = null;
  /** Files without a single line. */
  readonly emptyFiles: string[] = [];
  /** `tenant NUL contact` of those with a retraction, which takes back what was folded. */
  readonly withRetraction = new Set<string>();
  /** Inputs by interaction type, and adjustments by the model they name; of each so many names at most. */
  readonly types = new Map<string, number>();
  readonly adjustedModels = new Map<string, number>();
  /** Inputs dated before `EARLY_MS`, and the oldest of their instants. */
  early = 0;
  oldest: EpochMs | null = null;
  readonly #ignored = new Map<string, { kind: Input["kind"]; field: string; count: number }>();

  /** Notes what may deserve a second look. */
  note(input: Input): void {
    if (input.kind === "interaction") countName(this.types, input.type);
    else if (input.kind === "adjustment") countName(this.adjustedModels, input.model);
    if (input.at < EARLY_MS) {
      this.early += 1;
      if (this.oldest === null || input.at < this.oldest) this.oldest = input.at;
    }
  }

  ignore(kind: Input["kind"], name: string): void {
    const field = name.length > FIELD_NAME_LENGTH_MAX ? `${name.slice(0, FIELD_NAME_LENGTH_MAX)}...` : name;
    const key = `${kind} ${field}`;
    const known = this.#ignored.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#ignored.size < IGNORED_FIELDS_MAX) this.#ignored.set(key, { kind, field, count: 1 });
  }

  /** The most frequent first. */
  ignoredFields(): IgnoredField[] {
    return [...this.#ignored.values()]
      .sort((a, b) => b.count - a.count)
      .map((ignored) => {
        const near = nearest(ignored.field, fieldNames(ignored.kind));
        return near === undefined ? ignored : { ...ignored, nearest: near };
      });
  }
}

function countName(counts: Map<string, number>, name: string): void {
  const count = counts.get(name);
  if (count !== undefined) counts.set(name, count + 1);
  else if (counts.size < NAMES_MAX) counts.set(name, 1);
}

/** The key of a contact in `ReadCounts.withRetraction`. */
export function contactKey(tenantId: string, contactId: string): string {
  return `${tenantId}\0${contactId}`;
}

/**
 * Reads all files, in the order they are named.
 *
 * @throws ScorefoldError `input-missing` when a file can't be read or all are empty, `disk-full` and `output-failed`
 */
export async function readInputs(
  options: ReadOptions,
  sorter: InputSorter,
  deadLetters: DeadLetters,
): Promise<ReadCounts> {
  const total = await totalBytes(options.files);
  const reader = new InputReader(options, sorter, deadLetters);
  let bytesBefore = 0;
  for (const [index, path] of options.files.entries()) {
    let bytes = 0;
    const linesBefore = reader.counts.lines;
    for await (const batch of readLines(path, options.stdin)) {
      batch.lines.forEach((line, offset) => {
        reader.take(line, index, batch.firstLine + offset);
      });
      bytes = batch.bytesRead;
      await deadLetters.flush();
      if (sorter.isFull) await sorter.spill();
      options.onProgress?.(bytesBefore + bytes, total);
    }
    bytesBefore += bytes;
    if (reader.counts.lines === linesBefore) reader.counts.emptyFiles.push(path);
  }
  if (reader.counts.lines === 0) {
    const names = options.files.map((path) => (path === STANDARD_INPUT ? "standard input" : path)).join(", ");
    throw new ScorefoldError("input-missing", `${names}: empty; expected one JSON object on each line`);
  }
  return reader.counts;
}

class InputReader {
  readonly counts = new ReadCounts();
  readonly #files: readonly string[];
  readonly #asOf: EpochMs;
  readonly #select: ReadOptions["select"];
  readonly #sorter: InputSorter;
  readonly #deadLetters: DeadLetters;

  constructor(options: ReadOptions, sorter: InputSorter, deadLetters: DeadLetters) {
    this.#files = options.files;
    this.#asOf = options.asOf ?? Number.POSITIVE_INFINITY;
    this.#select = options.select;
    this.#sorter = sorter;
    this.#deadLetters = deadLetters;
  }

  take(source: string | BrokenLine, file: number, line: number): void {
    if (typeof source === "string" && (source === "" || source.trim() === "")) return;
    const { counts } = this;
    counts.lines += 1;
    const decoded = decodeOriginal(source);
    if (!decoded.ok) {
      const { reason, error } = decoded;
      this.#deadLetters.add({ reason, error, file: this.#files[file] as string, line, original: source });
      return;
    }
    const { input } = decoded;
    counts.inputs[input.kind] += 1;
    counts.note(input);
    for (const name of decoded.ignored) counts.ignore(input.kind, name);
    if (input.at > this.#asOf) {
      counts.afterAsOf += 1;
      return;
    }
    if ((counts.newest === null || input.at > counts.newest) && !isAlsoLater(input)) counts.newest = input.at;
    if (this.#select !== undefined && !this.#select(input.tenantId, input.contactId)) return;
    if (input.kind === "interaction" && input.type === RETRACTION) {
      counts.withRetraction.add(contactKey(input.tenantId, input.contactId));
    }
    this.#sorter.add({ input, file, line }, typeof source === "string" ? source.length : source.bytes);
  }
}

/** The bytes of all files, so that a missing one is found before an hour was spent on the others. */
async function totalBytes(files: readonly string[]): Promise<number | undefined> {
  let total: number | undefined = 0;
  const missing: string[] = [];
  let cause: unknown;
  for (const path of files) {
    if (path === STANDARD_INPUT) {
      total = undefined;
      continue;
    }
    try {
      const found = await stat(path);
      if (!found.isFile()) total = undefined;
      else if (total !== undefined) total += found.size;
    } catch (error) {
      cause ??= error;
      const named = readError(path, error, 0);
      missing.push(named instanceof Error ? named.message : String(named));
    }
  }
  if (missing.length > 0) throw new ScorefoldError("input-missing", missing.join("\n"), { cause });
  return total;
}
