/** What the store has of a contact, as its fold wants it. */
import type { EpochMs, InputKey } from "../events/types.js";
import { unpublished } from "../fold/decide.js";
import { initial } from "../fold/initial.js";
import { completed } from "../fold/pack.js";
import type { ContactRecord } from "../fold/record.js";
import type { ModelState } from "../fold/state.js";
import type { CompiledModel } from "../model/compile.js";
import type { StoredContact, StoredModel } from "../store/rows.js";

/** `id@version`: names a model in the store. */
export function modelName({ model }: CompiledModel): string {
  return `${model.id}@${model.version}`;
}

/** Of a contact of which only an erasure is known. */
export function tombstone(erasedUntil: EpochMs): StoredContact {
  const nothing = { clock: null, newest: null, inputs: 0, inForce: 0, due: null, segments: [] };
  return { ...nothing, erasedUntil, retracted: new Map(), conflicts: new Map(), snapshots: [], models: [] };
}

export function recordOf(
  models: readonly CompiledModel[],
  stored: StoredContact | undefined,
): ContactRecord | undefined {
  if (stored === undefined) return undefined;
  const { clock, newest, inputs, inForce, erasedUntil, retracted, conflicts } = stored;
  const found = models.map((model) => foundModel(model, stored.models));
  return {
    states: models.map((model, i) => stateOf(model, found[i])),
    published: models.map((model, i) => found[i]?.published ?? unpublished(model)),
    clock,
    newest,
    inputs,
    inForce,
    erasedUntil,
    retracted,
    conflicts,
    snapshots: stored.snapshots.map((snapshot) => ({ ...snapshot, states: null, status: "stored" as const })),
  };
}

function foundModel(model: CompiledModel, stored: readonly StoredModel[]): StoredModel | undefined {
  const name = modelName(model);
  return stored.find((one) => one.name === name);
}

function stateOf(model: CompiledModel, stored: StoredModel | undefined): ModelState {
  return stored?.state == null ? initial(model) : completed(model, stored.state);
}

export function statesOf(models: readonly CompiledModel[], stored: readonly StoredModel[]): ModelState[] {
  return models.map((model) => stateOf(model, foundModel(model, stored)));
}

export const noKeys: readonly InputKey[] = [];

export function keysOf(snapshots: readonly { readonly last: InputKey }[]): readonly InputKey[] {
  return snapshots.length === 0 ? noKeys : snapshots.map(({ last }) => last);
}

/** Those of the keys that none of the snapshots has. */
export function notIn(
  keys: readonly InputKey[],
  snapshots: readonly { readonly last: InputKey }[],
): readonly InputKey[] {
  if (keys.length === 0) return noKeys;
  const current = new Set(snapshots.map(({ last }) => keyText(last)));
  return keys.filter((key) => !current.has(keyText(key)));
}

function keyText({ at, kind, id }: InputKey): string {
  return `${at} ${kind} ${id}`;
}
