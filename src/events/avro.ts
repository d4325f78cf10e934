/**
 * Inputs and outputs in Avro, by the schemas of `schemas/*.avsc`; whoever reads those files passes them in. Bytes are
 * the bare body of a record, without header, magic byte or schema id.
 *
 * Inputs go through the same checks as those in JSON: what is read is the plain value that `decodeInput` takes, so
 * limits, reasons and messages are the same. Schemas that don't fit each other are an Error when a reader is made, since
 * no record can then be read; bytes that can't be read are an answer, since the next record may be good.
 */
import {
  AvroProblem,
  type Cursor,
  cursorOf,
  newSink,
  rewind,
  type Sink,
  writeBytes,
  written,
  writtenBuffer,
} from "./avro-bytes.js";
import { plainReader, type RecordReader, recordReader } from "./avro-read.js";
import { type AvroType, avroType, shortName, typeLabel } from "./avro-schema.js";
import { type Write, writerOf } from "./avro-write.js";
import type { DeadLetter } from "./dead-letter.js";
import { type Decoded, decodeInput, INPUT_BYTES_MAX, type Refused, tooLarge } from "./decode.js";
import type { ContactErased, Input, ScoreChanged, ScoreLine, ThresholdCrossed } from "./types.js";

export interface InputCodec {
  /** The same content always gives the same bytes. @throws Error that names the field, for what Avro or the schema can't say */
  encode(input: Input): Uint8Array;
  /** Never throws. */
  decode(bytes: Uint8Array): Decoded;
}

/** Reads bytes of one writer's schema. Never throws. */
export type InputReader = (bytes: Uint8Array) => Decoded;

/**
 * Writes and reads inputs by one schema: that of a topic of interactions, of `contacts` or of `adjustments`.
 *
 * @throws Error that says what is wrong with the schema
 */
export function inputCodec(schema: unknown): InputCodec {
  const type = avroType(schema);
  const kind = kindOfInput(type);
  const encode = encoder(type, writerOf(type), written);
  return {
    encode(input) {
      if (input.kind !== kind) throw new Error(`${article(input.kind)} can't be written as ${type.name}`);
      const bytes = encode(input);
      if (bytes.length > INPUT_BYTES_MAX) {
        throw new Error(`the ${kind} has ${bytes.length} bytes as Avro; at most ${INPUT_BYTES_MAX} can be read again`);
      }
      return bytes;
    },
    decode: inputDecoder(type, type),
  };
}

/**
 * Reads what was written with another schema, newer or older, as an input of the topic whose schema is `readerSchema`.
 * Fields at the top that only the writer has are named in `ignored`, as those of JSON are; a long in them may be any.
 * Making a reader costs a thousand times as much as reading: the caller keeps one for each writer's schema.
 *
 * @throws Error that names the field, where the schemas don't fit, and for what is no schema
 */
export function inputReader(writerSchema: unknown, readerSchema: unknown): InputReader {
  return inputDecoder(avroType(writerSchema), avroType(readerSchema));
}

/** What is read of some bytes: a value as JSON.parse would give it, with names of fields at its top that mean nothing. */
export type ReadValue = { readonly ok: true; readonly value: unknown; readonly ignored: readonly string[] } | Refused;

/**
 * Reads bytes of a writer's schema to the value that `decodeInput` takes, or that is to be made into one.
 *
 * @param readerSchema the shipped schema by which they are to be read, which says their `kind`; undefined: as written
 * @throws Error that says what is wrong with a schema, or names the field where they don't fit
 */
export function valueReader(writerSchema: unknown, readerSchema?: unknown): (bytes: Uint8Array) => ReadValue {
  const writer = avroType(writerSchema);
  if (readerSchema !== undefined) return kindReader(writer, avroType(readerSchema));
  return bodyReader({ read: plainReader(writer), ignored: [] }, writer);
}

/** The name of the record that a schema says, with its namespace; undefined for another type. */
export function recordName(schema: unknown): string | undefined {
  const type = avroType(schema);
  return type.typeName === "record" ? type.name : undefined;
}

/** A dead letter as its schema has it; `originalFields` makes the last four of an original. */
export interface DeadLetterRecord extends Omit<DeadLetter, "original"> {
  readonly original: string;
  readonly originalBase64?: string;
  readonly length?: number;
  readonly sha256?: string;
}

export type OutputRecord = ScoreChanged | ThresholdCrossed | ContactErased | ScoreLine | DeadLetterRecord;

export type DecodedOutput<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: string };

export interface OutputCodec<T> {
  /** The same content always gives the same bytes. @throws Error that names the field, for what the schema can't say */
  encode(value: T): Uint8Array;
  /** What was encoded with this schema; dimensions come in the order of their ids. Never throws. */
  decode(bytes: Uint8Array): DecodedOutput<T>;
}

/** Writes and reads one sort of output by its schema. @throws Error that says what is wrong with the schema */
export function outputCodec<T extends OutputRecord>(schema: unknown): OutputCodec<T> {
  const type = avroType(schema);
  const name = shortName(type.name);
  const isEvent = name === "ScoreChanged" || name === "ThresholdCrossed" || name === "ContactErased";
  if (!isEvent && name !== "ScoreLine" && name !== "DeadLetter") throw noName(name, "an output");
  const reader = recordReader(type, type);
  const encode = encoder(type, writerOf(type), written);
  return {
    encode(value) {
      const kind = "kind" in value ? value.kind : undefined;
      if (kind !== (isEvent ? name : undefined)) throw new Error(`${kind ?? "a record"} can't be written as ${name}`);
      return encode(value);
    },
    decode(bytes) {
      const found = body(reader, bytes, type);
      if (found instanceof AvroProblem) return { ok: false, error: unreadable(found, type) };
      const value: Record<string, unknown> =
        name === "DeadLetter" ? { ...withoutNulls(found), source: found["source"] } : { ...found };
      if (typeof value["cause"] === "object") value["cause"] = withoutNulls(value["cause"] as PlainRecord);
      return { ok: true, value: (isEvent ? { kind: name, ...value } : value) as unknown as T };
    },
  };
}

