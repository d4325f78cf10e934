/**
 * The binary form of Avro's primitive types, read and written to the last bit.
 *
 * avsc parses schemas here, but does not read and write values, since what comes from a log may be anything. In 5.7.9
 * it turns the sign of longs below -2^52 without a word (-4503599627370497 is read as 4503599627370496, and written
 * so), a count in cut-off or foreign bytes keeps it busy for ever, and `__proto__` as a key of a map is lost.
 */

/** Fields, items and entries of one value. An input of the size allowed has more only if they take no bytes. */
const PARTS_MAX = 1_048_576;
/** Bounds recursion, also where nothing is kept; what an input may have in depth is less, and checked later. */
const DEPTH_MAX = 256;
const TWO_27 = 0x800_0000;
const TWO_28 = 0x1000_0000;

/** What is wrong with bytes or a value, and where in the record that is. Caught before it leaves the codec. */
export class AvroProblem extends Error {
  readonly reason: "undecodable" | "invalid" | "too-large";
  /** `.attributes.tags[3]`; put together from the inside while the problem rises. */
  path = "";

  constructor(text: string, reason: AvroProblem["reason"] = "undecodable") {
    super(text);
    this.reason = reason;
  }

  /** As in `attributes.tags[3] is ...`. */
  get sentence(): string {
    const path = this.path.replace(/^\./, "");
    return `${path === "" ? "the record" : path.length > 120 ? `${path.slice(0, 120)}...` : path} ${this.message}`;
  }
}

/** The problem, known to lie below a field (`.name`) or an item (`[3]`). */
export function below(error: unknown, step: string): unknown {
  if (error instanceof AvroProblem) error.path = step.slice(0, 200) + error.path;
  return error;
}

/** Where reading has come to in some bytes. */
export interface Cursor {
  readonly bytes: Buffer;
  at: number;
  parts: number;
  depth: number;
}

/** The same bytes, as avsc and Node's fast readers want them. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function cursorOf(bytes: Uint8Array): Cursor {
  return { bytes: bufferOf(bytes), at: 0, parts: 0, depth: 0 };
}

/** To be called on the way into a record of so many fields, a list or a map; `leave` on the way out. */
export function enter(cursor: Cursor, fields: number): void {
  cursor.depth += 1;
  if (cursor.depth > DEPTH_MAX) throw new AvroProblem(`is nested more than ${DEPTH_MAX} deep`, "invalid");
  countParts(cursor, fields + 1);
}

export function leave(cursor: Cursor): void {
  cursor.depth -= 1;
}

function countParts(cursor: Cursor, count: number): void {
  cursor.parts += count;
  if (cursor.parts > PARTS_MAX) throw new AvroProblem(`has more than ${PARTS_MAX} parts`);
}

function cutOff(cursor: Cursor): AvroProblem {
  return new AvroProblem(`is cut off: the bytes end after ${cursor.bytes.length}`);
}

function readByte(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at];
  if (byte === undefined) throw cutOff(cursor);
  cursor.at += 1;
  return byte;
}

export function readBoolean(cursor: Cursor): boolean {
  const byte = readByte(cursor);
  if (byte > 1) throw new AvroProblem(`has the byte ${byte} in place of a truth value`);
  return byte === 1;
}

/** A long that is beyond what a number holds exactly is a problem, never a rounded number. */
export function readLong(cursor: Cursor): number {
  const value = readNearLong(cursor);
  if (!Number.isSafeInteger(value)) throw inexact(varint);
  return value;
}

/** Exact where it is a safe integer; beyond that merely as far beyond. */
function readNearLong(cursor: Cursor): number {
  const first = cursor.bytes[cursor.at];
  if (first !== undefined && first < 0x80) {
    cursor.at += 1;
    return (first >> 1) ^ -(first & 1);
  }
  const { low, middle, high } = readVarint(cursor);
  // Half of the zigzag, rounded down. Exact unless it is beyond 2^53, where it stays beyond it.
  const half = (low >>> 1) + middle * TWO_27 + high * (TWO_27 * TWO_28);
  return (low & 1) === 0 ? half : -half - 1;
}

/** Goes over a long that nobody asks for, whatever its size. */
export function passLong(cursor: Cursor): void {
  readVarint(cursor);
}

/** The 64 bits as written (zigzag): 28 low bits, the 28 above, and the last 8. */
interface Varint {
  low: number;
  middle: number;
  high: number;
}

const varint: Varint = { low: 0, middle: 0, high: 0 };

/** The answer is one object for all calls: it is read at once, and a replay reads millions of these. */
function readVarint(cursor: Cursor): Varint {
  varint.low = 0;
  varint.middle = 0;
  varint.high = 0;
  for (let index = 0; index < 10; index += 1) {
    const byte = readByte(cursor);
    const bits = byte & 0x7f;
    if (index < 4) varint.low |= bits << (7 * index);
    else if (index < 8) varint.middle |= bits << (7 * (index - 4));
    else varint.high |= bits << (7 * (index - 8));
    if (byte < 0x80) {
      if (varint.high > 0xff) break;
      return varint;
    }
  }
  throw new AvroProblem("holds a number of more than 64 bits");
}

function inexact({ low, middle, high }: Varint): AvroProblem {
  const written = (BigInt(high) << 56n) | (BigInt(middle) << 28n) | BigInt(low);
  const exact = (low & 1) === 0 ? written >> 1n : -(written >> 1n) - 1n;
  const text = `is ${exact}, a long beyond ±${Number.MAX_SAFE_INTEGER}, which would have to be rounded`;
  return new AvroProblem(`${text}; send it as a string`, "invalid");
}

export function readInt(cursor: Cursor): number {
  const value = readNearLong(cursor);
  if (value !== (value | 0)) throw new AvroProblem(`is ${value}, which is no int of 32 bits`);
  return value;
}

