/** What the rows of the store hold, as text: contacts, their histories, their states. Each is sealed with a checksum. */
import { canonicalJson } from "../events/canonical.js";
import { compareInputs, compareText } from "../events/order.js";
import type {
  Adjustment,
  ContactId,
  EpochMs,
  Input,
  InputKey,
  Interaction,
  JsonObject,
  TenantId,
} from "../events/types.js";
import { CompactReader, CompactWriter } from "../fold/compact.js";
import type { Published } from "../fold/decide.js";
import { readPublished, readState, writePublished, writeState } from "../fold/pack.js";
import type { ModelState } from "../fold/state.js";
import { type PieceChanges, type PieceRef, takeOut } from "./pieces.js";

/** A contact under one model. */
export interface StoredModel {
  /** `id@version`. */
  readonly name: string;
  /** Null: the model is not in use; what was published under it is kept, in case it comes back. As it was read it is to be `completed`. */
  readonly state: ModelState | null;
  /** Null: nothing was. */
  readonly published: Published | null;
  /** Of the state, in rows of their own. */
  readonly pieces?: readonly PieceRef[];
}

export interface StoredSnapshot {
  readonly last: InputKey;
  readonly inputs: number;
  readonly inForce: number;
}

/** A contact's row but for the models. */
export interface ContactHead {
  readonly clock: EpochMs | null;
  readonly newest: InputKey | null;
  readonly inputs: number;
  readonly inForce: number;
  readonly erasedUntil: EpochMs | null;
  /** The contact's entry in the due index; null: it has none. */
  readonly due: EpochMs | null;
  /** Segments that have history of the contact, ascending. */
  readonly segments: readonly number[];
  readonly retracted: ReadonlyMap<string, number>;
  /** As in `Conflicts` of the fold. */
  readonly conflicts: ReadonlyMap<string, number>;
  readonly snapshots: readonly StoredSnapshot[];
}

export interface StoredContact extends ContactHead {
  /** What was read is the reader's own: it may be taken over. */
  readonly models: readonly StoredModel[];
}

const kinds: readonly InputKey["kind"][] = ["interaction", "profile", "adjustment"];

/** One of each serves all rows: nothing else comes between two parts of one. */
const writer = new CompactWriter();
const reader = new CompactReader();

export function encodeContact(head: ContactHead, models: readonly StoredModel[]): string {
  const { retracted, snapshots } = head;
  writer.begin(head.newest?.at ?? 0, models.some(({ pieces }) => pieces !== undefined) ? IN_PIECES : WHOLE);
  writer.instantOrNull(head.clock);
  writer.flag(head.newest !== null);
  if (head.newest !== null) writeKey(head.newest);
  writer.number(head.inputs);
  writer.number(head.inForce);
  writer.instantOrNull(head.erasedUntil);
  writer.instantOrNull(head.due);
  writer.numbers(head.segments);
  writeCounts(retracted);
  writer.number(snapshots.length);
  for (const { last, inputs, inForce } of snapshots) {
    writeKey(last);
    writer.number(inputs);
    writer.number(inForce);
  }
  writer.number(models.length);
  for (const { name, published, state, pieces = [] } of models) {
    writer.text(name);
    writer.flag(state !== null);
    if (state !== null) writeState(writer, state);
    writePublished(writer, published, state);
    writer.number(pieces.length);
    for (const [piece, hash] of pieces) {
      writer.text(piece);
      writer.text(hash);
    }
  }
  // Nearly all contacts have none, and no word of it.
  if (head.conflicts.size > 0) writeCounts(head.conflicts);
  return writer.end();
}

function writeCounts(counts: ReadonlyMap<string, number>): void {
  writer.number(counts.size);
  for (const [name, count] of counts) {
    writer.text(name);
    writer.number(count);
  }
}

function readCounts(): ReadonlyMap<string, number> {
  let counts = noCounts;
  for (let left = reader.number(); left > 0; left--) {
    if (counts === noCounts) counts = new Map();
    (counts as Map<string, number>).set(reader.text(), reader.number());
  }
  return counts;
}

const noCounts: ReadonlyMap<string, number> = new Map();

function writeKey({ at, kind, id }: InputKey): void {
  writer.instant(at);
  writer.number(kinds.indexOf(kind));
  writer.text(id);
}

/** How a row begins: so it is told without reading it. */
const WHOLE = "w";
const IN_PIECES = "p";

/** Whether lists of the contact are in rows of their own. */
export function isInPieces(row: string): boolean {
  return row.startsWith(IN_PIECES);
}

/** States and what was published, by models, that nobody needs any more: what is read may be put into them. */
export interface Spare {
  /** `id@version`. */
  readonly names: readonly string[];
  readonly states: readonly ModelState[];
  readonly published: readonly Published[];
}

export function decodeContact(row: string, spare?: Spare): StoredContact {
  reader.begin(row);
  reader.next();
  const clock = reader.instantOrNull();
  const newest = reader.flag() ? readKey() : null;
  const inputs = reader.number();
  const inForce = reader.number();
  const erasedUntil = reader.instantOrNull();
  const due = reader.instantOrNull();
  const segments = reader.numbers();
  const retracted = readCounts();
  const snapshots: StoredSnapshot[] = [];
  for (let left = reader.number(); left > 0; left--)
    snapshots.push({ last: readKey(), inputs: reader.number(), inForce: reader.number() });
  const models: StoredModel[] = [];
  for (let left = reader.number(); left > 0; left--) models.push(readModel(models.length, spare));
  const conflicts = reader.isAtEnd ? noCounts : readCounts();
  reader.end();
  return { clock, newest, inputs, inForce, erasedUntil, due, segments, retracted, conflicts, snapshots, models };
}

