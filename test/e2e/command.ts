/** The built command as a child process: what a script or a person at a terminal gets. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));
export const mainFile = join(root, "dist", "cli", "main.js");

/** No run of these tests takes longer, except where a test says so. */
const RUN_MS_MAX = 180_000;

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly stdin?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `scorefold` with these arguments; nothing of the tests' own environment but PATH is passed on. */
export function start(args: readonly string[], { cwd, env }: RunOptions): ChildProcessWithoutNullStreams {
  checkBuild();
  return spawn(process.execPath, [mainFile, ...args], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: "pipe",
    timeout: RUN_MS_MAX,
  });
}

export async function scorefold(args: readonly string[], options: RunOptions): Promise<Ended> {
  const child = start(args, options);
  const end = ended(child);
  // A command that fails early does not read what it is given.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.stdin ?? "");
  return await end;
}

export async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  return await new Promise((done, failed) => {
    child.once("error", failed);
    child.once("close", (code, signal) =>
      done({ code, signal, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    );
  });
}

let isChecked = false;

/** A build older than its sources would be tested in their place, and nobody would notice. */
export function checkBuild(): void {
  if (isChecked) return;
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  for (const name of sources) {
    const built = join(root, "dist", name.replace(/\.ts$/, ".js"));
    if (!existsSync(built) || statSync(built).mtimeMs < statSync(join(root, "src", name)).mtimeMs) {
      throw new Error(`dist is older than src/${name}: run \`npm run build\` first`);
    }
  }
  isChecked = true;
}

/** A directory of files for one test. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), "scorefold-e2e-"));

  write(name: string, content: string | Buffer): string {
    writeFileSync(join(this.path, name), content);
    return name;
  }

  /** @returns the name, so that it can be an argument */
  writeLines(name: string, lines: readonly (object | string)[]): string {
    const text = lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`);
    return this.write(name, text.join(""));
  }

  read(name: string): string {
    return readFileSync(join(this.path, name), "utf8");
  }

  lines(name: string): string[] {
    return this.read(name)
      .split("\n")
      .filter((line) => line !== "");
  }

  json<T = Record<string, unknown>>(name: string): T[] {
    return this.lines(name).map((line) => JSON.parse(line) as T);
  }

  /** All names in it, hidden ones too. */
  names(): string[] {
    return readdirSync(this.path).sort();
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
