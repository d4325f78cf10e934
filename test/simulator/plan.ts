/** What a seed stands for, apart from what happens on the way: models, inputs and when they arrive, limits, faults. */
import fc from "fast-check";
import type { Original } from "../../src/events/dead-letter.js";
import type { EpochMs, Input } from "../../src/events/types.js";
import type { Model } from "../../src/model/types.js";
import type { TaskLimits } from "../../src/stream/limits.js";
import { inputLists } from "../arbitrary/inputs.js";
import { models as modelLists, modelOf } from "../arbitrary/models.js";
import { DAY, HOUR, MINUTE } from "../arbitrary/vocabulary.js";
import type { Random } from "./random.js";

/** A record, and when it comes into the log. */
export interface Arrival {
  readonly at: EpochMs;
  readonly task: number;
  readonly topic: string;
  readonly content: Original;
}

/** What may go wrong, and how often: of so many turns one, or one call of so many. 0: never. */
export interface Faults {
  readonly crash: number;
  readonly rival: number;
  readonly calls: number;
  readonly full: number;
  readonly damage: number;
  readonly clock: number;
  /** A producer takes longer than a transaction may. */
  readonly timeout: number;
  /** A member that lives is silent for longer than its session. */
  readonly silence: number;
  /** What is committed is forgotten, or a topic is made anew. */
  readonly disaster: number;
  /** Whether a crash may take batches from the disk whose writers have heard of them. */
  readonly losesTail: boolean;
  readonly losesStore: boolean;
}

/** Members of one group in place of a process for each task. */
export interface ClusterPlan {
  readonly membersMax: number;
}

/** The input topic of a cluster by which tasks pass on what lies in the wrong partition. */
export const REKEYED = "rekeyed";

export interface Plan {
  readonly tasks: number;
  readonly cluster: ClusterPlan | null;
  readonly topics: readonly string[];
  /** The sets of models, one after the other. */
  readonly models: readonly (readonly Model[])[];
  readonly start: EpochMs;
  readonly arrivals: readonly Arrival[];
  readonly limits: TaskLimits;
  readonly timers: "clock" | "manual";
  readonly faults: Faults;
  /** For each task: machines, where there is a cluster. */
  readonly stores: number;
  /** Instants that timers are told to go to. */
  readonly instants: readonly EpochMs[];
  /** In the end timers go to here, or as far by the clock. */
  readonly end: EpochMs;
}

export const noFaults: Faults = {
  crash: 0,
  rival: 0,
  calls: 0,
  full: 0,
  damage: 0,
  clock: 0,
  timeout: 0,
  silence: 0,
  disaster: 0,
  losesTail: false,
  losesStore: false,
};

export function drawPlan(random: Random): Plan {
  const isLong = random.chance(0.06);
  const cluster = random.chance(0.5) ? { membersMax: random.between(1, 4) } : null;
  const tasks = cluster === null ? random.pick([1, 1, 1, 2]) : random.between(1, 4);
  const topics = ["mails", "forms", "visits"].slice(0, random.between(1, 3));
  const sets = drawModels(random, cluster === null ? 3 : 1);
  const inputs = drawInputs(random, isLong);
  const isBacklog = random.chance(0.3);
  const timers = random.chance(0.5) ? "clock" : "manual";
  const inputAheadMsMax = random.pick([HOUR, HOUR, 40 * DAY]);
  const misplaced = cluster === null ? 0 : random.pick([0, 0.05, 0.3]);
  const arrivals = drawArrivals(random, inputs, { tasks, topics, isBacklog, inputAheadMsMax, misplaced });
  const faults = random.chance(0.1) ? noFaults : drawFaults(random);
  const instants = inputs.flatMap(({ at }) => [at, at + random.pick([1, MINUTE, HOUR, DAY])]);
  return {
    tasks,
    cluster,
    topics,
    models: sets,
    start: Math.min(...arrivals.map(({ at }) => at)) - random.pick([0, HOUR]),
    arrivals,
    limits: { ...drawLimits(random, isLong), inputAheadMsMax },
    timers,
    faults: sets.length > 1 ? changing(faults) : faults,
    stores: cluster !== null ? random.between(1, 3) : sets.length > 1 ? 1 : random.between(1, 2),
    instants,
    end: Math.max(...instants, ...arrivals.map(({ at }) => at)) + random.pick([0, HOUR, DAY, 5 * DAY]),
  };
}