export function readFloat(cursor: Cursor): number {
  return cursor.bytes.readFloatLE(pass(cursor, 4));
}

export function readDouble(cursor: Cursor): number {
  return cursor.bytes.readDoubleLE(pass(cursor, 8));
}

/** Goes over so many bytes. @returns where they begin */
function pass(cursor: Cursor, count: number): number {
  const start = cursor.at;
  if (count > cursor.bytes.length - start) throw cutOff(cursor);
  cursor.at = start + count;
  return start;
}

/** A length, or the place of a branch or symbol: never below 0. */
export function readSize(cursor: Cursor): number {
  const size = readNearLong(cursor);
  if (size < 0 || !Number.isSafeInteger(size)) throw new AvroProblem(`has ${size} for a length, branch or symbol`);
  return size;
}

/** How many items the next block of a list or map has; 0 ends it. */
export function readBlockCount(cursor: Cursor): number {
  let count = readNearLong(cursor);
  if (count < 0) {
    // The size of the block in bytes, for readers that jump over it.
    count = -count;
    readSize(cursor);
  }
  countParts(cursor, count);
  return count;
}

export function readBytes(cursor: Cursor, count: number): Uint8Array {
  const start = pass(cursor, count);
  return new Uint8Array(cursor.bytes.subarray(start, start + count));
}

/** Fails instead of putting U+FFFD, and takes nothing away: a byte order mark is a character of the text. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function readText(cursor: Cursor): string {
  const length = readSize(cursor);
  const start = pass(cursor, length);
  const { bytes } = cursor;
  const end = start + length;
  for (let index = start; index < end; index += 1) {
    if ((bytes[index] as number) < 0x80) continue;
    try {
      return utf8.decode(bytes.subarray(start, end));
    } catch {
      throw new AvroProblem("is not UTF-8");
    }
  }
  return bytes.toString("latin1", start, end);
}

/** Bytes in the making. */
export interface Sink {
  bytes: Buffer;
  at: number;
}

const SINK_BYTES = 1024;
const SINK_BYTES_KEPT = 65_536;

export function newSink(): Sink {
  return { bytes: Buffer.allocUnsafe(SINK_BYTES), at: 0 };
}

/** Begins anew, with the memory of before, unless a large value made it large. */
export function rewind(sink: Sink): void {
  sink.at = 0;
  if (sink.bytes.length > SINK_BYTES_KEPT) sink.bytes = Buffer.allocUnsafe(SINK_BYTES);
}

export function written(sink: Sink): Uint8Array {
  return new Uint8Array(sink.bytes.subarray(0, sink.at));
}

/** The same in a piece of the memory that Node keeps for small buffers, which costs half as much. */
export function writtenBuffer(sink: Sink): Buffer {
  const copy = Buffer.allocUnsafe(sink.at);
  sink.bytes.copy(copy, 0, 0, sink.at);
  return copy;
}

/** Makes room for so many bytes more. */
function reserve(sink: Sink, count: number): Buffer {
  if (sink.at + count > sink.bytes.length) {
    const grown = Buffer.allocUnsafe(Math.max(sink.bytes.length * 2, sink.at + count));
    sink.bytes.copy(grown, 0, 0, sink.at);
    sink.bytes = grown;
  }
  return sink.bytes;
}

export function writeByte(sink: Sink, byte: number): void {
  reserve(sink, 1)[sink.at] = byte;
  sink.at += 1;
}

export function writeBytes(sink: Sink, bytes: Uint8Array): void {
  reserve(sink, bytes.length).set(bytes, sink.at);
  sink.at += bytes.length;
}

/** @param value a safe integer */
export function writeLong(sink: Sink, value: number): void {
  const bytes = reserve(sink, 10);
  let at = sink.at;
  if (value >= 0 && value < 64) {
    bytes[at] = 2 * value;
    sink.at = at + 1;
    return;
  }
  // Zigzag is twice the half, plus one for a negative number; only the half stays exact for every safe integer.
  let half = value < 0 ? -value - 1 : value;
  let byte = (half % 64) * 2 + (value < 0 ? 1 : 0);
  half = Math.floor(half / 64);
  while (half > 0) {
    bytes[at] = byte | 0x80;
    at += 1;
    byte = half % 128;
    half = Math.floor(half / 128);
  }
  bytes[at] = byte;
  sink.at = at + 1;
}

export function writeDouble(sink: Sink, value: number): void {
  // -0 is 0, as in JSON.
  reserve(sink, 8).writeDoubleLE(value + 0, sink.at);
  sink.at += 8;
}

/** Below that, a loop takes less than the call of a native function; and their length takes one byte. */
const SHORT_LENGTH = 64;

export function writeText(sink: Sink, text: string): void {
  if (text.length < SHORT_LENGTH && writeShort(sink, text)) return;
  if (isAscii(text)) {
    writeLong(sink, text.length);
    sink.at += reserve(sink, text.length).write(text, sink.at, text.length, "latin1");
    return;
  }
  if (/\p{Cs}/u.test(text)) throw new AvroProblem("holds half of a surrogate pair, which UTF-8 can't say");
  const length = Buffer.byteLength(text);
  writeLong(sink, length);
  sink.at += reserve(sink, length).write(text, sink.at, length, "utf8");
}

/** @returns false for what is not ASCII, of which nothing is written */
function writeShort(sink: Sink, text: string): boolean {
  const { length } = text;
  const bytes = reserve(sink, length + 1);
  const begin = sink.at + 1;
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return false;
    bytes[begin + index] = code;
  }
  bytes[begin - 1] = 2 * length;
  sink.at = begin + length;
  return true;
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}
