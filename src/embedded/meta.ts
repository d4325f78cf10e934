/** What the log keeps beside its records: the format it is written in, its name, and what its task has committed. */
import { randomUUID } from "node:crypto";
import { sealed, unsealed } from "../database/checksum.js";
import type { Database } from "../database/database.js";
import { ScorefoldError } from "../errors.js";
import type { Committed } from "../stream/log.js";
import { decodeMarks, type EncodedMark, encodeMarks } from "../stream/marks.js";

const FORMAT = 1;
const FORMAT_KEY = "m\0format";
const CLUSTER_KEY = "m\0cluster";
/** There is one task, since a topic has one partition. */
export const TASK = 0;
export const TASK_KEY = `m\0task\0${TASK}`;

export interface TaskState {
  /** Grows with each owner; only the newest may publish. */
  readonly epoch: number;
  readonly committed: Committed | null;
}

export function encodeTaskState({ epoch, committed }: TaskState): string {
  if (committed === null) return sealed(JSON.stringify({ epoch }));
  const { offsets, marks, metadata } = committed;
  return sealed(JSON.stringify({ epoch, offsets: Object.fromEntries(offsets), marks: encodeMarks(marks), metadata }));
}

function decodeTaskState(text: string | undefined): TaskState {
  if (text === undefined) return { epoch: 0, committed: null };
  const { epoch, offsets, marks, metadata } = JSON.parse(opened(TASK_KEY, text)) as {
    epoch: number;
    offsets?: Record<string, number>;
    marks?: Record<string, EncodedMark>;
    metadata?: string;
  };
  if (offsets === undefined || metadata === undefined) return { epoch, committed: null };
  return { epoch, committed: { offsets: new Map(Object.entries(offsets)), marks: decodeMarks(marks), metadata } };
}

export async function readTaskState(database: Database): Promise<TaskState> {
  return decodeTaskState(await database.get(TASK_KEY));
}

/**
 * The log's name; made where the database is empty.
 *
 * @throws ScorefoldError `format-unknown` when something else than a log of this format is in the database
 */
export async function openFormat(database: Database): Promise<string> {
  const [format, cluster] = await database.getMany([FORMAT_KEY, CLUSTER_KEY]);
  if (format === undefined) {
    const [other] = await database.range({}, 1);
    if (other !== undefined && /^[emr]\0/.test(other[0])) {
      throw new ScorefoldError("log-corrupt", "the log has lost its format; restore its directory from a backup");
    }
    if (other !== undefined) {
      throw new ScorefoldError(
        "format-unknown",
        "the directory of the log holds a database that is no log; name another directory, or move this one aside",
      );
    }
    const made = randomUUID();
    await database.write([
      { type: "put", key: FORMAT_KEY, value: String(FORMAT) },
      { type: "put", key: CLUSTER_KEY, value: sealed(made) },
    ]);
    return made;
  }
  if (format !== String(FORMAT)) {
    throw new ScorefoldError(
      "format-unknown",
      `the log is written in format ${format}, this version of scorefold reads format ${FORMAT}; run the version that` +
        " wrote it, or a newer one",
    );
  }
  if (cluster !== undefined) return opened(CLUSTER_KEY, cluster);
  throw new ScorefoldError("log-corrupt", "the log has lost its id; restore its directory from a backup");
}

/** @throws ScorefoldError `log-corrupt` */
function opened(key: string, row: string): string {
  try {
    return unsealed(key, row);
  } catch (cause) {
    const name = JSON.stringify(key.replaceAll("\0", " "));
    throw new ScorefoldError(
      "log-corrupt",
      `the row ${name} of the log is damaged; restore its directory from a backup`,
      {
        cause,
      },
    );
  }
}
