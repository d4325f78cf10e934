/** What the answer to an erasure, which has no body, tells in its headers: counts, and an instant in milliseconds. */
import type { LeftInTopic } from "./engine.js";

export const ERASED_UNTIL = "X-Erased-Until";
export const LATER_INPUTS = "X-Later-Inputs";
export const DEAD_LETTERS = "X-Dead-Letters";
export const MENTIONS = "X-Mentions";
/** `topic/partition/start-end` with commas between, as `leftOf` reads it; without offsets where they are not known. */
export const LEFT_IN_TOPICS = "X-Left-In-Topics";

export function leftText(left: readonly LeftInTopic[]): string {
  return left
    .map(({ topic, partition, start, end }) => `${topic}/${partition}${start === null ? "" : `/${start}-${end}`}`)
    .join(", ");
}

export function leftOf(text: string): LeftInTopic[] {
  return [...text.matchAll(/([\w.-]+)\/(\d+)(?:\/(\d+)-(\d+))?/g)].map(([, topic, partition, start, end]) => ({
    topic: topic as string,
    partition: Number(partition),
    start: start === undefined ? null : Number(start),
    end: end === undefined ? null : Number(end),
  }));
}
