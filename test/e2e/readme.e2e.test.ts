/**
 * The README, kept honest. Its fenced blocks are told by their info strings: `yaml NAME` and `jsonl NAME` are files;
 * `console` is a session, whose lines `$ ...` are commands that must succeed, and whose other lines must be in what the
 * command prints, in that order. Blanks count as one; `...` or `…` stands for anything; times and rates differ from
 * run to run. The default port stands for a free one, and a session with curl is left out where there is no curl.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Folder, mainFile, root } from "./command.js";

interface Block {
  readonly kind: string;
  /** The name after the kind, or empty. */
  readonly name: string;
  readonly line: number;
  readonly lines: readonly string[];
}

interface Command {
  /** Of the README. */
  readonly line: number;
  readonly text: string;
  readonly printed: readonly string[];
  /** Whether its session needs curl. */
  readonly hasCurl: boolean;
}

const DEFAULT_PORT = "7070";
const isCurlThere = spawnSync("curl", ["--version"]).status === 0;

const readme = readFileSync(join(root, "README.md"), "utf8");
const blocks = fencedBlocks(readme);
const commands = blocks.filter(({ kind }) => kind === "console").flatMap(commandsOf);

function fencedBlocks(text: string): Block[] {
  const found: Block[] = [];
  let open: { kind: string; name: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (open === undefined) {
      const fence = /^```(\S*) ?(.*)$/.exec(line);
      if (fence !== null) open = { kind: fence[1] ?? "", name: fence[2] ?? "", line: index + 1, lines: [] };
    } else if (line === "```") {
      found.push(open);
      open = undefined;
    } else {
      open.lines.push(line);
    }
  }
  return found;
}

function commandsOf({ lines, line }: Block): Command[] {
  const found: { line: number; text: string; printed: string[]; hasCurl: boolean }[] = [];
  const hasCurl = lines.some((text) => /^\$ .*\bcurl\b/.test(text));
  for (const [index, text] of lines.entries()) {
    if (text.startsWith("$ ")) found.push({ line: line + index + 1, text: text.slice(2), printed: [], hasCurl });
    else if (text.trim() !== "") found.at(-1)?.printed.push(text);
  }
  return found;
}

/** A printed line as a pattern for whole lines. */
function pattern(line: string): RegExp {
  const escaped = plain(line).replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const timed = escaped
    .replace(/ in \d+\\\.\d s/g, " in \\d+\\.\\d s")
    .replace(/\\\([\d,]+ (inputs|lines)\/s\\\)/g, "\\([\\d,]+ $1/s\\)");
  return new RegExp(`^${timed.replace(/ ?(\\\.\\\.\\\.|…) ?/g, ".*")}$`);
}

function plain(line: string): string {
  return line.trim().replace(/\s+/g, " ");
}

async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return String(port);
}

/** Ends the engines that a session has left behind, because it failed on its way. */
function endEngines(path: string): void {
  for (const name of readdirSync(path)) {
    const file = join(path, name, "engine.json");
    if (!existsSync(file)) continue;
    const { pid } = JSON.parse(readFileSync(file, "utf8")) as { pid: number };
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

describe("the README", () => {
  let folder: Folder;
  let port: string;
  beforeAll(async () => {
    folder = new Folder();
    port = await freePort();
    cpSync(join(root, "models"), join(folder.path, "models"), { recursive: true });
    for (const { kind, name, lines } of blocks) {
      if ((kind === "yaml" || kind === "jsonl") && name !== "") folder.write(name, `${lines.join("\n")}\n`);
    }
    mkdirSync(join(folder.path, "bin"));
    folder.write("bin/scorefold", `#!/bin/sh\nexec "${process.execPath}" "${mainFile}" "$@"\n`);
    chmodSync(join(folder.path, "bin", "scorefold"), 0o755);
  });
  afterAll(() => {
    endEngines(folder.path);
    folder.remove();
  });

  it("has a model, its test, inputs and sessions", () => {
    const kinds = new Set(blocks.map(({ kind }) => kind));
    expect([...kinds]).toEqual(expect.arrayContaining(["yaml", "jsonl", "console"]));
    expect(commands.length).toBeGreaterThan(3);
  });

  const titled = commands.map((command) => [`line ${command.line}: ${command.text}`, command] as const);
  it.for(titled)("%s", ([, command], { skip }) => {
    if (command.hasCurl && !isCurlThere) skip("there is no curl");
    const here = (text: string): string => text.replaceAll(DEFAULT_PORT, port);
    const path = `${join(folder.path, "bin")}${delimiter}${process.env["PATH"]}`;
    const { status, stdout } = spawnSync("sh", ["-c", `exec 2>&1; ${here(command.text)}`], {
      cwd: folder.path,
      env: { PATH: path, SCOREFOLD_PORT: port },
      encoding: "utf8",
      timeout: 60_000,
    });
    expect({ status, stdout }).toMatchObject({ status: 0 });
    const printed = stdout.split("\n").map(plain);
    let at = 0;
    for (const line of command.printed) {
      const skips = line.trim() === "..." || line.trim() === "…";
      if (skips) continue;
      const found = printed.findIndex((text, index) => index >= at && pattern(here(line)).test(text));
      if (found < 0) expect.fail(`not printed, or not in this order: ${line}\n---- printed:\n${stdout}`);
      at = found + 1;
    }
  });

  it("links to files that are there", () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target]) => target as string);
    expect(links.filter((target) => !existsSync(join(root, target)))).toEqual([]);
  });

  it("names only npm scripts that exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
    const named = [...readme.matchAll(/npm run ([a-z]+)/g)].map(([, name]) => name as string);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });
});
