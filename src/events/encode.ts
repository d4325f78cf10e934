/**
 * Outputs and score lines as one JSON object a line: fixed key order, no blanks, no line end.
 *
 * The order of keys is that of a copy made for `JSON.stringify`. Text put together piece by piece takes more than twice
 * as long: what it gives is a tree of its pieces, of kilobytes, until it is written.
 */
import type { Cause, ContactErased, Output, ScoreChanged, ScoreLine, ThresholdCrossed } from "./types.js";

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
