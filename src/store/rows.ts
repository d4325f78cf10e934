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
import type { Published } from "../fold/decide.js";
import { type PackedPublished, type PackedState, packPublished, packState } from "../fold/pack.js";
import type { ModelState } from "../fold/state.js";
import { type PieceChanges, type PieceRef, takeOut } from "./pieces.js";

/** A contact under one model. */
export interface StoredModel {
  /** `id@version`. */
  readonly name: string;
  /** Null: the model is not in use; what was published under it is kept, in case it comes back. */
  readonly state: PackedState | null;
  readonly published: PackedPublished;
  /** Of the state, in rows of their own. */
  readonly pieces?: readonly PieceRef[];
}

export interface StoredSnapshot {
  readonly last: InputKey;
  readonly inputs: number;
  readonly inForce: number;
}

export interface StoredContact {
  readonly clock: EpochMs | null;
  readonly newest: InputKey | null;
  readonly inputs: number;
  readonly inForce: number;
  readonly erasedUntil: EpochMs | null;
  /** The contact's entry in the due index; null: it has none. */
  readonly due: EpochMs | null;
  /** Segments that have history of the contact, ascending. */
  readonly segments: readonly number[];
  readonly retracted: readonly (readonly [string, number])[];
  readonly snapshots: readonly StoredSnapshot[];
  readonly models: readonly StoredModel[];
}

type StoredKey = readonly [EpochMs, InputKey["kind"], string];

function storedKey({ at, kind, id }: InputKey): StoredKey {
  return [at, kind, id];
}

function inputKey([at, kind, id]: StoredKey): InputKey {
  return { at, kind, id };
}

/** The head of a contact's row: everything but the models. */
type StoredHead = readonly [
  clock: EpochMs | null,
  newest: StoredKey | null,
  inputs: number,
  inForce: number,
  erasedUntil: EpochMs | null,
  due: EpochMs | null,
  segments: readonly number[],
  retracted: readonly (readonly [string, number])[],
  snapshots: readonly (readonly [StoredKey, number, number])[],
];

export interface ContactHead extends Omit<StoredContact, "retracted" | "models"> {
  readonly retracted: ReadonlyMap<string, number>;
}

/** @param isInPieces whether a model has lists in rows of their own */
export function encodeContact(head: ContactHead, models: readonly ModelTuple[], isInPieces = false): string {
  const stored: StoredHead = [
    head.clock,
    head.newest === null ? null : storedKey(head.newest),
    head.inputs,
    head.inForce,
    head.erasedUntil,
    head.due,
    head.segments,
    head.retracted.size === 0 ? [] : [...head.retracted],
    head.snapshots.map(({ last, inputs, inForce }) => [storedKey(last), inputs, inForce]),
  ];
  // In one go: a text that is joined of several is copied once more when it is written.
  return JSON.stringify(isInPieces ? [stored, models, 1] : [stored, models]);
}

/** How such a row ends, and no other, whose models are a list: so it is told without parsing it. */
const IN_PIECES = ",1]";

/** Whether lists of the contact are in rows of their own. */
export function isInPieces(text: string): boolean {
  return text.endsWith(IN_PIECES);
}

export function decodeContact(text: string): StoredContact {
  const [head, models] = JSON.parse(text) as [StoredHead, ModelTuple[], isInPieces?: 1];
  const [clock, newest, inputs, inForce, erasedUntil, due, segments, retracted, snapshots] = head;
  return {
    clock,
    newest: newest === null ? null : inputKey(newest),
    inputs,
    inForce,
    erasedUntil,
    due,
    segments,
    retracted,
    snapshots: snapshots.map(([last, folded, inForceThen]) => ({
      last: inputKey(last),
      inputs: folded,
      inForce: inForceThen,
    })),
    models: models.map(([name, published, state, pieces]) =>
      pieces === undefined ? { name, published, state } : { name, published, state, pieces },
    ),
  };
}

/** A model in the row of a contact. */
export type ModelTuple = readonly [
  name: string,
  published: PackedPublished,
  state: PackedState | null,
  pieces?: readonly PieceRef[],
];

/** @param changes takes the long lists of the state; without it they stay where they are */
export function modelTuple(name: string, published: Published, state: ModelState, changes?: PieceChanges): ModelTuple {
  const packed = packState(state);
  const cut = changes === undefined ? null : takeOut(packed);
  return changes === undefined || cut === null
    ? [name, packPublished(published, state), packed]
    : [name, packPublished(published, state), cut.state, changes.keep(name, cut.pieces)];
}

/** A model that is not in use: what was published is kept. */
export function dormantTuple(name: string, published: Published): ModelTuple {
  return [name, packPublished(published, null), null];
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
