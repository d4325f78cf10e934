/**
 * One contact under one model, instant by instant. Keeps every match ever made and works windows out of the whole
 * list; inputs must come in key order, and `passTime` must be called at every instant that `nextDue` names.
 */
import type { Adjustment, EpochMs, Input, Interaction, JsonObject } from "../../src/events/types.js";
import type {
  AccumulatingRule,
  Formula,
  InactiveRule,
  Model,
  ProfileRule,
  StandingRule,
} from "../../src/model/types.js";
import { periodName } from "./calendar.js";
import { clamp, granted, Ledger, type Line, type PoolName } from "./ledger.js";
import { automatedPasses, clipPoints, type Facts, holdsAll, pointsOf, typeMatches } from "./matching.js";
import { inside, Signals, windowEnd } from "./signals.js";

const HOUR = 3_600_000;

interface Match {
  readonly rule: string;
  readonly at: EpochMs;
  readonly resource: string | undefined;
  /** After repeat and weight. */
  readonly points: number;
  /** False where an accumulating rule has had this resource before. */
  readonly taken: boolean;
}

export type TimeCause = "decay" | "expiry" | "inactivity";

interface Due {
  readonly at: EpochMs;
  readonly kind: TimeCause;
}

/** What can be seen of a score at one instant. */
export interface View {
  readonly score: number;
  readonly grade: string | null;
  readonly dimensions: Readonly<Record<string, number>>;
  readonly salesReady: boolean;
  readonly suppressed: boolean;
}

export function publishedInteger(value: number): number {
  return Math.floor(Math.floor(value * 1000 + 0.5) / 1000) + 0;
}

function formulaValue(formula: Formula, dimensions: ReadonlyMap<string, number>): number {
  if (formula.op === "number") return formula.value;
  if (formula.op === "dimension") return dimensions.get(formula.id)!;
  if (formula.op === "negate") return -formulaValue(formula.of, dimensions);
  const left = formulaValue(formula.left, dimensions);
  const right = formulaValue(formula.right, dimensions);
  switch (formula.op) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return right === 0 ? 0 : left / right;
  }
}

export class Timeline {
  readonly model: Model;
  readonly signals: Signals;
  firstSight: EpochMs | null = null;
  lastActivityAt: EpochMs | null = null;
  #clock: EpochMs = Number.NEGATIVE_INFINITY;
  #profile: JsonObject | null = null;
  #matches: Match[] = [];
  readonly #ledgers: Ledger[];
  /** Granted by rule, cap and period, one entry a match. */
  #grants: { rule: string; period: string; points: number }[] = [];
  #firedInSpell = new Set<string>();
  #suppressed = false;

  constructor(model: Model) {
    this.model = model;
    this.#ledgers = model.dimensions.map((dimension) => new Ledger(dimension, model.rules));
    this.signals = new Signals(model, this.view(0).score);
  }