function sample<T>(random: Random, arbitrary: fc.Arbitrary<T>): T {
  return fc.sample(arbitrary, { seed: random.between(-0x80000000, 0x7fffffff), numRuns: 1 })[0] as T;
}

/** @param changesMax on several machines one: half-way to other models another store can't go elsewhere */
function drawModels(random: Random, changesMax: number): Model[][] {
  const sets: Model[][] = [sample(random, modelLists)];
  const changes = random.weighted([
    [5, 0],
    [3, 1],
    [2, 2],
  ]);
  for (let i = 0; i < Math.min(changes, changesMax); i++) {
    const last = sets[sets.length - 1] as Model[];
    const known = sets.flat();
    const raised = last.map((model): Model => {
      if (random.chance(0.3)) return model;
      const version = Math.max(...known.filter(({ id }) => id === model.id).map((one) => one.version)) + 1;
      // Mostly a small change: the same rules with other numbers.
      if (random.chance(0.5)) return { ...sample(random, modelOf(model.id)), version };
      return { ...model, version, ...thresholdsOf(sample(random, modelOf(model.id))) };
    });
    sets.push(raised.length > 1 && random.chance(0.2) ? raised.slice(1) : raised);
  }
  // Back to where it was.
  if (sets.length <= changesMax && sets.length > 1 && random.chance(0.3))
    sets.push(sets[random.between(0, sets.length - 2)] as Model[]);
  return sets;
}

function thresholdsOf({ thresholds, triggers }: Model): Pick<Model, "thresholds" | "triggers"> {
  return { thresholds, triggers };
}

function drawInputs(random: Random, isLong: boolean): Input[] {
  if (isLong) return drawParts(random, 120, 350, (part) => ({ idSuffix: `-${part}`, contact: "ada" }));
  // Many contacts at the same instants: timers go through them in several slices.
  if (random.chance(0.35)) return drawParts(random, 15, 50, (part) => ({ idSuffix: "", contact: `c${part}` }));
  return sample(random, inputLists({ countMax: random.pick([10, 40, 40, 80]) }));
}

interface Naming {
  readonly idSuffix: string;
  readonly contact: string;
}

/** Several lists of one contact each, all of them from the same instant on. */
function drawParts(random: Random, countMax: number, wanted: number, nameOf: (part: number) => Naming): Input[] {
  const found: Input[] = [];
  for (let part = 0; found.length < wanted; part++) {
    const some = sample(random, inputLists({ countMax, contactsMax: 1 }));
    const shift = found.length === 0 ? 0 : (found[0] as Input).at - (some[0] as Input).at;
    for (const input of some) found.push(renamed(input, nameOf(part), shift));
  }
  return found;
}

function renamed(input: Input, { idSuffix, contact }: Naming, shift: number): Input {
  const base = { ...input, id: `${input.id}${idSuffix}`, at: input.at + shift, contactId: contact };
  if (base.kind !== "interaction" || base.type !== "interaction.retracted") return base;
  const { id, at } = base.attributes;
  return { ...base, attributes: { id: `${String(id)}${idSuffix}`, at: Number(at) + shift } };
}

interface ArrivalOptions {
  readonly tasks: number;
  readonly topics: readonly string[];
  readonly isBacklog: boolean;
  readonly inputAheadMsMax: number;
  /** How many lie in the partition of another task. */
  readonly misplaced: number;
}

const broken: readonly Original[] = [
  "no json",
  "{}",
  `{"contactId":"ada","at":1e12}`,
  `{"contactId":"account:x","at":1e12,"type":"email.opened"}`,
  { bytes: 3, sha256: "00", head: "\ufffd", isUtf8: false },
];

