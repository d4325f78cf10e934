/**
 * One contact through its inputs in key order, under several models: erasures, retractions, and what is published.
 * A retraction that reaches back makes new timelines from the beginning, without what was removed.
 */
import type {
  Cause,
  ContactId,
  EpochMs,
  Input,
  Interaction,
  Output,
  ScoreLine,
  TenantId,
  ThresholdCrossed,
} from "../../src/events/types.js";
import { RETRACTION } from "../../src/events/types.js";
import type { Model } from "../../src/model/types.js";
import { Timeline, type View } from "./timeline.js";

/** What consumers have been told last of one model. */
interface Published {
  readonly view: View;
  readonly thresholdsUp: readonly boolean[];
  readonly triggersUp: readonly boolean[];
}

type How = "step" | "net";

const isRetraction = (input: Input): input is Interaction => input.kind === "interaction" && input.type === RETRACTION;

const targetOf = (id: string, at: EpochMs): string => JSON.stringify([id, at]);

export class History {
  readonly #tenantId: TenantId;
  readonly #contactId: ContactId;
  /** In the order of their ids. */
  readonly #models: readonly Model[];
  readonly outputs: Output[] = [];
  #timelines: Timeline[];
  /** Inputs in force since the last erasure. */
  #inForce: Input[] = [];
  #retracted = new Set<string>();
  #published = new Map<Model, Published>();
  #erasedAt: EpochMs = Number.NEGATIVE_INFINITY;

  constructor(tenantId: TenantId, contactId: ContactId, models: readonly Model[]) {
    this.#tenantId = tenantId;
    this.#contactId = contactId;
    this.#models = models;
    this.#timelines = models.map((model) => new Timeline(model));
  }

