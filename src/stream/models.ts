/**
 * The models a task runs, and what changes when they do: a contact that was folded under others is folded again from its
 * own history, and the net difference is published once.
 */
import { createHash } from "node:crypto";
import { ScorefoldError } from "../errors.js";
import { compareText } from "../events/order.js";
import type { EpochMs, TenantId } from "../events/types.js";
import { carried } from "../fold/carry.js";
import { unpublished } from "../fold/decide.js";
import { checkModel } from "../model/check.js";
import { type CompiledModel, compile } from "../model/compile.js";
import { printModel } from "../model/print.js";
import type { ContactKey } from "../store/keys.js";
import type { ModelChange, Position } from "../store/position.js";
import type { StoredContact } from "../store/rows.js";
import type { ContactStore } from "../store/store.js";
import type { Gathered } from "./batch.js";
import { TaskContact } from "./contact.js";
import type { SharedModels } from "./log.js";
import type { CommittedPosition } from "./metadata.js";
import { lag } from "./offsets.js";
import type { Session } from "./session.js";
import { modelName } from "./stored-contact.js";
import { passedBy } from "./timers.js";

/** Contacts of one commit while models change: each with its whole history. */
const SLICE_CONTACTS_MAX = 256;

export class ModelSet {
  /** By id and version. */
  readonly all: readonly CompiledModel[];
  readonly #ofTenant = new Map<TenantId, readonly CompiledModel[]>();

  constructor(models: readonly CompiledModel[]) {
    this.all = [...models].sort(({ model: a }, { model: b }) => compareText(a.id, b.id) || a.version - b.version);
  }

  /** Those that apply to a tenant, in the order of their outputs and score lines. */
  readonly of = (tenantId: TenantId): readonly CompiledModel[] => {
    let own = this.#ofTenant.get(tenantId);
    if (own === undefined) {
      own = this.all.filter(({ model }) => model.tenants === undefined || model.tenants.includes(tenantId));
      this.#ofTenant.set(tenantId, own);
    }
    return own;
  };

  get names(): string[] {
    return this.all.map(modelName);
  }

  /** Names the set, shortly. */
  get id(): string {
    return setId([...this.texts.values()]);
  }

  /** In their canonical form, by `id@version`, in order. */
  get texts(): ReadonlyMap<string, string> {
    return new Map(this.all.map((model) => [modelName(model), printModel(model.model)]));
  }
}

/** @param texts in the order of a set */
function setId(texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text).update("\0");
  return hash.digest("base64url").slice(0, 16);
}

/** The set that texts are of. @throws ScorefoldError `internal` for one that is no model */
export function modelsOfTexts(texts: ReadonlyMap<string, string>): ModelSet {
  return new ModelSet(
    [...texts].map(([name, text]) => {
      const compiled = compiledText(name, text);
      if (compiled === null) throw new ScorefoldError("internal", `${name}: a model that was used is not one any more`);
      return compiled;
    }),
  );
}

/** Names the set that contacts of a store are folded under, but for a change under way; null where it can't be told. */
export async function setOfStore(store: ContactStore): Promise<string | null> {
  const known = await store.knownModels();
  const texts = new Map(store.models.map((name) => [name, known.get(name) ?? ""]));
  return [...texts.values()].includes("") ? null : modelsOfTexts(texts).id;
}

/**
 * Whether a store can be gone on with under what is committed: it was folded under the models that are published, or is
 * in the middle of the same change. One that was left by its task while others changed models is not.
 */
export async function isOfCommitted(
  store: ContactStore,
  committed: CommittedPosition,
  wanted: string,
): Promise<boolean> {
  const { models, change } = committed;
  const isNew = store.models.length === 0 && store.counts.contacts === 0;
  if (models === null || isNew) return true;
  const own = await setOfStore(store);
  const begun = store.position.change;
  if (begun === null) return own === models;
  // What came since would be folded under the models of before, also for contacts that have made the change.
  if (!isLevel(store.position, committed)) return false;
  if (own === models) return change?.to === begun.to;
  // Ended by another owner: what is left of it here is done muted.
  return begun.to === models && change === null && wanted === models;
}

