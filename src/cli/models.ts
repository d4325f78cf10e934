/** Finds, reads and checks model files. */
import { isUtf8 } from "node:buffer";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ScorefoldError } from "../errors.js";
import { checkModel } from "../model/check.js";
import { fileBytesMax } from "../model/parse.js";
import type { Model, ModelProblem } from "../model/types.js";
import { counted } from "./table.js";

export interface ModelFile {
  readonly file: string;
  readonly model: Model;
}

export interface CheckedFiles {
  readonly models: readonly ModelFile[];
  readonly files: readonly string[];
  /** Errors and warnings of all files. */
  readonly problems: readonly ModelProblem[];
}

/** What is larger is not even read; the parser names what is larger than `fileBytesMax` with its place. */
const readBytesMax = 4 * fileBytesMax;
const notText = "the file is not UTF-8 text; save it in that encoding";
const modelEndings = [".yaml", ".yml", ".json"];
const testEndings = [".test.yaml", ".test.yml", ".test.json"];

export function isTestFile(name: string): boolean {
  return testEndings.some((ending) => name.endsWith(ending));
}

function isModelFile(name: string): boolean {
  return modelEndings.some((ending) => name.endsWith(ending)) && !isTestFile(name);
}

/**
 * The files a path stands for: itself, or the models (or tests) in a directory, by name.
 *
 * @throws ScorefoldError `input-missing`
 */
export function filesAt(path: string, kind: "models" | "tests"): string[] {
  const wanted = kind === "tests" ? "scenario files (*.test.yaml)" : "model files (*.yaml, *.json)";
  return filesWhere(path, kind === "tests" ? isTestFile : isModelFile, wanted);
}

/**
 * The files a path stands for: itself, or those of a directory whose names are wanted, by name.
 *
 * @param wanted what they are, for the error where there are none
 * @throws ScorefoldError `input-missing`
 */
export function filesWhere(path: string, isWanted: (name: string) => boolean, wanted: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const files = readdirSync(path)
      .filter(isWanted)
      .sort()
      .map((name) => join(path, name));
    if (files.length > 0) return files;
  } catch (error) {
    throw unreadable(path, error);
  }
  throw new ScorefoldError("input-missing", `${path}: there are no ${wanted} in this directory`);
}

/**
 * Checks every file, and that no two models share an id and a version.
 *
 * @throws ScorefoldError `input-missing` for a file that can't be read
 */
export function checkFiles(paths: readonly string[]): CheckedFiles {
  const files = paths.flatMap((path) => filesAt(path, "models"));
  const models: ModelFile[] = [];
  const problems: ModelProblem[] = [];
  const seen = new Map<string, string>();
  for (const file of new Set(files)) {
    const bytes = readBytes(file);
    if (!isUtf8(bytes)) {
      problems.push({ severity: "error", file, line: 1, column: 1, path: "", message: notText });
      continue;
    }
    const result = checkModel(bytes.toString("utf8"), file);
    if (!result.ok) {
      problems.push(...result.problems);
      continue;
    }
    problems.push(...result.warnings);
    const { id, version } = result.model;
    const name = `${id}@${version}`;
    const other = seen.get(name);
    if (other === undefined) {
      seen.set(name, file);
      models.push({ file, model: result.model });
      continue;
    }
    const message = `${name} is in ${other} too: a change of a model is a new version, and another model another id`;
    problems.push({ severity: "error", file, line: 1, column: 1, path: "version", message });
  }
  return { models, files, problems };
}

/**
 * The models of these paths, or an error that names every problem.
 *
 * @throws ScorefoldError `model-invalid`, `input-missing`
 */
export function loadModels(paths: readonly string[]): Model[] {
  const { models, problems } = checkFiles(paths);
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0) {
    const lines = errors.map(formatProblem);
    throw new ScorefoldError(
      "model-invalid",
      `${lines.join("\n")}\n${counted(errors.length, "problem")}; nothing was scored`,
    );
  }
  return models.map(({ model }) => model);
}

/** `models/lead.yaml:12:5: rules[2].when: ...`, as editors and terminals make links of it. */
export function formatProblem({ file, line, column, path, message, severity }: ModelProblem): string {
  const mark = severity === "warning" ? "warning: " : "";
  return `${file}:${line}:${column}: ${mark}${path === "" ? "" : `${path}: `}${message}`;
}

/** @throws ScorefoldError `input-missing` */
export function readText(file: string): string {
  const bytes = readBytes(file);
  if (!isUtf8(bytes)) throw new ScorefoldError("input-missing", `${file}: ${notText}`);
  return bytes.toString("utf8");
}

function readBytes(file: string): Buffer {
  try {
    const { size } = statSync(file);
    if (size > readBytesMax) throw new Error(`it has ${size} bytes; such a file has at most ${fileBytesMax}`);
    return readFileSync(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(path: string, cause: unknown): ScorefoldError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const why =
    code === "ENOENT"
      ? "there is no such file or directory; check the path"
      : code === "EACCES"
        ? "it may not be read; check its permissions"
        : String(cause instanceof Error ? cause.message : cause);
  return new ScorefoldError("input-missing", `${path}: ${why}`, { cause });
}
