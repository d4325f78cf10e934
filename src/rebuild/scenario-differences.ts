/** Compares what a scenario expects with what came out, and tells the differences so that they can be read. */
import { formatInstant } from "../events/time.js";
import type { ContactId, EpochMs, Input, Output, ScoreLine } from "../events/types.js";
import type { CompiledModel } from "../model/compile.js";
import { formatOffset } from "./offset.js";
import type { Expectation, ExpectedChange, ExpectedCrossing, ExpectedErasure, Scenario } from "./scenario-types.js";

/** How many of the inputs before a difference are shown with it. */
const INPUTS_SHOWN_MAX = 12;

/** One thing that is not as expected. */
export interface ScenarioDifference {
  /** Line of the scenario file, counted from 1. */
  readonly line: number;
  /** What differs, when and for whom: `score at +1d (2026-01-06T00:00:00.000Z), contact c1`. */
  readonly what: string;
  /** Lines, ready to be shown: expected and got, or a list with `-` missing and `+` not expected. */
  readonly details: readonly string[];
  /** The contact's inputs until then, oldest first. */
  readonly inputs: readonly string[];
}

/** A scenario with its models, as it is run. */
export interface Run {
  readonly scenario: Scenario;
  /** Of the first model: what an expectation without `model` is about. */
  readonly modelId: string;
  readonly models: readonly CompiledModel[];
}

/** Compares a score line with an expectation; `line` is undefined where the contact has none. */
export function compareLine(
  run: Run,
  expectation: Expectation,
  line: ScoreLine | undefined,
  inputs: readonly Input[],
): readonly ScenarioDifference[] {
  const difference = (what: string, expected: unknown, got: unknown): ScenarioDifference => ({
    line: expectation.line,
    what: `${what} at ${instantText(run, expectation.at)}, contact ${expectation.contactId}${modelText(run, expectation.model)}`,
    details: [`expected ${valueText(expected)}`, `got      ${valueText(got)}`],
    inputs: inputTexts(run, inputs, expectation.at),
  });
  if (expectation.none === true) {
    return line === undefined ? [] : [difference("score line", "none", `score ${line.score}`)];
  }
  if (line === undefined) {
    return [difference("score line", "one", "none: the contact is not known yet")];
  }
  const differences: ScenarioDifference[] = [];
  for (const key of ["score", "grade", "salesReady", "suppressed"] as const) {
    if (Object.hasOwn(expectation, key) && expectation[key] !== line[key]) {
      differences.push(difference(key, expectation[key], line[key]));
    }
  }
  for (const [id, points] of Object.entries(expectation.dimensions ?? {})) {
    if (line.dimensions[id] !== points) {
      differences.push(difference(`dimension ${id}`, points, line.dimensions[id]));
    }
  }
  const { lastActivityAt } = expectation;
  if (lastActivityAt !== undefined && lastActivityAt !== line.lastActivityAt) {
    const text = (at: EpochMs | null) => (at === null ? null : instantText(run, at));
    differences.push(difference("last activity", text(lastActivityAt), text(line.lastActivityAt)));
  }
  return differences;
}

/** An output that is expected: matches what came out, and tells itself. */
interface ExpectedText<T> {
  readonly line: number;
  readonly text: string;
  readonly matches: (output: T) => boolean;
}

/** Compares all outputs of a contact with the lists of the scenario that are there. */
export function compareOutputs(
  run: Run,
  contactId: ContactId,
  outputs: readonly Output[],
  inputs: readonly Input[],
): readonly ScenarioDifference[] {
  const { scenario } = run;
  const own = <T extends { contactId: ContactId }>(items: readonly T[]) =>
    items.filter((item) => item.contactId === contactId);
  const differences: ScenarioDifference[] = [];
  const compare = <K extends Output["kind"]>(
    kind: K,
    what: string,
    expected: readonly ExpectedText<Extract<Output, { kind: K }>>[] | undefined,
  ) => {
    const got = outputs.filter((output): output is Extract<Output, { kind: K }> => output.kind === kind);
    if (expected !== undefined) {
      const details = listDifferences(expected, got, (output) => outputText(run, output));
      if (details.some((detail) => !detail.startsWith(" "))) {
        const line = expected[0]?.line ?? scenario.line;
        const name = `${what} of contact ${contactId} until ${instantText(run, scenario.until)} (- missing, + not expected)`;
        differences.push({ line, what: name, details, inputs: inputTexts(run, inputs, scenario.until) });
      }
    }
  };
  compare(
    "ThresholdCrossed",
    "crossings",
    scenario.crossings && own(scenario.crossings).map((item) => crossing(run, item)),
  );
  compare("ScoreChanged", "changes", scenario.changes && own(scenario.changes).map((item) => change(run, item)));
  compare("ContactErased", "erasures", scenario.erasures && own(scenario.erasures).map((item) => erasure(run, item)));
  return differences;
}

function crossing(run: Run, item: ExpectedCrossing): ExpectedText<Extract<Output, { kind: "ThresholdCrossed" }>> {
  const extras = extrasText(run, item, ["previous", "score", "route", "cause"]);
  return {
    line: item.line,
    text: `${instantText(run, item.at)}  ${item.direction} ${item.crossing} ${item.id}${extras}`,
    matches: (output) =>
      output.at === item.at &&
      output.crossing === item.crossing &&
      output.id === item.id &&
      output.direction === item.direction &&
      output.model === (item.model ?? run.modelId) &&
      (item.previous === undefined || output.previous === item.previous) &&
      (item.score === undefined || output.current === item.score) &&
      (item.route === undefined || output.route === item.route) &&
      (item.cause === undefined || output.cause.kind === item.cause),
  };
}