/** Whether nothing was folded, and no timer has gone, between two positions. */
function isLevel(one: Pick<Position, "offsets" | "timer">, other: Pick<Position, "offsets" | "timer">): boolean {
  const hasSameTimers =
    JSON.stringify([one.timer.all, one.timer.run]) === JSON.stringify([other.timer.all, other.timer.run]);
  return hasSameTimers && lag(one.offsets, other.offsets) === 0;
}

/** Behind every key of a contact. */
const LAST = "\uffff";

/**
 * Up to which contact a change to other models is published already.
 *
 * @param before those of the store
 */
export function publishedOfChange(committed: CommittedPosition | null, before: ModelSet): ModelChange | null {
  if (committed === null) return null;
  const { models, change } = committed;
  // All of it was, by another owner, or before a crash that the store has not come to know of.
  const isDone = models !== null && models !== before.id && change === null;
  return isDone ? { to: models, done: LAST } : change;
}

/**
 * From the middle of a change only a store goes elsewhere that knows which contacts have made it. A new one does not, nor
 * one that has not come to know of the last step that was published; both can go on with the change.
 *
 * @param own the change that the store is in the middle of
 * @throws ScorefoldError `model-changed`
 */
export function checkNotMidway(committed: CommittedPosition | null, own: ModelChange | null, wanted: ModelSet): void {
  const change = committed?.change ?? null;
  if (change === null || change.to === wanted.id) return;
  if (own?.to === change.to && own.done === change.done) return;
  throw new ScorefoldError(
    "model-changed",
    `a change to other models (set ${change.to}) is half published, and the store here does not have what was published ` +
      "last; start with those models until it has ended, or where a store is that has",
  );
}

/** @throws ScorefoldError `model-changed` where nobody knows the set any more */
export async function sharedModels(shared: SharedModels, set: string): Promise<ModelSet> {
  const texts = await shared.textsOf(set);
  if (texts !== null) return modelsOfTexts(texts);
  throw new ScorefoldError(
    "model-changed",
    `what is published was scored under other models (set ${set}), of which neither the store nor the cluster knows; ` +
      "start once with the models of before, and change them then",
  );
}

/**
 * The models that contacts of the store are folded under.
 *
 * @param more models that the store is to know
 * @throws ScorefoldError `model-changed` where a version of `wanted` was used before with other content
 */
export async function modelsOfStore(
  store: ContactStore,
  wanted: ModelSet,
  more: ModelSet | null = null,
): Promise<ModelSet> {
  const known = await store.knownModels();
  const changed = wanted.all.filter(({ model }) => {
    const before = known.get(`${model.id}@${model.version}`);
    return before !== undefined && before !== printModel(model);
  });
  if (changed.length > 0) {
    const names = changed.map(modelName).join(", ");
    throw new ScorefoldError(
      "model-changed",
      `${names}: this version was used before with other content, and its scores are published; ` +
        "raise `version` in the changed file, or bring the old content back",
    );
  }
  const own = new Map(wanted.all.map((model) => [modelName(model), model]));
  const models = store.models.flatMap((name) => own.get(name) ?? compiledText(name, known.get(name)) ?? []);
  const learnt = new Map([...(more?.texts ?? []), ...wanted.texts]);
  await store.learnModels([...learnt].flatMap(([name, text]) => (known.has(name) ? [] : [{ name, text }])));
  return new ModelSet(models);
}

function compiledText(name: string, text: string | undefined): CompiledModel | null {
  const result = text === undefined ? null : checkModel(text, name);
  return result?.ok === true ? compile(result.model) : null;
}

export interface ChangeOptions {
  readonly store: ContactStore;
  readonly session: Session;
  readonly before: ModelSet;
  readonly wanted: ModelSet;
  readonly sliceContactsMax: number;
  /** How far a change to the same models was published before a crash. */
  readonly published: ModelChange | null;
  readonly onProgress: (done: number, total: number) => void;
  readonly shouldStop: () => boolean;
}

/**
 * Folds all contacts under `wanted`, slice by slice, each slice published and then written. After a crash it goes on
 * where it was; what had been published and not written is folded again, muted.
 *
 * @returns false where it was asked to stop before the end
 */
