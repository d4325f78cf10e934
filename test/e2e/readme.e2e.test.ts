/**
 * The README, kept honest. Its fenced blocks are told by their info strings: `yaml NAME` and `jsonl NAME` are files;
 * `console` is a session, whose lines `$ ...` are commands that must succeed, and whose other lines must be in what the
 * command prints, in that order. Blanks count as one; `...` or `…` stands for anything; times and rates differ from
 * run to run.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
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
}

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
  const found: { line: number; text: string; printed: string[] }[] = [];
  for (const [index, text] of lines.entries()) {
    if (text.startsWith("$ ")) found.push({ line: line + index + 1, text: text.slice(2), printed: [] });
    else if (text.trim() !== "") found.at(-1)?.printed.push(text);
  }
  return found;
}

/** A printed line as a pattern for whole lines. */
function pattern(line: string): RegExp {
  const escaped = plain(line).replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const timed = escaped
    .replace(/ in \d+\\\.\d s/g, " in \\d+\\.\\d s")
    .replace(/\\\([\d,]+ inputs\/s\\\)/g, "\\([\\d,]+ inputs/s\\)");
  return new RegExp(`^${timed.replace(/ ?(\\\.\\\.\\\.|…) ?/g, ".*")}$`);
}

function plain(line: string): string {
  return line.trim().replace(/\s+/g, " ");
}

describe("the README", () => {
  let folder: Folder;
  beforeAll(() => {
    folder = new Folder();
    cpSync(join(root, "models"), join(folder.path, "models"), { recursive: true });
    for (const { kind, name, lines } of blocks) {
      if ((kind === "yaml" || kind === "jsonl") && name !== "") folder.write(name, `${lines.join("\n")}\n`);
    }
    mkdirSync(join(folder.path, "bin"));
    folder.write("bin/scorefold", `#!/bin/sh\nexec "${process.execPath}" "${mainFile}" "$@"\n`);
    chmodSync(join(folder.path, "bin", "scorefold"), 0o755);
  });
  afterAll(() => folder.remove());

  it("has a model, its test, inputs and sessions", () => {
    const kinds = new Set(blocks.map(({ kind }) => kind));
    expect([...kinds]).toEqual(expect.arrayContaining(["yaml", "jsonl", "console"]));
    expect(commands.length).toBeGreaterThan(3);
  });

  it.each(
    commands.map((command) => [`line ${command.line}: ${command.text}`, command] as const),
  )("%s", (_, command) => {
    const path = `${join(folder.path, "bin")}${delimiter}${process.env["PATH"]}`;
    const { status, stdout } = spawnSync("sh", ["-c", `exec 2>&1; ${command.text}`], {
      cwd: folder.path,
      env: { PATH: path },
      encoding: "utf8",
      timeout: 60_000,
    });
    expect({ status, stdout }).toMatchObject({ status: 0 });
    const printed = stdout.split("\n").map(plain);
    let at = 0;
    for (const line of command.printed) {
      const skips = line.trim() === "..." || line.trim() === "…";
      if (skips) continue;
      const found = printed.findIndex((text, index) => index >= at && pattern(line).test(text));
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
