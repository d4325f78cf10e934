/**
 * The shape of the code, held by a test: which folder may import what, what pure code may not touch, how long a file may
 * be, and that tests lie where the code lies. A failure names the file and what to do instead.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const fileLinesMax = 450;

interface Place {
  /** Packages, `node:` modules, and modules of src: a folder, or a file by its name without ending. */
  readonly may: readonly string[];
  /** What to do in place of an import that is not in the list. */
  readonly instead: string;
}

const places: Readonly<Record<string, Place>> = {
  errors: { may: [], instead: "the one base of errors stands alone" },
  nearest: { may: [], instead: "take what it needs as an argument" },
  database: {
    may: ["database", "errors", "node:*", "classic-level"],
    instead: "a database knows keys and values; what they mean belongs to src/store and src/embedded",
  },
  events: {
    may: ["events", "errors", "nearest", "avsc"],
    instead: "inputs and outputs know nothing of models, scores or files; let the caller bring them together",
  },
  model: {
    may: ["model", "events", "errors", "nearest", "yaml", "re2js"],
    instead: "a model is text in, functions out; reading its file belongs to src/cli or src/rebuild",
  },
  topics: {
    may: ["topics", "events", "model/parse", "model/yaml-reader", "model/types", "errors", "nearest"],
    instead: "a topic's definition is text in, functions out; files belong to src/cli, brokers to src/kafka",
  },
  fold: {
    may: [
      "fold",
      "events/types",
      "events/order",
      "events/canonical",
      ...["model/compile", "model/numbers", "model/layout", "model/types"],
    ],
    instead: "the fold gets compiled models and decoded inputs; parsing, files and time belong to its callers",
  },
  rebuild: {
    may: ["rebuild", "events", "model", "fold", "errors", "nearest", "node:*", "classic-level", "yaml"],
    instead: "replay takes what it needs as options; talk to people belongs to src/cli",
  },
  store: {
    may: ["store", "database", "events", "fold", "model/compile", "errors", "node:*"],
    instead: "the store keeps what it is given; folding and publishing belong to src/stream",
  },
  stream: {
    may: ["stream", "store", "database/database", "events", "model", "fold", "errors", "node:*"],
    instead: "the task knows the log only by its port; what is behind it comes as an option",
  },
  embedded: {
    may: ["embedded", "stream/log", "stream/marks", "database", "events", "errors", "node:*"],
    instead: "the log knows records, not what they do; the task comes to it",
  },
  kafka: {
    may: [
      "kafka",
      "stream/log",
      "stream/marks",
      "topics",
      "events",
      "errors",
      "node:*",
      "kafkajs",
      "hysnappy",
      "lz4-napi",
      "zstddec",
    ],
    instead: "the log knows records, not what they do; the task comes to it",
  },
  telemetry: {
    may: ["errors", "pino", "prom-client", "node:*"],
    instead: "metrics are told what has happened; they do not look it up",
  },
  config: {
    may: ["config", "api/loopback", "kafka/partitioner", "errors", "nearest"],
    instead: "a configuration is read from values that are given",
  },
  api: {
    may: ["api", "events", "model", "fold", "store", "rebuild", "errors", "nearest", "node:*", "fastify"],
    instead: "the API asks the engine through src/api/engine.ts",
  },
  engine: {
    may: ["engine", "api/engine", "embedded", "kafka", "stream", "store", "database", "events", "model", "fold"].concat(
      ["topics/record", "rebuild/lines", "errors", "nearest", "telemetry", "node:*"],
    ),
    instead: "the engine puts parts together; what a part does belongs to it",
  },
  cli: {
    may: [
      "cli",
      "engine",
      "kafka",
      "api",
      "config",
      "telemetry",
      "stream/backoff",
      "stream/clock",
      "stream/condition",
      "stream/log",
      "rebuild",
      "topics",
      "events",
      "model",
      "fold",
      "errors",
      "nearest",
      "node:*",
      "commander",
    ],
    instead: "a library other than commander belongs to the folder whose work it does",
  },
};

