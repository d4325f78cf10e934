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
  | "internal";

const retryableCodes: ReadonlySet<ErrorCode> = new Set(["disk-full"]);

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
