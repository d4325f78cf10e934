/**
 * Thresholds and triggers: which are up, and what a new score does to them.
 */
import type { EpochMs } from "../../src/events/types.js";
import type { DurationMs, Model, Trigger } from "../../src/model/types.js";

const HOUR = 3_600_000;

/** Windows count in whole hours: the first instant at which something that happened at `at` is outside. */
export function windowEnd(at: EpochMs, within: DurationMs): EpochMs {
  return Math.ceil(at / HOUR) * HOUR + within;
}

export function inside(at: EpochMs, within: DurationMs, t: EpochMs): boolean {
  return at <= t && t < windowEnd(at, within);
}

/** The armed states of one contact under one model. `up` means fired and not armed again. */
export class Signals {
  readonly #model: Model;
  score: number;
  thresholdsUp: boolean[];
  triggersUp: boolean[];
  /** Index of each `risesBy` that fired in the latest evaluation. */
  surged = new Set<number>();
  #replaced: { at: EpochMs; score: number }[] = [];

  constructor(model: Model, emptyScore: number) {
    this.#model = model;
    this.score = emptyScore;
    this.thresholdsUp = model.thresholds.map((threshold) => emptyScore >= threshold.at);
    this.triggersUp = model.triggers.map((trigger) => {
      if (trigger.kind === "risesBy") return false;
      return trigger.kind === "reaches" ? emptyScore >= trigger.at : emptyScore < trigger.at;
    });
  }

  judge(t: EpochMs, score: number): void {
    const old = this.score;
    this.surged = new Set();
    this.thresholdsUp = this.#model.thresholds.map((threshold, i) =>
      this.thresholdsUp[i] ? score >= threshold.rearm : score >= threshold.at,
    );
    this.triggersUp = this.#model.triggers.map((trigger, i) => this.#triggerUp(trigger, i, t, score));
    if (score !== old) this.#replaced.push({ at: t, score: old });
    this.score = score;
  }

  #triggerUp(trigger: Trigger, i: number, t: EpochMs, score: number): boolean {
    const up = this.triggersUp[i]!;
    switch (trigger.kind) {
      case "reaches":
        return up ? score >= trigger.rearm : score >= trigger.at;
      case "dropsBelow":
        return up ? score < trigger.rearm : score < trigger.at;
      case "risesBy": {
        if (score === this.score) return up;
        const recent = this.#replaced.filter((one) => inside(one.at, trigger.within, t)).map((one) => one.score);
        const oldRise = this.score - Math.min(this.score, ...recent);
        const rise = score - Math.min(score, this.score, ...recent);
        const armed = !up || oldRise < trigger.by;
        if (armed && rise >= trigger.by) this.surged.add(i);
        return rise >= trigger.by;
      }
    }
  }
}
