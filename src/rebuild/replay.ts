/**
 * Scores files: all inputs in, in any order; each contact folded once over its inputs in key order; score lines and
 * outputs out. The same inputs give the same bytes, whatever files and lines they came in.
 */
import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ScorefoldError } from "../errors.js";
import type { DeadLetterReason } from "../events/decode.js";
import { encodeInput, encodeOutput, encodeScoreLine } from "../events/encode.js";
import { compareInputs, compareText } from "../events/order.js";
import { formatInstant } from "../events/time.js";
import type { ContactId, EpochMs, Input, Output, ScoreLine, TenantId } from "../events/types.js";
import { ContactFold } from "../fold/contact.js";
import type { CompiledModel } from "../model/compile.js";
import { DeadLetters } from "./dead-letters.js";
import { resolveCopies } from "./duplicates.js";
import { LineOutput, type OutputTarget, STANDARD_OUTPUT } from "./line-output.js";
import { contactKey, type IgnoredField, type ReadCounts, readInputs } from "./read.js";
import { InputSorter, type PlacedInput, type SortOptions } from "./sort.js";

const COPIES_MAX = 64;
const DEAD_LETTERS_ENDING = ".dead-letters.jsonl";
/** Where dead letters go when the scores have no file to put them beside: in the current directory. */
const DEAD_LETTERS_DEFAULT = "scores.dead-letters.jsonl";

export interface ReplayProgress {
  /** `read`: bytes of the files. `fold`: inputs. */
  readonly phase: "read" | "fold";
  readonly done: number;
  /** Undefined where it can't be known: for standard input. */
  readonly total: number | undefined;
}

/** What became of one contact. */
export interface ReplayedContact {
  readonly tenantId: TenantId;
  readonly contactId: ContactId;
  /** One a model of the tenant, sorted by model; none when nothing of the contact is in force. */
  readonly scoreLines: readonly ScoreLine[];
  /** Where the contact stands at `asOf`, to explain it. */
  readonly fold: ContactFold;
}

export interface ReplayOptions extends SortOptions {
  readonly models: readonly CompiledModel[];
  /** Paths of JSON lines, plain or gzip; `-` is standard input. */
  readonly files: readonly string[];
  /** Takes the place of the process's standard input. */
  readonly stdin?: Readable;
  /** Default: the newest `at` of the good inputs. */
  readonly asOf?: EpochMs;
  readonly scores?: OutputTarget;
  readonly outputs?: OutputTarget;
  /**
   * A path. Default: the path of the scores with `.dead-letters.jsonl` added. With neither, dead letters are only
   * counted.
   */
  readonly deadLetters?: string;
  /** Files that no result may overwrite, beside the inputs: the models'. */
  readonly kept?: readonly string[];
  /** Only these contacts are folded. */
  readonly select?: (tenantId: TenantId, contactId: ContactId) => boolean;
  readonly onProgress?: (progress: ReplayProgress) => void;
  /** Called for each output, per contact in order, contacts by tenant and id. */
  readonly onOutput?: (output: Output) => void;
  /** Called for each contact after its last output. */
  readonly onContact?: (contact: ReplayedContact) => void | Promise<void>;
}

