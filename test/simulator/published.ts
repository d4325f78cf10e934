/** What a consumer knows who reads the outputs and nothing else, and what is wrong with an output in his eyes. */
import type { Output, ScoreChanged, ThresholdCrossed } from "../../src/events/types.js";
import { unpublished } from "../../src/fold/decide.js";
import { gradeAt } from "../../src/fold/evaluate.js";
import type { ModelState } from "../../src/fold/state.js";
import type { CompiledModel } from "../../src/model/compile.js";

/** Of one contact under one model, by the model's id. */
interface View {
  score: number | null;
  dimensions: Readonly<Record<string, number>>;
  grade: string | null;
  /** Null: not known. */
  salesReady: boolean | null;
  thresholds: Map<string, boolean>;
}

export class PublishedContact {
  #views = new Map<string, View>();
  /**
   * Whether all inputs were retracted once. Over several topics a task that catches up takes them in another order, and
   * does not know any more whether the empty score was published before the retraction, or nothing was.
   */
  wasEmpty = false;
  /** Whether models have changed: the empty score of the new ones is published where the task knows of one before. */
  #isChanged = false;

  /** The contact goes over to these models: what is new stands where the last score puts it. */
  adopt(models: readonly CompiledModel[]): void {
    this.#isChanged = this.#views.size > 0;
    // What was published of a model that is no more in use stays so: it may come back.
    const own = models.map((compiled) => [compiled.model.id, viewOf(compiled, this.#views)] as const);
    this.#views = new Map([...this.#views, ...own]);
  }

  /** @throws Error where the output does not follow from the ones before */
  take(output: Output, models: readonly CompiledModel[]): void {
    if (output.kind === "ContactErased") {
      this.#views = new Map(models.map((compiled) => [compiled.model.id, viewOf(compiled, new Map())]));
      return;
    }
    const model = models.find((one) => one.model.id === output.model);
    if (model !== undefined && this.#isForgotten(output)) this.#views.set(output.model, viewOf(model, new Map()));
    if (model !== undefined && this.#isInvented(output))
      this.#views.set(output.model, viewOf(model, new Map([[output.model, standingBefore(output)]])));
    const view = this.#views.get(output.model);
    if (model === undefined || view === undefined) throw new Error(`an output of a model that is not in use`);
    if (output.version !== model.model.version) throw new Error(`an output of version ${output.version}`);
    if (output.kind === "ScoreChanged") takeScore(view, output, this.wasEmpty);
    else takeCrossing(view, output);
  }

  /** Whether the task takes for its first what is not, and starts from the empty score of models that have changed. */
  #isForgotten(output: Output): boolean {
    return this.wasEmpty && this.#isChanged && output.kind === "ScoreChanged" && output.previous === null;
  }

  /** Whether the task takes for published what is not, and starts from the empty score of the models before. */
  #isInvented(output: Output): output is ScoreChanged {
    if (!this.wasEmpty || !this.#isChanged || output.kind !== "ScoreChanged") return false;
    return output.previous !== null && this.#views.get(output.model)?.score === null;
  }

  /** @throws Error where what was published is not what follows from the state */
  check(compiled: CompiledModel, state: ModelState): void {
    const view = this.#views.get(compiled.model.id) as View;
    const { flags } = state;
    if (view.score === null) {
      const empty = unpublished(compiled);
      const isEmpty = compiled.dimensions.every((_, i) => empty.dimensions[i] === flags.dimensions[i]);
      if (this.wasEmpty && isEmpty) return;
      if (state.firstSight !== null) throw new Error(`${compiled.model.id} has a score, and nothing is published`);
      return;
    }
    if (this.wasEmpty && this.#isChanged && state.firstSight === null) return;
    const dimensions = Object.fromEntries(compiled.dimensions.map(({ id }, i) => [id, flags.dimensions[i]]));
    const shown = Object.fromEntries(compiled.dimensions.map(({ id }) => [id, view.dimensions[id]]));
    const thresholds = compiled.model.thresholds.map(({ at }) => view.thresholds.get(String(at)));
    same(compiled, "score", view.score, flags.score);
    same(compiled, "dimensions", shown, dimensions);
    same(compiled, "grade", view.grade, compiled.model.grades[flags.grade]?.id ?? null);
    view.salesReady ??= flags.salesReady;
    same(compiled, "salesReady", view.salesReady, flags.salesReady);
    same(compiled, "thresholds", thresholds, flags.thresholds);
  }

  /** To compare two histories by: the rest may depend on the way. */
  scoresOf(models: readonly CompiledModel[]): string {
    return models
      .map((compiled) => {
        const { score, grade, salesReady } = this.#views.get(compiled.model.id) as View;
        return `${compiled.model.id} ${score} ${grade} ${salesReady}`;
      })
      .join(", ");
  }
}

/** Where an output says that the contact stood before. */
function standingBefore({ previous, previousGrade }: ScoreChanged): View {
  return { score: previous, dimensions: {}, grade: previousGrade, salesReady: null, thresholds: new Map() };
}

function viewOf(compiled: CompiledModel, before: ReadonlyMap<string, View>): View {
  const { model } = compiled;
  const empty = unpublished(compiled);
  const known = before.get(model.id);
  const own = (grade: number): string | null => model.grades[grade]?.id ?? null;
  if (known === undefined || known.score === null) {
    return {
      score: null,
      dimensions: {},
      grade: own(empty.grade),
      salesReady: empty.salesReady,
      thresholds: new Map(model.thresholds.map(({ at }, i) => [String(at), empty.thresholds[i] as boolean])),
    };
  }
  const { score, thresholds } = known;
  const isGrade = model.grades.some(({ id }) => id === known.grade);
  return {
    ...known,
    grade: isGrade ? known.grade : own(gradeAt(compiled, score)),
    thresholds: new Map(model.thresholds.map(({ at }) => [String(at), thresholds.get(String(at)) ?? score >= at])),
  };
}

/** @param wasEmpty whether it may be unknown if anything was published */
function takeScore(view: View, output: ScoreChanged, wasEmpty: boolean): void {
  const isUnknown = wasEmpty && [view.score, output.previous].includes(null);
  if (output.previous !== view.score && !isUnknown) {
    throw new Error(`${output.id} says it was ${output.previous} before, and ${view.score} was published`);
  }
  view.score = output.current;
  view.dimensions = output.dimensions;
  // Where the score moves these do, and an output of their own says so.
  if (output.delta !== output.current - (output.previous ?? 0)) throw new Error(`${output.id} has a wrong delta`);
}

function takeCrossing(view: View, output: ThresholdCrossed): void {
  const isUp = output.direction === "up";
  const was = (known: unknown, now: unknown): void => {
    if (known === now) throw new Error(`${output.eventId} crosses what was crossed before`);
  };
  switch (output.crossing) {
    case "threshold":
      was(view.thresholds.get(output.id), isUp);
      view.thresholds.set(output.id, isUp);
      return;
    case "grade":
      was(view.grade, output.id);
      view.grade = output.id;
      return;
    case "salesReady":
      was(view.salesReady, isUp);
      view.salesReady = isUp;
      return;
    case "trigger":
      return;
  }
}

function same(compiled: CompiledModel, what: string, published: unknown, folded: unknown): void {
  const [one, other] = [JSON.stringify(published), JSON.stringify(folded)];
  if (one !== other) throw new Error(`${compiled.model.id}: ${what} ${one} is published, and ${other} follows`);
}
