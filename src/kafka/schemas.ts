/**
 * The shipped schemas (`schemas/*.avsc`), and the subjects under which they are registered: `TOPIC-value`
 * (TopicNameStrategy). The topic of score changes has two sorts of records, so that an erasure stays in order with the
 * scores that it ends: its schema is the union of both.
 */
import { readFileSync } from "node:fs";
import { recordName } from "../events/avro.js";
import type { Topic } from "../stream/log.js";
import type { OutputTopics } from "./output-topics.js";
import { incompatible, type SchemaRegistry } from "./registry.js";

const channels = ["email", "form", "meeting", "product", "sms", "social", "web"];
const inputNames = [...channels.map((channel) => `interactions.${channel}`), "contacts", "adjustments"];

export interface Subject {
  readonly subject: string;
  /** As parsed JSON. */
  readonly schema: unknown;
}

/** The subjects of inputs and outputs, for topics with the names of their schemas. */
export function shippedSubjects(): readonly Subject[] {
  const topics = { scoreChanged: "score-changed", thresholdCrossed: "threshold-crossed", deadLetters: "dead-letters" };
  return [
    ...inputNames.map((name) => ({ subject: subjectOf(name), schema: shippedSchema(name) })),
    ...Object.values(outputSubjects(topics)),
  ];
}

/** The subjects of outputs. */
export function outputSubjects(topics: OutputTopics): Readonly<Record<keyof OutputTopics, Subject>> {
  const { scoreChanged, thresholdCrossed, deadLetters } = topics;
  return {
    scoreChanged: {
      subject: subjectOf(scoreChanged),
      schema: [shippedSchema("score-changed"), shippedSchema("contact-erased")],
    },
    thresholdCrossed: { subject: subjectOf(thresholdCrossed), schema: shippedSchema("threshold-crossed") },
    deadLetters: { subject: subjectOf(deadLetters), schema: shippedSchema("dead-letters") },
  };
}

function subjectOf(topic: Topic): string {
  return `${topic}-value`;
}

/** @param name of its file, as `interactions.email` */
export function shippedSchema(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../schemas/${name}.avsc`, import.meta.url), "utf8"));
}

/**
 * The shipped schemas of inputs by the full name of their record, by which the records of upstream apps that use them
 * are known, in whatever version. `scorefold.Interaction` is the name that all interactions share.
 */
export function inputSchemas(): ReadonlyMap<string, unknown> {
  const schemas = new Map(inputNames.map((name) => [name, shippedSchema(name)]));
  const byName = new Map([...schemas.values()].map((schema) => [recordName(schema) ?? "", schema]));
  byName.set("scorefold.Interaction", schemas.get("interactions.email"));
  return byName;
}

/** What became of a subject, or would. */
export interface SubjectState extends Subject {
  /** `new`: it can be registered; `incompatible`: the registry would refuse it. */
  readonly state: "registered" | "new" | "incompatible";
  /** Of the schema; null where it is not registered. */
  readonly id: number | null;
  /** What is against it; null where nothing is. */
  readonly why: string | null;
}

/** Asks what is registered, and whether the rest can be. @throws ScorefoldError `registry-failed` */
export async function checkSubjects(registry: SchemaRegistry, subjects: readonly Subject[]): Promise<SubjectState[]> {
  const found: SubjectState[] = [];
  for (const { subject, schema } of subjects) {
    const text = JSON.stringify(schema);
    const id = await registry.idOf(subject, text);
    const why = id === null ? await registry.incompatibility(subject, text) : null;
    found.push({ subject, schema, id, why, state: id !== null ? "registered" : why === null ? "new" : "incompatible" });
  }
  return found;
}

/**
 * Registers what is not registered yet; nothing at all where one of them is incompatible.
 *
 * @returns the ids by subject
 * @throws ScorefoldError `schema-incompatible`, `registry-failed`
 */
export async function registerSubjects(
  registry: SchemaRegistry,
  subjects: readonly Subject[],
): Promise<ReadonlyMap<string, number>> {
  const states = await checkSubjects(registry, subjects);
  for (const { subject, why } of states) if (why !== null) throw incompatible(subject, why);
  const ids = new Map<string, number>();
  for (const { subject, schema, id } of states)
    ids.set(subject, id ?? (await registry.register(subject, JSON.stringify(schema))));
  return ids;
}
