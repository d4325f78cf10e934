/** One process of the built command on the cluster, with a data directory and a port of its own over all its lives. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { APP } from "./application.js";
import { ask } from "./ask.js";

/** From the root of the project, where tests and commands run. */
const COMMAND = "dist/cli/main.js";
const STATUS_MS = 2_000;

export interface InstanceOptions {
  /** From 1. */
  readonly number: number;
  readonly port: number;
  readonly directory: string;
  readonly brokers: string;
  readonly topics: string;
  readonly models: string;
  readonly sessionMs: number;
  /** Told of an end that nobody asked for. */
  readonly onEnded: (instance: Instance, how: string) => void;
}

export interface TaskReport {
  readonly task: number;
  readonly state: string;
  readonly detail: string | null;
  readonly lag: number;
  readonly timersBehindMs: number;
}

export class Instance {
  readonly number: number;
  readonly #options: InstanceOptions;
  #child: ChildProcess | null = null;
  #isStopped = false;
  #hasAnswered = false;
  #startedAt = 0;

  constructor(options: InstanceOptions) {
    this.number = options.number;
    this.#options = options;
  }

  /** Whether there is a process, and it is not stopped by a signal. */
  get isLive(): boolean {
    return this.#child !== null && !this.#isStopped;
  }

  /** When this life began, as of `performance.now()`. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** Whether this life has ever answered that its tasks are given. */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  get data(): string {
    return join(this.#options.directory, `data-${this.number}`);
  }

  /** Where it is there already nothing is done. */
  start(): void {
    if (this.#child !== null) return;
    const { port, directory, brokers, topics, models, sessionMs, onEnded } = this.#options;
    const cluster = ["--brokers", brokers, "--app", APP, "--topics", topics, "--workers", "1"];
    const own = ["--data", this.data, "--port", String(port), "--models", models];
    const child = spawn(process.execPath, [resolve(COMMAND), "run", ...cluster, ...own], {
      env: { PATH: process.env["PATH"] ?? "", SCOREFOLD_KAFKA_SESSION_TIMEOUT: `${sessionMs}ms` },
      stdio: ["ignore", "ignore", "pipe"],
      cwd: directory,
    });
    child.stderr?.pipe(createWriteStream(this.#log, { flags: "a" }));
    this.#child = child;
    this.#isStopped = false;
    this.#hasAnswered = false;
    this.#startedAt = performance.now();
    child.once("exit", (code, signal) => {
      if (this.#child !== child) return;
      this.#child = null;
      onEnded(this, `${signal ?? `exit code ${code}`}`);
    });
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** SIGTERM. @returns the exit code; null where a signal has ended it */
  async terminate(): Promise<number | null> {
    return await this.#end("SIGTERM");
  }

  stop(): void {
    this.#child?.kill("SIGSTOP");
    this.#isStopped = true;
  }

  goOn(): void {
    this.#child?.kill("SIGCONT");
    this.#isStopped = false;
  }

  removeData(): void {
    rmSync(this.data, { recursive: true, force: true });
  }

  /** Its tasks, as it tells them; null where it does not answer. */
  async tasks(): Promise<readonly TaskReport[] | null> {
    if (!this.isLive) return null;
    try {
      const { tasks } = JSON.parse(await ask(this.url("/v1/tasks"), {}, STATUS_MS)) as { tasks: TaskReport[] };
      this.#hasAnswered = true;
      return tasks;
    } catch {
      return null;
    }
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.#options.port}${path}`;
  }

  /** The last that it has said. */
  lastWords(lines: number): string {
    return readFileSync(this.#log, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  }

  get #log(): string {
    return join(this.#options.directory, `instance-${this.number}.log`);
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, "exit") as Promise<[number | null]>;
    child.kill(signal);
    // One that is stopped takes no other signal before it goes on.
    if (signal === "SIGTERM") child.kill("SIGCONT");
    return (await exited)[0];
  }
}
