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
  Profile,
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
  writer.number(retracted.size);
  for (const [target, count] of retracted) {
    writer.text(target);
    writer.number(count);
  }
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
  return writer.end();
}

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

export function decodeContact(row: string): StoredContact {
  reader.begin(row);
  const clock = reader.instantOrNull();
  const newest = reader.flag() ? readKey() : null;
  const inputs = reader.number();
  const inForce = reader.number();
  const erasedUntil = reader.instantOrNull();
  const due = reader.instantOrNull();
  const segments = reader.numbers();
  let retracted = noneRetracted;
  for (let left = reader.number(); left > 0; left--) {
    if (retracted === noneRetracted) retracted = new Map();
    (retracted as Map<string, number>).set(reader.text(), reader.number());
  }
  const snapshots: StoredSnapshot[] = [];
  for (let left = reader.number(); left > 0; left--)
    snapshots.push({ last: readKey(), inputs: reader.number(), inForce: reader.number() });
  const models: StoredModel[] = [];
  for (let left = reader.number(); left > 0; left--) models.push(readModel());
  reader.end();
  return { clock, newest, inputs, inForce, erasedUntil, due, segments, retracted, snapshots, models };
}

const noneRetracted: ReadonlyMap<string, number> = new Map();

function readKey(): InputKey {
  const at = reader.instant();
  const kind = kinds[reader.number()]!;
  return { at, kind, id: reader.text() };
}

function readModel(): StoredModel {
  const name = reader.text();
  const state = reader.flag() ? readState(reader) : null;
  const published = readPublished(reader, state);
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

/** Contact and tenant are in the key; here is the rest, in an order that its kind tells. */
type StoredInput =
  | readonly ["i", EpochMs, string, string, JsonObject, string | null, Interaction["automated"] | null]
  | readonly ["p", EpochMs, string, JsonObject | null]
  | readonly ["a", EpochMs, string, Omit<Adjustment, "kind" | "at" | "id" | "tenantId" | "contactId">];

function storedInput(input: Input): StoredInput {
  switch (input.kind) {
    case "interaction": {
      const { at, id, type, attributes, resource, automated } = input;
      return ["i", at, id, type, attributes, resource ?? null, automated ?? null];
    }
    case "profile":
      return ["p", input.at, input.id, input.fields];
    case "adjustment": {
      const { kind: _, at, id, tenantId: __, contactId: ___, ...rest } = input;
      return ["a", at, id, rest];
    }
    default:
      return input satisfies never;
  }
}

function inputOf(stored: StoredInput, tenantId: TenantId, contactId: ContactId): Input {
  switch (stored[0]) {
    case "i": {
      const [, at, id, type, attributes, resource, automated] = stored;
      const input: { -readonly [Name in keyof Interaction]: Interaction[Name] } = {
        kind: "interaction",
        id,
        tenantId,
        contactId,
        at,
        type,
        attributes,
      };
      if (resource !== null) input.resource = resource;
      if (automated === "yes" || automated === "maybe") input.automated = automated;
      return input;
    }
    case "p": {
      const [, at, id, fields] = stored;
      return { kind: "profile", id, tenantId, contactId, at, fields } satisfies Profile;
    }
    case "a": {
      const [, at, id, rest] = stored;
      return { kind: "adjustment", id, tenantId, contactId, at, ...rest };
    }
    default:
      return stored satisfies never;
  }
}

export function encodeInputs(inputs: readonly Input[]): string {
  return JSON.stringify(inputs.map(storedInput));
}

export function decodeInputs(text: string, tenantId: TenantId, contactId: ContactId): Input[] {
  return (JSON.parse(text) as StoredInput[]).map((stored) => inputOf(stored, tenantId, contactId));
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
