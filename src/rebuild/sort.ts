/**
 * Brings inputs into the order (tenant, contact, at, kind, id): in memory while they fit, else through a database in a
 * temporary directory. Copies of one key stay all, in order of arrival.
 */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getHeapStatistics } from "node:v8";
import { ClassicLevel } from "classic-level";
import { ScorefoldError } from "../errors.js";
import { compareInputs, compareText, instantKey, kindRank, padded } from "../events/order.js";
import type { ContactId, Input, TenantId } from "../events/types.js";
import { isDiskFull, writeError } from "./line-output.js";
import { forgetScratch, rememberScratch } from "./scratch.js";

export const MEMORY_BYTES_MAX = 512 * 1024 * 1024;
/** Of the heap this process may grow to: the rest is for folding, writing and the garbage in between. */
const MEMORY_HEAP_SHARE = 0.4;
/** What an input takes in memory beside its texts, and for each unit of its line: measured, rounded up. */
const INPUT_BYTES = 150;
const BYTES_PER_UNIT = 1.5;

const BATCH_INPUTS = 1024;
const WRITE_OPERATIONS = 4096;
const WRITE_BUFFER_BYTES = 32 * 1024 * 1024;

/** An input and where it came from. */
export interface PlacedInput {
  readonly input: Input;
  /** Index of the file among those read. */
  readonly file: number;
  readonly line: number;
}

export interface SortOptions {
  /** Estimated; beyond it, inputs go to disk. Default `MEMORY_BYTES_MAX`, less where the heap is small. */
  readonly memoryBytesMax?: number;
  /** Where the temporary database is made. Default: the system's directory for temporary files. */
  readonly tempDirectory?: string;
}

function memoryBytesDefault(): number {
  return Math.min(MEMORY_BYTES_MAX, MEMORY_HEAP_SHARE * getHeapStatistics().heap_size_limit);
}

export class InputSorter {
  readonly #memoryBytesMax: number;
  readonly #tempDirectory: string;
  #tenants = new Map<TenantId, Map<ContactId, PlacedInput[]>>();
  #bytes = 0;
  #count = 0;
  #spill: Spill | undefined;

  constructor(options: SortOptions = {}) {
    this.#memoryBytesMax = options.memoryBytesMax ?? memoryBytesDefault();
    this.#tempDirectory = options.tempDirectory ?? tmpdir();
  }

  /** Inputs added so far. */
  get count(): number {
    return this.#count;
  }

  /** Whether some of the inputs are on disk. */
  get hasSpilled(): boolean {
    return this.#spill !== undefined;
  }

  /** Whether `spill` must be called before more is added. */
  get isFull(): boolean {
    return this.#bytes >= this.#memoryBytesMax;
  }

  /** @param lineLength length of the input's line, from which its memory is estimated */
  add(placed: PlacedInput, lineLength: number): void {
    const { tenantId, contactId } = placed.input;
    let contacts = this.#tenants.get(tenantId);
    if (contacts === undefined) {
      contacts = new Map();
      this.#tenants.set(tenantId, contacts);
    }
    const inputs = contacts.get(contactId);
    if (inputs === undefined) contacts.set(contactId, [placed]);
    else inputs.push(placed);
    this.#count += 1;
    this.#bytes += INPUT_BYTES + BYTES_PER_UNIT * lineLength;
  }

