/**
 * What one contact has accumulated in one dimension: two pools of lines. Sums are taken anew each time.
 */
import type { Decay, Dimension, Range, Rule } from "../../src/model/types.js";

const DUST = 0.0005;

export type PoolName = "decaying" | "lasting";

/** The line of a rule, or that of all adjustments. */
export type Line = { readonly rule: string } | "adjustment";

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

  /** What the dimension shows where its standing and profile rules give `standing`. */
  shown(standing: number): number {
    return clamp(this.accumulated() + standing, this.dimension);
  }

  /**
   * Moves what the dimension shows by points (after caps). What the range cuts off goes to `cut`, and is not
   * remembered; what was accumulated is never moved against the sign of the points.
   */
  add(name: PoolName, line: Line, points: number, standing: number): void {
    if (points === 0) return;
    const accumulated = this.accumulated();
    const owed = this.#forgiven(standing);
    const after = clamp(this.shown(standing) + points, this.dimension) - standing;
    const pool = this.#pools[name];
    if (line === "adjustment") pool.adjustment += points;
    else pool.rules.set(line.rule, (pool.rules.get(line.rule) ?? 0) + points);
    if (points > 0 ? after < accumulated : after > accumulated) {
      pool.cut -= points;
      return;
    }
    this.#pools.decaying.cut += owed.decaying;
    this.#pools.lasting.cut += owed.lasting;
    pool.cut += after - accumulated - points - owed.decaying - owed.lasting;
  }

  /**
   * What it takes to bring accumulated and standing points into the range, and which pool it goes to: the decaying one
   * as far as its sum is what is outside, so that the rest of it fades and what is forgiven does not.
   */
  #forgiven(standing: number): Readonly<Record<PoolName, number>> {
    const outside = this.accumulated() + standing;
    if (outside === clamp(outside, this.dimension)) return { decaying: 0, lasting: 0 };
    const back = this.shown(standing) - standing - this.accumulated();
    const sum = this.#sum("decaying");
    const owes = Math.sign(sum) === -Math.sign(back);
    const decaying = owes ? Math.sign(back) * Math.min(Math.abs(back), Math.abs(sum)) : 0;
    return { decaying, lasting: back - decaying };
  }

  /** Forgets all that was accumulated, so that the dimension shows the value beside `standing`. */
  set(line: Line, value: number, standing: number): void {
    this.#pools = { decaying: emptyPool(), lasting: emptyPool() };
    const points = clamp(value, this.dimension) - standing;
    if (line === "adjustment") this.#pools.lasting.adjustment = points;
    else this.#pools.lasting.rules.set(line.rule, points);
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
