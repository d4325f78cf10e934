/**
 * Random lists of inputs, crowded on purpose: a handful of instants at the edges of windows, steps and calendar
 * periods, few ids, few contacts. So duplicates, conflicts and ties are common.
 */
import fc from "fast-check";
import {
  type Adjustment,
  type EpochMs,
  type Input,
  type Interaction,
  type Json,
  type JsonObject,
  type Profile,
  RETRACTION,
} from "../../src/events/types.js";
import {
  clockChanges,
  contacts,
  DAY,
  dense,
  dimensionIds,
  type FieldName,
  fieldValues,
  HOUR,
  MINUTE,
  maybe,
  modelIds,
  resources,
  stepLengths,
  tenants,
  types,
  windowHours,
} from "./vocabulary.js";

// ---- instants ----

/** Where a list of inputs begins: an ordinary day, the end of a month and of a week, and the nights of clock changes. */
const starts = [
  Date.UTC(2026, 5, 15, 9),
  Date.UTC(2026, 4, 31, 22),
  ...clockChanges.flatMap((change) => [change - HOUR, change - DAY]),
];

const lengths = [0, ...windowHours.map((hours) => hours * HOUR), ...stepLengths];
const jitters = [0, 0, 0, -1, 1, 30 * MINUTE, 1234];

/** A few instants, most of them one or two lengths of the models' windows and steps after the start, give or take 1 ms. */
const instants: fc.Arbitrary<EpochMs[]> = fc
  .tuple(
    fc.constantFrom(...starts),
    fc.array(fc.tuple(fc.constantFrom(...lengths), fc.constantFrom(...lengths), fc.constantFrom(...jitters)), {
      minLength: 1,
      maxLength: 8,
    }),
  )
  .map(([start, offsets]) => offsets.map(([one, two, jitter]) => start + one + two + jitter));

// ---- single inputs ----

/** The last two sort one way by code points and the other way by UTF-16 units. */
const ids = [..."abcdefghij", "", "\uff5e", "\u{1f600}"] as const;

interface Place {
  readonly tenantId: string;
  readonly contactId: string;
  readonly at: EpochMs;
  readonly id: string;
}

function placeAmong(own: readonly string[], among: readonly EpochMs[]): fc.Arbitrary<Place> {
  return fc.record({
    tenantId: fc.oneof({ weight: 9, arbitrary: fc.constant(tenants[0]) }, fc.constant(tenants[1])),
    contactId: fc.constantFrom(...own),
    at: fc.constantFrom(...among),
    id: fc.constantFrom(...ids),
  });
}

/** `attributes.kind`, `contact.account.employees`, ...: each there or not, as nested objects. */
function fieldsUnder(prefix: "attributes" | "contact"): fc.Arbitrary<JsonObject> {
  const names = (Object.keys(fieldValues) as FieldName[]).filter((name) => name.startsWith(`${prefix}.`));
  const values = names.map((name) => maybe(fc.constantFrom<Json>(...fieldValues[name])));
  return fc.tuple(...values).map((all) => {
    const fields: Record<string, Json> = {};
    for (const [i, value] of all.entries()) {
      if (value !== undefined) place(fields, names[i]!.split(".").slice(1), value);
    }
    return fields;
  });
}

function place(into: Record<string, Json>, path: readonly string[], value: Json): void {
  const [name, ...rest] = path;
  if (rest.length === 0) {
    into[name!] = value;
    return;
  }
  const inner = { ...((into[name!] ?? {}) as JsonObject) };
  place(inner, rest, value);
  into[name!] = inner;
}

const interaction = (where: fc.Arbitrary<Place>): fc.Arbitrary<Interaction> =>
  fc
    .record({
      kind: fc.constant("interaction"),
      where,
      type: fc.constantFrom(...types),
      resource: maybe(fc.constantFrom(...resources), 1),
      automated: fc.constantFrom(undefined, undefined, undefined, "yes", "maybe"),
      attributes: fc.oneof(fc.constant({}), fieldsUnder("attributes")),
    })
    .map(({ where: at, ...rest }) => dense<Interaction>({ ...at, ...rest }));

const profile = (where: fc.Arbitrary<Place>): fc.Arbitrary<Profile> =>
  fc
    .tuple(
      where,
      fc.oneof(
        { weight: 6, arbitrary: fieldsUnder("contact") },
        // A text where others have an object.
        fc.constant<JsonObject>({ account: "Initech", city: "Chicago" }),
      ),
    )
    .map(([at, fields]) => ({ kind: "profile", ...at, fields }));

const erasure = (where: fc.Arbitrary<Place>): fc.Arbitrary<Profile> =>
  where.map((at) => ({ kind: "profile", ...at, fields: null }));

