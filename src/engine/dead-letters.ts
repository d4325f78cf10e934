/** Dead letters of an embedded log: found, shown, and taken out for good, with the lines that they are of. */
import type {
  DeadLetterEntry,
  DeadLetterFilter,
  DeadLetterPage,
  DeadLetterShown,
  DeadLetterTopic,
  DroppedLetters,
} from "../api/engine.js";
import type { Database } from "../database/database.js";
import { type EmbeddedLog, INPUTS } from "../embedded/log.js";
import { canonicalJson } from "../events/canonical.js";
import { claimsOfOriginal, textsOfOriginal } from "../events/claims.js";
import type { Original, OriginalFields } from "../events/dead-letter.js";
import { type DeadLetterReason, decodeLine } from "../events/decode.js";
import type { ContactId, EpochMs, TenantId } from "../events/types.js";
import { contactKey } from "../store/keys.js";
import type { Offset, Topic } from "../stream/log.js";
import { contentHash, droppedRow } from "./dropped.js";

export const DEAD_LETTERS: Topic = "dead-letters";

const READ = { recordsMax: 512, bytesMax: 1024 * 1024 };
const PREVIEW_LENGTH = 160;

/** A dead letter as it lies in the topic. */
export interface StoredLetter {
  readonly reason: DeadLetterReason;
  readonly error: string;
  readonly topic: Topic;
  readonly partition: number;
  readonly offset: Offset;
  readonly source: string | null;
  readonly original: Original;
}

interface FoundLetter {
  readonly id: Offset;
  readonly at: EpochMs;
  readonly value: string;
  readonly letter: StoredLetter;
}

type Written = OriginalFields & Omit<StoredLetter, "original" | "source"> & { readonly source?: string };

/** Null: it is no dead letter. */
export function storedLetter(value: string): StoredLetter | null {
  const written = JSON.parse(value) as Written;
  const { original: head, originalBase64: base64, length, sha256 } = written;
  if (typeof head !== "string") return null;
  const { reason, error, topic, partition, offset, source = null } = written;
  const isWhole = length === undefined || sha256 === undefined;
  const bytes = base64 === undefined ? undefined : { base64 };
  const original = isWhole ? head : { bytes: length, sha256, head, isUtf8: base64 === undefined, ...bytes };
  return { reason, error, topic, partition, offset, source, original };
}

/** What the dead letters of a log have of one contact. */
export interface LettersOfContact {
  readonly count: number;
  /** Of those that say when; null: none does. */
  readonly newest: EpochMs | null;
  /** Those that nobody can be said to have, and that hold the contact's id as a word. */
  readonly mentions: number;
}

/** @throws ScorefoldError as reading the log does */
export async function lettersOf(log: EmbeddedLog, tenantId: TenantId, contactId: ContactId): Promise<LettersOfContact> {
  let [count, mentions] = [0, 0];
  let newest: EpochMs | null = null;
  for await (const { letter } of letters(log)) {
    const claims = claimsOfOriginal(letter.original);
    const own = claims.filter((claim) => claim.contactId === contactId && claim.tenantIds.includes(tenantId));
    if (own.length > 0) count += 1;
    else if (claims.length === 0 && hasWord(letter.original, contactId)) mentions += 1;
    for (const { at } of own) if (at !== null && (newest === null || at > newest)) newest = at;
  }
  return { count, newest, mentions };
}

export class DeadLettersOfLog implements DeadLetterTopic {
  readonly #log: EmbeddedLog;
  readonly #database: Database;

  /** @param database the log's */
  constructor(log: EmbeddedLog, database: Database) {
    this.#log = log;
    this.#database = database;
  }

