/** The settings of a cluster: how to reach it, and as which application. */
import { type PartitionerName, partitionerNames } from "../kafka/partitioner.js";
import { type Environment, type Found, type Read, Reader } from "./reader.js";
import { kafkaVariables as variables } from "./variables.js";

const saslMechanisms = ["plain", "scram-sha-256", "scram-sha-512", "oauthbearer"] as const;
export type SaslMechanism = (typeof saslMechanisms)[number];

export interface KafkaConfig {
  /** `host:port` of some of the brokers. */
  readonly brokers: readonly string[];
  /** The consumer group, and what transactional ids begin with. */
  readonly app: string;
  /** Files of topic definitions, or directories of them; null: those that are shipped. */
  readonly topics: readonly string[] | null;
  /** How producers of the inputs choose the partition of a key. */
  readonly partitioner: PartitionerName;
  /** Processes of one host; null: one for each core, at most one for each task. */
  readonly workers: number | null;
  /** Whether the store may be the only copy of inputs that the topics no longer keep. */
  readonly isHistoryLocal: boolean;
  /** How long a process may be silent before the group gives its tasks to others. */
  readonly sessionMs: number;
  /** From one transaction of a task to the next, at least, where no more inputs wait than one takes. */
  readonly commitIntervalMs: number;
  readonly tls: TlsConfig | null;
  readonly sasl: SaslConfig | null;
  readonly registry: RegistryConfig | null;
}

/** Paths of PEM files; null: what the system trusts, and no certificate of its own. */
export interface TlsConfig {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

export interface SaslConfig {
  readonly mechanism: SaslMechanism;
  /** Of all mechanisms but `oauthbearer`. */
  readonly username: string;
  readonly password: string;
  /** Of `oauthbearer`: a file that is read whenever a connection is made, so that it may be exchanged at any time. */
  readonly tokenFile: string | null;
}

export interface RegistryConfig {
  readonly url: string;
  readonly username: string | null;
  readonly password: string | null;
  /** Path of a PEM file; null: what the system trusts. */
  readonly ca: string | null;
}

/** Options of the command line, as they were written. */
export interface GivenKafkaOptions {
  readonly brokers?: string;
  readonly app?: string;
  readonly topics?: string | readonly string[];
  readonly partitioner?: string;
  readonly workers?: string;
  readonly history?: string;
  readonly schemaRegistry?: string;
}

/** Less would be missed by a process that is well, between two heartbeats; brokers allow no more than the most. */
const SESSION_BOUNDS = ["6s", "30m"] as const;
const COMMIT_INTERVAL_BOUNDS = ["0ms", "10s"] as const;

/** Whether a cluster is named at all. Without one the engine runs embedded. */
export function namesCluster(given: GivenKafkaOptions, env: Environment): boolean {
  return new Reader(env).find(variables.brokers, "--brokers", given.brokers) !== undefined;
}

/** @param env usually `process.env`; an empty variable is one that is not there */
export function readKafkaConfig(given: GivenKafkaOptions, env: Environment): Read<KafkaConfig> {
  const reader = new Reader(env);
  const workers = reader.find(variables.workers, "--workers", given.workers);
  const config: KafkaConfig = {
    brokers: Object.freeze(brokersOf(reader, reader.find(variables.brokers, "--brokers", given.brokers))),
    app: appOf(reader, reader.find(variables.app, "--app", given.app)),
    topics: topicsOf(reader, given.topics),
    partitioner: reader.oneOf(
      reader.find(variables.partitioner, "--partitioner", given.partitioner),
      partitionerNames,
      "murmur2",
    ),
    workers: workers === undefined ? null : reader.whole(workers, 1, 1, 1024),
    isHistoryLocal:
      reader.oneOf(reader.find(variables.history, "--history", given.history), ["log", "local"], "log") === "local",
    sessionMs: reader.duration(reader.find(variables.session, null), "20s", SESSION_BOUNDS),
    commitIntervalMs: reader.duration(reader.find(variables.commitInterval, null), "50ms", COMMIT_INTERVAL_BOUNDS),
    tls: tlsOf(reader),
    sasl: saslOf(reader),
    registry: registryOf(reader, reader.find(variables.registryUrl, "--schema-registry", given.schemaRegistry)),
  };
  return reader.result(config);
}

/** The schema registry alone; null where none is named. */
export function readRegistryConfig(
  given: Pick<GivenKafkaOptions, "schemaRegistry">,
  env: Environment,
): Read<Pick<KafkaConfig, "registry">> {
  const reader = new Reader(env);
  const found = reader.find(variables.registryUrl, "--schema-registry", given.schemaRegistry);
  return reader.result({ registry: registryOf(reader, found) });
}

const BROKER = /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_.-]{1,253}):(\d{1,5})$/;

