/** The streams of a command in memory. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { afterAll, beforeAll } from "vitest";
import type { Io } from "../../src/cli/io.js";
import { run } from "../../src/cli/run.js";

class TextSink extends Writable {
  text = "";
  readonly isTTY: boolean;

  constructor(isTTY: boolean) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

export interface MemoryIo extends Io {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
}

export interface MemoryIoOptions {
  readonly stdin?: string;
  readonly terminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export function memoryIo({ stdin = "", terminal = false, env = {} }: MemoryIoOptions = {}): MemoryIo {
  return {
    stdin: Object.assign(Readable.from([Buffer.from(stdin)]), { isTTY: terminal }),
    stdout: new TextSink(terminal),
    stderr: new TextSink(terminal),
    env,
    cwd: process.cwd(),
  };
}

export interface Told {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in this process. Paths among the arguments must be absolute. */
export async function told(args: readonly string[], options: MemoryIoOptions = {}): Promise<Told> {
  const io = memoryIo(options);
  const code = await run(args, io);
  return { code, stdout: io.stdout.text, stderr: io.stderr.text };
}

/** A directory for the tests of a file: a function that writes a text there and returns its path. */
export function testFiles(): (name: string, text: string) => string {
  let directory = "";
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "cli-test-"));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return (name, text) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
}