  async list(filter: DeadLetterFilter, from: Offset, limit: number): Promise<DeadLetterPage> {
    const found: DeadLetterEntry[] = [];
    const fits = fitting(filter);
    for await (const one of letters(this.#log, from)) {
      if (!fits(one)) continue;
      if (found.length >= limit) return { letters: found, next: one.id };
      const { id, at, letter } = one;
      const { original, ...fields } = letter;
      found.push({ id, at, ...fields, preview: previewOf(original) });
    }
    return { letters: found, next: null };
  }

  async show(id: Offset): Promise<DeadLetterShown | null> {
    for await (const { id: found, at, value } of letters(this.#log, id)) return found === id ? { id, at, value } : null;
    return null;
  }

  /** First the lines, then the letters that name them: broken off, it is only done again. */
  async drop(filter: DeadLetterFilter): Promise<DroppedLetters> {
    const fits = fitting(filter);
    const ids: Offset[] = [];
    const lines = new Set<Offset>();
    const conflicts = new Map<string, Offset>();
    for await (const one of letters(this.#log)) {
      if (!fits(one)) continue;
      const { topic, offset, reason, original } = one.letter;
      ids.push(one.id);
      if (topic !== INPUTS) continue;
      if (reason !== "conflict") lines.add(offset);
      else if (typeof original === "string") conflicts.set(original, offset);
    }
    for (const line of await this.#linesOf(conflicts)) lines.add(line);
    await this.#note([...conflicts.keys()]);
    const dropped = await this.#log.remove(INPUTS, inOrder(lines));
    return { letters: await this.#log.remove(DEAD_LETTERS, inOrder(ids)), lines: dropped };
  }

  /** The store has such an input as well where it came before the one that holds; the next compaction takes it out. */
  async #note(conflicts: readonly string[]): Promise<void> {
    const operations = conflicts.flatMap((json) => {
      const decoded = decodeLine(json);
      if (!decoded.ok) return [];
      const key = contactKey(decoded.input.tenantId, decoded.input.contactId);
      return [{ type: "put", key: droppedRow(key, contentHash(decoded.input)), value: "" } as const];
    });
    if (operations.length > 0) await this.#database.write(operations);
  }

  /** Where inputs lie that did not hold: a dead letter names the record that it was found at, which may be the other one. */
  async #linesOf(conflicts: ReadonlyMap<string, Offset>): Promise<Offset[]> {
    const lines: Offset[] = [];
    if (conflicts.size === 0) return lines;
    const end = Math.max(...conflicts.values()) + 1;
    for (let from = 0; from < end; ) {
      const { records, next } = await this.#log.read(INPUTS, from, READ);
      for (const { offset, value } of records) {
        const decoded = decodeLine(value);
        const until = decoded.ok ? conflicts.get(canonicalJson(decoded.input)) : undefined;
        if (until !== undefined && offset <= until) lines.push(offset);
      }
      from = next;
    }
    return lines;
  }
}

function inOrder(offsets: Iterable<Offset>): Offset[] {
  return [...offsets].sort((a, b) => a - b);
}

/** All that are there now, from an offset on. */
async function* letters(log: EmbeddedLog, from: Offset = 0): AsyncGenerator<FoundLetter> {
  const end = log.topics.get(DEAD_LETTERS)?.end ?? 0;
  for (let next = from; next < end; ) {
    const read = await log.read(DEAD_LETTERS, next, READ);
    for (const { offset, timestamp, value } of read.records) {
      const letter = storedLetter(value);
      if (letter !== null) yield { id: offset, at: timestamp, value, letter };
    }
    next = read.next;
  }
}

function fitting({ ids, reasons, source, containing }: DeadLetterFilter): (found: FoundLetter) => boolean {
  const sought = containing === undefined ? null : plain(containing);
  return ({ id, letter }) =>
    ids?.includes(id) !== false &&
    reasons?.includes(letter.reason) !== false &&
    (source === undefined || letter.source === source || letter.source?.startsWith(`${source}:`) === true) &&
    (sought === null || formsOf(letter.original).some((form) => form.includes(sought)));
}

/** An original as people read it: as it is, and with what JSON escapes, and CSV doubles, written out. */
function formsOf(original: Original): string[] {
  return textsOfOriginal(original).flatMap((text) => {
    const written = text.replace(/\\(?:u([0-9a-fA-F]{4})|(["/\\]))/g, (_, code?: string, sign?: string) =>
      code === undefined ? (sign as string) : String.fromCharCode(Number.parseInt(code, 16)),
    );
    return [...new Set([text, written, text.replaceAll('""', '"')])].map(plain);
  });
}

/** Without case, and without the difference between two spellings of one letter. */
function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

function hasWord(original: Original, word: string): boolean {
  const sought = plain(word);
  const isPart = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}]/u.test(character);
  return formsOf(original).some((form) => {
    for (let at = form.indexOf(sought); at >= 0; at = form.indexOf(sought, at + 1))
      if (!isPart(form[at - 1]) && !isPart(form[at + sought.length])) return true;
    return false;
  });
}

function previewOf(original: Original): string {
  const text = (typeof original === "string" ? original : original.head).replace(/\s+/g, " ");
  const characters = [...text.slice(0, 2 * PREVIEW_LENGTH)];
  return characters.length <= PREVIEW_LENGTH
    ? text.slice(0, 2 * PREVIEW_LENGTH)
    : `${characters.slice(0, PREVIEW_LENGTH - 1).join("")}…`;
}