function drawArrivals(random: Random, inputs: readonly Input[], options: ArrivalOptions): Arrival[] {
  const { tasks, topics, isBacklog, inputAheadMsMax, misplaced } = options;
  const newest = Math.max(...inputs.map(({ at }) => at));
  const arrivals: Arrival[] = [];
  const lateness = random.pick([0.1, 0.1, 0.4]);
  for (const input of inputs) {
    const own = taskOf(input.contactId, tasks);
    const place = (): number => (random.chance(misplaced) ? random.between(0, tasks - 1) : own);
    const delay = random.chance(lateness) ? random.pick([MINUTE, HOUR, DAY, 3 * DAY]) : random.between(0, 2000);
    let at = isBacklog ? newest + random.between(0, 20) * MINUTE : input.at + delay;
    if (random.chance(0.03)) at = input.at - inputAheadMsMax - random.between(0, 1);
    const content = JSON.stringify(input);
    arrivals.push({ at, task: place(), topic: random.pick(topics), content });
    // Sent again: it may come by another topic, and come first.
    if (random.chance(0.1)) {
      const again = at + random.pick([0, 1, MINUTE, DAY]);
      arrivals.push({ at: again, task: place(), topic: random.pick(topics), content });
    }
  }
  const bad = random.pick([0, 0, 1, 4]);
  for (let i = 0; i < bad; i++) {
    const { at } = random.pick(arrivals);
    arrivals.push({ at, task: random.between(0, tasks - 1), topic: random.pick(topics), content: random.pick(broken) });
  }
  return arrivals.sort((a, b) => a.at - b.at);
}

/** While models change a store may be the only one who knows what was published under the old ones. */
function changing(faults: Faults): Faults {
  return { ...faults, damage: 0, losesTail: false, losesStore: false };
}

/** The task that a contact belongs to. */
export function taskOf(contactId: string, tasks: number): number {
  return contactId.charCodeAt(contactId.length - 1) % tasks;
}

function drawLimits(random: Random, isLong: boolean): TaskLimits {
  const isTiny = !isLong && random.chance(0.8);
  // A write waits for what is being published: where there are few, folding gets ahead of it.
  const writesSeldom = random.chance(0.4);
  return {
    batchRecordsMax: isTiny ? random.between(1, 7) : random.between(20, 60),
    batchBytesMax: random.pick([300, 100_000]),
    commitIntervalMs: random.pick([0, 0, 40]),
    readContactsMax: random.between(1, 4),
    turnInputsMax: random.pick([1, 3, 100]),
    sliceContactsMax: random.between(1, 3),
    sliceBesideInputsMin: random.between(1, 3),
    sliceOutputsMax: random.pick([1, 100]),
    unwrittenContactsMax: writesSeldom ? 100 : random.between(1, 5),
    unwrittenInputsMax: writesSeldom ? 100 : isTiny ? random.between(1, 12) : random.between(10, 100),
    writeIntervalMs: writesSeldom ? 1_000_000 : random.pick([0, 200, 1_000_000]),
    hotBytesMax: random.pick([0, 3000, 1_000_000]),
    timerGraceMs: random.pick([0, 5000]),
    timerIntervalMs: random.pick([0, 200]),
    clockAheadMsMax: random.pick([0, 60_000]),
    clockJumpMsMax: random.pick([0, HOUR, 24 * HOUR]),
    clockSettleMs: random.pick([0, 1_000, 60_000]),
    inputAheadMsMax: HOUR,
    idleWaitMs: random.pick([1, 250]),
  };
}

function drawFaults(random: Random): Faults {
  const sometimes = (often: number, seldom: number): number => random.pick([0, often, seldom]);
  return {
    crash: random.pick([0, 30, 100, 300]),
    rival: sometimes(100, 400),
    calls: sometimes(30, 200),
    full: sometimes(100, 400),
    damage: sometimes(150, 600),
    clock: sometimes(50, 300),
    timeout: sometimes(60, 300),
    silence: random.pick([0, 30, 60, 300]),
    disaster: random.pick([0, 100, 200, 1000]),
    losesTail: random.chance(0.4),
    losesStore: random.chance(0.4),
  };
}
