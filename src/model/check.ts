/**
 * A model's text -> a checked `Model` with every default filled in, or all its problems. Nothing here throws on bad
 * input: whoever writes models gets every mistake in one run, each with its place and the way to mend it.
 */

import { suggestion } from "../nearest.js";
import { readPatterns } from "./check-conditions.js";
import { readGrades, readRoutes, readThresholds, readTriggers, warnOutside } from "./check-outputs.js";
import { type DimensionNames, readRules } from "./check-rules.js";
import {
  Fields,
  Findings,
  found,
  hasControlCharacters,
  type Item,
  isMapItem,
  readDuration,
  readFields,
  readId,
  readList,
  readLookup,
  readNumber,
  readText,
  reportRepeated,
  scalarOf,
} from "./check-values.js";
import { dayMs } from "./duration.js";
import { parseFormula } from "./formula.js";
import { parseTree, type Tree, type TreeNode } from "./parse.js";
import type { Decay, Dimension, Formula, Model, ModelResult, Range } from "./types.js";

const modelKeys = [
  "model",
  "version",
  "name",
  "tenants",
  "target",
  "kind",
  "timeZone",
  "score",
  "dimensions",
  "total",
  "rules",
  "thresholds",
  "triggers",
  "grades",
  "salesReady",
  "routes",
  "activity",
  "lift",
];

/**
 * Reads and checks a model. `file` is only named in problems. The result is the model with its warnings, or all
 * problems (errors and warnings) in the order of the file; it never throws.
 */
export function checkModel(text: string, file: string): ModelResult {
  const { root, problems, placeIn } = parseTree(text);
  const findings = new Findings(file, placeIn);
  for (const { line, column, path, message } of problems) {
    findings.error({ place: { line, column }, path }, message);
  }
  return checked(findings, root);
}

/** As `checkModel`, of a model that stands in a file of another kind; places are those of that file. */
export function checkModelTree({ root, placeIn }: Tree, file: string): ModelResult {
  return checked(new Findings(file, placeIn), root);
}

function checked(findings: Findings, root: TreeNode | undefined): ModelResult {
  const model = root && readModel(findings, { node: root, path: "", place: root.place });
  const problems = findings.inOrder();
  if (model === undefined || problems.some(({ severity }) => severity === "error")) {
    return { ok: false, problems };
  }
  return { ok: true, model, warnings: problems };
}

function readModel(findings: Findings, root: Item): Model | undefined {
  if (!isMapItem(root)) {
    findings.error(root, `a model is a mapping that starts with \`model: <id>\`, found ${found(root.node)}`);
    return undefined;
  }
  const kind = root.node.entries.find(({ key }) => key === "kind");
  if (kind !== undefined) {
    const value = scalarOf(kind.value);
    const message =
      value === "percentage"
        ? "percentage models are not supported by this version; write a points model (without `kind`)"
        : `unknown kind, found ${found(kind.value)}; remove \`kind\` for a points model`;
    findings.error({ path: "kind", place: kind.value.place }, message);
    if (value === "percentage") {
      return undefined;
    }
  }
  const fields = new Fields(findings, root, modelKeys);
  const head = readHead(findings, fields);
  const score = readRange(findings, fields.get("score"), { min: 0, max: 100 }, "score") ?? { min: 0, max: 100 };
  const { dimensions, names } = readDimensions(findings, fields.get("dimensions"), score);
  const total = readTotal(findings, fields.get("total"), names.ids);
  const rulesItem = fields.get("rules");
  if (!fields.has("rules")) {
    findings.warning(root, "the model has no `rules`: only adjustments can move its score");
  }
  const rules = readRules(findings, rulesItem, names);
  const grades = readGrades(findings, fields.get("grades"), score);
  const salesReady = readNumber(findings, fields.get("salesReady"));
  warnOutside(findings, fields.get("salesReady"), salesReady, score);
  const activity = fields.get("activity");
  return {
    ...head,
    score,
    dimensions,
    ...(total && { total }),
    rules,
    thresholds: readThresholds(findings, fields.get("thresholds"), score),
    triggers: readTriggers(findings, fields.get("triggers"), score),
    grades,
    ...(salesReady !== undefined && { salesReady }),
    routes: readRoutes(findings, fields.get("routes"), grades),
    ...(activity && { activity: readPatterns(findings, activity) }),
    lift: readPatterns(findings, fields.get("lift")),
  };
}

