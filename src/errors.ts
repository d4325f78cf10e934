/**
 * One base for every error the project throws: a code out of a closed list, whether trying again can help, and the
 * cause. Expected negative outcomes (a line that does not decode, a model with mistakes) are return values instead.
 */
export type ErrorCode =
  | "usage" // the command was called wrongly; exit code 2
  | "input-missing" // a file that was named is not there, is empty of sense, or can't be read
  | "model-invalid" // one or more models have problems; they have been listed
  | "disk-full"
  | "output-failed" // a file could not be written
  | "incomplete" // the reader of one result went away, so another one was not written
  | "config-invalid" // options that can't be; one line each
  | "directory-in-use" // another process has it open
  | "directory-unusable" // not there and can't be made, not writable, or of another kind
  | "format-unknown" // written by another version of scorefold
  | "database-corrupt" // a database file is damaged
  | "log-corrupt" // the embedded log is damaged: it is the only copy, and nothing makes it anew
  | "database-failed" // a database could not read or write for another reason
  | "model-changed" // a version that was used before has other content now
  | "history-lost" // nobody knows any more up to where outputs were published, or what was scored
  | "log-lost" // the log is not the one that was read: its end is gone, or other records are in its place
  | "fenced" // another owner has taken the task over
  | "elsewhere" // another process of the group has what was asked for
  | "log-failed" // the log could not be read or written; whether a transaction went through is not known
  | "registry-failed" // the schema registry does not answer, or answers what was not expected
  | "schema-incompatible" // the schema registry refuses a schema beside those that its subject has
  | "too-many" // more at once than is taken; try again later
  | "stopping" // asked of an engine that is stopping
  | "engine-unreachable" // the running engine does not answer, or answers what was not expected
  | "internal";

const retryableCodes: ReadonlySet<ErrorCode> = new Set([
  "disk-full",
  "directory-in-use",
  "database-failed",
  "log-failed",
  "registry-failed",
  "too-many",
  "stopping",
  "engine-unreachable",
]);

export class ScorefoldError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "ScorefoldError";
    this.code = code;
    this.retryable = retryableCodes.has(code);
  }
}

/** What was thrown, as text: whatever it is. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