export interface ReplayReport {
  /** Null when there was no good input and none was asked for. */
  readonly asOf: EpochMs | null;
  /** Lines that are not empty. */
  readonly lines: number;
  /** Good inputs by kind, duplicates and those after `asOf` too. */
  readonly inputs: Readonly<Record<Input["kind"], number>>;
  /** Contacts with an input up to `asOf`. */
  readonly contacts: number;
  readonly scoreLines: number;
  readonly outputs: Readonly<Record<Output["kind"], number>>;
  readonly deadLetters: {
    readonly total: number;
    readonly byReason: Readonly<Partial<Record<DeadLetterReason, number>>>;
    /** Null when none were written. */
    readonly path: string | null;
  };
  readonly duplicates: number;
  /** Inputs that lost against another with the same key; they are dead letters too. */
  readonly conflicts: number;
  /** Inputs that an erasure at their own instant kept from being folded. */
  readonly erased: number;
  readonly afterAsOf: number;
  readonly ignoredFields: readonly IgnoredField[];
  /** Good inputs by interaction type, and adjustments by the model they name. */
  readonly types: ReadonlyMap<string, number>;
  readonly adjustedModels: ReadonlyMap<string, number>;
  /** Inputs dated before 1990, and the oldest of them: most often seconds that were taken for milliseconds. */
  readonly early: { readonly count: number; readonly oldest: EpochMs | null };
  /** Files without a single line. */
  readonly emptyFiles: readonly string[];
  /** Whether the inputs were sorted on disk. */
  readonly spilled: boolean;
  readonly elapsedMs: number;
}

/**
 * Replays files under one or many models.
 *
 * @throws ScorefoldError `input-missing`, `output-failed`, `disk-full`, or `usage` for targets that exclude each other;
 *   no file is left half written
 */
export async function replay(options: ReplayOptions): Promise<ReplayReport> {
  const started = performance.now();
  checkOptions(options);
  const sorter = new InputSorter(options);
  // What lies at the default place in the current directory may be of another run over other inputs.
  const isOwn = options.deadLetters !== undefined || (options.scores !== undefined && isNamedFile(options.scores));
  const deadLetters = new DeadLetters(deadLettersPath(options), { replaces: isOwn });
  const opened: LineOutput[] = [];
  const openOutput = async (target: OutputTarget | undefined): Promise<LineOutput | undefined> => {
    if (target === undefined) return undefined;
    const output = await LineOutput.open(target);
    opened.push(output);
    return output;
  };
  try {
    const scores = await openOutput(options.scores);
    const outputs = await openOutput(options.outputs);
    const onRead = (done: number, total: number | undefined): void =>
      options.onProgress?.({ phase: "read", done, total });
    const read = await readInputs({ ...options, onProgress: onRead }, sorter, deadLetters);
    const asOf = options.asOf ?? read.newest;
    const folder = new ReplayFold(options, { read, asOf: asOf ?? 0, scores, outputs, deadLetters });
    await folder.run(sorter);
    // A disk that is full shows here, before any file has got its name.
    for (const output of [...opened, deadLetters]) await output.flush();
    for (const output of [...opened, deadLetters]) await output.commit();
    return { ...folder.report(), asOf, spilled: sorter.hasSpilled, elapsedMs: performance.now() - started };
  } finally {
    // After a commit a discard does nothing. One that fails does not keep the others from being tidied up.
    await Promise.allSettled([sorter.close(), ...[...opened, deadLetters].map((output) => output.discard())]);
  }
}

interface ReplayParts {
  readonly read: ReadCounts;
  readonly asOf: EpochMs;
  readonly scores: LineOutput | undefined;
  readonly outputs: LineOutput | undefined;
  readonly deadLetters: DeadLetters;
}

/** Folds sorted inputs contact by contact. */
class ReplayFold {
  readonly #options: ReplayOptions;
  readonly #parts: ReplayParts;
  readonly #models: readonly CompiledModel[];
  readonly #modelsOfTenant = new Map<TenantId, readonly CompiledModel[]>();
  readonly #outputs: Record<Output["kind"], number> = { ScoreChanged: 0, ThresholdCrossed: 0, ContactErased: 0 };
  #fold: ContactFold | undefined;
  #tenantId: TenantId = "";
  #contactId: ContactId = "";
  /** The last input read, and the others before it with the same key. */
  #copies: PlacedInput[] = [];
  /** With so many copies the doubles among them are let go. */
  #copiesMax = COPIES_MAX;
  #contacts = 0;
  #scoreLines = 0;
  #duplicates = 0;
  #conflicts = 0;
  #erased = 0;

