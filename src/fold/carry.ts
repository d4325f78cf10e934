/** What was published under one version of a model, in terms of the next: so that a change publishes only what differs. */
import type { CompiledModel } from "../model/compile.js";
import { type Published, unpublished } from "./decide.js";
import { gradeAt } from "./evaluate.js";
import type { ModelState } from "./state.js";

/**
 * @param state of the new version, folded
 * @param published null: nothing was
 * @returns what the new version would have published where the contact stood: the same score, and for each threshold,
 *   trigger, grade and line the one of the same name; for what is new, where the old score puts it
 */
export function carried(
  next: CompiledModel,
  state: ModelState,
  before: CompiledModel | null,
  published: Published | null,
): Published {
  const carry = unpublished(next);
  const score = published?.score ?? null;
  if (published === null || score === null) return carry;
  carry.score = score;
  carry.salesReady = published.salesReady;
  carry.grade = gradeAt(next, score);
  carry.thresholds = next.model.thresholds.map(({ at }) => score >= at);
  carry.triggers = next.model.triggers.map((trigger, i) => {
    if (trigger.kind === "reaches") return score >= trigger.at;
    return trigger.kind === "dropsBelow" ? score < trigger.at : state.flags.triggers[i]!;
  });
  // A dimension that was not there before has not been published: no number is equal to it.
  carry.dimensions = next.dimensions.map(() => Number.NaN);
  if (before === null) return carry;
  const old = before.model;
  carryByName(
    next.model.thresholds.map(({ at }) => at),
    old.thresholds.map(({ at }) => at),
    published.thresholds,
    carry.thresholds,
  );
  carryByName(
    next.model.triggers.map(({ id, kind }) => `${kind} ${id}`),
    old.triggers.map(({ id, kind }) => `${kind} ${id}`),
    published.triggers,
    carry.triggers,
  );
  const grade = old.grades[published.grade]?.id;
  const same = next.model.grades.findIndex(({ id }) => id === grade);
  if (same >= 0) carry.grade = same;
  carryByName(names(next), names(before), published.dimensions, carry.dimensions);
  carryByName(lineNames(next), lineNames(before), published.lines, carry.lines);
  carryByName(standingNames(next), standingNames(before), published.standing, carry.standing);
  return carry;
}

function carryByName<T>(
  to: readonly (string | number)[],
  from: readonly (string | number)[],
  values: readonly T[],
  into: T[],
): void {
  const places = new Map(from.map((name, i) => [name, i]));
  to.forEach((name, i) => {
    const place = places.get(name);
    if (place !== undefined) into[i] = values[place]!;
  });
}

function names(model: CompiledModel): string[] {
  return model.dimensions.map(({ id }) => id);
}

function lineNames(model: CompiledModel): string[] {
  const found: string[] = [];
  for (const { id, decayingFrom, linesEnd } of model.dimensions) {
    for (let i = decayingFrom; i < linesEnd; i++) found[i] = `${id} ${model.lines[i]!.pool} ${model.lines[i]!.name}`;
  }
  return found;
}

function standingNames(model: CompiledModel): string[] {
  return model.standing.map(({ id, dimension }) => `${model.dimensions[dimension]!.id} ${id}`);
}
