/** The Kafka cluster that a command speaks to: its options, its settings, and the client of it. */
import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import {
  type GivenKafkaOptions,
  type KafkaConfig,
  type RegistryConfig,
  readKafkaConfig,
  type SaslConfig,
} from "../config/kafka.js";
import { ScorefoldError } from "../errors.js";
import { type ClientLogger, connectKafka, type Kafka, type SaslSettings } from "../kafka/client.js";
import type { RegistrySettings } from "../kafka/registry.js";
import type { Io } from "./io.js";

export function brokersOption(): Option {
  return new Option("--brokers <hosts>", "Kafka brokers, host:port with commas between");
}

export function topicsOption(): Option {
  return new Option("--topics <dirs...>", "topic definitions, or directories of them (default: those shipped)");
}

/** Adds the options that name a cluster. What is secret comes from variables. */
export function withClusterOptions(command: Command): Command {
  return command
    .addOption(brokersOption())
    .addOption(new Option("--app <id>", "consumer group and transactional ids (default: scorefold)"))
    .addOption(topicsOption())
    .addOption(registryOption());
}

export function registryOption(): Option {
  return new Option("--schema-registry <url>", "schema registry of Avro values (default: values are JSON)");
}

export const clusterHelp = `
The cluster's options can be variables: SCOREFOLD_KAFKA_BROKERS, SCOREFOLD_APP, SCOREFOLD_TOPICS,
SCOREFOLD_SCHEMA_REGISTRY_URL. Variables only: SCOREFOLD_KAFKA_TLS (true), SCOREFOLD_KAFKA_CA, _CERT and _KEY (PEM files);
SCOREFOLD_KAFKA_SASL_MECHANISM (plain, scram-sha-256, scram-sha-512, oauthbearer), _USERNAME, _PASSWORD, _TOKEN_FILE;
SCOREFOLD_SCHEMA_REGISTRY_USERNAME, _PASSWORD and _CA.`;

/** @throws ScorefoldError `usage`, with one line for each problem */
export function clusterConfig(io: Io, options: GivenKafkaOptions): KafkaConfig {
  const result = readKafkaConfig(options, io.env);
  for (const warning of result.warnings) io.stderr.write(`warning: ${warning}\n`);
  if (!result.ok) throw new ScorefoldError("usage", result.problems.join("\n"));
  return result.config;
}

/** @throws ScorefoldError `input-missing` for a certificate or token that can't be read */
export async function kafkaOf(config: KafkaConfig, clientId: string, logger: ClientLogger): Promise<Kafka> {
  const { brokers, tls, sasl } = config;
  if (sasl?.tokenFile != null) await textOf(sasl.tokenFile);
  const settings = {
    brokers,
    clientId,
    tls: tls === null ? false : await certificates(tls),
    sasl: sasl === null ? null : saslOf(sasl),
  };
  return connectKafka(settings, logger);
}

/** @throws ScorefoldError `input-missing` for a certificate that can't be read */
export async function registrySettings({ url, username, password, ca }: RegistryConfig): Promise<RegistrySettings> {
  return {
    url,
    ...(username === null ? undefined : { username }),
    ...(password === null ? undefined : { password }),
    ...(ca === null ? undefined : { ca: await textOf(ca) }),
  };
}

async function certificates(tls: NonNullable<KafkaConfig["tls"]>): Promise<true | Record<string, string>> {
  const files = Object.entries(tls).filter((entry): entry is [string, string] => entry[1] !== null);
  if (files.length === 0) return true;
  const read = files.map(async ([name, path]) => [name, await textOf(path)] as const);
  return Object.fromEntries(await Promise.all(read));
}

function saslOf({ mechanism, username, password, tokenFile }: SaslConfig): SaslSettings {
  if (mechanism !== "oauthbearer") return { mechanism, username, password };
  return { mechanism, token: async () => (await textOf(tokenFile as string)).trim() };
}

/** The text of a file that a setting names. @throws ScorefoldError `input-missing` */
export async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { message } = error as Error;
    throw new ScorefoldError("input-missing", `${path}: ${message}`, { cause: error });
  }
}