type PlainRecord = Readonly<Record<string, unknown>>;

/** What an input of this schema is, by the name of its record. */
function kindOfInput(type: AvroType): Input["kind"] {
  const name = shortName(type.name);
  if (name === "Profile") return "profile";
  if (name === "Adjustment") return "adjustment";
  if (name.endsWith("Interaction")) return "interaction";
  throw noName(name, "an input: Profile, Adjustment, or a name that ends with Interaction");
}

function noName(name: string, what: string): Error {
  return new Error(`the schema can't be used: its record is named ${name}, which is not the name of ${what}`);
}

function article(kind: Input["kind"]): string {
  return kind === "profile" ? "a profile" : `an ${kind}`;
}

function inputDecoder(writer: AvroType, type: AvroType): InputReader {
  const read = kindReader(writer, type);
  return (bytes) => decodeRead(read(bytes));
}

/** The input that a value is, if it was read. */
export function decodeRead(found: ReadValue): Decoded {
  if (!found.ok) return found;
  const decoded = decodeInput(found.value);
  return decoded.ok && found.ignored.length > 0 ? { ...decoded, ignored: found.ignored } : decoded;
}

/** Reads records as those of a shipped schema, each with the kind of input that it is. */
function kindReader(writer: AvroType, type: AvroType): (bytes: Uint8Array) => ReadValue {
  const kind = kindOfInput(type);
  const { read, ignored } = recordReader(writer, type);
  return bodyReader({ read: (cursor) => withKind(read(cursor) as PlainRecord, kind), ignored }, writer);
}

/** The value that was just read, and is nobody else's, as `decodeInput` wants it. */
function withKind(value: PlainRecord, kind: Input["kind"]): PlainRecord {
  (value as Record<string, unknown>)["kind"] = kind;
  return value;
}

function bodyReader({ read, ignored }: RecordReader, writer: AvroType): (bytes: Uint8Array) => ReadValue {
  const reader = { read: (cursor: Cursor) => bounded(cursor, read(cursor)), ignored };
  return (bytes) => {
    if (bytes.length > INPUT_BYTES_MAX) return tooLarge(bytes.length);
    const found = body(reader, bytes, writer);
    if (found instanceof AvroProblem) return refusal(found, writer);
    return { ok: true, value: found, ignored };
  };
}

/** A long that is too large is a wrong value; everything else means that these are not the bytes of such a record. */
function refusal(problem: AvroProblem, writer: AvroType): Refused {
  if (problem.reason === "undecodable") {
    return { ok: false, reason: "undecodable", error: unreadable(problem, writer) };
  }
  return { ok: false, reason: problem.path === ".at" ? "bad-instant" : problem.reason, error: problem.sentence };
}

function unreadable(problem: AvroProblem, writer: AvroType): string {
  return `not readable as ${writer.name ?? typeLabel(writer)}: ${problem.sentence}; was it written with another schema?`;
}

/** What has no more than these can't be much longer as JSON than an input may be, and is not looked at. */
const PARTS_PLAIN_MAX = 5_000;
const BYTES_PLAIN_MAX = 32 * 1024;
/** As JSON, in which inputs are kept and passed on: nulls take no bytes in Avro, and control characters six times less. */
const JSON_LENGTH_MAX = 2 * INPUT_BYTES_MAX;

function bounded(cursor: Cursor, value: unknown): unknown {
  if (cursor.parts <= PARTS_PLAIN_MAX && cursor.at <= BYTES_PLAIN_MAX) return value;
  const { length } = JSON.stringify(value);
  if (length <= JSON_LENGTH_MAX) return value;
  throw new AvroProblem(`has ${length} characters as JSON; at most ${JSON_LENGTH_MAX} are allowed`, "too-large");
}

/** The record that these bytes are, all of them. */
function body(reader: RecordReader, bytes: Uint8Array, writer: AvroType): PlainRecord | AvroProblem {
  const cursor: Cursor = cursorOf(bytes);
  try {
    const value = reader.read(cursor) as PlainRecord;
    const rest = bytes.length - cursor.at;
    if (rest > 0)
      return new AvroProblem(`is followed by ${rest} bytes that are not part of ${writer.name ?? typeLabel(writer)}`);
    return value;
  } catch (error) {
    if (error instanceof AvroProblem) return error;
    throw error;
  }
}

/**
 * Writes one sort of output, behind bytes that come first in each value.
 *
 * @throws Error that says what is wrong with the schema; of what is returned: that names the field, for what it can't say
 */
export function outputWriter(schema: unknown, head: Uint8Array): (value: OutputRecord) => Buffer {
  const type = avroType(schema);
  return encoder(type, writerOf(type), writtenBuffer, head);
}

/** One piece of memory serves all values that are written: what is returned is a copy. */
function encoder<T>(type: AvroType, write: Write, copy: (sink: Sink) => T, head?: Uint8Array): (value: object) => T {
  const sink: Sink = newSink();
  return (value) => {
    rewind(sink);
    if (head !== undefined) writeBytes(sink, head);
    try {
      write(sink, value);
    } catch (error) {
      if (error instanceof AvroProblem) throw new Error(`can't be written as ${type.name}: ${error.sentence}`);
      throw error;
    }
    return copy(sink);
  };
}

function withoutNulls(record: PlainRecord): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));
}
