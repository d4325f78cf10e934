/** All is folded, and nothing more goes wrong: whether outputs, dead letters and stores are what the inputs make. */

import { type CommittedRecord, committedRecords } from "../components/kafka/java-client.js";
import { oracle } from "../oracle/oracle.js";
import { scoreLineText } from "../oracle/score-line.js";
import { applicationModels, DEAD_LETTERS, inputTopics, OUTPUTS, REKEYED } from "./application.js";
import { ask } from "./ask.js";
import { checkDeadLetters } from "./dead-letters.js";
import { differences, readInputs } from "./inputs.js";
import type { Instance } from "./instance.js";
import { checkPublished } from "./published.js";

const SCORES_MS = 60_000;
const TENANTS = ["default", "acme"];

export interface Verdict {
  readonly problems: readonly string[];
  /** What there was, in words. */
  readonly seen: string;
}

export interface VerdictOptions {
  readonly jars: string;
  readonly brokers: string;
  readonly instances: readonly Instance[];
  /** Nothing is dated later, and timers have passed it. */
  readonly asOf: number;
}

export async function verdictOf({ jars, brokers, instances, asOf }: VerdictOptions): Promise<Verdict> {
  const scores = (await Promise.all(instances.map((instance) => scoresOf(instance, asOf)))).flat();
  const topics = [...inputTopics, REKEYED, ...OUTPUTS, DEAD_LETTERS];
  const byTopic = new Map<string, CommittedRecord[]>(topics.map((topic) => [topic, []]));
  for (const record of await committedRecords(jars, brokers, topics)) byTopic.get(record.topic)!.push(record);
  const of = (names: readonly string[]): CommittedRecord[] => names.flatMap((name) => byTopic.get(name)!);
  const read = readInputs(of([...inputTopics, REKEYED]));
  const models = applicationModels();
  const inputs = read.folded.map(({ input }) => input);
  const { lines } = oracle(models, inputs, asOf);
  const outputs = of(OUTPUTS);
  const letters = of([DEAD_LETTERS]);
  const problems = [
    ...read.problems,
    ...differences("score of a store", scores, lines.map(scoreLineText)),
    ...checkPublished(outputs, { models, lines, until: asOf }),
    ...checkDeadLetters(letters, read),
  ];
  const seen =
    `${of(inputTopics).length} records, ${of([REKEYED]).length} passed on, ${inputs.length} inputs, ` +
    `${outputs.length} outputs, ${letters.length} dead letters, ${lines.length} scores`;
  return { problems, seen };
}

/** The score lines of an instance's own tasks. */
async function scoresOf(instance: Instance, asOf: number): Promise<string[]> {
  const url = instance.url(`/v1/scores?tasks=own&asOf=${new Date(asOf).toISOString()}`);
  const texts = await Promise.all(TENANTS.map((tenant) => ask(url, { "x-tenant": tenant }, SCORES_MS)));
  return texts.flatMap((text) => text.split("\n").filter((line) => line !== ""));
}