export async function changeModels(options: ChangeOptions): Promise<boolean> {
  const { store, session, wanted, published, onProgress, shouldStop } = options;
  const sliceContactsMax = Math.min(SLICE_CONTACTS_MAX, options.sliceContactsMax);
  const to = wanted.id;
  const resumed = session.position.change?.to === to ? session.position.change.done : undefined;
  const mutedUntil = published?.to === to ? published.done : null;
  let done = 0;
  const total = store.counts.contacts;
  const known = await store.knownModels();
  let slice = new Slice(options, known);
  const commit = async (): Promise<void> => {
    if (slice.last === null) return;
    const change = { to, done: slice.last };
    if (mutedUntil !== null && compareText(slice.last, mutedUntil) <= 0) await session.repeatChange(change);
    else await session.commitChange(slice.gathered, change);
    slice = new Slice(options, known);
    onProgress(done, total);
  };
  for await (const rows of store.allContacts(resumed)) {
    for (const [key, stored] of rows) {
      done += 1;
      // A slice is muted as a whole, so it ends where what was published ends.
      if (slice.last === mutedUntil && mutedUntil !== null) await commit();
      await slice.add(key, stored);
      if (slice.count < sliceContactsMax) continue;
      await commit();
      if (shouldStop()) return false;
    }
  }
  await commit();
  await session.commitChange(session.gathered(), null, wanted.names);
  return true;
}

class Slice {
  readonly gathered: Gathered;
  last: ContactKey | null = null;
  count = 0;
  readonly #options: ChangeOptions;
  readonly #known: ReadonlyMap<string, string>;

  /** @param known texts of all models that were used once: after a change to others that was not ended it takes them */
  constructor(options: ChangeOptions, known: ReadonlyMap<string, string>) {
    this.gathered = options.session.gathered();
    this.#options = options;
    this.#known = known;
  }

  async add(key: ContactKey, stored: StoredContact): Promise<void> {
    this.last = key;
    const { session, store, wanted, before } = this.#options;
    const models = wanted.of(key.slice(0, key.indexOf("\0")));
    const usable = store.isOfOtherFold ? [] : stored.models.filter(({ state }) => state !== null);
    const folded = new Set(usable.map(({ name }) => name));
    const isSame = folded.size === models.length && models.every((model) => folded.has(modelName(model)));
    if (isSame) return;
    this.count += 1;
    // The pieces of what is left out are in the store until the next write.
    const states = stored.models.map((one) =>
      folded.has(one.name) ? one : { name: one.name, published: one.published, state: null },
    );
    const contact = new TaskContact(key, models, { ...stored, models: states });
    await contact.loadAll(store);
    const unseen = models.flatMap((model, i) => (folded.has(modelName(model)) ? [] : [i]));
    const passed = passedBy(session.position.timer, key);
    contact.fold.change(unseen, passed, (index, state) => {
      const next = models[index]!;
      const old = previousOf(next, stored, (name) => this.#model(name, before));
      return old === null ? unpublished(next) : carried(next, state, old.model, old.published);
    });
    contact.fold.unload();
    this.gathered.take(this.gathered.outputsOf(contact));
    session.contacts.adopt(contact);
  }

  #model(name: string, before: ModelSet): CompiledModel | null {
    return before.all.find((one) => modelName(one) === name) ?? compiledText(name, this.#known.get(name));
  }
}

/** What was published of the contact under another version of the model: the one in use, else the newest. */
function previousOf(next: CompiledModel, { models }: StoredContact, modelOf: (name: string) => CompiledModel | null) {
  const versions = models
    .filter(({ name }) => name.slice(0, name.lastIndexOf("@")) === next.model.id)
    .sort((a, b) => Number(b.state !== null) - Number(a.state !== null) || versionOf(b.name) - versionOf(a.name));
  const [found] = versions;
  if (found === undefined) return null;
  return { model: modelOf(found.name), published: found.published };
}

function versionOf(name: string): EpochMs {
  return Number(name.slice(name.lastIndexOf("@") + 1));
}
