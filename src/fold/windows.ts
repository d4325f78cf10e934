/**
 * The matches a standing rule still looks at, kept per whole hour: matches of one hour enter one by one and leave
 * together. A match at m is inside `within: W` at t when m <= t < ceil(m / 1h) * 1h + W.
 *
 * Sums add the hours in order, and in an hour the matches in input order: the order is part of the result.
 */
import type { EpochMs } from "../events/types.js";
import type { CompiledStanding } from "../model/compile.js";
import type { DurationMs } from "../model/types.js";
import type { CompactReader, CompactWriter } from "./compact.js";

const hourMs = 3_600_000;
const never = Number.POSITIVE_INFINITY;

/** Matches whose hour ends at `hour` (in hours since the epoch). */
export interface Hour {
  hour: number;
  count: number;
  sum: number;
  /** Only with `scope: resource`: the points of each match by its key, in input order. */
  matches: Map<string, number> | null;
}

export interface Window {
  /** All hours that can still count, oldest first. Without `within` and `recency` there is only the count. */
  hours: Hour[];
  /** Matches inside, over all hours. */
  count: number;
  /** Only with `scope: resource`: the hour of each resource's latest match. */
  latest: Map<string, number> | null;
  /** Numbers the matches without a resource: each of them counts. */
  unnamed: number;
  /**
   * The sum of hours that weigh the same for ever: past the last step of a `recency` without `within`. They are the
   * oldest, so this is where adding in order begins, and they need not be kept one by one.
   */
  settled: number;

  /** Caches: the sum over all hours but the last, and the next instant at which an hour passes an edge. */
  sumBeforeLast: number | null;
  edge: EpochMs;
}

export function newWindow(rule: CompiledStanding): Window {
  const latest = rule.scopeResource ? new Map<string, number>() : null;
  return { hours: [], count: 0, latest, unnamed: 0, settled: 0, sumBeforeLast: 0, edge: never };
}

export function cloneWindow(window: Window): Window {
  return {
    ...window,
    hours: window.hours.map((hour) => ({ ...hour, matches: hour.matches === null ? null : new Map(hour.matches) })),
    latest: window.latest === null ? null : new Map(window.latest),
  };
}

/** For comparing. */
export function encodeWindow(window: Window): unknown {
  return {
    count: window.count,
    unnamed: window.unnamed,
    settled: window.settled,
    hours: window.hours.map(({ hour, count, sum, matches }) => [
      hour,
      count,
      sum,
      matches === null ? null : [...matches],
    ]),
    // Without hours the resources themselves are what is kept.
    latest: window.latest === null || window.hours.length > 0 ? null : [...window.latest.keys()],
  };
}

export function writeWindow(to: CompactWriter, { count, unnamed, settled, hours, latest }: Window): void {
  to.number(count);
  to.number(unnamed);
  to.number(settled);
  to.flag(latest !== null);
  to.number(hours.length);
  let before = 0;
  for (const { hour, count: inHour, sum, matches } of hours) {
    to.number(hour - before);
    to.number(inHour);
    to.number(sum);
    before = hour;
    if (matches === null) continue;
    to.number(matches.size);
    for (const [key, points] of matches) {
      to.text(key);
      to.number(points);
    }
  }
  // Where there are hours they have the matches, and these the resources.
  if (latest !== null && hours.length === 0) to.texts(latest.keys(), latest.size);
}

/**
 * The window but for its edge, which follows from the rule: `findEdge`.
 *
 * @param into a window that nobody needs any more, of the same rule: it is what is returned
 */
export function readWindow(from: CompactReader, into = blankWindow()): Window {
  into.count = from.number();
  into.unnamed = from.number();
  into.settled = from.number();
  into.latest = from.flag() ? new Map() : null;
  into.sumBeforeLast = null;
  into.edge = never;
  const { hours, latest } = into;
  const count = from.number();
  if (hours.length > count) hours.length = count;
  for (let i = 0, before = 0; i < count; i++) {
    hours[i] = readHour(from, before, latest, hours[i]);
    before = hours[i]!.hour;
  }
  if (latest !== null && count === 0) for (const key of from.texts()) latest.set(key, 0);
  return into;
}

