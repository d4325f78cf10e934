/** What the demo keeps of a replay to show afterwards: everybody's score, and the lives that make a good story. */
import type { Json, Output, ScoreLine, ThresholdCrossed } from "../../events/types.js";
import { type Explanation, explain } from "../../fold/explain.js";
import type { CompiledModel } from "../../model/compile.js";
import type { ReplayedContact } from "../../rebuild/replay.js";

export interface Person {
  readonly contactId: string;
  readonly name: string;
  /** `Marketing Director, Northwind Traders`, or empty. */
  readonly position: string;
  /** Under the gallery's first model. */
  readonly explanation: Explanation;
}

export interface Story extends Person {
  readonly outputs: readonly Output[];
}

export interface RecentCrossing {
  readonly crossing: ThresholdCrossed;
  readonly name: string;
  readonly position: string;
}

/** A story has enough changes to tell something, and few enough to be read. */
const storyChangesMin = 12;
const storyChangesMax = 40;
const topMost = 100;

export class Gallery {
  /** The first of them is the one that is explained. */
  readonly models: readonly CompiledModel[];
  readonly crossings: RecentCrossing[] = [];
  /** Score of each contact by model. */
  readonly scores = new Map<string, ScoreLine[]>();
  #top: Person[] = [];
  #outputs: Output[] = [];
  #story: Story | undefined;
  #storyWorth = 0;

  constructor(models: readonly CompiledModel[]) {
    this.models = models;
  }

  add(output: Output): void {
    this.#outputs.push(output);
  }

  /** Ends a contact: its outputs have all been added. */
  close({ tenantId, contactId, scoreLines, fold }: ReplayedContact): void {
    const outputs = this.#outputs;
    this.#outputs = [];
    const first = fold.models.findIndex(({ model }) => model.id === this.models[0]?.model.id);
    const state = fold.foldedStates()[first];
    const explanation = state === undefined ? null : explain(this.models[0]!, tenantId, contactId, state);
    if (state === undefined || explanation === null) return;
    const person = { contactId, ...described(state.profile), explanation };
    for (const line of scoreLines) {
      const lines = this.scores.get(line.model);
      if (lines === undefined) this.scores.set(line.model, [line]);
      else lines.push(line);
    }
    for (const output of outputs) {
      if (output.kind === "ThresholdCrossed")
        this.crossings.push({ crossing: output, name: person.name, position: person.position });
    }
    this.#consider(person);
    this.#considerStory({ ...person, outputs });
  }

  /** The highest scores under the first model. */
  top(count: number): Person[] {
    return this.#top.slice(0, count);
  }

  story(): Story | undefined {
    return this.#story;
  }

  #consider(person: Person): void {
    this.#top.push(person);
    if (this.#top.length < 2 * topMost) return;
    this.#trimTop();
  }

  #trimTop(): void {
    this.#top.sort((a, b) => total(b) - total(a) || (a.contactId < b.contactId ? -1 : 1));
    this.#top.length = Math.min(this.#top.length, topMost);
  }

  /** Brings the top into order once all contacts are closed. */
  finish(): void {
    this.#trimTop();
  }

  /** Ups and downs make a story: crossings in both directions under the first model. */
  #considerStory(story: Story): void {
    const model = this.models[0]?.model.id;
    const own = story.outputs.filter((output) => output.kind !== "ContactErased" && output.model === model);
    const changes = own.filter(({ kind }) => kind === "ScoreChanged").length;
    if (changes < storyChangesMin || changes > storyChangesMax || story.position === "") return;
    const crossings = own.filter((output): output is ThresholdCrossed => output.kind === "ThresholdCrossed");
    const downs = crossings.filter(({ direction }) => direction === "down").length;
    const causes = new Set(
      own.flatMap((output) => (output.kind === "ScoreChanged" ? [output.cause.type ?? output.cause.kind] : [])),
    );
    const worth = Math.min(downs, crossings.length - downs) * 3 + causes.size;
    if (worth <= this.#storyWorth) return;
    this.#story = story;
    this.#storyWorth = worth;
  }
}

function total({ explanation }: Person): number {
  return explanation.score.score;
}

function described(profile: Json): { name: string; position: string } {
  const field = (from: Json | undefined, name: string): Json | undefined =>
    typeof from === "object" && from !== null && !Array.isArray(from) && Object.hasOwn(from, name)
      ? (from as Record<string, Json>)[name]
      : undefined;
  const text = (value: Json | undefined): string => (typeof value === "string" ? value : "");
  const parts = [text(field(profile, "title")), text(field(field(profile, "account"), "name"))];
  return { name: text(field(profile, "name")), position: parts.filter((part) => part !== "").join(", ") };
}
