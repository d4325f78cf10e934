/**
 * Runs scenario files: folds the inputs of each scenario under its models, and says where scores and outputs differ from
 * what the file expects. The order of the file's inputs does not matter; they are taken in key order, as a replay does.
 */
import { canonicalJson } from "../events/canonical.js";
import { compareInputs, compareText } from "../events/order.js";
import type { ContactId, EpochMs, Input } from "../events/types.js";
import { ContactFold } from "../fold/contact.js";
import { checkModel, checkModelTree } from "../model/check.js";
import { type CompiledModel, compile } from "../model/compile.js";
import type { TreeNode } from "../model/parse.js";
import type { Model, ModelProblem, ModelResult } from "../model/types.js";
import { compareLine, compareOutputs, type Run, type ScenarioDifference } from "./scenario-differences.js";
import { parseScenarioFile } from "./scenario-file.js";
import type { ModelSource, Scenario } from "./scenario-types.js";

export type { ScenarioDifference } from "./scenario-differences.js";

interface ResultBase {
  readonly file: string;
  /** Of the scenario; the file's name where the file itself can't be read. */
  readonly name: string;
  readonly line: number;
}

export type ScenarioResult =
  | (ResultBase & { readonly outcome: "passed" })
  | (ResultBase & { readonly outcome: "failed"; readonly differences: readonly ScenarioDifference[] })
  | (ResultBase & { readonly outcome: "invalid"; readonly problems: readonly ModelProblem[] });

/** The text of a model file by the name a scenario file uses, relative to it; undefined when there is none. */
export type ReadModel = (name: string) => string | undefined;

type Compiled =
  | { readonly ok: true; readonly model: Model; readonly compiled: CompiledModel }
  | { readonly ok: false; readonly problems: readonly ModelProblem[] };

/**
 * Runs every scenario of a file.
 *
 * @param file the name that problems and results are told with
 * @returns one result a scenario in file order; for a file that can't be read, one result with its problems
 */
export function runScenarioFile(text: string, file: string, readModel: ReadModel): ScenarioResult[] {
  const parsed = parseScenarioFile(text, file);
  if (!parsed.ok) {
    return [{ outcome: "invalid", file, name: file, line: 1, problems: parsed.problems }];
  }
  const compiledByKey = new Map<string | TreeNode, Compiled>();
  const compiledOf = (source: ModelSource): Compiled => {
    const key = "name" in source ? source.name : source.tree.root;
    const compiled = compiledByKey.get(key) ?? compileSource(source, file, readModel);
    compiledByKey.set(key, compiled);
    return compiled;
  };
  return parsed.scenarios.map((scenario) => runScenario(scenario, file, scenario.models.map(compiledOf)));
}

/** A result as text to show: one line for a passed scenario, and everything one needs for a failed one. */
export function formatScenarioResult(result: ScenarioResult): string {
  const where = `${result.file}:${result.line}`;
  switch (result.outcome) {
    case "passed":
      return `ok      ${where}  ${result.name}`;
    case "invalid": {
      const problems = result.problems.map(
        ({ file, line, column, path, message }) =>
          `  ${file}:${line}:${column}: ${path === "" ? "" : `${path}: `}${message}`,
      );
      return [`invalid ${where}  ${result.name}`, ...problems].join("\n");
    }
    case "failed": {
      const lines = result.differences.flatMap((difference) => [
        `  ${result.file}:${difference.line}: ${difference.what}`,
        ...difference.details.map((detail) => `    ${detail}`),
        "    inputs until then:",
        ...difference.inputs.map((input) => `      ${input}`),
      ]);
      return [`FAILED  ${where}  ${result.name}`, ...lines].join("\n");
    }
    default:
      return result satisfies never;
  }
}

function compileSource(source: ModelSource, file: string, readModel: ReadModel): Compiled {
  const result = "name" in source ? checkNamed(source, file, readModel) : checkModelTree(source.tree, file);
  return result.ok ? { ok: true, model: result.model, compiled: compile(result.model) } : result;
}

function checkNamed(
  { name, place }: Extract<ModelSource, { name: string }>,
  file: string,
  readModel: ReadModel,
): ModelResult {
  const text = readModel(name);
  if (text === undefined) {
    const message = `there is no model file "${name}" beside this file`;
    return { ok: false, problems: [{ severity: "error", file, path: "model", message, ...place }] };
  }
  return checkModel(text, name);
}