/** Only these files may use what they name: where a library is used is part of the design. */
const packageFiles: Readonly<Record<string, RegExp>> = {
  yaml: /^(model|rebuild)\//,
  re2js: /^model\//,
  avsc: /^events\/avro-schema\.ts$/,
  "classic-level": /^(rebuild\/sort|database\/classic-level)\.ts$/,
  fastify: /^api\//,
  kafkajs: /^kafka\//,
  hysnappy: /^kafka\/compression\.ts$/,
  "lz4-napi": /^kafka\/compression\.ts$/,
  zstddec: /^kafka\/compression\.ts$/,
  pino: /^telemetry\.ts$/,
  "prom-client": /^telemetry\.ts$/,
  commander: /^cli\/(commands\/[\w-]+|arguments|cluster|run)\.ts$/,
};

const pureFolders = ["events", "model", "topics", "fold"];

/** Names that reach out of pure code, and what takes their place. */
const impure: Readonly<Record<string, string>> = {
  process: "take what is needed as an argument",
  console: "return what there is to say",
  performance: "time is an input: take an instant as an argument",
  setTimeout: "time is an input: take an instant as an argument",
  setInterval: "time is an input: take an instant as an argument",
  setImmediate: "pure code does not wait",
  queueMicrotask: "pure code does not wait",
  Promise: "pure code does not wait",
  fetch: "take what is needed as an argument",
  globalThis: "take what is needed as an argument",
  eval: "never",
  Function: "name the type of the function",
};
const impureMembers: Readonly<Record<string, string>> = {
  "Date.now": "time is an input: take an instant as an argument",
  "Math.random": "a score must not depend on chance",
};
/** Results that may differ between machines or settings, and so must not touch a score. */
const inexactMembers = ["pow", "exp", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "cbrt", "hypot"];
const localeMember = /^(toLocale\w+|localeCompare)$/;
/** The one place of `**`: the factor of a half-life, computed once when a model is compiled, and rounded there. */
const powerFiles = ["model/layout.ts"];
/** RegExp from data could run for years: user patterns go through re2js. */
const regexpFolders = ["model", "topics", "fold", "events", "rebuild"];

interface Import {
  readonly from: string;
  readonly line: number;
}

interface Source {
  /** Below src, with `/`. */
  readonly name: string;
  readonly node: ts.SourceFile;
  readonly lines: number;
  readonly imports: readonly Import[];
}

const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .map((name) => name.replaceAll("\\", "/"))
  .filter((name) => name.endsWith(".ts"))
  .sort()
  .map(readSource);

function readSource(name: string): Source {
  const text = readFileSync(join(root, "src", name), "utf8");
  const node = ts.createSourceFile(name, text, ts.ScriptTarget.ESNext, true);
  const imports: Import[] = [];
  walk(node, (child) => {
    const specifier = specifierOf(child);
    if (specifier !== undefined) imports.push({ from: specifier.text, line: lineOf(node, specifier) });
  });
  return { name, node, lines: text.split("\n").length - 1, imports };
}

function specifierOf(node: ts.Node): ts.StringLiteral | undefined {
  let specifier: ts.Node | undefined;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) specifier = node.moduleSpecifier;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) specifier = node.arguments[0];
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) specifier = node.argument.literal;
  return specifier !== undefined && ts.isStringLiteral(specifier) ? specifier : undefined;
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

function lineOf(source: ts.SourceFile, node: ts.Node): number {
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}

/** `events/types` for a module of src, else the package's or node module's own name. */
function moduleOf(name: string, from: string): string {
  if (!from.startsWith(".")) return from;
  return posix.join(posix.dirname(name), from).replace(/\.js$/, "");
}

function placeOf(module: string): string {
  return module.replace(/\.ts$/, "").split("/")[0] as string;
}

function isAllowed(module: string, may: readonly string[]): boolean {
  return may.some(
    (one) => module === one || module.startsWith(`${one}/`) || (one === "node:*" && /^node:/.test(module)),
  );
}

