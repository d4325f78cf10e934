/**
 * Inputs, outputs and score lines as one JSON object a line: fixed key order, no blanks, no line end.
 *
 * The order of keys is that of a copy made for `JSON.stringify`. Text put together piece by piece takes more than twice
 * as long: what it gives is a tree of its pieces, of kilobytes, until it is written.
 */
import { canonicalJson } from "./canonical.js";
import { formatInstant, MILLISECONDS_SIZE_MIN } from "./time.js";
import {
  type Cause,
  type ContactErased,
  type EpochMs,
  type Input,
  type Interaction,
  type Output,
  RETRACTION,
  type ScoreChanged,
  type ScoreLine,
  type ThresholdCrossed,
} from "./types.js";

/**
 * An input as a line that is read back as the same input: its canonical JSON, but for instants that as a number would
 * pass for seconds (before 3 March 1973). Those are written as text.
 */
export function encodeInput(input: Input): string {
  const isOld = isSmall(input.at);
  const isOldRetraction = isRetraction(input) && isSmall(input.attributes["at"] as EpochMs);
  if (!isOld && !isOldRetraction) return canonicalJson(input);
  const attributes = isOldRetraction
    ? { attributes: { ...input.attributes, at: writable(input.attributes["at"] as EpochMs) } }
    : undefined;
  return canonicalJson({ ...input, at: writable(input.at), ...attributes } as unknown as Input);
}

/** An instant as a value that is read back as itself: milliseconds, or where they would pass for seconds a text. */
export function writable(at: EpochMs): EpochMs | string {
  return isSmall(at) ? formatInstant(at) : at;
}

function isSmall(at: EpochMs): boolean {
  return Math.abs(at) < MILLISECONDS_SIZE_MIN;
}

function isRetraction(input: Input): input is Interaction {
  return input.kind === "interaction" && input.type === RETRACTION;
}

/** A score line as JSON, keys in the order of `ScoreLine`; dimensions in the order they came. */
export function encodeScoreLine(line: ScoreLine): string {
  return JSON.stringify({
    tenantId: line.tenantId,
    contactId: line.contactId,
    model: line.model,
    version: line.version,
    score: line.score,
    grade: line.grade,
    dimensions: line.dimensions,
    salesReady: line.salesReady,
    suppressed: line.suppressed,
    lastActivityAt: line.lastActivityAt,
  } satisfies ScoreLine);
}

/** An output as JSON: `kind` first, then what it is about, then what happened. */
export function encodeOutput(output: Output): string {
  switch (output.kind) {
    case "ScoreChanged":
      return encodeScoreChanged(output);
    case "ThresholdCrossed":
      return encodeThresholdCrossed(output);
    case "ContactErased":
      return encodeContactErased(output);
    default:
      return output satisfies never;
  }
}

function encodeScoreChanged(output: ScoreChanged): string {
  return JSON.stringify({
    kind: output.kind,
    id: output.id,
    tenantId: output.tenantId,
    contactId: output.contactId,
    model: output.model,
    version: output.version,
    previous: output.previous,
    current: output.current,
    delta: output.delta,
    previousGrade: output.previousGrade,
    grade: output.grade,
    dimensions: output.dimensions,
    at: output.at,
    cause: inOrder(output.cause),
    lines: output.lines.map(({ rule, dimension, points }) => ({ rule, dimension, points })),
    salesReady: output.salesReady,
    suppressed: output.suppressed,
    route: output.route,
  } satisfies ScoreChanged);
}

function encodeThresholdCrossed(output: ThresholdCrossed): string {
  return JSON.stringify({
    kind: output.kind,
    eventId: output.eventId,
    tenantId: output.tenantId,
    contactId: output.contactId,
    model: output.model,
    version: output.version,
    crossing: output.crossing,
    id: output.id,
    direction: output.direction,
    at: output.at,
    previous: output.previous,
    current: output.current,
    grade: output.grade,
    salesReady: output.salesReady,
    route: output.route,
    cause: inOrder(output.cause),
  } satisfies ThresholdCrossed);
}

function encodeContactErased({ kind, id, tenantId, contactId, at }: ContactErased): string {
  return JSON.stringify({ kind, id, tenantId, contactId, at } satisfies ContactErased);
}

/** What is undefined is left out. */
function inOrder({ kind, id, type }: Cause): Cause {
  return { kind, id, type } as Cause;
}
