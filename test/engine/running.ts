/** An engine as a process of its own: `scorefold run`, asked over HTTP. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { type Ended, ended, type Folder, mainFile, start } from "../e2e/command.js";

export interface Answered {
  readonly status: number;
  readonly body: { readonly [name: string]: unknown };
}

export interface RunningOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** No file may grow beyond it, as if the disk were full; `prlimit` lifts that. */
  readonly fileBytesMax?: number;
}

export class Running {
  readonly url: string;
  readonly child: ChildProcessWithoutNullStreams;
  readonly end: Promise<Ended>;
  readonly #told: { text: string };

  private constructor(url: string, child: ChildProcessWithoutNullStreams, end: Promise<Ended>, told: { text: string }) {
    this.url = url;
    this.child = child;
    this.end = end;
    this.#told = told;
  }

  /** Resolves once it listens; rejects with what it said where it ends before. */
  static async start(folder: Folder, args: readonly string[] = [], options: RunningOptions = {}): Promise<Running> {
    const command = ["run", "--port", "0", ...args];
    const child =
      options.fileBytesMax === undefined
        ? start(command, { cwd: folder.path, ...(options.env === undefined ? {} : { env: options.env }) })
        : startLimited(command, folder.path, options.fileBytesMax);
    const end = ended(child);
    const told = { text: "" };
    const url = new Promise<string>((done) => {
      child.stderr.on("data", (chunk: Buffer) => {
        told.text += chunk.toString();
        const found = /scorefold is up at (\S+): /.exec(told.text)?.[1];
        if (found !== undefined) done(found);
      });
    });
    const first = await Promise.race([url, end]);
    if (typeof first !== "string") throw new Error(`the engine has ended (${first.code}): ${first.stderr}`);
    return new Running(first, child, end, told);
  }

  /** What it has said so far. */
  get told(): string {
    return this.#told.text;
  }

  /** Resolves once it has said something. */
  async says(what: RegExp): Promise<RegExpExecArray> {
    return await new Promise((done, failed) => {
      const look = (): void => {
        const found = what.exec(this.#told.text);
        if (found === null) return;
        this.child.stderr.off("data", look);
        done(found);
      };
      this.child.stderr.on("data", look);
      this.child.once("close", () => failed(new Error(`it never said ${what}: ${this.#told.text}`)));
      look();
    });
  }

  /** Resolves once questions are answered. */
  async ready(): Promise<void> {
    await this.until(async () => (await fetch(`${this.url}/readyz`)).status === 200);
  }

  /** Asks again until it holds: of what tells nobody when it changes. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) {
      if (this.child.exitCode !== null) throw new Error(`the engine has ended: ${this.#told.text}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  }

  /** Sends lines of interactions, or of what the path says. */
  async send(lines: readonly (object | string)[], path = "/v1/interactions"): Promise<Answered> {
    const body = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
    const response = await fetch(`${this.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body,
    });
    return { status: response.status, body: (await response.json()) as Answered["body"] };
  }

  async get(path: string): Promise<Answered> {
    const response = await fetch(`${this.url}${path}`);
    return { status: response.status, body: (await response.json()) as Answered["body"] };
  }

  /** Ends it by a signal, and gives how it ended. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ended> {
    this.child.kill(signal);
    return await this.end;
  }
}

/** A limit that is only a soft one can be lifted by whoever set it. The signal that comes with it is of no use. */
function startLimited(args: readonly string[], cwd: string, fileBytesMax: number): ChildProcessWithoutNullStreams {
  const script = `trap '' XFSZ; ulimit -S -f ${Math.floor(fileBytesMax / 512)}; exec "$@"`;
  return spawn("sh", ["-c", script, "sh", process.execPath, mainFile, ...args], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "" },
    stdio: "pipe",
    timeout: 60_000,
  });
}