function readHead(findings: Findings, fields: Fields): Pick<Model, "id" | "version" | "name" | "tenants" | "timeZone"> {
  const id = readId(
    findings,
    fields.require("model", "the model's id, as in `model: lead`"),
    "a model id such as lead",
  );
  const versionItem = fields.require("version", "a whole number from 1 on, as in `version: 1`");
  const version = readNumber(findings, versionItem, { min: 1, integer: true });
  const nameItem = fields.get("name");
  const name = readText(findings, nameItem, "a name");
  if (nameItem !== undefined && name !== undefined && hasControlCharacters(name)) {
    findings.error(nameItem, "a name is one line without control characters");
  }
  const tenantsItem = fields.get("tenants");
  const tenantItems = readList(findings, tenantsItem, "[acme]");
  if (tenantsItem !== undefined && tenantItems?.length === 0) {
    findings.error(tenantsItem, "the list is empty: name a tenant, or remove `tenants` for all of them");
  }
  const tenants = tenantItems?.map((at) => ({ at, key: readId(findings, at, "a tenant id") }));
  reportRepeated(findings, tenants ?? [], "tenant");
  const target = fields.get("target");
  if (target !== undefined && scalarOf(target.node) !== "contact") {
    const account = scalarOf(target.node) === "account";
    const advice = "write `target: contact`, or leave it out";
    findings.error(
      target,
      account
        ? `\`target: account\` is not supported by this version; ${advice}`
        : `expected contact, found ${found(target.node)}; ${advice}`,
    );
  }
  return {
    id: id ?? "",
    version: version ?? 1,
    ...(name !== undefined && { name }),
    ...(tenants && { tenants: tenants.map(({ key }) => key ?? "") }),
    timeZone: readTimeZone(findings, fields.get("timeZone")),
  };
}

function readTimeZone(findings: Findings, item: Item | undefined): string {
  const zone = readText(findings, item, "a time zone such as Europe/Berlin") ?? "UTC";
  if (item !== undefined && scalarOf(item.node) === zone && !isTimeZone(zone)) {
    const zones = [...Intl.supportedValuesOf("timeZone"), "UTC"];
    const near = suggestion(zone, zones);
    const advice = near.startsWith("; did") ? near : "; write an IANA name such as Europe/Berlin";
    findings.error(item, `unknown time zone ${JSON.stringify(zone)}${advice}`);
  }
  return zone;
}

function isTimeZone(zone: string): boolean {
  // Some engines take offsets as zones, others do not: a model must mean the same on all.
  if (!/^[A-Za-z]/.test(zone)) {
    return false;
  }
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function readRange(findings: Findings, item: Item | undefined, defaults: Range, what: string): Range | undefined {
  const fields = readFields(findings, item, ["min", "max"], "{ min: 0, max: 100 }");
  return fields && readBounds(findings, fields, defaults, what);
}

function readBounds(findings: Findings, fields: Fields, defaults: Range, what: string): Range {
  const given = { min: readNumber(findings, fields.get("min")), max: readNumber(findings, fields.get("max")) };
  const min = given.min ?? defaults.min;
  const max = given.max ?? defaults.max;
  const unread = (key: "min" | "max") => fields.has(key) && given[key] === undefined;
  if (min > max && !unread("min") && !unread("max")) {
    const side = (key: "min" | "max") => (given[key] === undefined ? " (the default)" : "");
    const message = `the ${what}'s min ${min}${side("min")} is above its max ${max}${side("max")}; swap or change them`;
    findings.error(fields.get("min") ?? fields.get("max") ?? fields.at, message);
  }
  return { min, max };
}

function readDimensions(
  findings: Findings,
  item: Item | undefined,
  score: Range,
): { readonly dimensions: readonly Dimension[]; readonly names: DimensionNames } {
  if (item === undefined) {
    return { dimensions: [{ id: "score", ...score }], names: { ids: ["score"], decaying: new Set() } };
  }
  const entries = readLookup(findings, item, "engagement: { min: 0, max: 50 }") ?? [];
  if (isMapItem(item) && entries.length === 0) {
    findings.error(item, "there are no dimensions: name at least one, or remove `dimensions` for one called `score`");
  }
  const decaying = new Set<string>();
  const dimensions = entries.map((entry): Dimension => {
    const id = entry.entry.key;
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(id) || id.length > 256) {
      const rule = "letters, digits and `_`, not starting with a digit, 256 at most";
      findings.error(entry.keyAt, `a dimension id is ${rule}, found ${JSON.stringify(id.slice(0, 60))}`);
    } else if (id === "all" || id === "__proto__") {
      findings.error(entry.keyAt, `\`${id}\` is reserved and can't be a dimension's id; choose another`);
    }
    const fields = readFields(findings, entry, ["min", "max", "decay"], "{ min: 0, max: 50 }");
    if (fields === undefined) {
      return { id, ...score };
    }
    if (fields.has("decay")) {
      decaying.add(id);
    }
    const decay = readDecay(findings, fields.get("decay"));
    return { id, ...readBounds(findings, fields, { min: 0, max: score.max }, "dimension"), ...(decay && { decay }) };
  });
  return { dimensions, names: { ids: dimensions.map(({ id }) => id), decaying } };
}

