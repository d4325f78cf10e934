/**
 * A checked model back as canonical YAML: defaults left out, durations in their largest unit, one rule a block. Reading
 * it again gives the same model.
 */
import { dayMs, formatDuration } from "./duration.js";
import { printFormula } from "./formula.js";
import type { Condition, Decay, Dimension, Model, Points, Rule, StandingRule, Trigger } from "./types.js";

/** A value of the printed file. Lookups are maps: an object would move keys that look like array indexes to the front. */
export type Printed = string | number | boolean | readonly Printed[] | ReadonlyMap<string, Printed> | PrintedMap;
/** Absent members are left out. */
export interface PrintedMap {
  readonly [key: string]: Printed | undefined;
}

/** Canonical YAML of a model: `checkModel(printModel(m))` gives `m` again. */
export function printModel(model: Model): string {
  const { score } = model;
  const lines = [`model: ${text(model.id)}`, `version: ${model.version}`];
  const add = (key: string, value: Printed | undefined) => {
    if (value !== undefined) {
      lines.push(`${key}: ${flow(value)}`);
    }
  };
  add("name", model.name);
  add("tenants", model.tenants);
  add("timeZone", model.timeZone === "UTC" ? undefined : model.timeZone);
  add("score", score.min === 0 && score.max === 100 ? undefined : { min: score.min, max: score.max });
  if (!hasDefaultDimensions(model)) {
    lines.push("dimensions:");
    for (const dimension of model.dimensions) {
      lines.push(`  ${dimension.id}: ${flow(printDimension(dimension, score.max))}`);
    }
  }
  if (model.total !== undefined) {
    add("total", model.total.op === "number" ? model.total.value : printFormula(model.total));
  }
  if (model.rules.length === 0) {
    lines.push("rules: []");
  } else {
    lines.push("rules:");
    for (const rule of model.rules) {
      lines.push(...block(printRule(rule, model)));
    }
  }
  const thresholds = model.thresholds.map(({ at, rearm }) => (rearm === at ? at : { at, rearm }));
  add("thresholds", thresholds.length === 0 ? undefined : thresholds);
  lines.push(...list("triggers", model.triggers.map(printTrigger)));
  lines.push(
    ...list(
      "grades",
      model.grades.map(({ id, from }) => ({ id, from })),
    ),
  );
  add("salesReady", model.salesReady);
  add("routes", Object.keys(model.routes).length === 0 ? undefined : model.routes);
  add("activity", model.activity);
  add("lift", model.lift.length === 0 ? undefined : model.lift);
  return `${lines.join("\n")}\n`;
}

function hasDefaultDimensions({ dimensions, score }: Model): boolean {
  const [only, second] = dimensions;
  const plain = only?.decay === undefined && second === undefined;
  return plain && only?.id === "score" && only.min === score.min && only.max === score.max;
}

function printDimension({ min, max, decay }: Dimension, maxDefault: number): PrintedMap {
  return {
    min: min === 0 ? undefined : min,
    max: max === maxDefault ? undefined : max,
    decay: decay && printDecay(decay),
  };
}

function printDecay(decay: Decay): PrintedMap {
  const { floor } = decay;
  switch (decay.kind) {
    case "percent":
      return { percent: decay.percent, every: formatDuration(decay.every), floor };
    case "cycle":
      return { cycle: formatDuration(decay.cycle), step: printStep(decay.step), floor };
    case "halfLife":
      return { halfLife: formatDuration(decay.halfLife), step: printStep(decay.step), floor };
  }
}

function printStep(step: number): string | undefined {
  return step === dayMs ? undefined : formatDuration(step);
}

function printRule(rule: Rule, model: Model): PrintedMap {
  const dimension = (id: string) => (model.dimensions.length === 1 && id !== "all" ? undefined : id);
  const decays = (id: string) => model.dimensions.some((each) => each.id === id && each.decay !== undefined);
  const start = { id: rule.id };
  const where = rule.where.length === 0 ? undefined : rule.where.map(printCondition);
  switch (rule.family) {
    case "accumulating": {
      const { effect } = rule;
      const match = { ...printMatching(rule), where };
      if (effect.kind === "suppress") {
        return { ...start, ...match, suppress: true };
      }
      if (effect.kind === "set") {
        return { ...start, dimension: dimension(effect.dimension), ...match, set: effect.set };
      }
      const caps = [...(effect.cap === undefined ? [] : [effect.cap]), ...effect.periodCaps.map((cap) => ({ ...cap }))];
      return {
        ...start,
        dimension: dimension(effect.dimension),
        ...match,
        ...printGiven(effect),
        repeat: printRepeat(effect.repeat),
        cap: caps.length > 1 ? caps : caps[0],
        decays: effect.decays === decays(effect.dimension) ? undefined : effect.decays,
      };
    }
    case "standing":
      return { ...start, dimension: dimension(rule.dimension), ...printStanding(rule, where) };
    case "profile":
      return { ...start, dimension: dimension(rule.dimension), where, ...printGiven(rule), cap: rule.cap };
    case "inactive": {
      const { effect } = rule;
      const silence = { dimension: dimension(effect.dimension), inactive: formatDuration(rule.inactive), where };
      return effect.kind === "set"
        ? { ...start, ...silence, set: effect.set }
        : { ...start, ...silence, ...printGiven(effect), cap: effect.cap, decays: effect.decays || undefined };
    }
  }
}

