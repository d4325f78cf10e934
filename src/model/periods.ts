/**
 * Calendar periods in a time zone, for caps per hour, day, ISO week and month. A period is named by a number that
 * differs between any two periods. An hour that occurs twice in the night the clocks go back is two periods, so an
 * hour is named by the local hour and the offset. (The instant at which it starts would not do: where the clocks go
 * back at a minute past midnight, that minute and the hour after it seem to start at the same instant.)
 *
 * The zone rules are those of the runtime's own time zone data.
 */
import type { EpochMs } from "../events/types.js";
import type { Period } from "./types.js";

const minuteMs = 60_000;
/** More than all offsets, in seconds, of -24 h to +24 h. */
const offsetRangeSeconds = 172_801;
const hourMs = 3_600_000;
const dayMs = 86_400_000;
/** 1969-12-29 was a Monday. */
const firstMondayMs = -3 * dayMs;
/** Offsets are looked up once per this span. Nearly all changes are at its edges, but not those at 00:01 local time. */
const offsetSpanMs = 15 * minuteMs;
const cachedOffsetsMax = 20_000;

export type PeriodOf = (at: EpochMs) => number;

export function periodOf(per: Period, timeZone: string): PeriodOf {
  const offset = offsetOf(timeZone);
  switch (per) {
    case "hour":
      return (at) => {
        const ahead = offset(at);
        return Math.floor((at + ahead) / hourMs) * offsetRangeSeconds + ahead / 1000;
      };
    case "day":
      return (at) => Math.floor((at + offset(at)) / dayMs);
    case "week":
      return (at) => Math.floor((at + offset(at) - firstMondayMs) / (7 * dayMs));
    case "month":
      return (at) => {
        const local = new Date(at + offset(at));
        return local.getUTCFullYear() * 12 + local.getUTCMonth();
      };
  }
}

/** How far the zone's local time is ahead of UTC, in ms. */
function offsetOf(timeZone: string): (at: EpochMs) => number {
  if (timeZone === "UTC") return () => 0;
  const format = new Intl.DateTimeFormat("en-US-u-nu-latn", {
    timeZone,
    hourCycle: "h23",
    era: "short",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const exact = (at: EpochMs): number => {
    const part: Record<string, string> = {};
    for (const { type, value } of format.formatToParts(at)) part[type] = value;
    const year = part["era"]?.startsWith("B") ? 1 - Number(part["year"]) : Number(part["year"]);
    const local = new Date(0);
    local.setUTCFullYear(year, Number(part["month"]) - 1, Number(part["day"]));
    local.setUTCHours(Number(part["hour"]), Number(part["minute"]), Number(part["second"]));
    return local.getTime() - Math.floor(at / 1000) * 1000;
  };
  /** Of each span: its offset, or null where it changes within. */
  const cached = new Map<number, number | null>();
  return (at) => {
    const span = Math.floor(at / offsetSpanMs);
    let offset = cached.get(span);
    if (offset === undefined) {
      const first = exact(span * offsetSpanMs);
      offset = exact((span + 1) * offsetSpanMs - 1) === first ? first : null;
      if (cached.size >= cachedOffsetsMax) cached.clear();
      cached.set(span, offset);
    }
    return offset ?? exact(at);
  };
}