function change(run: Run, item: ExpectedChange): ExpectedText<Extract<Output, { kind: "ScoreChanged" }>> {
  const extras = extrasText(run, item, ["previous", "grade", "route", "cause"]);
  return {
    line: item.line,
    text: `${instantText(run, item.at)}  score ${item.score}${extras}`,
    matches: (output) =>
      output.at === item.at &&
      output.current === item.score &&
      output.model === (item.model ?? run.modelId) &&
      (item.previous === undefined || output.previous === item.previous) &&
      (item.grade === undefined || output.grade === item.grade) &&
      (item.route === undefined || output.route === item.route) &&
      (item.cause === undefined || output.cause.kind === item.cause),
  };
}

function erasure(run: Run, item: ExpectedErasure): ExpectedText<Extract<Output, { kind: "ContactErased" }>> {
  return { line: item.line, text: `${instantText(run, item.at)}  erased`, matches: (output) => output.at === item.at };
}

function extrasText(run: Run, item: object, keys: readonly string[]): string {
  const values = item as Readonly<Record<string, unknown>>;
  const extras = keys.filter((key) => values[key] !== undefined).map((key) => `${key} ${valueText(values[key])}`);
  return `${extras.length === 0 ? "" : ` (${extras.join(", ")})`}${modelText(run, values["model"] as string | undefined)}`;
}

function outputText(run: Run, output: Output): string {
  const at = instantText(run, output.at);
  switch (output.kind) {
    case "ThresholdCrossed": {
      const { direction, crossing, id, previous, current, route, cause, model } = output;
      const extras = `(previous ${previous}, score ${current}, route ${route}, cause ${cause.kind})`;
      return `${at}  ${direction} ${crossing} ${id} ${extras}${modelText(run, model)}`;
    }
    case "ScoreChanged": {
      const { previous, current, grade, route, cause, model } = output;
      const extras = `(previous ${previous}, grade ${grade}, route ${route}, cause ${cause.kind})`;
      return `${at}  score ${current} ${extras}${modelText(run, model)}`;
    }
    case "ContactErased":
      return `${at}  erased`;
    default:
      return output satisfies never;
  }
}

/** Both lists as one, in order: ` ` in both, `-` expected only, `+` got only (longest common part). */
function listDifferences<T>(
  expected: readonly ExpectedText<T>[],
  got: readonly T[],
  text: (output: T) => string,
): string[] {
  const width = got.length + 1;
  const common = new Uint32Array((expected.length + 1) * width);
  const cell = (i: number, j: number) => common[i * width + j] as number;
  const equal = (i: number, j: number) => (expected[i] as ExpectedText<T>).matches(got[j] as T);
  for (let i = expected.length - 1; i >= 0; i -= 1) {
    for (let j = got.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = equal(i, j) ? cell(i + 1, j + 1) + 1 : Math.max(cell(i + 1, j), cell(i, j + 1));
    }
  }
  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < expected.length || j < got.length) {
    if (i < expected.length && j < got.length && equal(i, j)) {
      lines.push(`  ${text(got[j] as T)}`);
      i += 1;
      j += 1;
    } else if (j >= got.length || (i < expected.length && cell(i + 1, j) >= cell(i, j + 1))) {
      lines.push(`- ${(expected[i] as ExpectedText<T>).text}`);
      i += 1;
    } else {
      lines.push(`+ ${text(got[j] as T)}`);
      j += 1;
    }
  }
  return lines;
}

function inputTexts(run: Run, inputs: readonly Input[], until: EpochMs): readonly string[] {
  const before = inputs.filter((input) => input.at <= until);
  const shown = before.slice(-INPUTS_SHOWN_MAX).map((input) => `${instantText(run, input.at)}  ${inputText(input)}`);
  const hidden = before.length - shown.length;
  return [...(hidden > 0 ? [`(${hidden} older ones)`] : []), ...(shown.length === 0 ? ["none"] : shown)];
}

function inputText(input: Input): string {
  switch (input.kind) {
    case "interaction": {
      const { type, resource, automated, attributes } = input;
      const parts = [type, resource, automated && `automated: ${automated}`];
      if (Object.keys(attributes).length > 0) parts.push(JSON.stringify(attributes));
      return parts.filter((part) => part !== undefined).join(" ");
    }
    case "profile":
      return input.fields === null ? "erasure" : `profile ${JSON.stringify(input.fields)}`;
    case "adjustment":
      return `adjustment ${input.set === undefined ? `add ${input.add}` : `set ${input.set}`} ${input.dimension ?? ""}`.trimEnd();
    default:
      return input satisfies never;
  }
}

function instantText({ scenario }: Run, at: EpochMs): string {
  return `${formatOffset(at - scenario.start)} (${formatInstant(at)})`;
}

/** Which model, said only where there are several. */
function modelText(run: Run, model: string | undefined): string {
  return run.models.length > 1 ? `, model ${model ?? run.modelId}` : "";
}

function valueText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}
