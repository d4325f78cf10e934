/** Checks what a rule gives: `points` in all its forms, and `cap`. */

import { suggestion } from "../nearest.js";
import { readField, reportNotContact } from "./check-conditions.js";
import {
  type Fields,
  type Findings,
  found,
  type Item,
  isMapItem,
  readDuration,
  readFields,
  readList,
  readLookup,
  readNumber,
  readWord,
  reportDescending,
  reportRepeated,
  scalarOf,
} from "./check-values.js";
import { comparedForm } from "./text.js";
import type { FieldPath, Period, PeriodCap, Points, Repeat, StandingRule } from "./types.js";

const forms = ["values", "bands", "keywords", "times"] as const;
const periods: readonly Period[] = ["hour", "day", "week", "month"];
const pointsExample = "{ by: attributes.kind, values: { whitepaper: 20 }, else: 0 }";

/** `contactOnly`: why `by` can only be a field of the contact, where that is so. */
export function readPoints(findings: Findings, item: Item | undefined, contactOnly?: string): Points | undefined {
  if (item === undefined) {
    return undefined;
  }
  if (!isMapItem(item)) {
    if (typeof scalarOf(item.node) !== "number") {
      findings.error(item, `expected a number or a mapping such as \`${pointsExample}\`, found ${found(item.node)}`);
      return undefined;
    }
    const value = readNumber(findings, item);
    return value === undefined ? undefined : { kind: "number", value };
  }
  const fields = readFields(findings, item, ["by", ...forms, "pick", "else"], pointsExample);
  if (fields === undefined) {
    return undefined;
  }
  const byItem = fields.require("by", "the field that decides, as in `by: attributes.kind`");
  const by = readField(findings, byItem);
  if (by !== undefined && byItem !== undefined && contactOnly !== undefined) {
    reportNotContact(findings, byItem, by, contactOnly);
  }
  const present = forms.filter((form) => fields.get(form) !== undefined);
  const [form, second] = present;
  if (second !== undefined) {
    findings.error(item, `points have one of ${forms.join(", ")}, found ${present.join(", ")}; keep one`);
  }
  if (form === undefined) {
    if (!forms.some((each) => fields.has(each))) {
      findings.error(item, `points by a field need one of ${forms.join(", ")}`);
    }
    return undefined;
  }
  const pick = fields.get("pick");
  if (pick !== undefined && form !== "keywords") {
    findings.error(pick, "`pick` goes only with `keywords`; remove it");
  }
  const otherwise = readNumber(findings, fields.get("else")) ?? 0;
  return readForm(findings, form, fields, by ?? ["type"], otherwise);
}

function readForm(
  findings: Findings,
  form: (typeof forms)[number],
  fields: Fields,
  by: FieldPath,
  otherwise: number,
): Points | undefined {
  const item = fields.get(form);
  if (form === "values") {
    return { kind: "values", by, values: readTable(findings, item, "{ whitepaper: 20 }"), else: otherwise };
  }
  if (form === "keywords") {
    const keywords = readTable(findings, item, '{ ceo: 25, "vice president": 20 }');
    for (const { entry, keyAt } of readLookup(findings, item?.node.kind === "map" ? item : undefined, "") ?? []) {
      if (!/[\p{L}\p{M}\p{N}]/u.test(comparedForm(entry.key)) && comparedForm(entry.key) !== "") {
        findings.warning(keyAt, "a keyword without letters or digits is never found");
      }
    }
    const pick = readWord(findings, fields.get("pick"), ["highest", "sum"]) ?? "highest";
    return { kind: "keywords", by, keywords, pick, else: otherwise };
  }
  if (form === "bands") {
    return { kind: "bands", by, bands: readBands(findings, item), else: otherwise };
  }
  const times = readNumber(findings, item);
  return times === undefined ? undefined : { kind: "times", by, times, else: otherwise };
}