function runScenario(scenario: Scenario, file: string, sources: readonly Compiled[]): ScenarioResult {
  const base = { file, name: scenario.name, line: scenario.line };
  const problems = sources.flatMap((source) => (source.ok ? [] : source.problems));
  if (problems.length > 0) {
    return { outcome: "invalid", ...base, problems };
  }
  const models = sources.flatMap((source) => (source.ok ? [source] : []));
  const unusable = unusableModels(scenario, file, models);
  if (unusable.length > 0) {
    return { outcome: "invalid", ...base, problems: unusable };
  }
  const modelId = models[0]?.model.id ?? "";
  const run: Run = { scenario, modelId, models: models.map(({ compiled }) => compiled) };
  const differences = contactsOf(scenario).flatMap((contactId) => differencesOf(run, contactId));
  differences.sort((a, b) => a.line - b.line);
  return differences.length === 0 ? { outcome: "passed", ...base } : { outcome: "failed", ...base, differences };
}

/** Models that are not the tenant's, and models and dimensions that are expected but not there. */
function unusableModels(
  scenario: Scenario,
  file: string,
  models: readonly { readonly model: Model }[],
): readonly ModelProblem[] {
  const expected: readonly { model?: string; dimensions?: object; line: number }[] = [
    ...scenario.expectations,
    ...(scenario.crossings ?? []),
    ...(scenario.changes ?? []),
  ];
  const problem = (line: number, path: string, message: string): ModelProblem => ({
    ...{ severity: "error", file, line, column: 1, path, message },
  });
  const foreign = models
    .filter(({ model }) => model.tenants?.includes(scenario.tenantId) === false)
    .map(({ model: { id, tenants } }) => {
      const message = `model ${id} is not for tenant ${scenario.tenantId}; write \`tenant: ${tenants?.[0]}\` at the top of the file`;
      return problem(scenario.line, "model", message);
    });
  const missing = expected.flatMap(({ model, dimensions, line }): ModelProblem[] => {
    const named = model === undefined ? models[0] : models.find((candidate) => candidate.model.id === model);
    if (named === undefined) {
      const known = models.map((candidate) => candidate.model.id).join(", ");
      return [problem(line, "model", `no model "${model}" in this scenario; it has ${known}`)];
    }
    const known = named.model.dimensions.map(({ id }) => id);
    return Object.keys(dimensions ?? {})
      .filter((id) => !known.includes(id))
      .map((id) =>
        problem(
          line,
          `dimensions.${id}`,
          `model ${named.model.id} has no dimension "${id}"; it has ${known.join(", ")}`,
        ),
      );
  });
  return [...foreign, ...missing];
}

/** Every contact that is named in a scenario, those of its inputs first. */
function contactsOf(scenario: Scenario): readonly ContactId[] {
  const named = [
    ...scenario.inputs,
    ...scenario.expectations,
    ...(scenario.crossings ?? []),
    ...(scenario.changes ?? []),
    ...(scenario.erasures ?? []),
  ];
  return [...new Set(named.map(({ contactId }) => contactId))];
}

/** Folds one contact's inputs, stopping at each instant at which something is expected of its score. */
function differencesOf(run: Run, contactId: ContactId): readonly ScenarioDifference[] {
  const { scenario } = run;
  const inputs = inputsOf(run, contactId);
  const fold = new ContactFold(run.models, scenario.tenantId, contactId, { history: "kept" });
  const differences: ScenarioDifference[] = [];
  const expectations = scenario.expectations.filter((expectation) => expectation.contactId === contactId);
  expectations.sort((a, b) => a.at - b.at);
  let next = 0;
  const receiveUntil = (until: EpochMs) => {
    for (let input = inputs[next]; input !== undefined && input.at <= until; input = inputs[next]) {
      fold.receive(input);
      next += 1;
    }
    fold.advance(until);
  };
  for (const expectation of expectations) {
    receiveUntil(expectation.at);
    const line = fold.scoreLines().find(({ model }) => model === (expectation.model ?? run.modelId));
    differences.push(...compareLine(run, expectation, line, inputs));
  }
  receiveUntil(scenario.until);
  differences.push(...compareOutputs(run, contactId, fold.drain(), inputs));
  return differences;
}

/** A contact's inputs in key order; of one key the one that holds. */
function inputsOf({ scenario, modelId }: Run, contactId: ContactId): readonly Input[] {
  const own = scenario.inputs
    .filter((input) => input.contactId === contactId)
    .map((input) => (input.kind === "adjustment" && input.model === "" ? { ...input, model: modelId } : input));
  own.sort((a, b) => compareInputs(a, b) || compareText(canonicalJson(a), canonicalJson(b)));
  return own.filter((input, index) => index === 0 || compareInputs(own[index - 1] as Input, input) !== 0);
}
