/**
 * Reads files line by line with bounded memory: a line that is too long is never held whole. Lines are counted from 1,
 * empty ones too, so that a message can name the place.
 */
import { isAscii, isUtf8 } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import { open } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { ScorefoldError } from "../errors.js";
import { type BrokenOriginal, brokenOriginal, ORIGINAL_BYTES_MAX } from "../events/dead-letter.js";

/** What is kept of a line; the rest of a longer one is only counted and hashed. */
export const LINE_BYTES_MAX = ORIGINAL_BYTES_MAX;
const CHUNK_BYTES = 1024 * 1024;
const LINE_FEED = 10;

/** The name under which standard input is given. */
export const STANDARD_INPUT = "-";

/** A line that can't be a text: too long, or not UTF-8; lengths are without the line feed. */
export type BrokenLine = BrokenOriginal;

export interface LineBatch {
  /** The number of the first of these lines in its file. */
  readonly firstLine: number;
  /** Without line ends; empty lines are empty texts. */
  readonly lines: readonly (string | BrokenLine)[];
  /** Bytes of the file read so far, as they are on disk. */
  readonly bytesRead: number;
}

/**
 * The lines of a file, of a `.gz` file (told by its first bytes or its name), or of standard input (`-`), in batches of
 * about a megabyte. Lines end with LF or CR LF; the last needs no end; a byte order mark is skipped.
 *
 * @throws ScorefoldError `input-missing` when the file can't be read, or its gzip data are cut off or damaged
 */
export async function* readLines(path: string, stdin: Readable = process.stdin): AsyncGenerator<LineBatch> {
  const counter = { bytes: 0 };
  const splitter = new LineSplitter();
  let firstLine = 1;
  try {
    const raw = path === STANDARD_INPUT ? stdin : await openFile(path);
    for await (const chunk of unzipped(counted(raw, counter), path.endsWith(".gz"))) {
      const lines = splitter.split(chunk);
      if (firstLine === 1 && lines.length > 0) lines[0] = withoutByteOrderMark(lines[0] as string | BrokenLine);
      yield { firstLine, lines, bytesRead: counter.bytes };
      firstLine += lines.length;
    }
    const last = splitter.end();
    if (last !== undefined) {
      const lines = [firstLine === 1 ? withoutByteOrderMark(last) : last];
      yield { firstLine, lines, bytesRead: counter.bytes };
    }
  } catch (error) {
    throw readError(path, error, counter.bytes);
  }
}

/** What a read error means to the one who named the file. */
export function readError(path: string, error: unknown, bytesRead: number): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  if (error instanceof ScorefoldError || typeof code !== "string") return error;
  const name = path === STANDARD_INPUT ? "standard input" : path;
  const said = error instanceof Error ? error.message : String(error);
  const texts: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file; check the name and the directory",
    ENOTDIR: "a part of the path is a file, not a directory; check the path",
    EISDIR: "this is a directory; name the files in it",
    EACCES: "no permission to read the file; change its mode or run as its owner",
    EPERM: "no permission to read the file; change its mode or run as its owner",
    Z_BUF_ERROR: `the gzip data end too early, after ${bytesRead} bytes; copy the file again, whole`,
    Z_DATA_ERROR: `the gzip data are damaged within the first ${bytesRead} bytes (${said}); copy the file again`,
  };
  const text = Object.hasOwn(texts, code) ? texts[code] : `can't be read (${said})`;
  return new ScorefoldError("input-missing", `${name}: ${text}`, { cause: error });
}

async function openFile(path: string): Promise<Readable> {
  const file = await open(path, "r");
  return file.createReadStream({ highWaterMark: CHUNK_BYTES });
}

async function* counted(source: Readable, counter: { bytes: number }): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : (chunk as Buffer);
    counter.bytes += bytes.length;
    yield bytes;
  }
}