/** Text -> points; keys that are one text as texts are compared are an error. */
function readTable(
  findings: Findings,
  item: Item | undefined,
  example: string,
): readonly (readonly [string, number])[] {
  const entries = readLookup(findings, item, example) ?? [];
  if (item?.node.kind === "map" && entries.length === 0) {
    findings.warning(item, "there are no entries: `else` always holds");
  }
  const keys = entries.map(({ entry, keyAt }) => ({ at: keyAt, key: comparedForm(entry.key) }));
  for (const { at, key } of keys) {
    if (key === "")
      findings.error(at, "a key is empty, once blanks at its ends are taken off; `else` is for what is missing");
  }
  const told = keys.map(({ at, key }) => ({ at, key: key === "" ? undefined : key }));
  reportRepeated(findings, told, "case, blanks at the ends and Unicode spelling are ignored, and the key");
  return entries.map((entry) => [entry.entry.key, readNumber(findings, entry) ?? 0] as const);
}

function readBands(findings: Findings, item: Item | undefined): readonly { from: number; points: number }[] {
  const items = readList(findings, item, "[{ from: 11, points: 5 }]") ?? [];
  if (item?.node.kind === "list" && items.length === 0) {
    findings.warning(item, "there are no bands: `else` always holds");
  }
  const bands = items.map((each) => {
    const band = readFields(findings, each, ["from", "points"], "{ from: 11, points: 5 }");
    const from = readNumber(findings, band?.require("from", "the lowest value of the band"));
    const points = readNumber(findings, band?.require("points", "what the band gives"));
    return { at: band?.get("from") ?? each, value: from, points };
  });
  reportDescending(findings, bands, "the bands' `from`");
  return bands.map(({ value, points }) => ({ from: value ?? 0, points: points ?? 0 }));
}

export interface Caps {
  readonly cap?: number;
  readonly periodCaps: readonly PeriodCap[];
}

/** A number, a cap per period, or a list of them. `numberOnly`: what kind of rule takes just the number. */
export function readCaps(findings: Findings, item: Item | undefined, numberOnly: string | undefined): Caps {
  if (item === undefined) {
    return { periodCaps: [] };
  }
  if (numberOnly !== undefined && item.node.kind !== "scalar") {
    findings.error(item, `the cap of ${numberOnly} is a number; caps per period are for accumulating rules`);
    return { periodCaps: [] };
  }
  const items = item.node.kind === "list" ? (readList(findings, item, "") ?? []) : [item];
  const plain = items.filter((each) => each.node.kind !== "map");
  const caps = plain.map((each) => readNumber(findings, each, { min: 0 }));
  if (plain[1] !== undefined) {
    findings.error(plain[1], "a rule has one plain cap; keep the smaller number");
  }
  const perPeriod = items.filter(isMapItem).map((each) => {
    const fields = readFields(findings, each, ["points", "per"], "{ points: 20, per: day }");
    const points = readNumber(findings, fields?.require("points", "how many a period may give"), { min: 0 });
    const per = readWord(findings, fields?.require("per", `one of ${periods.join(", ")}`), periods);
    return { at: fields?.get("per") ?? each, key: per, points };
  });
  warnRepeated(findings, perPeriod);
  const periodCaps = perPeriod.map(({ key, points }) => ({ points: points ?? 0, per: key ?? "day" }));
  return { ...(caps[0] !== undefined && { cap: caps[0] }), periodCaps };
}

/** Caps of one period are charged alike, so the larger one never binds. */
function warnRepeated(
  findings: Findings,
  caps: readonly { readonly at: Item; readonly key: Period | undefined }[],
): void {
  const seen = new Set<Period>();
  for (const { at, key } of caps) {
    if (key !== undefined && seen.has(key)) {
      findings.warning(at, `this rule has a cap per ${key} already; only the smaller one ever binds, remove the other`);
    } else if (key !== undefined) {
      seen.add(key);
    }
  }
}