  constructor(options: ReplayOptions, parts: ReplayParts) {
    this.#options = options;
    this.#parts = parts;
    this.#models = [...options.models].sort(
      ({ model: a }, { model: b }) => compareText(a.id, b.id) || a.version - b.version,
    );
  }

  async run(sorter: InputSorter): Promise<void> {
    const total = sorter.count;
    let done = 0;
    for await (const batch of sorter.inOrder()) {
      for (const placed of batch) {
        const previous = this.#copies[0]?.input;
        const isSameContact = this.#isCurrent(placed.input);
        if (previous !== undefined && isSameContact && compareInputs(previous, placed.input) === 0) {
          this.#copies.push(placed);
          if (this.#copies.length >= this.#copiesMax) this.#settleCopies();
          continue;
        }
        this.#receive();
        if (!isSameContact) {
          await this.#finish();
          this.#begin(placed.input);
        }
        this.#copies = [placed];
      }
      // Also within a contact: one with a million inputs must not gather a million outputs.
      await this.#publish();
      await this.#parts.deadLetters.flush();
      // Folding in memory waits for nothing: without this, a signal to stop would not be seen until the end.
      await nextTurn();
      done += batch.length;
      this.#options.onProgress?.({ phase: "fold", done, total });
    }
    this.#receive();
    await this.#finish();
  }

  report(): Omit<ReplayReport, "asOf" | "spilled" | "elapsedMs"> {
    const { read, deadLetters } = this.#parts;
    return {
      lines: read.lines,
      inputs: read.inputs,
      contacts: this.#contacts,
      scoreLines: this.#scoreLines,
      outputs: this.#outputs,
      deadLetters: {
        total: deadLetters.total,
        byReason: deadLetters.counts,
        path: deadLetters.total > 0 ? (deadLetters.path ?? null) : null,
      },
      duplicates: this.#duplicates,
      conflicts: this.#conflicts,
      erased: this.#erased,
      afterAsOf: read.afterAsOf,
      ignoredFields: read.ignoredFields(),
      types: read.types,
      adjustedModels: read.adjustedModels,
      early: { count: read.early, oldest: read.oldest },
      emptyFiles: read.emptyFiles,
    };
  }

  #isCurrent(input: Input): boolean {
    return this.#fold !== undefined && input.contactId === this.#contactId && input.tenantId === this.#tenantId;
  }

  #begin({ tenantId, contactId }: Input): void {
    this.#tenantId = tenantId;
    this.#contactId = contactId;
    this.#contacts += 1;
    const history = this.#parts.read.withRetraction.has(contactKey(tenantId, contactId)) ? "kept" : "none";
    this.#fold = new ContactFold(this.#modelsOf(tenantId), tenantId, contactId, { history });
  }

  #modelsOf(tenantId: TenantId): readonly CompiledModel[] {
    let models = this.#modelsOfTenant.get(tenantId);
    if (models === undefined) {
      models = this.#models.filter(({ model }) => model.tenants === undefined || model.tenants.includes(tenantId));
      this.#modelsOfTenant.set(tenantId, models);
    }
    return models;
  }

  /** Lets go what says again what another copy says: an export without ids may have one key on every line. */
  #settleCopies(): void {
    const { kept, conflicts, duplicates, erased } = resolveCopies(this.#copies);
    this.#duplicates += duplicates;
    this.#erased += erased;
    this.#copies = [kept, ...conflicts];
    this.#copiesMax = Math.max(COPIES_MAX, 2 * this.#copies.length);
  }

  /** Folds the input that is next in order, once no other copy of it can come. */
  #receive(): void {
    const [first] = this.#copies;
    if (first === undefined || this.#fold === undefined) return;
    let next = first;
    let hasConflict = false;
    if (this.#copies.length > 1) {
      const { kept, conflicts, duplicates, erased } = resolveCopies(this.#copies);
      next = kept;
      hasConflict = conflicts.length > 0;
      this.#duplicates += duplicates;
      this.#erased += erased;
      for (const loser of conflicts) this.#setAside(loser, kept);
    }
    this.#copies = [];
    this.#copiesMax = COPIES_MAX;
    if (this.#fold.receive(next.input).status === "erased") this.#erased += 1;
    else if (hasConflict) this.#fold.noteConflict(next.input);
  }

  #setAside(loser: PlacedInput, kept: PlacedInput): void {
    const { files } = this.#options;
    this.#conflicts += 1;
    const { at, kind, id } = loser.input;
    const name = `${kind} ${JSON.stringify(id)} of contact ${JSON.stringify(loser.input.contactId)}`;
    const other = `${files[kept.file]}:${kept.line}`;
    this.#parts.deadLetters.add({
      reason: "conflict",
      error: `${name} at ${formatInstant(at)} has other content in ${other}, which holds; give each its own id`,
      file: files[loser.file] as string,
      line: loser.line,
      original: encodeInput(loser.input),
    });
  }

  /** Brings the current contact to `asOf` and writes its lines. */
  async #finish(): Promise<void> {
    if (this.#fold === undefined) return;
    const { scores, asOf } = this.#parts;
    const fold = this.#fold;
    fold.advance(asOf);
    await this.#publish();
    const scoreLines = fold.scoreLines();
    this.#fold = undefined;
    this.#scoreLines += scoreLines.length;
    if (scores !== undefined) {
      for (const line of scoreLines) scores.append(encodeScoreLine(line));
      if (scores.isFull) await scores.flush();
    }
    await this.#options.onContact?.({ tenantId: this.#tenantId, contactId: this.#contactId, scoreLines, fold });
  }

  async #publish(): Promise<void> {
    const { outputs: target } = this.#parts;
    for (const output of this.#fold?.drain() ?? []) {
      this.#outputs[output.kind] += 1;
      target?.append(encodeOutput(output));
      this.#options.onOutput?.(output);
    }
    if (target?.isFull) await target.flush();
  }
}