async function* unzipped(source: AsyncGenerator<Buffer>, namedGzip: boolean): AsyncGenerator<Buffer> {
  let head = await source.next();
  // A pipe may give a single byte first; two tell gzip.
  while (head.done !== true && head.value.length < 2) {
    const more = await source.next();
    if (more.done === true) break;
    head = { done: false, value: Buffer.concat([head.value, more.value]) };
  }
  if (head.done === true) return;
  const whole = continued(head.value, source);
  if (!namedGzip && !(head.value[0] === 0x1f && head.value[1] === 0x8b)) {
    yield* whole;
    return;
  }
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  // An error on either side destroys the other, and comes out of the loop below.
  pipeline(Readable.from(whole), gunzip, () => undefined);
  for await (const chunk of gunzip) yield chunk as Buffer;
}

async function* continued(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

function withoutByteOrderMark(line: string | BrokenLine): string | BrokenLine {
  return typeof line === "string" && line.charCodeAt(0) === 0xfeff ? line.slice(1) : line;
}

/** Cuts chunks into lines, keeping the unfinished line between chunks. */
class LineSplitter {
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Set once the unfinished line is longer than what is kept of it. */
  #long: { readonly head: Buffer; readonly hash: Hash } | undefined;

  /** The lines that end in this chunk. */
  split(chunk: Buffer): (string | BrokenLine)[] {
    const last = chunk.lastIndexOf(LINE_FEED);
    if (last < 0) {
      this.#hold(chunk);
      return [];
    }
    const lines: (string | BrokenLine)[] = [];
    let start = 0;
    if (this.#heldBytes > 0) {
      start = chunk.indexOf(LINE_FEED) + 1;
      this.#hold(chunk.subarray(0, start - 1));
      lines.push(this.#take());
    }
    if (start <= last) addLines(chunk.subarray(start, last), lines);
    if (last + 1 < chunk.length) this.#hold(chunk.subarray(last + 1));
    return lines;
  }

  /** The last line, if it has no line end. */
  end(): string | BrokenLine | undefined {
    return this.#heldBytes > 0 ? this.#take() : undefined;
  }

  #hold(part: Buffer): void {
    this.#heldBytes += part.length;
    if (this.#long !== undefined) {
      this.#long.hash.update(part);
      return;
    }
    this.#held.push(part);
    if (this.#heldBytes > LINE_BYTES_MAX) {
      const all = Buffer.concat(this.#held);
      this.#held = [];
      this.#long = { head: Buffer.from(all.subarray(0, LINE_BYTES_MAX)), hash: createHash("sha256").update(all) };
    }
  }

  #take(): string | BrokenLine {
    const bytes = this.#heldBytes;
    const long = this.#long;
    const held = this.#held;
    this.#heldBytes = 0;
    this.#long = undefined;
    this.#held = [];
    return long === undefined
      ? lineOf(held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held))
      : brokenOriginal(long.head, bytes, long.hash.digest("hex"));
  }
}

/** Adds the lines of a block that ends before a line feed. One conversion for all of them is what makes this fast. */
function addLines(block: Buffer, lines: (string | BrokenLine)[]): void {
  if (!isUtf8(block)) {
    let start = 0;
    for (let end = block.indexOf(LINE_FEED); end >= 0; end = block.indexOf(LINE_FEED, start)) {
      lines.push(lineOf(block.subarray(start, end)));
      start = end + 1;
    }
    lines.push(lineOf(block.subarray(start)));
    return;
  }
  for (const line of block.toString(isAscii(block) ? "latin1" : "utf8").split("\n")) {
    if (line.length * 3 > LINE_BYTES_MAX) lines.push(lineOf(Buffer.from(line)));
    else lines.push(line.endsWith("\r") ? line.slice(0, -1) : line);
  }
}

function lineOf(bytes: Buffer): string | BrokenLine {
  if (bytes.length > LINE_BYTES_MAX || !isUtf8(bytes)) {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return brokenOriginal(bytes.subarray(0, LINE_BYTES_MAX), bytes.length, sha256);
  }
  const line = bytes.toString();
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