/** `src/fold/due.ts:3 ...` for each node that `told` has something to say of. */
function complaints(folders: readonly string[], told: (node: ts.Node, source: Source) => string | undefined): string[] {
  const found: string[] = [];
  for (const source of sources.filter(({ name }) => folders.includes(placeOf(name)))) {
    walk(source.node, (node) => {
      const text = told(node, source);
      if (text !== undefined) found.push(`src/${source.name}:${lineOf(source.node, node)} ${text}`);
    });
  }
  return found;
}

/** Whether an identifier stands for a variable, not for a property, a key or a type of that name. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isPropertyDeclaration(parent)) {
    return "initializer" in parent && parent.initializer === node;
  }
  return !ts.isMethodDeclaration(parent) && !ts.isBindingElement(parent) && !ts.isImportSpecifier(parent);
}

function isMember(node: ts.Node, object: string): node is ts.PropertyAccessExpression {
  return ts.isPropertyAccessExpression(node) && node.expression.getText() === object;
}

describe("imports", () => {
  it("are those of the table", () => {
    const found: string[] = [];
    for (const { name, imports } of sources) {
      const place = places[placeOf(name)];
      if (place === undefined) {
        found.push(`src/${name}: its folder is not in the table; say there what it may import`);
        continue;
      }
      for (const { from, line } of imports) {
        const module = moduleOf(name, from);
        if (!isAllowed(module, place.may)) {
          const may = place.may.join(", ") || "nothing";
          found.push(`src/${name}:${line} imports ${from}: ${place.instead} (allowed: ${may})`);
        }
        const files = packageFiles[module];
        if (files !== undefined && !files.test(name)) {
          found.push(`src/${name}:${line} imports ${from}: only ${files.source} may; call what is there`);
        }
      }
    }
    expect(found).toEqual([]);
  });

  it("end in .js and lead to files of src", () => {
    const found = sources.flatMap(({ name, imports }) =>
      imports
        .filter(({ from }) => from.startsWith("."))
        .filter(({ from }) => !from.endsWith(".js") || !existsSync(join(root, "src", `${moduleOf(name, from)}.ts`)))
        .map(({ from, line }) => `src/${name}:${line} imports ${from}: there is no such file of src`),
    );
    expect(found).toEqual([]);
  });

  it("close no circle", () => {
    const targets = new Map(
      sources.map(({ name, imports }) => [
        name,
        imports.filter(({ from }) => from.startsWith(".")).map(({ from }) => `${moduleOf(name, from)}.ts`),
      ]),
    );
    const done = new Set<string>();
    const circles: string[] = [];
    const follow = (name: string, path: readonly string[]): void => {
      const at = path.indexOf(name);
      if (at >= 0) {
        circles.push(`${[...path.slice(at), name].join(" -> ")}: move what both need into a file of its own`);
        return;
      }
      if (done.has(name)) return;
      for (const target of targets.get(name) ?? []) follow(target, [...path, name]);
      done.add(name);
    };
    for (const name of targets.keys()) follow(name, []);
    expect(circles).toEqual([]);
  });

  it("name only packages that package.json has as dependencies", () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: object };
    const packages = sources
      .flatMap(({ imports }) => imports.map(({ from }) => from))
      .filter((from) => /^[^.]/.test(from));
    const own = new Set(packages.filter((from) => !from.startsWith("node:")));
    expect([...own].sort()).toEqual(Object.keys(dependencies).sort());
  });
});

describe("pure code", () => {
  it("reads no clock, no chance, no process, and waits for nothing", () => {
    const found = complaints(pureFolders, (node) => {
      if (ts.isIdentifier(node) && Object.hasOwn(impure, node.text) && isReference(node)) {
        return `uses ${node.text}: ${impure[node.text]}`;
      }
      if (ts.isPropertyAccessExpression(node) && Object.hasOwn(impureMembers, node.getText())) {
        return `uses ${node.getText()}: ${impureMembers[node.getText()]}`;
      }
      if (ts.isNewExpression(node) && node.expression.getText() === "Date" && (node.arguments?.length ?? 0) === 0) {
        return "uses new Date(): time is an input; take an instant as an argument";
      }
      if (ts.isCallExpression(node) && node.expression.getText() === "Date") return "calls Date(): time is an input";
      if (node.kind === ts.SyntaxKind.AsyncKeyword || ts.isAwaitExpression(node)) return "waits: pure code does not";
      return undefined;
    });
    expect(found).toEqual([]);
  });

  it("computes what every machine computes alike", () => {
    const found = complaints(pureFolders, (node, { name }) => {
      if (isMember(node, "Math") && inexactMembers.includes(node.name.text)) {
        return `uses ${node.getText()}: its last digit differs between machines; use + - * / only`;
      }
      if (ts.isPropertyAccessExpression(node) && localeMember.test(node.name.text)) {
        return `uses ${node.name.text}: it depends on the machine's locale; use compareText or the simple form`;
      }
      if (isPower(node) && !powerFiles.includes(name)) {
        return `uses **: only ${powerFiles.join(", ")} may, which rounds the result when a model is compiled`;
      }
      return undefined;
    });
    expect(found).toEqual([]);
  });

  it("makes no regular expression out of data", () => {
    const found = complaints(regexpFolders, (node) => {
      const isMade = (ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === "RegExp";
      return isMade ? "makes a RegExp: patterns of users go through re2js, which runs in linear time" : undefined;
    });
    expect(found).toEqual([]);
  });
});

function isPower(node: ts.Node): boolean {
  const powers = [ts.SyntaxKind.AsteriskAsteriskToken, ts.SyntaxKind.AsteriskAsteriskEqualsToken];
  return ts.isBinaryExpression(node) && powers.includes(node.operatorToken.kind);
}

describe("files", () => {
  it(`of src have at most ${fileLinesMax} lines`, () => {
    const long = sources.filter(({ lines }) => lines > fileLinesMax);
    expect(long.map(({ name, lines }) => `src/${name} has ${lines} lines: cut it where its subject changes`)).toEqual(
      [],
    );
  });

  it("of src use no words that say nothing", () => {
    const empty = /(^|[/-])(manager|helpers?|utils?|service|misc|common)(?=[-./])/i;
    const found = sources.filter(({ name }) => empty.test(name));
    expect(found.map(({ name }) => `src/${name}: name it after what it holds`)).toEqual([]);
  });

  it("of each folder of src are tested in the folder of that name", () => {
    const folders = new Set(sources.map(({ name }) => dirname(name)).filter((name) => name !== "."));
    const missing = [...folders].filter((name) => !hasTests(join(root, "test", name)));
    expect(missing.map((name) => `src/${name}: there is no test in test/${name}`)).toEqual([]);
  });

  it("lie below src or test, not beside the place where they are looked for", () => {
    const tests = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.includes(".test."),
    );
    expect(tests.map((name) => `src/${name}: tests lie in test/`)).toEqual([]);
  });

  it("of the repository name no place of the machine they were written on", () => {
    // Put together, so that this file is not the one that names them.
    const places = [
      ["..", "shared"],
      ["", "work", ""],
      ["", "root", ""],
    ].map((parts) => parts.join("/"));
    const found = trackedFiles().flatMap((name) => {
      if (name === ".ci/run") return [];
      const lines = readFileSync(join(root, name), "utf8").split("\n");
      return lines.flatMap((line, i) =>
        places.filter((place) => names(line, place)).map((one) => `${name}:${i + 1} ${one}`),
      );
    });
    expect(found.map((place) => `${place}: no reader has that; say what it is, or take it from an option`)).toEqual([]);
  });
});

/** Whether a line has the path, and not one that merely ends like it (`node_modules/work/`). */
function names(line: string, path: string): boolean {
  const at = line.indexOf(path);
  return at >= 0 && !/[\w.-]/.test(line[at - 1] ?? "");
}

function hasTests(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith(".test.ts"));
}

/** Files under version control, and new ones that are not ignored. */
function trackedFiles(): string[] {
  const text = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
  });
  return text.split("\0").filter((name) => name !== "" && existsSync(join(root, name)));
}
