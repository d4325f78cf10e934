/**
 * What one contact has accumulated in one dimension: two pools of lines. Sums are taken anew each time.
 */
import type { Decay, Dimension, Range, Rule } from "../../src/model/types.js";

const DUST = 0.0005;

export type PoolName = "decaying" | "lasting";

interface Pool {
  /** Rule id -> points. */
  rules: Map<string, number>;
  adjustment: number;
  cut: number;
}

const emptyPool = (): Pool => ({ rules: new Map(), adjustment: 0, cut: 0 });

export function clamp(value: number, range: Range): number {
  return Math.min(range.max, Math.max(range.min, value));
}

/** What of `points` still fits, so that `level` stays in -cap..cap; a level that is outside is never moved back. */
export function granted(points: number, level: number, cap: number): number {
  return points > 0 ? Math.min(points, Math.max(0, cap - level)) : Math.max(points, Math.min(0, -cap - level));
}

export class Ledger {
  readonly dimension: Dimension;
  readonly #ruleOrder: readonly string[];
  #pools = { decaying: emptyPool(), lasting: emptyPool() };

  constructor(dimension: Dimension, rules: readonly Rule[]) {
    this.dimension = dimension;
    this.#ruleOrder = rules.map((rule) => rule.id);
  }

  #sum(name: PoolName): number {
    const pool = this.#pools[name];
    let sum = 0;
    for (const rule of this.#ruleOrder) sum += pool.rules.get(rule) ?? 0;
    sum += pool.adjustment;
    sum += pool.cut;
    return sum;
  }

  accumulated(): number {
    return this.#sum("decaying") + this.#sum("lasting");
  }

  ruleLine(name: PoolName, rule: string): number {
    return this.#pools[name].rules.get(rule) ?? 0;
  }

  /** Moves the dimension by points (after caps); the range cuts off what does not fit. */
  add(name: PoolName, line: { rule: string } | "adjustment", points: number): void {
    if (points === 0) return;
    const pool = this.#pools[name];
    const before = this.accumulated();
    const after = clamp(clamp(before, this.dimension) + points, this.dimension);
    if (line === "adjustment") pool.adjustment += points;
    else pool.rules.set(line.rule, (pool.rules.get(line.rule) ?? 0) + points);
    pool.cut += after - before - points;
  }

  /** Forgets everything and starts again from a value. */
  set(line: { rule: string } | "adjustment", value: number): void {
    this.#pools = { decaying: emptyPool(), lasting: emptyPool() };
    if (line === "adjustment") this.#pools.lasting.adjustment = clamp(value, this.dimension);
    else this.#pools.lasting.rules.set(line.rule, clamp(value, this.dimension));
  }

  /** False where no line is left that a step could change. */
  canDecay(): boolean {
    const { rules, adjustment, cut } = this.#pools.decaying;
    return [...rules.values(), adjustment, cut].some((line) => line !== 0);
  }

  /** Step k (from 1) of a spell of silence. */
  decay(decay: Decay, k: number): void {
    const factor = this.#floored(decay, stepFactor(decay, k));
    const pool = this.#pools.decaying;
    for (const [rule, line] of pool.rules) pool.rules.set(rule, line * factor);
    pool.adjustment *= factor;
    pool.cut *= factor;
    if ([...pool.rules.values(), pool.adjustment, pool.cut].every((line) => Math.abs(line) < DUST)) {
      this.#pools.decaying = emptyPool();
    }
  }

  #floored(decay: Decay, factor: number): number {
    const decaying = this.#sum("decaying");
    const lasting = this.#sum("lasting");
    if (decay.floor === undefined || decaying <= 0) return factor;
    if (decaying + lasting <= decay.floor) return 1;
    return decaying * factor + lasting < decay.floor ? (decay.floor - lasting) / decaying : factor;
  }
}

function stepFactor(decay: Decay, k: number): number {
  switch (decay.kind) {
    case "percent":
      return (100 - decay.percent) / 100;
    case "cycle": {
      const left = (steps: number): number => Math.max(0, 1 - (steps * decay.step) / (2 * decay.cycle));
      return left(k - 1) === 0 ? 0 : left(k) / left(k - 1);
    }
    case "halfLife":
      return Math.round(0.5 ** (decay.step / decay.halfLife) * 1e12) / 1e12;
  }
}