  #silenceStart(): EpochMs {
    return this.lastActivityAt ?? this.firstSight!;
  }

  #rules<F extends "accumulating" | "standing" | "profile" | "inactive">(family: F) {
    return this.model.rules.filter((rule) => rule.family === family) as Extract<
      Model["rules"][number],
      { family: F }
    >[];
  }

  // ---- time ----

  nextDue(): EpochMs | null {
    const instants = this.#due().map((due) => due.at);
    return instants.length === 0 ? null : Math.min(...instants);
  }

  /** Everything that is due after the clock, as far as it can be told now. */
  #due(): Due[] {
    if (this.firstSight === null) return [];
    const due: Due[] = [];
    const silence = this.#silenceStart();
    for (const ledger of this.#ledgers) {
      if (ledger.dimension.decay === undefined || !ledger.canDecay()) continue;
      const every = stepLength(ledger.dimension.decay);
      const k = Math.floor((this.#clock - silence) / every) + 1;
      due.push({ at: silence + k * every, kind: "decay" });
    }
    for (const rule of this.#rules("standing")) {
      for (const match of this.#matchesOf(rule.id)) {
        const end = rule.within === undefined ? Number.POSITIVE_INFINITY : windowEnd(match.at, rule.within);
        const edges = (rule.recency?.steps ?? []).map((step) => windowEnd(match.at, step.within));
        for (const at of [...edges.filter((edge) => edge < end), end]) due.push({ at, kind: "expiry" });
      }
      if (rule.after !== undefined) due.push({ at: this.firstSight + rule.after, kind: "expiry" });
    }
    for (const rule of this.#rules("inactive")) {
      if (!this.#firedInSpell.has(rule.id)) due.push({ at: silence + rule.inactive, kind: "inactivity" });
    }
    return due.filter(({ at }) => at > this.#clock && at < Number.POSITIVE_INFINITY);
  }

  /** What time does at `t`, before the inputs of `t`. Returns the cause, or null where nothing was due. */
  passTime(t: EpochMs): TimeCause | null {
    if (t <= this.#clock) return null;
    const kinds = new Set(
      this.#due()
        .filter(({ at }) => at === t)
        .map(({ kind }) => kind),
    );
    const silence = this.firstSight === null ? t : this.#silenceStart();
    for (const ledger of this.#ledgers) {
      const decay = ledger.dimension.decay;
      if (decay === undefined || !ledger.canDecay() || t === silence) continue;
      if ((t - silence) % stepLength(decay) === 0) ledger.decay(decay, (t - silence) / stepLength(decay));
    }
    for (const rule of this.#rules("inactive")) {
      if (this.firstSight === null || this.#firedInSpell.has(rule.id) || silence + rule.inactive !== t) continue;
      this.#firedInSpell.add(rule.id);
      this.#fireInactive(rule, t);
    }
    this.#clock = t;
    if (kinds.size === 0) return null;
    this.#evaluate(t);
    return (["decay", "expiry", "inactivity"] as const).find((kind) => kinds.has(kind))!;
  }

  #fireInactive(rule: InactiveRule, t: EpochMs): void {
    const facts: Facts = { interaction: null, profile: this.#profile };
    if (!holdsAll(rule.where, facts)) return;
    const effect = rule.effect;
    if (effect.kind === "set") {
      this.#set(effect.dimension, { rule: rule.id }, effect.set, t);
      return;
    }
    const ledger = this.#ledger(effect.dimension);
    const pool: PoolName = effect.decays ? "decaying" : "lasting";
    let points = pointsOf(effect.points, facts, 1, effect.weight);
    if (effect.cap !== undefined) points = granted(points, ledger.ruleLine(pool, rule.id), effect.cap);
    ledger.add(pool, { rule: rule.id }, points, this.#standingOf(ledger, t));
  }

  // ---- inputs ----

  /** Takes one input in force (no retraction, no erasure) after `passTime` of its instant. */
  take(input: Input): void {
    this.firstSight ??= input.at;
    switch (input.kind) {
      case "profile":
        this.#profile = input.fields;
        break;
      case "interaction":
        this.#interact(input);
        break;
      case "adjustment":
        this.#adjust(input);
        break;
    }
    this.#evaluate(input.at);
  }

  #interact(input: Interaction): void {
    const facts: Facts = { interaction: input, profile: this.#profile };
    const matching = this.model.rules.filter(
      (rule): rule is AccumulatingRule | StandingRule =>
        (rule.family === "accumulating" || rule.family === "standing") &&
        typeMatches(rule.when, input.type) &&
        automatedPasses(rule.automated, input.automated) &&
        holdsAll(rule.where, facts),
    );
    let positive = false;
    const matches = new Map(matching.map((rule) => [rule.id, this.#match(rule, input, facts)]));
    for (const rule of matching) {
      if (rule.family === "standing" && rule.times !== undefined && rule.times.min === undefined) continue;
      if (matches.get(rule.id)!.points > 0) positive = true;
    }
    const taken = matching
      .filter((rule) => rule.family === "accumulating")
      .filter((rule) => matches.get(rule.id)!.taken);
    this.#matches.push(...matches.values());
    const person = input.automated !== "yes";
    const active = this.model.activity === undefined ? positive : typeMatches(this.model.activity, input.type);
    if (active && person) {
      this.lastActivityAt = input.at;
      this.#firedInSpell.clear();
    }
    if (person && typeMatches(this.model.lift, input.type)) this.#suppressed = false;
    for (const { id, effect } of taken) {
      if (effect.kind === "set") this.#set(effect.dimension, { rule: id }, effect.set, input.at);
    }
    if (taken.some((rule) => rule.effect.kind === "suppress")) this.#suppressed = true;
    for (const rule of taken) this.#accumulate(rule, matches.get(rule.id)!);
  }

  #matchesOf(rule: string): Match[] {
    return this.#matches.filter((match) => match.rule === rule);
  }

  #match(rule: AccumulatingRule | StandingRule, input: Interaction, facts: Facts): Match {
    const before = this.#matchesOf(rule.id);
    const seen = input.resource !== undefined && before.some((match) => match.resource === input.resource);
    const taken = !(rule.family === "accumulating" && rule.scopeResource && seen);
    const giving = rule.family === "standing" ? rule : rule.effect.kind === "points" ? rule.effect : undefined;
    let points = 0;
    if (giving !== undefined) {
      const last = before.filter((match) => match.taken).at(-1);
      const repeated =
        giving.repeat !== undefined && last !== undefined && inside(last.at, giving.repeat.within, input.at);
      points = pointsOf(giving.points, facts, repeated ? giving.repeat.multiplier : 1, giving.weight);
    }
    return { rule: rule.id, at: input.at, resource: input.resource, points, taken };
  }

  #accumulate(rule: AccumulatingRule, match: Match): void {
    const effect = rule.effect;
    if (effect.kind !== "points") return;
    const ledger = this.#ledger(effect.dimension);
    const pool: PoolName = effect.decays ? "decaying" : "lasting";
    let points = match.points;
    if (effect.cap !== undefined) points = granted(points, ledger.ruleLine(pool, rule.id), effect.cap);
    const periods = effect.periodCaps.map(
      (cap, i) => `${i} ${cap.per} ${periodName(this.model.timeZone, cap.per, match.at)}`,
    );
    for (const [i, period] of periods.entries()) {
      const level = this.#grants
        .filter((grant) => grant.rule === rule.id && grant.period === period)
        .reduce((sum, grant) => sum + grant.points, 0);
      points = granted(points, level, effect.periodCaps[i]!.points);
    }
    for (const period of periods) this.#grants.push({ rule: rule.id, period, points });
    ledger.add(pool, { rule: rule.id }, points, this.#standingOf(ledger, match.at));
  }

  #adjust(input: Adjustment): void {
    if (input.model !== this.model.id) return;
    if (input.set !== undefined && input.dimension === "all") {
      this.#set("all", "adjustment", input.set, input.at);
      return;
    }
    const dimensions = this.model.dimensions;
    const id = input.dimension ?? (dimensions.length === 1 ? dimensions[0]!.id : undefined);
    const ledger = this.#ledgers.find((one) => one.dimension.id === id);
    if (ledger === undefined) return;
    const standing = this.#standingOf(ledger, input.at);
    if (input.set !== undefined) ledger.set("adjustment", input.set, standing);
    else ledger.add("lasting", "adjustment", clipPoints(input.add!), standing);
  }

  #ledger(dimension: string): Ledger {
    return this.#ledgers.find((ledger) => ledger.dimension.id === dimension)!;
  }

  #set(dimension: string, line: Line, value: number, t: EpochMs): void {
    for (const ledger of this.#ledgers) {
      if (dimension !== "all" && ledger.dimension.id !== dimension) continue;
      ledger.set(line, value, this.#standingOf(ledger, t));
    }
  }

  // ---- evaluation ----

  #evaluate(t: EpochMs): void {
    this.signals.judge(t, this.view(t).score);
  }

  /** The score at `t`, which must not be after the next due instant. */
  view(t: EpochMs): View {
    const model = this.model;
    const exact = new Map<string, number>();
    for (const ledger of this.#ledgers) exact.set(ledger.dimension.id, ledger.shown(this.#standingOf(ledger, t)));
    let total = 0;
    if (model.total === undefined) for (const value of exact.values()) total += value;
    else total = formulaValue(model.total, exact);
    if (Number.isNaN(total)) total = 0;
    const score = publishedInteger(this.#suppressed ? model.score.min : clamp(total, model.score));
    return {
      score,
      // A score below all of them has the first: the score's min may be a fraction, which is published rounded down.
      grade: (model.grades.filter((grade) => grade.from <= score).at(-1) ?? model.grades[0])?.id ?? null,
      dimensions: Object.fromEntries([...exact].map(([id, value]) => [id, publishedInteger(value)])),
      salesReady: model.salesReady !== undefined && !this.#suppressed && score >= model.salesReady,
      suppressed: this.#suppressed,
    };
  }

  /** What the standing and profile rules of a dimension give at `t`. */
  #standingOf(ledger: Ledger, t: EpochMs): number {
    let sum = 0;
    for (const rule of this.model.rules) {
      if (rule.family !== "standing" && rule.family !== "profile") continue;
      if (rule.dimension === ledger.dimension.id) sum += this.#standing(rule, t);
    }
    return sum;
  }

  /** What a standing or profile rule gives at `t`, after its cap. */
  #standing(rule: StandingRule | ProfileRule, t: EpochMs): number {
    if (this.firstSight === null) return 0;
    const sum = rule.family === "profile" ? this.#profileSum(rule) : this.#standingSum(rule, t);
    return rule.cap === undefined ? sum : Math.min(rule.cap, Math.max(-rule.cap, sum));
  }

  #profileSum(rule: ProfileRule): number {
    const facts: Facts = { interaction: null, profile: this.#profile };
    if (this.#profile === null || !holdsAll(rule.where, facts)) return 0;
    return pointsOf(rule.points, facts, 1, rule.weight);
  }

  #standingSum(rule: StandingRule, t: EpochMs): number {
    const { within, times, after, recency } = rule;
    let matches = this.#matchesOf(rule.id);
    if (within !== undefined) matches = matches.filter((match) => inside(match.at, within, t));
    if (rule.scopeResource) {
      matches = matches.filter(
        (match, i) =>
          match.resource === undefined || !matches.slice(i + 1).some((later) => later.resource === match.resource),
      );
    }
    if (times !== undefined) {
      if (after !== undefined && t < this.firstSight! + after) return 0;
      if (matches.length < (times.min ?? 0) || matches.length > (times.max ?? Number.POSITIVE_INFINITY)) return 0;
      return pointsOf(rule.points, { interaction: null, profile: this.#profile }, 1, rule.weight);
    }
    const hours = new Map<number, number>();
    for (const match of matches) {
      const hour = Math.ceil(match.at / HOUR);
      hours.set(hour, (hours.get(hour) ?? 0) + match.points);
    }
    let sum = 0;
    for (const [hour, points] of hours) {
      const step = recency?.steps.find((one) => t < hour * HOUR + one.within);
      sum += recency === undefined ? points : (step?.multiplier ?? recency.else) * points;
    }
    return sum;
  }
}

function stepLength(decay: NonNullable<Model["dimensions"][number]["decay"]>): number {
  return decay.kind === "percent" ? decay.every : decay.step;
}
