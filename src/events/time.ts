/**
 * Instants as text and back. Text is read by hand: `Date.parse` takes 30 February and a text without a zone for an
 * instant, and is several times slower than what a replay needs.
 */
import type { EpochMs } from "./types.js";

/** The largest instant, in size, that a date can show; also the bound on `at` given in milliseconds. */
export const INSTANT_SIZE_MAX_MS = 8.64e15;
/** A smaller number, in size, is probably one of seconds: as milliseconds it would lie within three years of 1970. */
export const MILLISECONDS_SIZE_MIN = 1e11;
/** 2100-01-01T00:00:00Z. Nothing happened then yet; whoever writes so has made a mistake. */
export const PLAUSIBLE_UNTIL: EpochMs = 4_102_444_800_000;

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

const ZERO = 48;
const DASH = 45;
const PLUS = 43;
const COLON = 58;
const DOT = 46;
const COMMA = 44;
const BLANK = 32;
const LETTER_T = 84;
const LETTER_Z = 90;
/** What makes an upper-case letter of ASCII a lower-case one. */
const LOWER_CASE = 32;

/** How many days the months before this one have, in a year that is no leap year; index 1 is January. */
const daysBeforeMonth = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const daysOfMonth = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Reads ISO 8601 date and time with a zone: `2024-05-01T12:00Z`, `2024-05-01T12:00:00.123+02:00`, `...+0200`, `...+02`.
 * Seconds may be left out; of a fraction what is below a millisecond is cut off. As databases write it, there may be a
 * blank for the T and before the zone, and the zone may be ` UTC`. Years outside 0000..9999 are written with a sign and
 * six digits, as `formatInstant` does.
 *
 * @returns milliseconds UTC, or undefined for anything else: no zone, no such day, hour 24, second 60.
 */
export function parseInstant(text: string): EpochMs | undefined {
  const sign = text.charCodeAt(0);
  const signed = sign === PLUS || sign === DASH;
  const yearSize = signed ? digits(text, 1, 6) : digits(text, 0, 4);
  const start = signed ? 7 : 4;
  if (yearSize < 0 || (sign === DASH && yearSize === 0)) return undefined;
  const year = sign === DASH ? -yearSize : yearSize;
  const month = digits(text, start + 1, 2);
  const day = digits(text, start + 4, 2);
  const hour = digits(text, start + 7, 2);
  const minute = digits(text, start + 10, 2);
  if (
    text.charCodeAt(start) !== DASH ||
    text.charCodeAt(start + 3) !== DASH ||
    !isTimeMark(text.charCodeAt(start + 6)) ||
    text.charCodeAt(start + 9) !== COLON ||
    month < 1 ||
    month > 12 ||
    day < 1 ||
    day > lastDay(year, month) ||
    hour < 0 ||
    hour > 23 ||
    minute < 0 ||
    minute > 59
  ) {
    return undefined;
  }
  const minutes = (daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute;
  const at = withSecondsAndZone(text, start + 12, minutes * MINUTE_MS);
  return at === undefined || Math.abs(at) > INSTANT_SIZE_MAX_MS ? undefined : at;
}

/** Writes an instant as ISO 8601 in UTC with milliseconds: `2024-05-01T12:00:00.000Z`. */
export function formatInstant(at: EpochMs): string {
  return new Date(at).toISOString();
}

/** Reads `[:SS[.fraction]]zone` from `from` to the end of the text. */
function withSecondsAndZone(text: string, from: number, minutesMs: number): number | undefined {
  let next = from;
  let at = minutesMs;
  if (text.charCodeAt(next) === COLON) {
    const second = digits(text, next + 1, 2);
    if (second < 0 || second > 59) return undefined;
    at += second * 1000;
    next += 3;
    const point = text.charCodeAt(next);
    if (point === DOT || point === COMMA) {
      const first = next + 1;
      let scale = 100;
      for (next = first; isDigit(text.charCodeAt(next)); next += 1) {
        // Three digits are milliseconds; the rest is cut off.
        if (next < first + 3) at += (text.charCodeAt(next) - ZERO) * scale;
        scale /= 10;
      }
      if (next === first) return undefined;
    }
  }
  if (text.charCodeAt(next) === BLANK) {
    next += 1;
    if (text.length === next + 3 && text.endsWith("UTC")) return at;
  }
  if (isLetter(text.charCodeAt(next), LETTER_Z)) return next + 1 === text.length ? at : undefined;
  const offset = zoneOffsetMs(text, next);
  return offset === undefined ? undefined : at - offset;
}

/** Reads `+02`, `+0200` or `+02:00` from `from` to the end of the text. */
function zoneOffsetMs(text: string, from: number): number | undefined {
  const sign = text.charCodeAt(from);
  if (sign !== PLUS && sign !== DASH) return undefined;
  const hours = digits(text, from + 1, 2);
  if (hours < 0 || hours > 23) return undefined;
  let minutes = 0;
  const rest = text.length - from;
  if (rest !== 3) {
    const colon = text.charCodeAt(from + 3) === COLON ? 1 : 0;
    if (rest !== 5 + colon) return undefined;
    minutes = digits(text, from + 3 + colon, 2);
    if (minutes < 0 || minutes > 59) return undefined;
  }
  const size = hours * HOUR_MS + minutes * MINUTE_MS;
  return sign === DASH ? -size : size;
}

/** Between date and time: `T`, `t` or a blank. */
function isTimeMark(code: number): boolean {
  return isLetter(code, LETTER_T) || code === BLANK;
}

/** The letter, which is given in upper case, in either case. */
function isLetter(code: number, letter: number): boolean {
  return code === letter || code === letter + LOWER_CASE;
}

/** The number that `count` digits write, or -1 if one of them is none. */
function digits(text: string, from: number, count: number): number {
  let value = 0;
  for (let index = from; index < from + count; index += 1) {
    const code = text.charCodeAt(index);
    if (!isDigit(code)) return -1;
    value = value * 10 + code - ZERO;
  }
  return value;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= ZERO + 9;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function lastDay(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : (daysOfMonth[month] as number);
}

function daysSinceEpoch(year: number, month: number, day: number): number {
  const before = year - 1;
  const leapDays = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  const ofYear = (daysBeforeMonth[month] as number) + (month > 2 && isLeap(year) ? 1 : 0) + day - 1;
  // 719162 is the number of days from 0001-01-01 to 1970-01-01.
  return before * 365 + leapDays + ofYear - 719_162;
}
