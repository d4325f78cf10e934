/**
 * What decides what a record means, but for the models: which topics are inputs, how their values become inputs, how far
 * ahead an input may be dated, where outputs go. Processes of one application that differ in it would score differently.
 */
import { createHash } from "node:crypto";
import type { EpochMs } from "../events/types.js";
import type { Topic } from "../stream/log.js";
import { CONTENT } from "../topics/meaning.js";
import type { OutputTopics } from "./output-topics.js";

/** By the name of a setting: what people are told of it, and behind ` = ` all of it. */
export type SettingTexts = Readonly<Record<string, string>>;

export interface Settings {
  /** Names the content, shortly. */
  readonly id: string;
  readonly texts: SettingTexts;
}

export interface SettingValues {
  /** How the values of each input topic become inputs. */
  readonly inputs: ReadonlyMap<Topic, string>;
  readonly outputs: OutputTopics;
  readonly inputAheadMsMax: EpochMs;
  /** Whether values may be Avro. */
  readonly hasRegistry: boolean;
  readonly foldVersion: number;
}

export function settingsOf({ inputs, outputs, inputAheadMsMax, hasRegistry, foldVersion }: SettingValues): Settings {
  const { scoreChanged, thresholdCrossed, deadLetters } = outputs;
  const texts: Record<string, string> = {
    "fold version": String(foldVersion),
    "input ahead": `${inputAheadMsMax / 1000} s`,
    outputs: `${scoreChanged}, ${thresholdCrossed}, ${deadLetters}`,
    values: hasRegistry ? "JSON, or Avro by a schema registry" : "JSON",
  };
  for (const topic of [...inputs.keys()].sort()) texts[`input ${topic}`] = inputs.get(topic)!;
  return { id: createHash("sha256").update(JSON.stringify(texts)).digest("base64url").slice(0, 16), texts };
}

/** What differs, for people. */
export function differencesOf(here: SettingTexts, there: SettingTexts): string[] {
  const names = [...new Set([...Object.keys(here), ...Object.keys(there)])].sort();
  return names.flatMap((name) => {
    const [own, other] = [here[name], there[name]];
    if (own === other) return [];
    if (other === undefined) return [`${name}: ${shown(own!)} here, not there`];
    if (own === undefined) return [`${name}: not here, ${shown(other)} there`];
    if (shown(own) === shown(other)) return [`${name}: ${shown(own)} with other content there`];
    return [`${name}: ${shown(own)} here, ${shown(other)} there`];
  });
}

function shown(text: string): string {
  const end = text.indexOf(CONTENT);
  return end < 0 ? text : text.slice(0, end);
}

/**
 * The settings that tasks are to be scored by: those that they are scored by, as long as a member has them; then those of
 * most members.
 *
 * @param running null: nothing was scored yet
 * @param members the settings of each, at least one
 */
export function chosenSettings(running: string | null, members: readonly string[]): string {
  if (running !== null && members.includes(running)) return running;
  const counts = new Map<string, number>();
  for (const id of members) counts.set(id, (counts.get(id) ?? 0) + 1);
  const [first] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return first![0];
}
