/** What an error of the client or the broker means for a task. */
import { ScorefoldError } from "../errors.js";
import { kafkajs } from "./kafkajs.js";
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
  const line = lineOf(error);
  if (FENCED.has(code))
    return new ScorefoldError("fenced", `${what}: the task has another owner now (${line})`, { cause: error });
  const text = `${what}: ${line}`;
  const check = toCheck(code, name, message);
  if (check === null && typeof code === "number" && code in ways)
    return new ScorefoldError("log-failed", `${text}; ${ways[code]}`, { cause: error });
  if (check !== null) return new ScorefoldError("config-invalid", `${text}; ${check}`, { cause: error });
  return new ScorefoldError("log-failed", text, { cause: error });
}

/** By Kafka's number of an error: what to do where it stays. */
const ways: Readonly<Record<number, string>> = {
  3: "is the topic there still?",
  10: "set max.message.bytes of the topic to 1000000 or more",
  18: "set max.message.bytes of the topic to 1000000 or more",
  29: "let this user read, write and describe the topic",
  30: "let this user read the group",
  31: "let this user do that to the cluster",
  53: "let this user write and describe transactional ids that begin with the name of the application",
};

/** What is said, with Kafka's name of the error, the topic, and the broker that has said it, where they are known. */
export function lineOf(error: unknown): string {
  const { message, type, topic, partition, broker } = said(error);
  const at = topic === null ? "" : `topic ${topic}${partition === null ? "" : `, partition ${partition}`}: `;
  const named = type === null || message.includes(type) ? "" : `${type}: `;
  const by = broker === null || message.includes(broker) ? "" : ` (says broker ${broker})`;
  return `${at}${named}${message}${by}`.replace(/\s+/g, " ");
}

/** Kafka's name of an error, as TOPIC_AUTHORIZATION_FAILED, of its number. */
export function nameOfError(code: number): string {
  const { errorCodes } = kafkajs().load("src/protocol/error.js") as {
    readonly errorCodes: readonly { readonly code: number; readonly type: string }[];
  };
  return errorCodes.find((one) => one.code === code)?.type ?? newerNames[code] ?? `error ${code}`;
}

/** Newer than the client's table. */
const newerNames: Readonly<Record<number, string>> = {
  74: "FENCED_LEADER_EPOCH",
  75: "UNKNOWN_LEADER_EPOCH",
  78: "OFFSET_NOT_AVAILABLE",
  90: "PRODUCER_FENCED",
  100: "UNKNOWN_TOPIC_ID",
};

/** An answer with an error, as the client would throw it. */
export function answeredError(code: number, place: { topic: string; partition: number }, how = ""): Error {
  const name = nameOfError(code);
  const error = new Error(`the broker answers a fetch with ${name}${how}`);
  return Object.assign(error, { code, type: name, ...place });
}

/** The same error, with the broker that it came from. */
export function fromBroker(error: unknown, { host, port }: { readonly host: string; readonly port: number }): unknown {
  const isKnown = !(error instanceof Error) || error instanceof ScorefoldError || "broker" in error;
  return isKnown ? error : Object.assign(error, { broker: `${host}:${port}` });
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
  /** Kafka's name of the error. */
  readonly type: string | null;
  readonly topic: string | null;
  readonly partition: number | null;
  readonly broker: string | null;
}

/** kafkajs wraps what it has tried several times. */
function said(error: unknown): Said {
  const nothing = { code: null, name: "", type: null, topic: null, partition: null, broker: null };
  if (!(error instanceof Error)) return { ...nothing, message: String(error) };
  const { code, originalError, cause, message, name, ...more } = error as Error & {
    readonly code?: unknown;
    readonly originalError?: unknown;
    readonly type?: string;
    readonly topic?: string;
    readonly partition?: number;
    readonly broker?: string;
  };
  const inner = originalError ?? cause;
  if ((code === undefined || code === null) && inner instanceof Error && inner !== error) return said(inner);
  const { type = null, topic = null, partition = null, broker = null } = more;
  return { message, code: code ?? null, name, type, topic, partition, broker };
}
