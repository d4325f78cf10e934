/** Lines of foreign values through a topic's mapping, to try it before the topic has it. */
import { createHash } from "node:crypto";
import { ORIGINAL_BYTES_MAX } from "../events/dead-letter.js";
import { encodeInput } from "../events/encode.js";
import { type LineBatch, readLines, STANDARD_INPUT } from "../rebuild/lines.js";
import { compileTopic } from "../topics/mapping.js";
import type { Mapped, RecordMapper } from "../topics/record.js";
import type { InputTopic } from "../topics/types.js";
import { type Io, visible } from "./io.js";

/** Lines that could not be mapped are told one by one up to here, and then counted. */
const ERRORS_SHOWN_MAX = 20;

export interface MappedCounts {
  inputs: number;
  bad: number;
  /** By reason. */
  readonly skipped: Map<string, number>;
}

/** The hash that ids are made of where a source has none. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * Writes the input of each line to standard output, and what is wrong with a line to standard error. A line has no key
 * and no instant of its own: what a mapping takes of the record is missing.
 *
 * @throws ScorefoldError `input-missing`
 */
export async function mapValues(io: Io, topic: InputTopic, paths: readonly string[]): Promise<MappedCounts> {
  const map = compileTopic(topic, sha256);
  const counts: MappedCounts = { inputs: 0, bad: 0, skipped: new Map() };
  for (const path of paths) {
    const name = path === STANDARD_INPUT ? "standard input" : path;
    for await (const batch of readLines(path, io.stdin)) {
      const text = mappedBatch(batch, map, counts, (line, what) => {
        if (counts.bad <= ERRORS_SHOWN_MAX) io.stderr.write(`${name}:${line}: ${visible(what)}\n`);
      });
      if (text !== "" && !io.stdout.write(text)) await new Promise((done) => io.stdout.once("drain", done));
    }
  }
  if (counts.bad > ERRORS_SHOWN_MAX) io.stderr.write(`and ${counts.bad - ERRORS_SHOWN_MAX} more\n`);
  return counts;
}

function mappedBatch(
  { firstLine, lines }: LineBatch,
  map: RecordMapper,
  counts: MappedCounts,
  tell: (line: number, what: string) => void,
): string {
  let text = "";
  for (const [i, line] of lines.entries()) {
    if (line === "") continue;
    const result = typeof line === "string" ? mappedLine(line, map) : unread(line.bytes);
    if (result.ok === "skipped") counts.skipped.set(result.reason, (counts.skipped.get(result.reason) ?? 0) + 1);
    else if (result.ok) {
      counts.inputs += 1;
      text += `${encodeInput(result.input)}\n`;
    } else {
      counts.bad += 1;
      tell(firstLine + i, `${result.reason}: ${result.error}`);
    }
  }
  return text;
}

function mappedLine(line: string, map: RecordMapper): Mapped {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return { ok: false, reason: "undecodable", error: `not JSON (${(error as Error).message})` };
  }
  return map(value, { key: null, timestamp: Number.NaN, bytes: Buffer.from(line) });
}

function unread(bytes: number): Mapped {
  const error = `${bytes} bytes that are not UTF-8, or more than ${ORIGINAL_BYTES_MAX} of them`;
  return { ok: false, reason: "undecodable", error };
}
