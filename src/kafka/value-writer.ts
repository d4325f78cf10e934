/** Values of what is published: JSON, or Avro in the wire format where there is a schema registry. */
import { createHash } from "node:crypto";
import { type OutputRecord, outputWriter } from "../events/avro.js";
import {
  type DeadLetter,
  encodeDeadLetter,
  inBase64,
  ORIGINAL_BYTES_MAX,
  originalFields,
} from "../events/dead-letter.js";
import { encodeOutput } from "../events/encode.js";
import type { Output } from "../events/types.js";
import type { OutputTopics } from "./output-topics.js";
import type { SchemaRegistry } from "./registry.js";
import { outputSubjects, registerSubjects } from "./schemas.js";
import { HEAD_BYTES, MAGIC } from "./values.js";

export interface ValueWriter {
  output(output: Output): string | Buffer;
  deadLetter(letter: DeadLetter): string | Buffer;
}

/** A broker refuses a record above 1,048,588 bytes, and with it its transaction, for ever. */
const LETTER_BYTES_MAX = 900_000;

export const jsonWriter: ValueWriter = {
  output: encodeOutput,
  deadLetter: (letter) => fitted(letter, encodeDeadLetter, (value) => Buffer.byteLength(value)),
};

/**
 * Writes with the shipped schemas, which it registers where they are not.
 *
 * @throws ScorefoldError `schema-incompatible`, `registry-failed`
 */
export async function avroWriter(registry: SchemaRegistry, topics: OutputTopics): Promise<ValueWriter> {
  const subjects = outputSubjects(topics);
  const ids = await registerSubjects(registry, Object.values(subjects));
  const { scoreChanged, thresholdCrossed, deadLetters } = subjects;
  const [changed, erased] = scoreChanged.schema as readonly unknown[];
  const changes = ids.get(scoreChanged.subject)!;
  const writers = {
    ScoreChanged: outputWriter(changed, headOf(changes, 0)),
    ContactErased: outputWriter(erased, headOf(changes, 1)),
    ThresholdCrossed: outputWriter(thresholdCrossed.schema, headOf(ids.get(thresholdCrossed.subject)!)),
  };
  const letters = outputWriter(deadLetters.schema, headOf(ids.get(deadLetters.subject)!));
  return {
    output: (output) => written(writers[output.kind], output),
    deadLetter: (letter) =>
      fitted(
        letter,
        ({ original, ...rest }) => written(letters, { ...rest, ...originalFields(original) }),
        (value) => value.length,
      ),
  };
}

/** @param branch of the schema, where it is a union of a few */
function headOf(id: number, branch?: number): Uint8Array {
  const head = Buffer.alloc(branch === undefined ? HEAD_BYTES : HEAD_BYTES + 1);
  head[0] = MAGIC;
  head.writeUInt32BE(id, 1);
  if (branch !== undefined) head[HEAD_BYTES] = 2 * branch;
  return head;
}

/** Texts with half of a surrogate pair, which UTF-8 can't say, get U+FFFD for it: they must not stop a transaction. */
function written(write: (value: OutputRecord) => Buffer, value: OutputRecord): Buffer {
  try {
    return write(value);
  } catch {
    return write(wellFormed(value) as OutputRecord);
  }
}

function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return Buffer.from(value).toString("utf8");
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, wellFormed(own)]));
}

/** A letter that would be too large with its original as text, as of control characters, has it in base64. */
function fitted<T>(letter: DeadLetter, encode: (letter: DeadLetter) => T, bytesOf: (value: T) => number): T {
  const value = encode(letter);
  if (bytesOf(value) <= LETTER_BYTES_MAX) return value;
  const { original } = letter;
  if (typeof original === "string") {
    const all = Buffer.from(original);
    const sha256 = createHash("sha256").update(all).digest("hex");
    return encode({ ...letter, original: inBase64(all.subarray(0, ORIGINAL_BYTES_MAX), all.length, sha256) });
  }
  const { head, bytes, sha256 } = original;
  return encode({ ...letter, original: inBase64(Buffer.from(head), bytes, sha256) });
}