function brokersOf(reader: Reader, found: Found | undefined): string[] {
  const expected = "the brokers as host:port, with commas between them";
  if (found === undefined) {
    reader.problems.push(`--brokers is missing; expected ${expected} (or ${variables.brokers})`);
    return [];
  }
  const brokers = found.text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
  const isRight = brokers.every((one) => Number(BROKER.exec(one)?.[2] ?? 0) >= 1 && portOf(one) <= 65_535);
  if (brokers.length === 0 || !isRight) reader.wrong(found, expected);
  return brokers;
}

function portOf(broker: string): number {
  return Number(broker.slice(broker.lastIndexOf(":") + 1));
}

/** What may be a consumer group everywhere: it is a part of topics and transactional ids too. */
function appOf(reader: Reader, found: Found | undefined): string {
  if (found === undefined) return "scorefold";
  if (/^[A-Za-z0-9._-]{1,180}$/.test(found.text)) return found.text;
  return reader.wrong(found, "1 to 180 letters, digits, dots, dashes or underscores", "scorefold");
}

function topicsOf(reader: Reader, given: string | readonly string[] | undefined): readonly string[] | null {
  const places = typeof given === "string" || given === undefined ? [given] : given;
  const found = places.map((one) => reader.find(variables.topics, "--topics", one));
  const paths = found.map((one) => reader.optionalText(one)).filter((one) => one !== null);
  return paths.length === 0 ? null : Object.freeze(paths);
}

function tlsOf(reader: Reader): TlsConfig | null {
  const isWanted = reader.find(variables.tls, null);
  const [ca, cert, key] = [variables.ca, variables.cert, variables.key].map((name) =>
    reader.optionalText(reader.find(name, null)),
  ) as [string | null, string | null, string | null];
  const isOn = reader.truth(isWanted);
  const isNamed = ca !== null || cert !== null;
  if ((cert === null) !== (key === null))
    reader.problems.push(`${variables.cert} and ${variables.key} belong together; one of them is missing`);
  if (isWanted !== undefined && !isOn && isNamed)
    reader.problems.push(`${variables.tls} is "${isWanted.text}", and certificates are named; leave out one of both`);
  return isOn || isNamed ? Object.freeze({ ca, cert, key }) : null;
}

function saslOf(reader: Reader): SaslConfig | null {
  const mechanism = reader.find(variables.mechanism, null);
  const username = reader.find(variables.username, null)?.text ?? "";
  const password = reader.secret(variables.password) ?? "";
  const tokenFile = reader.optionalText(reader.find(variables.tokenFile, null));
  if (mechanism === undefined) {
    if (username !== "" || password !== "" || tokenFile !== null)
      reader.problems.push(`${variables.mechanism} is missing; expected one of ${saslMechanisms.join(", ")}`);
    return null;
  }
  const own = reader.oneOf(mechanism, saslMechanisms, "plain");
  const missing =
    own === "oauthbearer"
      ? [tokenFile ?? "", variables.tokenFile]
      : username === ""
        ? [username, variables.username]
        : [password, variables.password];
  if (missing[0] === "") reader.problems.push(`${missing[1]} is missing; SASL ${own} needs it`);
  return Object.freeze({ mechanism: own, username, password, tokenFile });
}

function registryOf(reader: Reader, found: Found | undefined): RegistryConfig | null {
  const username = reader.find(variables.registryUsername, null)?.text ?? null;
  const password = reader.secret(variables.registryPassword);
  const ca = reader.optionalText(reader.find(variables.registryCa, null));
  if (found === undefined) {
    if (username !== null || password !== null || ca !== null)
      reader.problems.push(`${variables.registryUrl} is missing, and settings of a schema registry are there`);
    return null;
  }
  const url = URL.canParse(found.text) ? new URL(found.text) : null;
  const expected = `a URL as http://host:8081, without user and password (they go in ${variables.registryUsername} and ${variables.registryPassword})`;
  // It may have a password in it, and is not repeated.
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.username !== "" || url.password !== "")
    reader.problems.push(`${found.place} can't be used; expected ${expected}`);
  return Object.freeze({ url: found.text.replace(/\/$/, ""), username, password, ca });
}
