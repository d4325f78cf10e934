/**
 * A model as people read it: all of its rules as one query, a rule a line, with its dimensions, decay, thresholds,
 * triggers and grades.
 */
import { formatDuration } from "./duration.js";
import { printFormula } from "./formula.js";
import { flow } from "./print.js";
import type {
  AccumulatingRule,
  Condition,
  Dimension,
  InactiveRule,
  Model,
  Points,
  Rule,
  StandingRule,
  Trigger,
  TypePattern,
} from "./types.js";

/** The text view of a model; lines end in `\n`. */
export function describeModel(model: Model): string {
  const { score } = model;
  const total = model.total ? printFormula(model.total) : model.dimensions.map(({ id }) => id).join(" + ");
  const lines = [
    `${model.id} version ${model.version}${model.name === undefined ? "" : `: ${model.name}`}`,
    `  tenants: ${model.tenants?.join(", ") ?? "all"}; calendar periods in ${model.timeZone}`,
    `  score = ${total}, from ${score.min} to ${score.max}`,
    "",
    "dimensions",
    ...columns(model.dimensions.map((each) => [each.id, describeDimension(each)])),
    "",
    "rules",
    ...columns(model.rules.map((rule) => [rule.id, describeRule(rule)])),
  ];
  const section = (title: string, rows: readonly (readonly [string, string])[]) => {
    if (rows.length > 0) {
      lines.push("", title, ...columns(rows));
    }
  };
  section(
    "thresholds",
    model.thresholds.map(({ at, rearm }) => [String(at), rearmText(rearm, "below")]),
  );
  section(
    "triggers",
    model.triggers.map((trigger) => [trigger.id, describeTrigger(trigger)]),
  );
  section(
    "grades",
    model.grades.map((grade, i) => [grade.id, describeGrade(model, i)]),
  );
  const rest: string[] = [];
  if (model.salesReady !== undefined) {
    rest.push(`sales ready from ${model.salesReady}`);
  }
  if (model.activity !== undefined) {
    rest.push(`silence is ended by ${model.activity.length === 0 ? "nothing" : patterns(model.activity)}`);
  }
  if (model.lift.length > 0) {
    rest.push(`suppression is lifted by ${patterns(model.lift)}`);
  }
  return `${[...lines, ...(rest.length > 0 ? ["", ...rest] : [])].join("\n")}\n`;
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.min(32, Math.max(0, ...rows.map(([name]) => name.length)));
  return rows.length === 0 ? ["  none"] : rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`.trimEnd());
}

function describeDimension({ min, max, decay }: Dimension): string {
  const range = `${min} to ${max}`;
  if (decay === undefined) {
    return `${range}, no decay`;
  }
  const floor = decay.floor === undefined ? "" : `, not below ${decay.floor}`;
  switch (decay.kind) {
    case "percent":
      return `${range}, loses ${decay.percent} % after every ${formatDuration(decay.every)} of silence${floor}`;
    case "cycle": {
      const cycle = `${formatDuration(decay.cycle)} of silence and all in twice that`;
      return `${range}, loses half in ${cycle}, in steps of ${formatDuration(decay.step)}${floor}`;
    }
    case "halfLife": {
      const steps = `in steps of ${formatDuration(decay.step)}`;
      return `${range}, halves with every ${formatDuration(decay.halfLife)} of silence, ${steps}${floor}`;
    }
  }
}

/** One rule as a query, without its id. */
export function describeRule(rule: Rule): string {
  const where = rule.where.length === 0 ? "" : ` where ${rule.where.map((each) => describe(each)).join(" and ")}`;
  switch (rule.family) {
    case "accumulating":
      return describeAccumulating(rule, where);
    case "standing":
      return describeStanding(rule, where);
    case "profile": {
      const effect = `${gives(rule.points, rule.weight)} ${rule.dimension}`;
      return clauses([`${effect}  by the profile${where}`, capText(rule.cap)]);
    }
    case "inactive":
      return describeInactive(rule, where);
  }
}

function describeAccumulating(rule: AccumulatingRule, where: string): string {
  const { effect } = rule;
  const match = `when ${patterns(rule.when)}${where}`;
  const matching = [rule.scopeResource ? "once for each resource" : undefined, automatedText(rule.automated)];
  if (effect.kind === "suppress") {
    return clauses([`suppress the score  ${match}`, ...matching]);
  }
  if (effect.kind === "set") {
    return clauses([`set ${effect.dimension} to ${effect.set}  ${match}`, ...matching]);
  }
  return clauses([
    `${gives(effect.points, effect.weight)} ${effect.dimension}  ${match}`,
    repeatText(effect.repeat),
    capText(effect.cap),
    ...effect.periodCaps.map(({ points, per }) => `at most ${points} per ${per}`),
    ...matching,
    effect.decays ? "decays" : undefined,
  ]);
}

function describeStanding(rule: StandingRule, where: string): string {
  const { times, within, recency } = rule;
  const window = within === undefined ? "" : ` within the last ${formatDuration(within)}`;
  const count = times === undefined ? "" : ` ${countText(times)}`;
  const weights = recency?.steps.map((step) => `x${step.multiplier} up to ${formatDuration(step.within)} old`);
  return clauses([
    `${gives(rule.points, rule.weight)} ${rule.dimension}  ${times === undefined ? "for each" : "while"} ${patterns(rule.when)}${where}${count}${window}`,
    weights && [...weights, `x${recency?.else} when older`].join(", "),
    rule.after === undefined ? undefined : `not before ${formatDuration(rule.after)} after first sight`,
    repeatText(rule.repeat),
    capText(rule.cap),
    rule.scopeResource ? "the latest of each resource" : undefined,
    automatedText(rule.automated),
  ]);
}

function countText({ min, max }: NonNullable<StandingRule["times"]>): string {
  if (max === 0) {
    return "never happened";
  }
  if (max === undefined) {
    return min === 1 ? "happened at least once" : `happened at least ${min} times`;
  }
  return min === undefined ? `happened at most ${max} times` : `happened ${min} to ${max} times`;
}

function describeInactive(rule: InactiveRule, where: string): string {
  const { effect } = rule;
  const silence = `after ${formatDuration(rule.inactive)} of silence${where}`;
  if (effect.kind === "set") {
    return `set ${effect.dimension} to ${effect.set}  ${silence}`;
  }
  const given = `${gives(effect.points, effect.weight)} ${effect.dimension}`;
  return clauses([`${given}  ${silence}`, capText(effect.cap), effect.decays ? "decays" : undefined]);
}

function clauses(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join("; ");
}

function gives(points: Points, weight: number): string {
  return pointsText(points) + (weight === 1 ? "" : ` x${weight}`);
}

function pointsText(points: Points): string {
  if (points.kind === "number") {
    return signed(points.value);
  }
  const by = points.by.join(".");
  const otherwise = points.else === 0 ? "" : `, else ${signed(points.else)}`;
  switch (points.kind) {
    case "values":
      return `(by ${by}: ${points.values.map(([key, value]) => `${flow(key)} ${signed(value)}`).join(", ")}${otherwise})`;
    case "bands":
      return `(by ${by}: ${points.bands.map((band) => `from ${band.from} ${signed(band.points)}`).join(", ")}${otherwise})`;
    case "keywords": {
      const words = points.keywords.map(([key, value]) => `${flow(key)} ${signed(value)}`).join(", ");
      return `(by words of ${by}, ${points.pick === "sum" ? "all that match" : "the highest"}: ${words}${otherwise})`;
    }
    case "times":
      return `(${by} x ${points.times}${otherwise})`;
  }
}

function signed(value: number): string {
  return value < 0 ? String(value) : `+${value}`;
}

function patterns(when: readonly TypePattern[]): string {
  return when.map((pattern) => (pattern === "*" ? "interaction of any type" : pattern)).join(" or ");
}

function repeatText(repeat: StandingRule["repeat"]): string | undefined {
  return repeat && `x${repeat.multiplier} if repeated within ${formatDuration(repeat.within)}`;
}

function capText(cap: number | undefined): string | undefined {
  return cap === undefined ? undefined : `at most ${cap}`;
}

function automatedText(policy: AccumulatingRule["automated"]): string | undefined {
  switch (policy) {
    case "skip":
      return undefined;
    case "skipMaybe":
      return "not if possibly automated";
    case "count":
      return "also if automated";
  }
}

const words: Readonly<Record<string, string>> = {
  is: "is",
  isNot: "is not",
  contains: "contains",
  startsWith: "starts with",
  endsWith: "ends with",
  gt: ">",
  gte: ">=",
  lt: "<",
  lte: "<=",
};

/** A condition as words: `resource contains "/pricing"`. `inner` puts groups into parentheses. */
function describe(condition: Condition, inner = true): string {
  switch (condition.op) {
    case "any":
    case "all": {
      const parts = condition.of.map((each) => describe(each)).join(condition.op === "any" ? " or " : " and ");
      const text = parts === "" ? (condition.op === "any" ? "never" : "always") : parts;
      return inner && condition.of.length > 1 ? `(${text})` : text;
    }
    case "not":
      return `not (${describe(condition.of, false)})`;
    case "in":
    case "notIn": {
      const values = condition.values.map((value) => JSON.stringify(value)).join(", ");
      return `${condition.field.join(".")} is ${condition.op === "in" ? "one" : "none"} of ${values}`;
    }
    case "matches":
      return `${condition.field.join(".")} matches ${JSON.stringify(condition.pattern)}`;
    case "exists":
      return `${condition.field.join(".")} is ${condition.value ? "there" : "missing"}`;
    default:
      return `${condition.field.join(".")} ${words[condition.op]} ${JSON.stringify(condition.value)}`;
  }
}

function describeTrigger(trigger: Trigger): string {
  switch (trigger.kind) {
    case "reaches":
      return clauses([`when the score reaches ${trigger.at}`, rearmText(trigger.rearm, "below")]);
    case "dropsBelow":
      return clauses([`when the score drops below ${trigger.at}`, rearmText(trigger.rearm, "at")]);
    case "risesBy":
      return `when the score rises by ${trigger.by} within ${formatDuration(trigger.within)}`;
  }
}

function rearmText(rearm: number, side: "below" | "at"): string {
  return `armed again ${side === "below" ? "below" : "at"} ${rearm}`;
}

function describeGrade(model: Model, index: number): string {
  const { id, from } = model.grades[index]!;
  const next = model.grades[index + 1];
  const upTo = next === undefined ? `to ${model.score.max}` : `to below ${next.from}`;
  const queue = Object.hasOwn(model.routes, id) ? `, goes to ${model.routes[id]}` : "";
  return `from ${from} ${upTo}${queue}`;
}
