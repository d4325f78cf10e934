/**
 * Calendar periods by brute force: the local wall clock as Intl prints it, turned into a text that names the period.
 */
import type { EpochMs } from "../../src/events/types.js";
import type { Period } from "../../src/model/types.js";

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** The wall clock of the zone at `at`, read as if it were UTC, in milliseconds (whole seconds). */
function wallClock(timeZone: string, at: EpochMs): number {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(at)
      .map((part) => [part.type, Number(part.value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type)!;
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
}

/**
 * The name of the period `at` lies in: equal for two instants of one period, different otherwise. An hour is named by
 * its UTC offset too, because the hour that the clock shows twice in an autumn night is two periods.
 */
export function periodName(timeZone: string, per: Period, at: EpochMs): string {
  const local = wallClock(timeZone, at);
  const text = new Date(local).toISOString();
  switch (per) {
    case "hour":
      return `${text.slice(0, 13)} offset ${local - Math.floor(at / 1000) * 1000}`;
    case "day":
      return text.slice(0, 10);
    case "week": {
      const monday = new Date(local);
      monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7));
      return `week of ${monday.toISOString().slice(0, 10)}`;
    }
    case "month":
      return text.slice(0, 7);
  }
}
