/**
 * The long lists of a state - the hours of a window, the resources seen - in pieces, each a row of its own: a write then
 * holds the pieces that have changed, and not hundreds of kilobytes for one more visit.
 *
 * A contact's row names the pieces with their hashes, so that what was read of one write is not taken for a part of
 * another.
 */
import { hash } from "node:crypto";
import type { Database } from "../database/database.js";
import type { ModelState } from "../fold/state.js";
import type { Hour, Window } from "../fold/windows.js";
import { type ContactKey, pieceRow } from "./keys.js";

/** Up to so many the list is a part of the contact's row. */
const HOURS_MAX = 128;
const NAMES_MAX = 512;
/** A piece is of so many hours by the calendar, so that it stays what it is when older ones leave. */
const HOURS_A_PIECE = 64;
const NAMES_A_PIECE = 256;
/** 96 bits. */
const HASH_LENGTH = 16;

export type Values = readonly (number | string)[];

export interface Piece {
  /** Of which list, and which one of it; unique in a state. */
  readonly name: string;
  readonly values: Values;
}

/** Name and hash. */
export type PieceRef = readonly [name: string, hash: string];

/** Takes the long lists out of a copy of a state. @returns null where there is none, which is the rule */
export function takeOut(state: ModelState): { readonly state: ModelState; readonly pieces: readonly Piece[] } | null {
  const { windows, seen } = state;
  if (!windows.some(isLong) && !seen.some((names) => names !== null && names.size > NAMES_MAX)) return null;
  const pieces: Piece[] = [];
  const windowsLeft = windows.map((window, i): Window => {
    if (!isLong(window)) return window;
    const { hours, latest } = window;
    pieces.push(...(hours.length > 0 ? piecesOfHours(`h${i}`, hours) : piecesOfNames(`l${i}`, latest!.keys())));
    return { ...window, hours: [], latest: latest === null ? null : new Map() };
  });
  const seenLeft = seen.map((names, i) => {
    if (names === null || names.size <= NAMES_MAX) return names;
    pieces.push(...piecesOfNames(`s${i}`, names));
    return null;
  });
  return { state: { ...state, windows: windowsLeft, seen: seenLeft }, pieces };
}

/** Puts the pieces that were taken out of a state back into it, in their order. */
export function putBack(state: ModelState, pieces: readonly Piece[]): void {
  for (const { name, values } of pieces) {
    const place = Number(name.slice(1, name.indexOf(".")));
    if (name.startsWith("h")) putHours(state.windows[place]!, values);
    else if (name.startsWith("l")) for (const key of values) state.windows[place]!.latest?.set(key as string, 0);
    else {
      state.seen[place] ??= new Set();
      for (const resource of values) state.seen[place].add(resource as string);
    }
  }
}

/** @returns null where they are not, or not all, the ones with these hashes */
export async function readPieces(
  database: Database,
  contact: ContactKey,
  model: string,
  refs: readonly PieceRef[],
): Promise<Piece[] | null> {
  const texts = await database.getMany(refs.map(([name]) => pieceRow(contact, `${model}\0${name}`)));
  const pieces: Piece[] = [];
  for (const [i, [name, own]] of refs.entries()) {
    const text = texts[i];
    if (text === undefined || hashOf(text) !== own) return null;
    pieces.push({ name, values: JSON.parse(text) as Values });
  }
  return pieces;
}

function hashOf(text: string): string {
  return hash("sha256", text, "base64url").slice(0, HASH_LENGTH);
}

interface Kept {
  readonly hash: string;
  /** Null where they have not been looked at since they were read. */
  readonly values: Values | null;
}

/** The pieces that the store has of a contact, by `model NUL piece`. */
export type KeptPieces = ReadonlyMap<string, Kept>;

export const noPieces: KeptPieces = new Map();
const nothing: readonly never[] = [];

