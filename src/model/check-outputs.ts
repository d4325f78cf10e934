/** Checks what a model does with its score: thresholds, triggers, grades, routes. */

import { suggestion } from "../nearest.js";
import {
  Fields,
  type Findings,
  type Item,
  isMapItem,
  readDuration,
  readFields,
  readId,
  readList,
  readLookup,
  readNumber,
  reportDescending,
  reportRepeated,
} from "./check-values.js";
import type { Grade, Model, Range, Threshold, Trigger } from "./types.js";

export function readThresholds(findings: Findings, item: Item | undefined, score: Range): readonly Threshold[] {
  const items = readList(findings, item, "[25, { at: 75, rearm: 70 }]") ?? [];
  const thresholds = items.map((each) => {
    const fields = isMapItem(each) ? new Fields(findings, each, ["at", "rearm"]) : undefined;
    const atItem = fields === undefined ? each : fields.require("at", "the score of the threshold");
    const at = readNumber(findings, atItem);
    warnOutside(findings, atItem, at, score);
    const rearm = readRearm(findings, fields?.get("rearm"), at, "below");
    return { at: atItem ?? each, key: at, threshold: { at: at ?? 0, rearm } };
  });
  reportRepeated(findings, thresholds, "threshold");
  return thresholds.map(({ threshold }) => threshold);
}

/** `side`: where the score must come back to before the next crossing counts. */
function readRearm(
  findings: Findings,
  item: Item | undefined,
  at: number | undefined,
  side: "below" | "above",
): number {
  const rearm = readNumber(findings, item);
  if (item !== undefined && rearm !== undefined && at !== undefined && (side === "below" ? rearm > at : rearm < at)) {
    const bound = side === "below" ? "at most" : "at least";
    findings.error(item, `\`rearm\` must be ${bound} ${at}, found ${rearm}: it tells when crossing ${at} counts again`);
  }
  return rearm ?? at ?? 0;
}

export function readTriggers(findings: Findings, item: Item | undefined, score: Range): readonly Trigger[] {
  const items = readList(findings, item, "[{ id: alert-sales, reaches: 80 }]") ?? [];
  const ids: { at: Item; key: string | undefined }[] = [];
  const triggers = items.flatMap((each): readonly Trigger[] => {
    const keys = ["id", "reaches", "dropsBelow", "risesBy", "within", "rearm"];
    const fields = readFields(findings, each, keys, "{ id: alert-sales, reaches: 80 }");
    if (fields === undefined) {
      return [];
    }
    const idItem = fields.require("id", "what outputs call the trigger");
    const id = readId(findings, idItem, "a trigger id such as alert-sales");
    ids.push({ at: idItem ?? each, key: id });
    const trigger = readTrigger(findings, fields, id ?? "", score);
    return trigger === undefined ? [] : [trigger];
  });
  reportRepeated(findings, ids, "trigger id");
  return triggers;
}

function readTrigger(findings: Findings, fields: Fields, id: string, score: Range): Trigger | undefined {
  const kinds = (["reaches", "dropsBelow", "risesBy"] as const).filter((kind) => fields.get(kind) !== undefined);
  const [kind, second] = kinds;
  if (second !== undefined) {
    findings.error(fields.at, `a trigger has one of reaches, dropsBelow and risesBy, found ${kinds.join(", ")}`);
  }
  if (kind === undefined) {
    if (!["reaches", "dropsBelow", "risesBy"].some((each) => fields.has(each))) {
      findings.error(fields.at, "a trigger needs one of reaches, dropsBelow and risesBy (with within)");
    }
    return undefined;
  }
  const within = readDuration(findings, fields.get("within"), "window") ?? 0;
  const stray = fields.get(kind === "risesBy" ? "rearm" : "within");
  if (stray !== undefined) {
    findings.error(stray, `\`${kind === "risesBy" ? "rearm" : "within"}\` does not go with \`${kind}\`; remove it`);
  }
  const item = fields.get(kind);
  if (kind === "risesBy") {
    fields.require("within", "the window of the rise, as in `within: 24h`");
    return { id, kind, by: readNumber(findings, item, { above: 0 }) ?? 0, within };
  }
  const at = readNumber(findings, item);
  warnOutside(findings, item, at, score);
  const rearm = readRearm(findings, fields.get("rearm"), at, kind === "reaches" ? "below" : "above");
  return { id, kind, at: at ?? 0, rearm };
}

export function warnOutside(findings: Findings, item: Item | undefined, value: number | undefined, score: Range): void {
  // An inverted range is a problem of its own.
  if (item === undefined || value === undefined || score.min > score.max) {
    return;
  }
  if (value < score.min || value > score.max) {
    findings.warning(item, `${value} is outside the score's range ${score.min} to ${score.max}: it is never crossed`);
  }
}

export function readGrades(findings: Findings, item: Item | undefined, score: Range): readonly Grade[] {
  const items = readList(findings, item, "[{ id: cold, from: 0 }]") ?? [];
  const grades = items.map((each) => {
    const fields = readFields(findings, each, ["id", "from"], "{ id: cold, from: 0 }");
    const idItem = fields?.require("id", "the grade's name in outputs");
    const id = readId(findings, idItem, "a grade id such as cold");
    const fromItem = fields?.require("from", "the lowest score of the grade");
    return { at: idItem ?? each, key: id, from: { at: fromItem ?? each, value: readNumber(findings, fromItem) } };
  });
  reportRepeated(findings, grades, "grade id");
  const froms = grades.map(({ from }) => from);
  reportDescending(findings, froms, "the grades' `from`");
  const [first] = froms;
  if (first?.value !== undefined && first.value > score.min) {
    const message = `the first grade starts at ${first.value}, above the score's min ${score.min}; start it there`;
    findings.error(first.at, message);
  }
  return grades.map(({ key, from }) => ({ id: key ?? "", from: from.value ?? 0 }));
}

export function readRoutes(findings: Findings, item: Item | undefined, grades: readonly Grade[]): Model["routes"] {
  const known = grades.map(({ id }) => id);
  const routes = readLookup(findings, item, "{ sql: senior-reps }") ?? [];
  const read = routes.map((route) => {
    const grade = route.entry.key;
    if (!known.includes(grade)) {
      findings.error(route.keyAt, `unknown grade \`${grade}\`${suggestion(grade, known)}`);
    }
    return [grade, readId(findings, route, "a queue such as senior-reps") ?? ""] as const;
  });
  return Object.fromEntries(read);
}