function readHour(
  from: CompactReader,
  before: number,
  latest: Window["latest"],
  into: Hour = { hour: 0, count: 0, sum: 0, matches: null },
): Hour {
  into.hour = before + from.number();
  into.count = from.number();
  into.sum = from.number();
  into.matches = latest === null ? null : new Map();
  if (latest === null || into.matches === null) return into;
  for (let left = from.number(); left > 0; left--) {
    const key = from.text();
    into.matches.set(key, from.number());
    latest.set(key, into.hour);
  }
  return into;
}

/** With the fields in the order of `newWindow`. */
function blankWindow(): Window {
  return { hours: [], count: 0, latest: null, unnamed: 0, settled: 0, sumBeforeLast: null, edge: never };
}

/** @param now up to where edges have been passed */
export function findEdge(rule: CompiledStanding, window: Window, now: EpochMs): void {
  if (window.hours.length > 0) window.edge = firstEdge(rule, window, now);
}

/** Until when (exclusive) a match at `at` is inside a window of `within`. */
export function insideUntil(at: EpochMs, within: DurationMs): EpochMs {
  return Math.ceil(at / hourMs) * hourMs + within;
}

/** Takes a match into the window. `at` is not before any match taken before. */
export function enter(
  rule: CompiledStanding,
  window: Window,
  at: EpochMs,
  resource: string | undefined,
  points: number,
): void {
  if (rule.withinMs === null && rule.recency === null) {
    enterForEver(window, resource);
    return;
  }
  const hour = Math.ceil(at / hourMs);
  const key = window.latest === null ? null : matchKey(window, resource);
  if (key !== null) leaveEarlier(rule, window, key);
  const last = lastHour(rule, window, hour, at);
  last.count += 1;
  // A rule with `times` only counts.
  if (rule.times === null) last.sum += points;
  if (key !== null) {
    last.matches?.set(key, points);
    window.latest?.set(key, hour);
  }
  window.count += 1;
  window.edge = Math.min(window.edge, nextEdge(rule, hour, at));
}

function enterForEver(window: Window, resource: string | undefined): void {
  if (window.latest !== null && resource !== undefined) {
    const key = `r${resource}`;
    // Taken out and put back: the order of the keys is that of the latest matches.
    if (!window.latest.delete(key)) window.count += 1;
    window.latest.set(key, 0);
    return;
  }
  window.count += 1;
}

/** The last hour, made new where it is another one; all edges up to `now` have been passed. */
function lastHour(rule: CompiledStanding, window: Window, hour: number, now: EpochMs): Hour {
  const last = window.hours.at(-1);
  if (last !== undefined && last.hour === hour) return last;
  const added: Hour = { hour, count: 0, sum: 0, matches: window.latest === null ? null : new Map() };
  window.hours.push(added);
  // The hour that was last is one of those before now: the next one to be added, in their order.
  if (last !== undefined && window.sumBeforeLast !== null) window.sumBeforeLast += weighed(rule, last, now);
  // Without a step there is no edge at which they would settle.
  if (last !== undefined && rule.recency?.steps.length === 0) settle(rule, window, last.hour * hourMs);
  return added;
}

function matchKey(window: Window, resource: string | undefined): string {
  return resource === undefined ? `n${window.unnamed++}` : `r${resource}`;
}

/**
 * A resource has one match in the window, its latest: the one before goes. Its hour stays, if empty: the end of any
 * match is due, and is told as the cause of what else happens at that instant.
 */
function leaveEarlier(rule: CompiledStanding, window: Window, key: string): void {
  const earlier = window.latest?.get(key);
  if (earlier === undefined) return;
  const at = placeOf(window.hours, earlier);
  const found = window.hours[at];
  if (found?.matches == null) return;
  found.matches.delete(key);
  found.count -= 1;
  window.count -= 1;
  if (rule.times !== null) return;
  // Added again rather than taken off: the sum is to be that of the matches that are left, to the last bit.
  found.sum = 0;
  for (const points of found.matches.values()) found.sum += points;
  window.sumBeforeLast = null;
}