  /**
   * Writes the inputs held in memory to disk.
   *
   * @throws ScorefoldError `disk-full` or `output-failed`, naming the directory
   */
  async spill(): Promise<void> {
    this.#spill ??= await Spill.open(this.#tempDirectory);
    // Sorted, so that the database's files do not overlap and need not be merged again and again.
    for (const [, contacts] of [...this.#tenants].sort(byKey)) {
      for (const [, inputs] of [...contacts].sort(byKey)) await this.#spill.write(inputs.sort(byInput));
    }
    await this.#spill.flush();
    this.#tenants = new Map();
    this.#bytes = 0;
  }

  /** All inputs in order, in batches that pay no regard to where a contact begins. To be called once, after all `add`. */
  async *inOrder(): AsyncGenerator<readonly PlacedInput[]> {
    if (this.#spill !== undefined) {
      await this.spill();
      yield* this.#spill.inOrder();
      return;
    }
    let batch: PlacedInput[] = [];
    for (const [, contacts] of [...this.#tenants].sort(byKey)) {
      for (const [, inputs] of [...contacts].sort(byKey)) {
        // Also within a contact: what one with a million inputs gives off must not gather.
        for (const placed of inputs.sort(byInput)) {
          batch.push(placed);
          if (batch.length < BATCH_INPUTS) continue;
          yield batch;
          batch = [];
        }
      }
    }
    if (batch.length > 0) yield batch;
  }

  /** Removes what was written to disk. */
  async close(): Promise<void> {
    this.#tenants = new Map();
    await this.#spill?.close();
  }
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return compareText(a[0], b[0]);
}

function byInput(a: PlacedInput, b: PlacedInput): number {
  return compareInputs(a.input, b.input);
}

/** A key whose order by bytes is the order of inputs. Names hold no control characters, so that NUL can end them. */
export function sortKey(input: Input, arrival: number): string {
  const place = `${instantKey(input.at)}${kindRank(input.kind)}${input.id}\0${padded(arrival, 12)}`;
  return `${input.tenantId}\0${input.contactId}\0${place}`;
}

/** Inputs in a LevelDB of their own. Nothing in it has to survive a crash. */
class Spill {
  readonly #directory: string;
  readonly #database: ClassicLevel<string, string>;
  #operations: { type: "put"; key: string; value: string }[] = [];
  #arrivals = 0;

  private constructor(directory: string, database: ClassicLevel<string, string>) {
    this.#directory = directory;
    this.#database = database;
  }

  static async open(parent: string): Promise<Spill> {
    let directory: string | undefined;
    try {
      // In one turn of the loop, so that no signal can come between making it and remembering to remove it.
      directory = mkdtempSync(join(parent, "scorefold-"));
      rememberScratch(directory);
      const database = new ClassicLevel<string, string>(directory, { writeBufferSize: WRITE_BUFFER_BYTES });
      await database.open();
      return new Spill(directory, database);
    } catch (error) {
      if (directory !== undefined) await removeScratchDirectory(directory);
      throw spillError(parent, error);
    }
  }

  async write(inputs: readonly PlacedInput[]): Promise<void> {
    for (const { input, file, line } of inputs) {
      this.#arrivals += 1;
      const value = JSON.stringify([file, line, input]);
      this.#operations.push({ type: "put", key: sortKey(input, this.#arrivals), value });
      if (this.#operations.length >= WRITE_OPERATIONS) await this.flush();
    }
  }

  async flush(): Promise<void> {
    const operations = this.#operations;
    this.#operations = [];
    try {
      await this.#database.batch(operations);
    } catch (error) {
      throw spillError(this.#directory, error);
    }
  }

  async *inOrder(): AsyncGenerator<readonly PlacedInput[]> {
    const values = this.#database.values({ fillCache: false });
    try {
      for (;;) {
        const batch = await values.nextv(BATCH_INPUTS);
        if (batch.length === 0) return;
        yield batch.map(placedInput);
      }
    } catch (error) {
      throw spillError(this.#directory, error);
    } finally {
      await values.close();
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
    await removeScratchDirectory(this.#directory);
  }
}

async function removeScratchDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  forgetScratch(directory);
}

function placedInput(value: string): PlacedInput {
  const [file, line, input] = JSON.parse(value) as [number, number, Input];
  return { input, file, line };
}

/** What an error of the temporary database means, and how to choose another place for it. */
export function spillError(directory: string, error: unknown): unknown {
  const advice = "give a directory with room for about the size of the unpacked inputs with --temp or TMPDIR";
  if (isDiskFull(error)) {
    const text = `the disk is full while sorting in ${directory}; ${advice}`;
    return new ScorefoldError("disk-full", text, { cause: error });
  }
  const named = writeError(join(directory, "scorefold"), error);
  const text = named instanceof Error ? named.message : String(named);
  return new ScorefoldError("output-failed", `can't sort on disk: ${text}; ${advice}`, { cause: error });
}
