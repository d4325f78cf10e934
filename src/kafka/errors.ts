/** What an error of the client or the broker means for a task. */
import { ScorefoldError } from "../errors.js";
import { isOfTls } from "./patches/tls-errors.js";

/** INVALID_PRODUCER_EPOCH, PRODUCER_FENCED: somebody else has the transactional id, or its transaction timed out. */
const FENCED = new Set<unknown>([47, 90]);
/** UNSUPPORTED_SASL_MECHANISM, ILLEGAL_SASL_STATE, SASL_AUTHENTICATION_FAILED. */
const SASL = new Set<unknown>([33, 34, 58]);

/**
 * `fenced`; `config-invalid` where the broker or this side does not take who the other says it is, which trying again does
 * not change; else `log-failed`.
 *
 * @param what was being done, as "a transaction"
 */
export function kafkaError(error: unknown, what: string): ScorefoldError {
  if (error instanceof ScorefoldError) return error;
  const { message, code, name } = said(error);
  const line = message.replace(/\s+/g, " ");
  if (FENCED.has(code))
    return new ScorefoldError("fenced", `${what}: the task has another owner now (${line})`, { cause: error });
  const text = `${what}: ${line}`;
  const check = toCheck(code, name, message);
  if (check !== null) return new ScorefoldError("config-invalid", `${text}; ${check}`, { cause: error });
  return new ScorefoldError("log-failed", text, { cause: error });
}

/** The same, of the first contact: what a broker says nothing of is perhaps a listener of another kind. */
export function connectionError(error: unknown): ScorefoldError {
  const known = kafkaError(error, "connecting to Kafka");
  const { name, message } = said(error);
  const isClosed = name === "KafkaJSConnectionClosedError" || message.includes("before secure TLS connection");
  if (known.code !== "log-failed" || !isClosed) return known;
  const check = "check that the settings of TLS and SASL are those of this listener of the broker";
  return new ScorefoldError("log-failed", `${known.message}; ${check}`, { cause: error });
}

/** Whether asking again would bring the same until somebody changes settings. */
export function isRefusal(error: unknown): boolean {
  const { message, code, name } = said(error);
  return toCheck(code, name, message) !== null;
}

/** What to look at where one side does not take who the other says it is; null where it is something else. */
function toCheck(code: unknown, name: string, message: string): string | null {
  if (name === "KafkaJSSASLAuthenticationError" || SASL.has(code)) {
    if (code === 34) return "check that this listener of the broker wants SASL at all";
    if (code === 33 || message.includes("not supported")) return "check which SASL mechanisms the broker has enabled";
    return "check the SASL mechanism, and that the broker knows this user and password, or takes this token";
  }
  if (!isOfTls(code)) return null;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID" || code === "HOSTNAME_MISMATCH")
    return "check that the brokers are named as in their certificates";
  if (code.includes("ALERT")) return "check the client's certificate and its key: the broker does not take them";
  if (code === "EPROTO" || code.startsWith("ERR_SSL_"))
    return "check that this listener of the broker speaks TLS, and that certificate and key belong together";
  return "check that the CA is the one that has signed the broker's certificate, and that neither has expired";
}

interface Said {
  readonly message: string;
  /** Of the broker, a number; of the system, text. */
  readonly code: unknown;
  readonly name: string;
}

/** kafkajs wraps what it has tried several times. */
function said(error: unknown): Said {
  if (!(error instanceof Error)) return { message: String(error), code: null, name: "" };
  const { code, originalError, cause, message, name } = error as Error & { code?: unknown; originalError?: unknown };
  const inner = originalError ?? cause;
  if ((code === undefined || code === null) && inner instanceof Error && inner !== error) return said(inner);
  return { message, code: code ?? null, name };
}
