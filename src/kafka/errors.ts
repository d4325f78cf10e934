/** What an error of the client or the broker means for a task. */
import { ScorefoldError } from "../errors.js";

/** INVALID_PRODUCER_EPOCH, PRODUCER_FENCED: somebody else has the transactional id, or its transaction timed out. */
const FENCED = new Set([47, 90]);

/** @param what was being done, as "a transaction" */
export function kafkaError(error: unknown, what: string): ScorefoldError {
  if (error instanceof ScorefoldError) return error;
  const { message, code } = said(error);
  if (code !== null && FENCED.has(code))
    return new ScorefoldError("fenced", `${what}: the task has another owner now (${message})`, { cause: error });
  return new ScorefoldError("log-failed", `${what}: ${message}`, { cause: error });
}

/** kafkajs wraps what it has tried several times. */
function said(error: unknown): { message: string; code: number | null } {
  if (!(error instanceof Error)) return { message: String(error), code: null };
  const { code, originalError, cause } = error as Error & { code?: unknown; originalError?: unknown };
  if (typeof code === "number") return { message: error.message, code };
  const inner = originalError ?? cause;
  return inner instanceof Error ? said(inner) : { message: error.message, code: null };
}
