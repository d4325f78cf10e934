/** A client of a cluster, of settings that are in the project's words; what it says goes to the project's log. */
import type { Kafka, KafkaConfig, Mechanism, SASLOptions } from "kafkajs";
import { type ClientLogger, clientLog } from "./client-log.js";
import { connectionError } from "./errors.js";
import { kafkajs } from "./kafkajs.js";
import { oauthBearer } from "./oauth-bearer.js";

export interface KafkaSettings {
  /** `host:port` of some of the brokers. */
  readonly brokers: readonly string[];
  /** Names this process to the brokers. */
  readonly clientId: string;
  /** True: TLS with the certificates that the system trusts. In PEM otherwise. */
  readonly tls: boolean | { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly sasl: SaslSettings | null;
}

export type SaslSettings =
  | {
      readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
      readonly username: string;
      readonly password: string;
    }
  /** Asked for a token each time a connection is authenticated. */
  | { readonly mechanism: "oauthbearer"; readonly token: () => Promise<string> };

export type { Kafka } from "kafkajs";
export type { ClientLogger } from "./client-log.js";

const CONNECTION_MS = 5_000;
const AUTHENTICATION_MS = 10_000;
const REQUEST_MS = 30_000;
/** Of the first contact, two seconds together: who waits for it wants to know. */
const FIRST_RETRIES = 3;

export function connectKafka(settings: KafkaSettings, logger: ClientLogger): Kafka {
  const { Kafka, logLevel } = kafkajs().kafkajs;
  const { brokers, clientId, tls, sasl } = settings;
  const config: KafkaConfig = {
    brokers: [...brokers],
    clientId,
    connectionTimeout: CONNECTION_MS,
    authenticationTimeout: AUTHENTICATION_MS,
    requestTimeout: REQUEST_MS,
    ssl: typeof tls === "boolean" ? tls : { ...tls },
    logLevel: logLevel.INFO,
    logCreator: () => clientLog(logger),
  };
  if (sasl !== null) config.sasl = saslOf(sasl);
  return new Kafka(config);
}

/**
 * Asks the cluster for its id, by connections of its own that are closed again. To be asked before all else: what is wrong
 * with addresses, certificates or passwords is told here.
 *
 * @throws ScorefoldError `config-invalid` where one side does not take who the other is; `log-failed`
 */
export async function clusterIdOf(kafka: Kafka): Promise<string> {
  const admin = kafka.admin({ retry: { retries: FIRST_RETRIES } });
  try {
    await admin.connect();
    return (await admin.describeCluster()).clusterId;
  } catch (error) {
    throw connectionError(error);
  } finally {
    await admin.disconnect();
  }
}

function saslOf(settings: SaslSettings): SASLOptions | Mechanism {
  if (settings.mechanism === "oauthbearer") return oauthBearer(settings.token);
  const options: SASLOptions = { ...settings };
  return options;
}