  take(input: Input): void {
    this.advance(input.at);
    if (input.kind === "profile" && input.fields === null) this.#erase(input.at);
    else if (input.at <= this.#erasedAt) return;
    else if (isRetraction(input)) this.#retract(input);
    else if (input.kind !== "profile" && this.#retracted.has(targetOf(input.id, input.at))) return;
    else {
      this.#inForce.push(input);
      for (const timeline of this.#timelines) {
        timeline.take(input);
        this.#publish(timeline, input.at, causeOf(input), "step");
      }
    }
  }

  /** What time does up to and including `t`, instant by instant, all models at each. */
  advance(t: EpochMs): void {
    for (;;) {
      const due = nextDue(this.#timelines);
      if (due === null || due > t) break;
      for (const timeline of this.#timelines) {
        const kind = timeline.passTime(due);
        if (kind !== null) this.#publish(timeline, due, { kind }, "step");
      }
    }
    for (const timeline of this.#timelines) timeline.passTime(t);
  }

  #erase(at: EpochMs): void {
    if (this.#inForce.length > 0 || this.#published.size > 0) {
      this.outputs.push({ kind: "ContactErased", id: "", tenantId: this.#tenantId, contactId: this.#contactId, at });
    }
    this.#erasedAt = at;
    this.#inForce = [];
    this.#retracted.clear();
    this.#published.clear();
    this.#timelines = this.#models.map((model) => new Timeline(model));
  }

  #retract(retraction: Interaction): void {
    this.#retracted.add(targetOf(String(retraction.attributes["id"]), Number(retraction.attributes["at"])));
    this.#inForce = this.#inForce.filter(
      (input) => input.kind === "profile" || !this.#retracted.has(targetOf(input.id, input.at)),
    );
    this.#timelines = this.#models.map((model) => fold(model, this.#inForce, retraction.at));
    for (const timeline of this.#timelines) this.#publish(timeline, retraction.at, causeOf(retraction), "net");
  }

  #publish(timeline: Timeline, at: EpochMs, cause: Cause, how: How): void {
    const { model, signals } = timeline;
    const before = this.#published.get(model);
    if (before === undefined && timeline.firstSight === null) return;
    const view = timeline.view(at);
    const base = {
      tenantId: this.#tenantId,
      contactId: this.#contactId,
      at,
      model: model.id,
      version: model.version,
      previous: before?.view.score ?? null,
      current: view.score,
      grade: view.grade,
      salesReady: view.salesReady,
      route: view.grade !== null && Object.hasOwn(model.routes, view.grade) ? model.routes[view.grade]! : null,
      cause,
    };
    if (before === undefined || moved(before.view, view)) {
      this.outputs.push({
        kind: "ScoreChanged",
        id: "",
        ...base,
        delta: view.score - (before?.view.score ?? 0),
        previousGrade: before?.view.grade ?? null,
        dimensions: view.dimensions,
        lines: [],
        suppressed: view.suppressed,
      });
    }
    for (const crossing of crossings(timeline, before ?? told(new Timeline(model), at), view, how)) {
      this.outputs.push({ kind: "ThresholdCrossed", eventId: "", ...base, ...crossing });
    }
    this.#published.set(model, { view, thresholdsUp: signals.thresholdsUp, triggersUp: signals.triggersUp });
  }

  lines(t: EpochMs): ScoreLine[] {
    return this.#timelines
      .filter((timeline) => timeline.firstSight !== null)
      .map((timeline) => ({
        tenantId: this.#tenantId,
        contactId: this.#contactId,
        model: timeline.model.id,
        version: timeline.model.version,
        ...timeline.view(t),
        lastActivityAt: timeline.lastActivityAt,
      }));
  }
}

function causeOf(input: Input): Cause {
  return input.kind === "interaction"
    ? { kind: input.kind, id: input.id, type: input.type }
    : { kind: input.kind, id: input.id };
}

function nextDue(timelines: readonly Timeline[]): EpochMs | null {
  const dues = timelines.map((timeline) => timeline.nextDue()).filter((due) => due !== null);
  return dues.length === 0 ? null : Math.min(...dues);
}

/** The timeline of these inputs at `t`, made from nothing. */
function fold(model: Model, inputs: readonly Input[], t: EpochMs): Timeline {
  const timeline = new Timeline(model);
  const advance = (until: EpochMs): void => {
    for (let due = timeline.nextDue(); due !== null && due <= until; due = timeline.nextDue()) timeline.passTime(due);
    timeline.passTime(until);
  };
  for (const input of inputs) {
    advance(input.at);
    timeline.take(input);
  }
  advance(t);
  return timeline;
}

function moved(before: View, now: View): boolean {
  return (
    before.score !== now.score ||
    Object.entries(now.dimensions).some(([id, points]) => before.dimensions[id] !== points)
  );
}

/** What counts as published when nothing was: the score of an empty history. */
function told(empty: Timeline, at: EpochMs): Published {
  const { thresholdsUp, triggersUp } = empty.signals;
  return { view: empty.view(at), thresholdsUp, triggersUp };
}

type Crossing = Pick<ThresholdCrossed, "crossing" | "id" | "direction">;

function crossings({ model, signals }: Timeline, before: Published, now: View, how: How): Crossing[] {
  const ups: Crossing[] = [];
  const downs: Crossing[] = [];
  const ascending = model.thresholds.map((threshold, i) => ({ ...threshold, i })).sort((a, b) => a.at - b.at);
  for (const { at, i } of ascending) {
    const was = before.thresholdsUp[i]!;
    const is = signals.thresholdsUp[i]!;
    if (!was && is) ups.push({ crossing: "threshold", id: String(at), direction: "up" });
    if (was && !is) downs.unshift({ crossing: "threshold", id: String(at), direction: "down" });
  }
  const rest: Crossing[] = [];
  for (const [i, trigger] of model.triggers.entries()) {
    const newlyUp = !before.triggersUp[i] && signals.triggersUp[i]!;
    // Within one evaluation a surge can be armed again and fire at once, which the two states alone do not show.
    const fired = trigger.kind === "risesBy" && how === "step" ? signals.surged.has(i) : newlyUp;
    const direction = trigger.kind === "dropsBelow" ? "down" : "up";
    if (fired) rest.push({ crossing: "trigger", id: trigger.id, direction });
  }
  if (before.view.salesReady !== now.salesReady) {
    rest.push({ crossing: "salesReady", id: model.id, direction: now.salesReady ? "up" : "down" });
  }
  if (before.view.grade !== now.grade && now.grade !== null) {
    const rank = (grade: string | null): number => model.grades.findIndex(({ id }) => id === grade);
    const direction = rank(now.grade) > rank(before.view.grade) ? "up" : "down";
    rest.push({ crossing: "grade", id: now.grade, direction });
  }
  return [...ups, ...downs, ...rest];
}