export function keptPieces(
  models: Iterable<{ readonly name: string; readonly pieces?: readonly PieceRef[] }>,
): KeptPieces {
  let kept: Map<string, Kept> | null = null;
  for (const { name: model, pieces = [] } of models) {
    kept ??= pieces.length === 0 ? null : new Map();
    for (const [name, own] of pieces) kept?.set(`${model}\0${name}`, { hash: own, values: null });
  }
  return kept ?? noPieces;
}

/** Tells which pieces of a contact have changed since the store has learned of them. */
export class PieceChanges {
  readonly #before: KeptPieces;
  #after: Map<string, Kept> | null = null;
  #changed: (readonly [key: string, text: string])[] | null = null;

  constructor(before: KeptPieces) {
    this.#before = before;
  }

  /** Takes the pieces of one model. */
  keep(model: string, pieces: readonly Piece[]): PieceRef[] {
    this.#after ??= new Map();
    const after = this.#after;
    return pieces.map(({ name, values }) => {
      const key = `${model}\0${name}`;
      const before = this.#before.get(key);
      const kept = before?.values != null && areSame(before.values, values) ? before : this.#look(key, values, before);
      after.set(key, kept);
      return [name, kept.hash];
    });
  }

  #look(key: string, values: Values, before: Kept | undefined): Kept {
    const text = JSON.stringify(values);
    const own = hashOf(text);
    if (own !== before?.hash) {
      this.#changed ??= [];
      this.#changed.push([key, text]);
    }
    return { hash: own, values };
  }

  /** To be written, by `model NUL piece`. */
  get changed(): readonly (readonly [key: string, text: string])[] {
    return this.#changed ?? nothing;
  }

  /** To be removed. */
  get gone(): readonly string[] {
    if (this.#before.size === 0) return nothing;
    return [...this.#before.keys()].filter((key) => this.#after?.has(key) !== true);
  }

  get after(): KeptPieces {
    return this.#after ?? noPieces;
  }
}

function isLong({ hours, latest }: Window): boolean {
  return hours.length > HOURS_MAX || (hours.length === 0 && latest !== null && latest.size > NAMES_MAX);
}

/** Of each hour: itself, count, sum, and where matches are kept how many there are, and key and points of each. */
function* piecesOfHours(list: string, hours: readonly Hour[]): Generator<Piece> {
  let at = 0;
  while (at < hours.length) {
    const piece = Math.floor(hours[at]!.hour / HOURS_A_PIECE);
    const values: (number | string)[] = [hours[at]!.matches === null ? 0 : 1];
    for (; at < hours.length && Math.floor(hours[at]!.hour / HOURS_A_PIECE) === piece; at++) {
      const { hour, count, sum, matches } = hours[at]!;
      values.push(hour, count, sum);
      if (matches === null) continue;
      values.push(matches.size);
      for (const [key, points] of matches) values.push(key, points);
    }
    yield { name: `${list}.${piece}`, values };
  }
}

function* piecesOfNames(list: string, names: Iterable<string>): Generator<Piece> {
  const all = [...names];
  for (let from = 0; from < all.length; from += NAMES_A_PIECE)
    yield { name: `${list}.${from / NAMES_A_PIECE}`, values: all.slice(from, from + NAMES_A_PIECE) };
}

function putHours({ hours, latest }: Window, values: Values): void {
  const areMatchesKept = values[0] === 1;
  for (let at = 1; at < values.length; ) {
    const [hour, count, sum] = [values[at] as number, values[at + 1] as number, values[at + 2] as number];
    const matches = areMatchesKept ? new Map<string, number>() : null;
    hours.push({ hour, count, sum, matches });
    at += 3;
    if (matches === null) continue;
    const end = at + 1 + 2 * (values[at] as number);
    for (at += 1; at < end; at += 2) {
      matches.set(values[at] as string, values[at + 1] as number);
      latest?.set(values[at] as string, hour);
    }
  }
}

function areSame(a: Values, b: Values): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
