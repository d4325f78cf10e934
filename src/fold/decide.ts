/**
 * What to publish: the difference between what was published and the folded state. Replaying only folds, so it can't
 * emit by accident; whoever emits calls `decide`.
 */
import type {
  Cause,
  ContactErased,
  ContactId,
  EpochMs,
  MovedLine,
  Output,
  ScoreChanged,
  TenantId,
  ThresholdCrossed,
} from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import { type Change, emptyEvaluation } from "./evaluate.js";
import type { ModelState } from "./state.js";

/** What was published of a contact under a model, kept apart from the folded state. */
export interface Published {
  /** Null: nothing yet. */
  score: number | null;
  dimensions: number[];
  salesReady: boolean;
  grade: number;
  thresholds: boolean[];
  triggers: boolean[];
  /** The ledger at that time, so that the next output can say what moved. */
  lines: number[];
  standing: number[];
}

/** Before anything is published a contact stands at the score of an empty history. */
export function unpublished(model: CompiledModel): Published {
  const empty = emptyEvaluation(model);
  return {
    score: null,
    dimensions: empty.dimensions,
    salesReady: empty.salesReady,
    grade: empty.grade,
    thresholds: empty.thresholds,
    triggers: empty.triggers,
    lines: new Array<number>(model.lines.length).fill(0),
    standing: new Array<number>(model.standing.length).fill(0),
  };
}

export interface Occasion {
  readonly tenantId: TenantId;
  readonly contactId: ContactId;
  readonly at: EpochMs;
  readonly cause: Cause;
  /** Of the evaluation just made; null for a net difference (late inputs, retractions, a new version). */
  readonly change: Change | null;
  /** Of a change of the past: what tells it from the others at the same clock, escaped; null where the cause does. */
  readonly late: string | null;
  /** Up to when the contact was erased: what it does at an instant it may have done before, as who it was then. */
  readonly since?: EpochMs | null;
  /**
   * How many inputs the contact had, and of keys with several contents a digest of those that hold. What time does at an
   * instant it can do again, once the past has changed: a contact whose clock is lost with its store passes the instant a
   * second time. It follows from the set of what has come, whatever order that came in.
   */
  readonly after: number | string;
}

/**
 * The outputs that lead from what was published to the state, in their order, and notes them as published.
 * The score first, then thresholds (up ascending, down descending), triggers, sales readiness, grade.
 *
 * @param outputs they are added to these; null: nobody wants them
 */
export function decide(
  model: CompiledModel,
  published: Published,
  state: ModelState,
  occasion: Occasion,
  outputs: Output[] | null = [],
): readonly Output[] {
  const { flags } = state;
  const scored = published.score !== flags.score || differ(published.dimensions, flags.dimensions);
  if (outputs !== null) {
    const crossings = crossed(model, published, state, occasion.change);
    if (scored) outputs.push(scoreChanged(model, published, state, occasion));
    for (const crossing of crossings) outputs.push(thresholdCrossed(model, published, state, occasion, crossing));
  }
  published.salesReady = flags.salesReady;
  published.grade = flags.grade;
  copy(flags.thresholds, published.thresholds);
  copy(flags.triggers, published.triggers);
  if (scored) {
    published.score = flags.score;
    copy(flags.dimensions, published.dimensions);
    copy(state.lines, published.lines);
    copy(state.standing, published.standing);
  }
  return outputs ?? [];
}

export function contactErased(tenantId: TenantId, contactId: ContactId, at: EpochMs): ContactErased {
  const id = `${escaped(tenantId)}/${escaped(contactId)}/${at}/erased`;
  return { kind: "ContactErased", id, tenantId, contactId, at };
}

function copy<T>(from: readonly T[], to: T[]): void {
  for (let i = 0; i < from.length; i++) to[i] = from[i]!;
}

function scoreChanged(model: CompiledModel, published: Published, state: ModelState, occasion: Occasion): ScoreChanged {
  const { flags } = state;
  return {
    kind: "ScoreChanged",
    id: outputId(model, occasion, "score"),
    tenantId: occasion.tenantId,
    contactId: occasion.contactId,
    model: model.model.id,
    version: model.model.version,
    previous: published.score,
    current: flags.score,
    delta: flags.score - (published.score ?? 0),
    previousGrade: published.score === null ? null : gradeId(model, published.grade),
    grade: gradeId(model, flags.grade),
    dimensions: dimensionPointsById(model, flags.dimensions),
    at: occasion.at,
    cause: occasion.cause,
    lines: movedLines(model, published, state),
    salesReady: flags.salesReady,
    suppressed: state.suppressed,
    route: routeOf(model, flags.grade),
  };
}

type Crossing = Pick<ThresholdCrossed, "crossing" | "id" | "direction">;