const adjustment = (where: fc.Arbitrary<Place>): fc.Arbitrary<Adjustment> =>
  fc
    .record({
      where,
      model: fc.constantFrom(...modelIds, modelIds[0], "unknown"),
      dimension: fc.constantFrom(undefined, ...dimensionIds, dimensionIds[0], "unknown", "all"),
      move: fc.oneof(
        fc.record({ add: fc.constantFrom(5, -5, 0, 12.5, 500, -0.4, -30, 40, -1e9) }),
        fc.record({ set: fc.constantFrom(0, 7, -30, 200, 33.3) }),
      ),
      reason: maybe(fc.constant("call"), 1),
    })
    .map(({ where: at, move, ...rest }) => {
      // `all` goes with `set` only.
      const dimension = "add" in move && rest.dimension === "all" ? undefined : rest.dimension;
      return dense<Adjustment>({ kind: "adjustment", ...at, ...rest, dimension, ...move });
    });

// ---- inputs that refer to others ----

/** Made once the others are known: sent again, sent again with other content, or retracted. */
interface Echo {
  readonly kind: "again" | "changed" | "retracted";
  readonly of: number;
  /** Of a retraction: any instant of the list, or as long after the target. */
  readonly when: { readonly at: EpochMs } | { readonly after: number };
  readonly id: string;
  /** Of a retraction: how far beside the target's instant it aims; 0 hits. */
  readonly beside: number;
}

function echoAmong(among: readonly EpochMs[]): fc.Arbitrary<Echo> {
  return fc.record({
    kind: fc.constantFrom("again", "changed", "retracted", "retracted", "retracted", "retracted"),
    of: fc.nat(1000),
    when: fc.oneof(fc.record({ at: fc.constantFrom(...among) }), fc.record({ after: fc.constantFrom(...lengths) })),
    id: fc.constantFrom(...ids, "r1", "r2", "r3", "r4"),
    beside: fc.constantFrom(0, 0, 0, 0, 0, 1),
  });
}

function sound(echo: Echo, others: readonly Input[]): Input {
  const of = others[echo.of % others.length]!;
  switch (echo.kind) {
    case "again":
      return structuredClone(of);
    case "changed":
      if (of.kind === "interaction") return { ...of, type: types[echo.of % types.length]! };
      return of.kind === "profile" ? { ...of, fields: { city: "Boston" } } : { ...of, reason: "typing error" };
    case "retracted": {
      const retractable = others.filter((one) => one.kind !== "profile");
      const target = retractable[echo.of % retractable.length] ?? of;
      return {
        kind: "interaction",
        tenantId: target.tenantId,
        contactId: target.contactId,
        id: echo.id,
        at: "at" in echo.when ? echo.when.at : target.at + echo.when.after,
        type: RETRACTION,
        attributes: { id: target.id, at: target.at + echo.beside },
      };
    }
  }
}

export interface InputListOptions {
  /** Default 40. */
  readonly countMax?: number;
  /** Default 3. */
  readonly contactsMax?: number;
}

/** Inputs of one to three contacts, at least one input, in no order. */
export function inputLists({ countMax = 40, contactsMax = 3 }: InputListOptions = {}): fc.Arbitrary<Input[]> {
  return fc
    .tuple(
      instants,
      fc.oneof(
        { weight: 2, arbitrary: fc.constant([contacts[0]]) },
        fc.subarray([...contacts], { minLength: 1, maxLength: contactsMax }),
      ),
    )
    .chain(([among, own]) => {
      const where = placeAmong(own, among);
      const plain: fc.Arbitrary<Input> = fc.oneof(
        { weight: 48, arbitrary: interaction(where) },
        { weight: 10, arbitrary: profile(where) },
        { weight: 7, arbitrary: adjustment(where) },
        { weight: 1, arbitrary: erasure(where) },
      );
      return fc.tuple(
        fc.array(plain, { minLength: 1, maxLength: Math.max(1, Math.ceil(countMax * 0.8)), size: "max" }),
        fc.array(echoAmong(among), { maxLength: Math.floor(countMax * 0.2), size: "max" }),
      );
    })
    .map(([plain, echoes]) => [...plain, ...echoes.map((echo) => sound(echo, plain))]);
}

/** An instant to look at the scores of these inputs: at one of them, at the newest, or some time after it. */
export function asOfFor(inputs: readonly Input[]): fc.Arbitrary<EpochMs> {
  const newest = Math.max(...inputs.map((input) => input.at));
  const later = [0, 1, HOUR, 6 * HOUR, DAY, 4 * DAY].map((after) => newest + after);
  return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...later) }, fc.constantFrom(...inputs.map(({ at }) => at)));
}

/** The same elements in any order. */
export function shuffled<T>(list: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...list], { minLength: list.length, maxLength: list.length });
}

/** The list cut into consecutive batches, some of them empty. */
export function batches<T>(list: readonly T[]): fc.Arbitrary<T[][]> {
  return fc.array(fc.nat(list.length), { maxLength: 6 }).map((cuts) => {
    const edges = [0, ...cuts.sort((a, b) => a - b), list.length];
    return edges.slice(1).map((edge, i) => list.slice(edges[i], edge));
  });
}