function readDecay(findings: Findings, item: Item | undefined): Decay | undefined {
  const keys = ["percent", "every", "cycle", "halfLife", "step", "floor"];
  const fields = readFields(findings, item, keys, "{ percent: 5, every: 30d }");
  if (fields === undefined) {
    return undefined;
  }
  const kinds = (["percent", "cycle", "halfLife"] as const).filter((kind) => fields.get(kind) !== undefined);
  const [kind, second] = kinds;
  if (second !== undefined) {
    findings.error(fields.at, `a decay has one of percent, cycle and halfLife, found ${kinds.join(", ")}; keep one`);
  }
  if (kind === undefined && !["percent", "cycle", "halfLife"].some((each) => fields.has(each))) {
    findings.error(fields.at, "a decay needs one of percent (with every), cycle and halfLife");
  }
  const percent = readNumber(findings, fields.get("percent"), { above: 0, max: 100 }) ?? 0;
  const every = readDuration(findings, fields.get("every"), "duration") ?? 0;
  const cycle = readDuration(findings, fields.get("cycle"), "duration") ?? 0;
  const halfLife = readDuration(findings, fields.get("halfLife"), "duration") ?? 0;
  const step = readDuration(findings, fields.get("step"), "duration") ?? dayMs;
  const floorGiven = readNumber(findings, fields.get("floor"));
  const floor = floorGiven !== undefined && { floor: floorGiven };
  const stray = kind === "percent" ? fields.get("step") : kind === undefined ? undefined : fields.get("every");
  if (stray !== undefined) {
    const advice = kind === "percent" ? "`percent` goes with `every`" : `\`${kind}\` goes with \`step\``;
    findings.error(stray, `${advice}; rename the key or remove it`);
  }
  switch (kind) {
    case "percent":
      fields.require("every", "how often the percentage is taken, as in `every: 30d`");
      return { kind, percent, every, ...floor };
    case "cycle":
      return { kind, cycle, step, ...floor };
    case "halfLife":
      return { kind, halfLife, step, ...floor };
    default:
      return undefined;
  }
}

function readTotal(findings: Findings, item: Item | undefined, dimensions: readonly string[]): Formula | undefined {
  if (item === undefined) {
    return undefined;
  }
  const value = scalarOf(item.node);
  if (typeof value === "number") {
    const number = readNumber(findings, item) ?? 0;
    return number < 0 ? { op: "negate", of: { op: "number", value: -number } } : { op: "number", value: number };
  }
  if (typeof value !== "string") {
    findings.error(item, `expected a formula such as engagement + 0.5 * fit, found ${found(item.node)}`);
    return undefined;
  }
  if (dimensions.length === 0) {
    return undefined;
  }
  const result = parseFormula(value, dimensions);
  if (result.ok) {
    return result.formula;
  }
  for (const { index, message } of result.problems) {
    findings.errorInside(item, index, message);
  }
  return undefined;
}