function readKey(): InputKey {
  const at = reader.instant();
  const kind = kinds[reader.number()]!;
  return { at, kind, id: reader.text() };
}

function readModel(place: number, spare: Spare | undefined): StoredModel {
  const name = reader.text();
  const isSpared = spare !== undefined && spare.names[place] === name;
  const state = reader.flag() ? readState(reader, isSpared ? spare.states[place] : undefined) : null;
  const published = readPublished(reader, state, isSpared ? spare.published[place] : undefined);
  const pieces: PieceRef[] = [];
  for (let left = reader.number(); left > 0; left--) pieces.push([reader.text(), reader.text()]);
  return pieces.length === 0 ? { name, state, published } : { name, state, published, pieces };
}

/** @param changes takes the long lists of the state; without it they stay where they are */
export function storedModel(
  name: string,
  published: Published,
  state: ModelState,
  changes?: PieceChanges,
): StoredModel {
  const cut = changes === undefined ? null : takeOut(state);
  if (changes === undefined || cut === null) return { name, state, published };
  return { name, state: cut.state, published, pieces: changes.keep(name, cut.pieces) };
}

/** An input as it is kept: its key, and all of it but contact and tenant as text. */
export interface StoredInput extends InputKey {
  readonly text: string;
}

const NO_FIELDS = "{}";

export function storedInput(input: Input): StoredInput {
  const { at, kind, id } = input;
  // Behind each other they are still told apart, so they need no list around them.
  writer.begin(at, markOf[kind]);
  writer.text(id);
  switch (input.kind) {
    case "interaction": {
      const { type, attributes, resource, automated } = input;
      const fields = JSON.stringify(attributes);
      writer.text(type);
      writer.textOrNull(fields === NO_FIELDS ? null : fields);
      writer.textOrNull(resource ?? null);
      writer.number(automated === undefined ? 0 : automated === "yes" ? 1 : 2);
      break;
    }
    case "profile":
      writer.textOrNull(input.fields === null ? null : JSON.stringify(input.fields));
      break;
    case "adjustment": {
      const { kind: _, at: __, id: ___, tenantId: ____, contactId: _____, ...rest } = input;
      writer.text(JSON.stringify(rest));
      break;
    }
    default:
      input satisfies never;
  }
  return { at, kind, id, text: writer.end() };
}

const markOf = { interaction: "i", profile: "p", adjustment: "a" } as const;

function readInput(tenantId: TenantId, contactId: ContactId): Input {
  const mark = reader.next();
  const at = reader.base;
  const id = reader.text();
  switch (mark) {
    case markOf.interaction: {
      const type = reader.text();
      const attributes = JSON.parse(reader.textOrNull() ?? NO_FIELDS) as JsonObject;
      const resource = reader.textOrNull();
      const automated = reader.number();
      const kind = "interaction";
      const input: { -readonly [Name in keyof Interaction]: Interaction[Name] } = {
        kind,
        id,
        tenantId,
        contactId,
        at,
        type,
        attributes,
      };
      if (resource !== null) input.resource = resource;
      if (automated > 0) input.automated = automated === 1 ? "yes" : "maybe";
      return input;
    }
    case markOf.profile: {
      const fields = reader.textOrNull();
      return {
        kind: "profile",
        id,
        tenantId,
        contactId,
        at,
        fields: fields === null ? null : (JSON.parse(fields) as JsonObject),
      };
    }
    case markOf.adjustment: {
      const rest = JSON.parse(reader.text()) as Omit<Adjustment, "kind" | "at" | "id" | "tenantId" | "contactId">;
      return { kind: "adjustment", id, tenantId, contactId, at, ...rest };
    }
    default:
      throw new Error(`an input begins with ${JSON.stringify(mark)}`);
  }
}

/** One text for several inputs of a contact. */
export function joined(inputs: readonly StoredInput[]): string {
  if (inputs.length === 1) return inputs[0]!.text;
  return inputs.map(({ text }) => text).join("");
}

export function decodeInputs(text: string, tenantId: TenantId, contactId: ContactId): Input[] {
  const inputs: Input[] = [];
  reader.begin(text);
  while (!reader.isAtEnd) inputs.push(readInput(tenantId, contactId));
  reader.end();
  return inputs;
}

/**
 * Inputs of one contact in key order, each key once. Where two contents of a key are there, the smaller one holds: a row
 * that lost a conflict is not rewritten, and decides the same way again.
 */
export function inKeyOrder(inputs: Input[]): Input[] {
  inputs.sort(compareInputs);
  const kept: Input[] = [];
  for (const input of inputs) {
    const last = kept.at(-1);
    if (last === undefined || compareInputs(last, input) !== 0) kept.push(input);
    else if (compareText(canonicalJson(input), canonicalJson(last)) < 0) kept[kept.length - 1] = input;
  }
  return kept;
}
