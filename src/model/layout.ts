/**
 * Numbers the ledger lines of a model, so that the fold works on arrays of numbers.
 *
 * Lines. Each dimension has a run of numbered ledger lines: the decaying pool (its rules in model order, then `cut`)
 * and the lasting pool (its rules in model order, then `adjustment`, then `cut`). A pool is summed in that order,
 * always, because the order of a sum of doubles is part of its result.
 */
import type { Decay, DurationMs, Model, Rule } from "./types.js";

export interface Line {
  readonly dimension: number;
  readonly pool: "decaying" | "lasting";
  /** Rule id, or `adjustment`, or `cut`. */
  readonly name: string;
  /** Index in the model's rules; -1 for `adjustment` and `cut`. */
  readonly rule: number;
}

export interface CompiledDimension {
  readonly id: string;
  readonly min: number;
  readonly max: number;
  /** Lines `decayingFrom <= i < lastingFrom` are the decaying pool, `lastingFrom <= i < linesEnd` the lasting one. */
  readonly decayingFrom: number;
  readonly lastingFrom: number;
  readonly linesEnd: number;
  readonly standingFrom: number;
  readonly standingEnd: number;
  readonly decay: CompiledDecay | null;
}

export interface CompiledDecay {
  readonly stepMs: DurationMs;
  /** What step k = 1, 2, ... multiplies the decaying pool by. */
  readonly factor: (k: number) => number;
  readonly floor: number | null;
}

export interface Layout {
  readonly dimensions: readonly CompiledDimension[];
  readonly lines: readonly Line[];
  /** Rule indexes in the order of a state's `standing` values. */
  readonly standingRules: readonly number[];
  readonly dimensionIndex: ReadonlyMap<string, number>;
  /** The line of a rule in a dimension and pool. */
  readonly lineOf: (rule: number, dimension: number, pool: Line["pool"]) => number;
}

export function layOut(model: Model): Layout {
  const lines: Line[] = [];
  const standingRules: number[] = [];
  const dimensions = model.dimensions.map((dimension, index): CompiledDimension => {
    const rulesWith = (pool: Line["pool"]): Line[] =>
      model.rules.flatMap((rule, at) =>
        accumulates(rule, dimension.id, pool) ? [{ dimension: index, pool, name: rule.id, rule: at }] : [],
      );
    const own = (pool: Line["pool"], name: string): Line => ({ dimension: index, pool, name, rule: -1 });
    const decayingFrom = lines.length;
    lines.push(...rulesWith("decaying"), own("decaying", "cut"));
    const lastingFrom = lines.length;
    lines.push(...rulesWith("lasting"), own("lasting", "adjustment"), own("lasting", "cut"));
    const standingFrom = standingRules.length;
    model.rules.forEach((rule, at) => {
      if ((rule.family === "standing" || rule.family === "profile") && rule.dimension === dimension.id) {
        standingRules.push(at);
      }
    });
    return {
      id: dimension.id,
      min: dimension.min,
      max: dimension.max,
      decayingFrom,
      lastingFrom,
      linesEnd: lines.length,
      standingFrom,
      standingEnd: standingRules.length,
      decay: dimension.decay === undefined ? null : compileDecay(dimension.decay),
    };
  });
  return {
    dimensions,
    lines,
    standingRules,
    dimensionIndex: new Map(model.dimensions.map(({ id }, index) => [id, index])),
    lineOf: (rule, dimension, pool) =>
      lines.findIndex((line) => line.rule === rule && line.dimension === dimension && line.pool === pool),
  };
}

/** Whether the rule has a ledger line in this pool of this dimension. */
function accumulates(rule: Rule, dimension: string, pool: Line["pool"]): boolean {
  if (rule.family !== "accumulating" && rule.family !== "inactive") return false;
  const { effect } = rule;
  if (effect.kind === "suppress") return false;
  if (effect.kind === "set")
    return pool === "lasting" && (effect.dimension === "all" || effect.dimension === dimension);
  return effect.dimension === dimension && (pool === "decaying") === effect.decays;
}

export function dimensionOf(layout: Layout, id: string): number {
  const index = layout.dimensionIndex.get(id);
  if (index === undefined) throw new Error(`dimension ${id} is not in the model`);
  return index;
}

function compileDecay(decay: Decay): CompiledDecay {
  const floor = decay.floor ?? null;
  switch (decay.kind) {
    case "percent": {
      const factor = (100 - decay.percent) / 100;
      return { stepMs: decay.every, factor: () => factor, floor };
    }
    case "halfLife": {
      // Rounded once, here: the fold multiplies by a constant that is the same on every machine.
      const factor = Number((0.5 ** (decay.step / decay.halfLife)).toFixed(12));
      return { stepMs: decay.step, factor: () => factor, floor };
    }
    case "cycle": {
      const { step, cycle } = decay;
      const left = (k: number): number => Math.max(0, 1 - (k * step) / (2 * cycle));
      const factor = (k: number): number => {
        const before = left(k - 1);
        return before === 0 ? 0 : left(k) / before;
      };
      return { stepMs: step, factor, floor };
    }
  }
}