/** The place of an hour among the hours, which ascend. */
function placeOf(hours: readonly Hour[], hour: number): number {
  let low = 0;
  let high = hours.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (hours[middle]!.hour < hour) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Lets go what is outside at `now`, and finds the next edge. Called when an edge has been reached. */
export function passEdges(rule: CompiledStanding, window: Window, now: EpochMs): void {
  const kept = keptFor(rule);
  let gone = 0;
  for (const { hour, count, matches } of window.hours) {
    if (now < hour * hourMs + kept) break;
    gone += 1;
    window.count -= count;
    if (matches !== null) for (const key of matches.keys()) window.latest?.delete(key);
  }
  // One at a time is the rule, and `shift` makes no array of what it takes out.
  if (gone === 1) window.hours.shift();
  else if (gone > 1) window.hours.splice(0, gone);
  settle(rule, window, now);
  window.sumBeforeLast = null;
  window.edge = firstEdge(rule, window, now);
}

/** Where a rule looks at its matches for ever, adds up those whose weight will not change any more. */
function settle(rule: CompiledStanding, window: Window, now: EpochMs): void {
  if (rule.recency == null || rule.withinMs !== null) return;
  const lastStep = rule.recency.steps.at(-1)?.within ?? 0;
  const { hours } = window;
  let gone = 0;
  while (gone < hours.length && now >= hours[gone]!.hour * hourMs + lastStep) gone += 1;
  if (gone === 0) return;
  if (window.latest === null) {
    for (const { sum } of hours.splice(0, gone)) window.settled += sum * rule.recency.else;
    return;
  }
  // A resource may come again, and then its match here goes: only an hour without any is done with.
  const isDone = ({ count }: Hour, i: number): boolean => i < gone && count === 0;
  if (hours.some(isDone)) window.hours = hours.filter((hour, i) => !isDone(hour, i));
}

/** The first edge of all hours after `now`; infinity where none is left. */
export function firstEdge(rule: CompiledStanding, window: Window, now: EpochMs): EpochMs {
  let edge = never;
  for (const { hour } of window.hours) {
    edge = Math.min(edge, nextEdge(rule, hour, now));
    // Only a rule with several edges needs to look past the oldest hour.
    if (rule.recency === null) break;
  }
  return edge;
}

/**
 * How long an hour is looked at: its window, whose end is due even where older matches weigh nothing; without a window
 * its last recency step, where what is older weighs nothing.
 */
function keptFor(rule: CompiledStanding): DurationMs {
  if (rule.withinMs !== null) return rule.withinMs;
  if (rule.recency == null || rule.recency.else !== 0) return never;
  return rule.recency.steps.at(-1)?.within ?? never;
}

/** The first edge of an hour after `now`. */
function nextEdge(rule: CompiledStanding, hour: number, now: EpochMs): EpochMs {
  const start = hour * hourMs;
  let next = rule.withinMs === null ? never : start + rule.withinMs;
  for (const { within } of rule.recency?.steps ?? []) {
    if (start + within > now) {
      next = Math.min(next, start + within);
      break;
    }
  }
  return next;
}

/** The sum of the points inside at `now`, each hour weighed by its age where the rule has `recency`. */
export function sumInside(rule: CompiledStanding, window: Window, now: EpochMs): number {
  const { hours } = window;
  const last = hours.length - 1;
  if (last < 0) return window.settled;
  if (window.sumBeforeLast === null) {
    let sum = window.settled;
    for (let i = 0; i < last; i++) sum += weighed(rule, hours[i]!, now);
    window.sumBeforeLast = sum;
  }
  return window.sumBeforeLast + weighed(rule, hours[last]!, now);
}

function weighed(rule: CompiledStanding, hour: Hour, now: EpochMs): number {
  if (rule.recency === null || rule.recency === undefined) return hour.sum;
  return hour.sum * weightAt(rule.recency, hour.hour, now);
}

function weightAt(recency: NonNullable<CompiledStanding["recency"]>, hour: number, now: EpochMs): number {
  for (const { within, multiplier } of recency.steps) if (now < hour * hourMs + within) return multiplier;
  return recency.else;
}

/**
 * Until when a rule with `times` that holds now goes on holding if nothing happens; null: for ever.
 */
export function holdsUntil(rule: CompiledStanding, window: Window): EpochMs | null {
  if (rule.times === null || rule.withinMs === null) return null;
  let count = window.count;
  for (const hour of window.hours) {
    count -= hour.count;
    if (count < rule.times.min) return hour.hour * hourMs + rule.withinMs;
  }
  return null;
}