function printStanding(rule: StandingRule, where: Printed | undefined): PrintedMap {
  const { times, within, after, recency, repeat } = rule;
  const steps = recency?.steps.map((step) => ({ within: formatDuration(step.within), multiplier: step.multiplier }));
  const last =
    recency !== undefined && (recency.else !== 0 || recency.steps.length === 0) ? [{ else: recency.else }] : [];
  return {
    ...printMatching(rule),
    where,
    times: times && { min: times.min, max: times.max },
    within: within === undefined ? undefined : formatDuration(within),
    after: after === undefined ? undefined : formatDuration(after),
    recency: steps && [...steps, ...last],
    ...printGiven(rule),
    repeat: printRepeat(repeat),
    cap: rule.cap,
  };
}

function printMatching({ when, automated, scopeResource }: Pick<StandingRule, "when" | "automated" | "scopeResource">) {
  return {
    when: when.length === 1 ? when[0] : when,
    automated: automated === "skip" ? undefined : automated,
    scope: scopeResource ? "resource" : undefined,
  };
}

function printGiven({ points, weight }: { readonly points: Points; readonly weight: number }): PrintedMap {
  return { points: printPoints(points), weight: weight === 1 ? undefined : weight };
}

function printRepeat(repeat: StandingRule["repeat"]): PrintedMap | undefined {
  return repeat && { within: formatDuration(repeat.within), multiplier: repeat.multiplier };
}

/** Points as they are written in a model. */
export function printPoints(points: Points): Printed {
  if (points.kind === "number") {
    return points.value;
  }
  const by = points.by.join(".");
  const otherwise = points.else === 0 ? undefined : points.else;
  switch (points.kind) {
    case "values":
      return { by, values: new Map(points.values), else: otherwise };
    case "bands":
      return { by, bands: points.bands.map((band) => ({ from: band.from, points: band.points })), else: otherwise };
    case "keywords": {
      const pick = points.pick === "highest" ? undefined : points.pick;
      return { by, keywords: new Map(points.keywords), pick, else: otherwise };
    }
    case "times":
      return { by, times: points.times, else: otherwise };
  }
}

/** A condition as it is written in a model. */
export function printCondition(condition: Condition): PrintedMap {
  switch (condition.op) {
    case "any":
    case "all":
      return { [condition.op]: condition.of.map(printCondition) };
    case "not":
      return { not: printCondition(condition.of) };
    case "in":
    case "notIn":
      return { field: condition.field.join("."), [condition.op]: condition.values };
    case "matches":
      return { field: condition.field.join("."), matches: condition.pattern };
    default:
      return { field: condition.field.join("."), [condition.op]: condition.value };
  }
}

function printTrigger(trigger: Trigger): PrintedMap {
  if (trigger.kind === "risesBy") {
    return { id: trigger.id, risesBy: trigger.by, within: formatDuration(trigger.within) };
  }
  return {
    id: trigger.id,
    [trigger.kind]: trigger.at,
    rearm: trigger.rearm === trigger.at ? undefined : trigger.rearm,
  };
}

function list(key: string, items: readonly PrintedMap[]): readonly string[] {
  return items.length === 0 ? [] : [`${key}:`, ...items.map((item) => `  - ${flow(item)}`)];
}

/** One rule: a key a line, and a condition a line. */
function block(rule: PrintedMap): readonly string[] {
  const lines: string[] = [];
  for (const [key, value] of Object.entries(rule)) {
    if (key === "where" && Array.isArray(value)) {
      lines.push("where:", ...value.map((condition) => `  - ${flow(condition)}`));
    } else if (value !== undefined) {
      lines.push(`${key}: ${flow(value)}`);
    }
  }
  return lines.map((line, i) => (i === 0 ? "  - " : "    ") + line);
}

/** A value on one line, as YAML's flow style. */
export function flow(value: Printed): string {
  if (typeof value === "string") {
    return text(value);
  }
  if (typeof value !== "object") {
    return String(value);
  }
  if (isList(value)) {
    return `[${value.map(flow).join(", ")}]`;
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const members = entries.flatMap(([key, member]) =>
    member === undefined ? [] : [`${keyText(key)}: ${flow(member)}`],
  );
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}

function isList(value: Exclude<Printed, string | number | boolean>): value is readonly Printed[] {
  return Array.isArray(value);
}

/** YAML reads no more than 1,024 characters as a key unless it is marked as one. */
function keyText(key: string): string {
  const written = text(key);
  return written.length > 1000 ? `? ${written} ` : written;
}

const plainText = /^(?:[A-Za-z_/](?:[A-Za-z0-9_./+*()-]| (?=[A-Za-z0-9_.(*+/-]))*|[0-9]+[mhdw])$/;

/** A text without quotes where YAML reads it back as the same text, in any place. */
function text(value: string): string {
  if (plainText.test(value) && !/^(true|false|null)$/i.test(value)) {
    return value;
  }
  return JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character.length === 1 ? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}` : character,
  );
}
