/**
 * What a consumer of the outputs sees, contact by contact. On the way to the end scores depend on the order in which
 * inputs came, and over several topics that order is written down nowhere: so an output on the way can't be held against
 * anything but the ones before it. What must hold whatever the order: outputs follow from each other without a gap and
 * without a double, no id is there twice, and the last of all is what follows from all inputs.
 */
import type { EpochMs, Output, ScoreChanged, ScoreLine, ThresholdCrossed } from "../../src/events/types.js";
import type { Model } from "../../src/model/types.js";
import type { CommittedRecord } from "../components/kafka/java-client.js";
import { taskOf } from "./load.js";

interface View {
  score: number | null;
  readonly thresholds: Map<string, boolean>;
  grade: string | null;
  salesReady: boolean;
}

export interface Expected {
  readonly models: readonly Model[];
  /** As of `until`. */
  readonly lines: readonly ScoreLine[];
  /** What is published of later instants is held against the ones before, and not against the lines. */
  readonly until: EpochMs;
}

/** @returns what is wrong with the outputs, which are in order for each contact and topic */
export function checkPublished(records: readonly CommittedRecord[], expected: Expected): string[] {
  const outputs = records.map(({ value, partition }) => ({ partition, ...(JSON.parse(value.toString()) as Output) }));
  const problems: string[] = [];
  const ids = new Set<string>();
  for (const output of outputs) {
    const id = output.kind === "ThresholdCrossed" ? output.eventId : output.id;
    if (ids.has(id)) problems.push(`output ${id} is there twice`);
    ids.add(id);
    if (output.partition !== taskOf(output.contactId))
      problems.push(`output ${id} is in partition ${output.partition}`);
  }
  const views = new Views(expected.models);
  // An erasure lies in one of the two topics, and where in the other one it would be nobody can tell: of contacts that
  // were erased crossings are not followed.
  for (const output of outputs) if (output.kind === "ContactErased") views.erased.add(contactOf(output));
  for (const output of outputs) problems.push(...views.take(output, expected.until));
  return [...problems, ...views.checkEnds(expected.lines)];
}

class Views {
  readonly erased = new Set<string>();
  readonly #models: readonly Model[];
  readonly #now = new Map<string, View>();
  /** As they were at the instant of the end. */
  readonly #ends = new Map<string, View>();

  constructor(models: readonly Model[]) {
    this.#models = models;
  }

  take(output: Output, until: EpochMs): string[] {
    if (output.kind === "ContactErased") {
      for (const model of this.#models) this.#put(keyOf(output, model.id), emptyView(model), output.at <= until);
      return [];
    }
    const key = keyOf(output, output.model);
    const view = this.#now.get(key) ?? emptyView(this.#modelOf(output.model));
    const problems =
      output.kind === "ScoreChanged"
        ? takeScore(view, output)
        : this.erased.has(contactOf(output))
          ? []
          : takeCrossing(view, output);
    this.#put(key, view, output.at <= until);
    return problems;
  }

  checkEnds(lines: readonly ScoreLine[]): string[] {
    const problems: string[] = [];
    for (const line of lines) {
      const key = keyOf(line, line.model);
      const model = this.#modelOf(line.model);
      const view = this.#ends.get(key) ?? emptyView(model);
      problems.push(...checkEnd(key, view, line, model, this.erased.has(contactOf(line))));
    }
    const known = new Set(lines.map((line) => keyOf(line, line.model)));
    for (const [key, { score }] of this.#ends)
      if (score !== null && !known.has(key)) problems.push(`${key}: ${score} is published, and there is no score`);
    return problems;
  }

  #put(key: string, view: View, isBeforeEnd: boolean): void {
    this.#now.set(key, view);
    if (isBeforeEnd) this.#ends.set(key, { ...view, thresholds: new Map(view.thresholds) });
  }

  #modelOf(id: string): Model {
    return this.#models.find((model) => model.id === id)!;
  }
}

interface Contact {
  readonly tenantId: string;
  readonly contactId: string;
}

function contactOf({ tenantId, contactId }: Contact): string {
  return `${tenantId}/${contactId}`;
}

function keyOf(contact: Contact, model: string): string {
  return `${contactOf(contact)}/${model}`;
}

/** Before anything is published all is where a score of nothing puts it. */
function emptyView(model: Model): View {
  return {
    score: null,
    thresholds: new Map(model.thresholds.map(({ at }) => [String(at), at <= 0])),
    grade: model.grades.filter(({ from }) => from <= 0).at(-1)?.id ?? null,
    salesReady: false,
  };
}

function takeScore(view: View, { id, previous, current, delta }: ScoreChanged): string[] {
  const problems: string[] = [];
  if (previous !== view.score) problems.push(`${id} says it was ${previous} before, and ${view.score} was published`);
  if (delta !== current - (previous ?? 0)) problems.push(`${id} has a wrong delta`);
  view.score = current;
  return problems;
}

function takeCrossing(view: View, { eventId, crossing, id, direction }: ThresholdCrossed): string[] {
  const isUp = direction === "up";
  const crossed = [`${eventId} crosses what was crossed before`];
  switch (crossing) {
    case "threshold": {
      const was = view.thresholds.get(id);
      view.thresholds.set(id, isUp);
      return was === isUp ? crossed : [];
    }
    case "grade": {
      const was = view.grade;
      view.grade = id;
      return was === id ? crossed : [];
    }
    case "salesReady": {
      const was = view.salesReady;
      view.salesReady = isUp;
      return was === isUp ? crossed : [];
    }
    // It may fire again and again; how often follows from the order.
    case "trigger":
      return [];
  }
}

function checkEnd(key: string, view: View, line: ScoreLine, model: Model, isErased: boolean): string[] {
  const crossed = model.thresholds.map(({ at }) => view.thresholds.get(String(at)));
  const follows = model.thresholds.map(({ at }) => line.score >= at);
  const found = JSON.stringify(isErased ? view.score : [view.score, view.grade, view.salesReady, crossed]);
  const expected = JSON.stringify(isErased ? line.score : [line.score, line.grade, line.salesReady, follows]);
  return found === expected ? [] : [`${key}: the last that is published is ${found}, and should be ${expected}`];
}
