/**
 * Random models and inputs with answers that somebody else's implementation has given: a folder a case. What of one
 * this version does not build, and how its lines and outputs are compared.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type EpochMs, type Output, RETRACTION } from "../../src/events/types.js";
import { checkModel } from "../../src/model/check.js";
import type { Model } from "../../src/model/types.js";
import { instantOf } from "./lines.js";

export interface RandomCase {
  readonly name: string;
  /** Empty where `unbuilt` is not. */
  readonly models: readonly Model[];
  readonly inputs: readonly string[];
  readonly inputsFile: string;
  /** Instants to look at, with the score lines then. */
  readonly looks: readonly { readonly asOf: EpochMs; readonly lines: readonly string[] }[];
  readonly outputsAsOf: EpochMs;
  readonly outputs: readonly Told[];
  /** What the case uses that this version refuses; empty: it can be run. */
  readonly unbuilt: readonly string[];
}

/** An output as far as it is compared. */
export interface Told {
  readonly tenantId: string;
  readonly contactId: string;
  readonly model: string;
  readonly what: string;
}

/** What input lines use that no model refuses. */
const unbuiltInputs: readonly (readonly [string, (line: Readonly<Record<string, unknown>>) => boolean])[] = [
  ["patches", (line) => "patch" in line],
  ["adjustments that decay", (line) => "decays" in line],
  ["links", (line) => line["type"] === "identity.linked"],
  ["accounts", (line) => String(line["contactId"]).startsWith("account:")],
  ["population", (line) => line["kind"] === "population"],
];

export function readRandomCases(folder: string): RandomCase[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => readRandomCase(join(folder, entry.name), entry.name))
    .sort((a, b) => Number(a.name) - Number(b.name));
}

function readRandomCase(folder: string, name: string): RandomCase {
  const text = (file: string): string => readFileSync(join(folder, file), "utf8");
  const files = readdirSync(folder);
  const checked = files.filter((file) => /^model.*\.yaml$/.test(file)).map((file) => checkModel(text(file), file));
  const inputs = linesOf(text("inputs.jsonl"));
  const values = inputs.map((line) => JSON.parse(line) as Record<string, unknown>);
  const { outputsAt } = JSON.parse(text("case.json")) as { outputsAt: string };
  const asOf = (n: string): EpochMs => {
    const at = instantOf(text(`asof${n}`).trim());
    if (at === undefined) throw new Error(`${folder}/asof${n} is no instant`);
    return at;
  };
  const looks = files
    .filter((file) => /^asof[0-9]*$/.test(file))
    .map((file) => file.slice("asof".length))
    .map((n) => ({ asOf: asOf(n), lines: linesOf(text(`expected${n}.jsonl`)) }));
  const retracted = new Set(
    values.filter((line) => line["type"] === RETRACTION).map((line) => placeOf(line as unknown as Place)),
  );
  const unbuilt = [
    ...checked
      .flatMap((one) => (one.ok ? [] : one.problems.filter(({ severity }) => severity === "error")))
      .map(({ file, path, message }) => `${file}: ${path}: ${message}`),
    ...unbuiltInputs.filter(([, uses]) => values.some(uses)).map(([what]) => what),
  ];
  return {
    name,
    models: checked.flatMap((one) => (one.ok && unbuilt.length === 0 ? [one.model] : [])),
    inputs,
    inputsFile: join(folder, "inputs.jsonl"),
    looks,
    outputsAsOf: asOf(outputsAt),
    outputs: linesOf(gunzipSync(readFileSync(join(folder, "outputs.jsonl.gz"))).toString())
      .map((line) => JSON.parse(line) as Expected)
      .map((output) => told(retracted.has(placeOf(output)) ? asInteraction(output) : output)),
    unbuilt,
  };
}

export function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** The cause of an output in a case is its kind alone. */
type Expected = Output extends infer One
  ? One extends { cause: unknown }
    ? Omit<One, "cause"> & { cause: string }
    : One
  : never;

interface Place {
  readonly tenantId: string;
  readonly contactId: string;
  readonly at: string | number;
}

const placeOf = ({ tenantId, contactId, at }: Place): string => JSON.stringify([tenantId, contactId, instantOf(at)]);

/**
 * The cases call what a retraction moves `late`, in order as it is. By the contract a retraction is an interaction,
 * and inputs that are taken in key order are never late.
 */
function asInteraction(output: Expected): Expected {
  return output.kind === "ScoreChanged" && output.cause === "late" ? { ...output, cause: "interaction" } : output;
}

export function toldOf(output: Output): Told {
  return told(output.kind === "ContactErased" ? output : ({ ...output, cause: output.cause.kind } as Expected));
}

function told(output: Expected): Told {
  const { tenantId, contactId, at } = output;
  const who = { tenantId, contactId };
  switch (output.kind) {
    case "ScoreChanged": {
      const { version, previous, current, delta, dimensions, cause } = output;
      return {
        ...who,
        model: output.model,
        what: JSON.stringify({ version, previous, current, delta, dimensions, at, cause }),
      };
    }
    case "ThresholdCrossed": {
      const { crossing, id, direction, previous, current } = output;
      const of = "of" in output ? output.of : undefined;
      return {
        ...who,
        model: output.model,
        what: JSON.stringify({ crossing, id, direction, of, at, previous, current }),
      };
    }
    case "ContactErased":
      return { ...who, model: "", what: JSON.stringify({ erased: at }) };
  }
}

/** What is told of each contact under each model, in order: the order among contacts and models means nothing. */
export function byContactAndModel(outputs: readonly Told[]): Record<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { tenantId, contactId, model, what } of outputs) {
    const key = `${tenantId} ${contactId} ${model}`;
    groups.set(key, [...(groups.get(key) ?? []), what]);
  }
  return Object.fromEntries([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
}