function deadLettersPath({ deadLetters, scores }: ReplayOptions): string | undefined {
  if (deadLetters !== undefined || scores === undefined) return deadLetters;
  return isNamedFile(scores) ? `${scores}${DEAD_LETTERS_ENDING}` : DEAD_LETTERS_DEFAULT;
}

function isNamedFile(target: OutputTarget): target is string {
  return typeof target === "string" && target !== STANDARD_OUTPUT && !target.startsWith("/dev/");
}

/** Where a path leads, through links; two paths of one file are one place. */
function placeOf(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch {
    // Not there yet: its directory says where it will be.
    try {
      return join(realpathSync(dirname(whole)), basename(whole));
    } catch {
      return whole;
    }
  }
}

/** Refuses options under which one result would overwrite another, or an input. */
function checkOptions(options: ReplayOptions): void {
  if (options.files.length === 0) throw new ScorefoldError("usage", "no input file was named");
  const targets = [options.scores, options.outputs, deadLettersPath(options)];
  const taken = new Map(options.files.map((path) => [placeOf(path), "an input file"]));
  for (const path of options.kept ?? []) taken.set(placeOf(path), "a file that is read");
  if (options.files.filter((path) => path === "-").length > 1) {
    throw new ScorefoldError("usage", "standard input is named twice; it can be read once");
  }
  for (const [index, what] of ["the scores", "the outputs", "the dead letters"].entries()) {
    const target = targets[index];
    if (typeof target !== "string" || target.startsWith("/dev/")) continue;
    const place = target === STANDARD_OUTPUT ? "standard output" : placeOf(target);
    const other = taken.get(place);
    if (other !== undefined) {
      throw new ScorefoldError("usage", `${what} would go where ${other} is: ${target}; name another file`);
    }
    taken.set(place, what);
  }
  const seen = new Set<string>();
  for (const { model } of options.models) {
    const name = `${model.id} version ${model.version}`;
    if (seen.has(name)) throw new ScorefoldError("usage", `model ${name} is given twice; leave one of them out`);
    seen.add(name);
  }
}