function thresholdCrossed(
  model: CompiledModel,
  published: Published,
  state: ModelState,
  occasion: Occasion,
  crossing: Crossing,
): ThresholdCrossed {
  return {
    kind: "ThresholdCrossed",
    eventId: outputId(model, occasion, `${crossing.crossing}:${crossing.id}:${crossing.direction}`),
    tenantId: occasion.tenantId,
    contactId: occasion.contactId,
    model: model.model.id,
    version: model.model.version,
    crossing: crossing.crossing,
    id: crossing.id,
    direction: crossing.direction,
    at: occasion.at,
    previous: published.score,
    current: state.flags.score,
    grade: gradeId(model, state.flags.grade),
    salesReady: state.flags.salesReady,
    route: routeOf(model, state.flags.grade),
    cause: occasion.cause,
  };
}

function crossed(model: CompiledModel, published: Published, state: ModelState, change: Change | null): Crossing[] {
  const { flags } = state;
  const { thresholds, triggers, id } = model.model;
  const crossings: Crossing[] = [];
  const threshold = (index: number, direction: "up" | "down"): void => {
    crossings.push({ crossing: "threshold", id: String(thresholds[index]!.at), direction });
  };
  const { thresholdOrder } = model;
  for (const i of thresholdOrder) if (flags.thresholds[i] && !published.thresholds[i]) threshold(i, "up");
  for (let place = thresholdOrder.length - 1; place >= 0; place--) {
    const i = thresholdOrder[place]!;
    if (!flags.thresholds[i] && published.thresholds[i]) threshold(i, "down");
  }
  for (let i = 0; i < triggers.length; i++) {
    if (!flags.triggers[i] || (published.triggers[i] && change?.firedAgain.includes(i) !== true)) continue;
    const { id: trigger, kind } = triggers[i]!;
    crossings.push({ crossing: "trigger", id: trigger, direction: kind === "dropsBelow" ? "down" : "up" });
  }
  if (flags.salesReady !== published.salesReady) {
    crossings.push({ crossing: "salesReady", id, direction: flags.salesReady ? "up" : "down" });
  }
  if (flags.grade !== published.grade) {
    const direction = flags.grade > published.grade ? "up" : "down";
    crossings.push({ crossing: "grade", id: gradeId(model, flags.grade) ?? "", direction });
  }
  return crossings;
}

/** What moved since the last published score: by dimension the rules, then `adjustment`, then `cut` of both pools. */
function movedLines(model: CompiledModel, published: Published, state: ModelState): MovedLine[] {
  const moved: MovedLine[] = [];
  const add = (dimension: string, rule: string, points: number): void => {
    const rounded = points === 0 ? 0 : Math.floor(points * 1000 + 0.5) / 1000;
    if (rounded !== 0) moved.push({ rule, dimension, points: rounded });
  };
  for (const { id, decayingFrom, lastingFrom, linesEnd, standingFrom, standingEnd } of model.dimensions) {
    const since = (line: number): number => state.lines[line]! - published.lines[line]!;
    for (let i = decayingFrom; i < lastingFrom - 1; i++) add(id, model.lines[i]!.name, since(i));
    for (let i = standingFrom; i < standingEnd; i++) {
      add(id, model.standing[i]!.id, state.standing[i]! - published.standing[i]!);
    }
    for (let i = lastingFrom; i < linesEnd - 1; i++) add(id, model.lines[i]!.name, since(i));
    add(id, "cut", since(lastingFrom - 1) + since(linesEnd - 1));
  }
  return moved;
}

export function gradeId(model: CompiledModel, grade: number): string | null {
  return model.model.grades[grade]?.id ?? null;
}

function routeOf(model: CompiledModel, grade: number): string | null {
  const id = gradeId(model, grade);
  return id !== null && Object.hasOwn(model.model.routes, id) ? model.model.routes[id]! : null;
}

export function dimensionPointsById(model: CompiledModel, points: readonly number[]): Record<string, number> {
  const byId: Record<string, number> = {};
  model.dimensions.forEach(({ id }, i) => {
    byId[id] = points[i]!;
  });
  return byId;
}

function differ(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return true;
  return false;
}

/**
 * Says which difference this is, the same in every replay: one contact under one model is evaluated once for each
 * input, and once for each instant after the same inputs. Several late inputs can be published at one clock, and inputs
 * of different kinds or instants can share an id: `late` names the whole key.
 */
function outputId(
  model: CompiledModel,
  { tenantId, contactId, at, cause, late, since, after }: Occasion,
  what: string,
): string {
  const when = since == null ? at : `${at}@${since}`;
  const by = late ?? (cause.id === undefined ? byItself(cause, after) : `${cause.kind}/${escaped(cause.id)}`);
  const whose = [escaped(tenantId), escaped(contactId), `${escaped(model.model.id)}@${model.model.version}`];
  // Joined it is one piece of text at once; it is kept until it is published.
  return [...whose, when, by, what].join("/");
}

/** Of what no input causes. */
function byItself({ kind }: Cause, after: Occasion["after"]): string {
  return `${kind === "model" ? "model" : "time"}/${after}`;
}

/** Keeps `/` for the separators, so that no two different outputs share an id. */
export function escaped(text: string): string {
  return text.includes("/") || text.includes("~") ? text.replaceAll("~", "~0").replaceAll("/", "~1") : text;
}
