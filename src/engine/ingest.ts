/** Files of input lines into an engine, at the pace at which it folds them. */
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { ScorefoldError } from "../errors.js";
import type { Original } from "../events/dead-letter.js";
import type { DeadLetterReason, Decoded } from "../events/decode.js";
import type { EpochMs } from "../events/types.js";
import { readError, readLines, STANDARD_INPUT } from "../rebuild/lines.js";

/** Appends that are on their way to disk while the next lines are read. */
const APPENDS_MAX = 4;

/** Whatever takes lines: the log of this process, or an engine elsewhere. */
export interface LineSink {
  append(lines: readonly Original[], source: { name: string; firstLine: number }): Promise<IngestedLines>;
  /** Resolves when more may come. */
  ready(): Promise<void>;
}

/** What became of lines: where they are in the log, and which of them can't be used. */
export interface IngestedLines {
  /** Null where they lie in several topics, on a cluster. */
  readonly end: number | null;
  readonly decoded: readonly Pick<Decoded & { reason: DeadLetterReason }, "ok" | "reason">[];
}

export interface IngestReport {
  /** Lines that are not blank. */
  lines: number;
  readonly refused: Map<DeadLetterReason, number>;
  /** The offset after the last line; null where there was none, or where there is no such one offset. */
  end: number | null;
  readonly emptyFiles: string[];
}

export interface IngestOptions {
  readonly files: readonly string[];
  readonly stdin?: Readable;
  readonly onProgress: (bytes: number, total: number | undefined, lines: number) => void;
}

/**
 * Appends the lines of files, in order; all of them are on disk when it resolves.
 *
 * @throws ScorefoldError `input-missing`, and what appending throws: then the lines up to there are in the log
 */
export async function ingestFiles(sink: LineSink, options: IngestOptions): Promise<IngestReport> {
  const total = await totalBytes(options.files);
  const report: IngestReport = { lines: 0, refused: new Map(), end: null, emptyFiles: [] };
  let bytesBefore = 0;
  const underWay: Promise<void>[] = [];
  const append = async (lines: readonly Original[], name: string, firstLine: number): Promise<void> => {
    const { end, decoded } = await sink.append(lines, { name, firstLine });
    if (end !== null) report.end = Math.max(report.end ?? 0, end);
    for (const one of decoded) {
      if (!one.ok) report.refused.set(one.reason, (report.refused.get(one.reason) ?? 0) + 1);
    }
  };
  for (const file of options.files) {
    let bytes = 0;
    const linesBefore = report.lines;
    for await (const batch of readLines(file, options.stdin)) {
      for (const { lines, firstLine } of withoutBlanks(batch.lines, batch.firstLine)) {
        report.lines += lines.length;
        const appended = append(lines, file, firstLine);
        // An error comes out of the wait below; until then it is nobody's.
        appended.catch(() => undefined);
        underWay.push(appended);
        if (underWay.length >= APPENDS_MAX) await underWay.shift();
      }
      bytes = batch.bytesRead;
      options.onProgress(bytesBefore + bytes, total, report.lines);
      await sink.ready();
    }
    bytesBefore += bytes;
    if (report.lines === linesBefore) report.emptyFiles.push(file);
  }
  for (const appended of underWay) await appended;
  return report;
}

/** Runs of lines that are not blank, each with the number of its first line, so that a place can be named. */
function* withoutBlanks(
  lines: readonly Original[],
  firstLine: number,
): Generator<{ lines: readonly Original[]; firstLine: number }> {
  const isBlank = (line: Original): boolean => typeof line === "string" && (line === "" || line.trim() === "");
  let start = 0;
  for (let i = 0; i <= lines.length; i++) {
    if (i < lines.length && !isBlank(lines[i]!)) continue;
    if (i > start) yield { lines: lines.slice(start, i), firstLine: firstLine + start };
    start = i + 1;
  }
}

/** The bytes of all files, so that a missing one is found before an hour was spent on the others. */
async function totalBytes(files: readonly string[]): Promise<number | undefined> {
  let total: number | undefined = 0;
  for (const file of files) {
    if (file === STANDARD_INPUT) {
      total = undefined;
      continue;
    }
    const found = await stat(file).catch((error: unknown) => {
      throw readError(file, error, 0);
    });
    if (!found.isFile()) {
      if (found.isDirectory())
        throw new ScorefoldError("input-missing", `${file}: this is a directory; name the files in it`);
      total = undefined;
    } else if (total !== undefined) {
      total += found.size;
    }
  }
  return total;
}

/** The instant that timers go to after an ingest. */
export type Until = "last" | "now" | EpochMs;
