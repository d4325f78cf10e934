/**
 * Writes lines to a file that appears under its name only when it is complete, or straight to a stream or device.
 * Lines are gathered; whoever appends them awaits `flush` when `isFull`, so that memory stays bounded.
 */
import { randomBytes } from "node:crypto";
import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Writable } from "node:stream";
import { ScorefoldError } from "../errors.js";
import { forgetScratch, rememberScratch } from "./scratch.js";

const GATHERED_LENGTH_MAX = 256 * 1024;

/** The name under which standard output is given. */
export const STANDARD_OUTPUT = "-";

/** Where lines go: a path, `-` for standard output, or a stream (which is left open). */
export type OutputTarget = string | Writable;

interface Sink {
  write(text: string): Promise<void>;
  commit(): Promise<void>;
  discard(): Promise<void>;
}

export class LineOutput {
  readonly #name: string;
  readonly #sink: Sink;
  #gathered: string[] = [];
  #gatheredLength = 0;

  private constructor(name: string, sink: Sink) {
    this.#name = name;
    this.#sink = sink;
  }

  /** @throws ScorefoldError `output-failed` or `disk-full` when the target can't be written */
  static async open(target: OutputTarget): Promise<LineOutput> {
    if (typeof target !== "string") return new LineOutput("the output stream", streamSink(target));
    if (target === STANDARD_OUTPUT) return new LineOutput("standard output", streamSink(process.stdout));
    try {
      return new LineOutput(target, await fileSink(target));
    } catch (error) {
      throw writeError(target, error);
    }
  }

  /** Adds a line; `line` has no line end. */
  append(line: string): void {
    this.#gathered.push(line, "\n");
    this.#gatheredLength += line.length + 1;
  }

  get isFull(): boolean {
    return this.#gatheredLength >= GATHERED_LENGTH_MAX;
  }

  /** Hands on what was appended, at the pace of the target. */
  async flush(): Promise<void> {
    if (this.#gathered.length === 0) return;
    const text = this.#gathered.join("");
    this.#gathered = [];
    this.#gatheredLength = 0;
    await this.#guarded(() => this.#sink.write(text));
  }

  /** Writes the rest and, for a file, gives it its name. */
  async commit(): Promise<void> {
    await this.flush();
    await this.#guarded(() => this.#sink.commit());
  }

  /** Gives up: a file that was begun is removed. Does nothing after `commit`. */
  async discard(): Promise<void> {
    this.#gathered = [];
    await this.#sink.discard();
  }

  async #guarded(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      throw writeError(this.#name, error);
    }
  }
}

/** What a write error means to the one who named the file. */
export function writeError(name: string, error: unknown): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  if (error instanceof ScorefoldError || typeof code !== "string") return error;
  if (isDiskFull(error)) {
    return new ScorefoldError("disk-full", `${name}: the disk is full; make room, or name a file on another disk`, {
      cause: error,
    });
  }
  const texts: Readonly<Record<string, string>> = {
    ENOENT: `there is no directory ${dirname(name)}; make it first`,
    ENOTDIR: "a part of the path is a file, not a directory; check the path",
    EISDIR: "this is a directory; name a file",
    EACCES: "no permission to write here; change the directory's mode or name another",
    EPERM: "no permission to write here; change the directory's mode or name another",
    EROFS: "the file system is read-only; name a file elsewhere",
    EPIPE: "the reader has closed the pipe",
  };
  const said = error instanceof Error ? error.message : String(error);
  const text = Object.hasOwn(texts, code) ? texts[code] : `can't be written (${said})`;
  return new ScorefoldError("output-failed", `${name}: ${text}`, { cause: error });
}

/** Whether this error, or one that caused it, says that a disk or a quota is full. */
export function isDiskFull(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = (cause as { code?: unknown }).code;
    // LevelDB passes on only the text of the system's error.
    if (code === "ENOSPC" || code === "EDQUOT" || /No space left|quota exceeded/i.test(cause.message)) return true;
  }
  return false;
}

function streamSink(stream: Writable): Sink {
  // Errors come through the callback of write; without a listener they would also end the process.
  const ignore = (): void => undefined;
  stream.on("error", ignore);
  return {
    write: (text) =>
      new Promise((done, failed) => {
        stream.write(text, (error) => (error ? failed(error) : done()));
      }),
    commit: async () => {
      stream.off("error", ignore);
    },
    discard: async () => undefined,
  };
}

async function fileSink(target: string): Promise<Sink> {
  const existing = await stat(target).catch(() => undefined);
  if (existing?.isDirectory()) throw Object.assign(new Error("is a directory"), { code: "EISDIR" });
  // A device or a pipe has no content to replace at once.
  if (existing !== undefined && !existing.isFile()) return deviceSink(await open(target, "w"));
  // A link stays a link: what it leads to is replaced.
  const path = await realpath(target).catch(() => resolve(target));
  const partial = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.partial`);
  // Before it is there: a signal may come at any time after.
  rememberScratch(partial);
  const file = await open(partial, "wx", existing === undefined ? undefined : existing.mode).catch((error: unknown) => {
    forgetScratch(partial);
    throw error;
  });
  let isOpen = true;
  let isDone = false;
  const close = async (): Promise<void> => {
    if (isOpen) await file.close();
    isOpen = false;
  };
  return {
    write: (text) => file.appendFile(text),
    commit: async () => {
      await file.datasync();
      await close();
      await rename(partial, path);
      isDone = true;
      forgetScratch(partial);
    },
    discard: async () => {
      if (isDone) return;
      isDone = true;
      await close();
      await rm(partial, { force: true });
      forgetScratch(partial);
    },
  };
}

function deviceSink(file: FileHandle): Sink {
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await file.close();
    isOpen = false;
  };
  return { write: (text) => file.appendFile(text), commit: close, discard: close };
}