export function readRepeat(findings: Findings, item: Item | undefined): Repeat | undefined {
  const fields = readFields(findings, item, ["within", "multiplier"], "{ within: 30d, multiplier: 1.5 }");
  if (fields === undefined) {
    return undefined;
  }
  const within = readDuration(findings, fields.require("within", "how close the match before must be"), "window");
  const multiplier = readNumber(findings, fields.require("multiplier", "what a repeated match counts"), { min: 0 });
  return { within: within ?? 0, multiplier: multiplier ?? 0 };
}

export function readTimes(findings: Findings, item: Item | undefined): StandingRule["times"] {
  const fields = readFields(findings, item, ["min", "max"], "{ min: 3 }");
  if (fields === undefined) {
    return undefined;
  }
  if (!fields.has("min") && !fields.has("max")) {
    findings.error(fields.at, "`times` needs `min`, `max` or both, as in `times: { min: 3 }`");
  }
  const min = readNumber(findings, fields.get("min"), { min: 0, integer: true });
  const max = readNumber(findings, fields.get("max"), { min: 0, integer: true });
  if (min !== undefined && max !== undefined && min > max) {
    findings.error(fields.at, `min ${min} is above max ${max}; swap them`);
  }
  return { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
}

export function readRecency(findings: Findings, item: Item | undefined): StandingRule["recency"] {
  const example = "[{ within: 24h, multiplier: 2 }, { else: 0.5 }]";
  const items = readList(findings, item, example);
  if (items === undefined || item === undefined) {
    return undefined;
  }
  if (items.length === 0) {
    findings.error(item, `\`recency\` needs at least one step, as in \`${example}\``);
  }
  let otherwise: number | undefined;
  const steps: { at: Item; value: number | undefined; multiplier: number }[] = [];
  for (const [i, each] of items.entries()) {
    const fields = readFields(findings, each, ["within", "multiplier", "else"], "{ within: 24h, multiplier: 2 }");
    const last = fields?.get("else");
    if (fields === undefined || last === undefined) {
      const within = readDuration(findings, fields?.require("within", "the age it holds up to"), "window");
      const multiplier = readNumber(findings, fields?.require("multiplier", "what a match of that age counts"), {
        min: 0,
      });
      steps.push({ at: fields?.get("within") ?? each, value: within, multiplier: multiplier ?? 0 });
      continue;
    }
    if (fields.get("within") !== undefined || fields.get("multiplier") !== undefined) {
      findings.error(each, "`else` stands alone, as the last of the list: `{ else: 0.5 }`");
    } else if (i !== items.length - 1) {
      findings.error(each, "`else` comes last; move it to the end of the list");
    }
    otherwise = readNumber(findings, last);
  }
  reportDescending(findings, steps, "the steps' `within`");
  return { steps: steps.map(({ value, multiplier }) => ({ within: value ?? 0, multiplier })), else: otherwise ?? 0 };
}

/** The dimension a rule moves; `all` only with set. No `dimensions`: they have problems of their own, any will do. */
export function readDimension(
  findings: Findings,
  fields: Fields,
  dimensions: readonly string[],
  allowAll: boolean,
): string | undefined {
  const [only, second] = dimensions;
  const item = fields.get("dimension");
  if (item === undefined) {
    if (second !== undefined && !fields.has("dimension")) {
      const choice = dimensions.join(", ") + (allowAll ? ", or all" : "");
      findings.error(fields.at, `\`dimension\` is missing: the model has several, name one of ${choice}`);
    }
    return second === undefined ? only : undefined;
  }
  const id = scalarOf(item.node);
  if (dimensions.length === 0) {
    return undefined;
  }
  if (typeof id === "string" && (dimensions.includes(id) || (id === "all" && allowAll))) {
    return id;
  }
  const advice = id === "all" ? "; `all` goes only with `set`" : suggestion(String(id), dimensions);
  findings.error(item, `unknown dimension \`${typeof id === "string" ? id : String(id)}\`${advice}`);
  return undefined;
}
