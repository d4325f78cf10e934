/** What the client says, in the project's log. */
import type { LogEntry } from "kafkajs";
import { kafkajs } from "./kafkajs.js";

/** Where the client's words go. */
export interface ClientLogger {
  warn(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

const REPEATS_MS = 60_000;
/** Warnings that are counted at a time; more than these are told one by one. */
const COUNTED_MAX = 100;

/**
 * kafkajs says as errors what it is about to try again. What it gives up on is thrown, and told by whoever is hit, so
 * here the loudest is a warning, and that only where it does not say that it tries again.
 */
export function clientLog(logger: ClientLogger): (entry: LogEntry) => void {
  const warn = withoutRepeats(logger);
  return ({ level, namespace, log }) => {
    const { ERROR, WARN } = kafkajs().kafkajs.logLevel;
    const { message, timestamp: _, logger: __, stack: ___, ...fields } = log;
    const text = `kafka: ${(namespace ?? "") === "" ? "" : `${namespace}: `}${message}`;
    const isMeant = meant.some((start) => message.startsWith(start));
    if (level <= WARN && !isMeant && !isTriedAgain(level === ERROR, fields)) warn(fields, text);
    else logger.debug(fields, text);
  };
}

/**
 * What is meant as it is: the partition of every record is given here, and what becomes of a producer whose tries are over
 * is a new one, which reads what is committed.
 */
const meant = [
  "KafkaJS v2.0.0 switched default partitioner",
  "Limiting retries for the idempotent producer",
  // A heartbeat that meets the end of its connection: the process is leaving.
  "Connection error: write after end",
];

function isTriedAgain(isError: boolean, { retryCount, error, retriable }: Record<string, unknown>): boolean {
  // Answers that are errors are logged where they are read, whatever becomes of them.
  if (String(error).startsWith("The group is rebalancing")) return true;
  return retryCount !== undefined || retriable === true || (isError && error !== undefined);
}

/**
 * While a broker is away, each try of each connection says so, and each try of the group's member. What is said of a broker
 * or a group is told once, and then how often it was said again, once a minute, until it is not; each of them is there at
 * level debug.
 */
function withoutRepeats(logger: ClientLogger): ClientLogger["warn"] {
  const counts = new Map<string, number>();
  const count = (key: string, fields: object, text: string): void => {
    counts.set(key, 0);
    const tell = (): void => {
      const more = counts.get(key);
      counts.delete(key);
      if (more === undefined || more === 0) return;
      logger.warn({ ...fields, more }, `${text} (${more} more of these in ${REPEATS_MS / 1000} s)`);
      count(key, fields, text);
    };
    setTimeout(tell, REPEATS_MS).unref();
  };
  return (fields, text) => {
    const { broker, groupId } = fields as { readonly broker?: unknown; readonly groupId?: unknown };
    const key = `${broker} ${groupId} ${text}`;
    const before = counts.get(key);
    if (before === undefined) {
      if (counts.size < COUNTED_MAX) count(key, fields, text);
      logger.warn(fields, text);
    } else {
      counts.set(key, before + 1);
      logger.debug(fields, text);
    }
  };
}
