/** Lengths of time as models write them: `<n>m|h|d|w`; a day is always 24 hours. */
import type { DurationMs } from "./types.js";

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
export const weekMs = 7 * dayMs;
/** A hundred years. */
export const durationMsMax = 36_525 * dayMs;

const unitMs = new Map([
  ["w", weekMs],
  ["d", dayMs],
  ["h", hourMs],
  ["m", minuteMs],
]);

const spelledOut = /^\s*([0-9]+)\s*(minute|hour|day|week|min|hr)s?\s*$/i;

export type DurationResult = { readonly ms: DurationMs } | { readonly problem: string };

/** Reads `30m`, `24h`, `7d` or `2w` into milliseconds, or says what is wrong and how to write it. */
export function parseDuration(text: string): DurationResult {
  const [, digits, unit] = /^([0-9]+)([mhdw])$/.exec(text) ?? [];
  const size = unitMs.get(unit ?? "");
  if (digits === undefined || size === undefined) {
    const [, count, word] = spelledOut.exec(text) ?? [];
    const advice = count === undefined || word === undefined ? "" : `; write \`${count}${word[0]?.toLowerCase()}\``;
    return { problem: `expected a duration such as 30m, 24h, 7d or 2w, found ${JSON.stringify(text)}${advice}` };
  }
  const ms = Number(digits) * size;
  if (ms <= 0) {
    return { problem: `a duration must be longer than 0, found ${text}` };
  }
  if (ms > durationMsMax) {
    return { problem: `a duration is at most 100 years (${durationMsMax / dayMs}d), found ${text}` };
  }
  return { ms };
}

/** Writes a duration in the largest unit that divides it: 86,400,000 is `1d`, 90 days are `90d`, 14 days `2w`. */
export function formatDuration(ms: DurationMs): string {
  for (const [unit, size] of unitMs) {
    if (ms % size === 0) {
      return `${ms / size}${unit}`;
    }
  }
  throw new RangeError(`a duration is a number of whole minutes, found ${ms} ms`);
}
