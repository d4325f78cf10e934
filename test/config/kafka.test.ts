import { expect, it } from "vitest";
import { namesCluster, readKafkaConfig, readRegistryConfig } from "../../src/config/kafka.js";

const secret = "no one may see this";

it("needs the brokers only", () => {
  expect(readKafkaConfig({ brokers: "a:9092, [::1]:9093" }, {})).toEqual({
    ok: true,
    warnings: [],
    config: {
      brokers: ["a:9092", "[::1]:9093"],
      app: "scorefold",
      topics: null,
      partitioner: "murmur2",
      workers: null,
      isHistoryLocal: false,
      sessionMs: 20_000,
      commitIntervalMs: 50,
      tls: null,
      sasl: null,
      registry: null,
    },
  });
  expect(readKafkaConfig({}, {})).toMatchObject({
    ok: false,
    problems: [
      "--brokers is missing; expected the brokers as host:port, with commas between them (or SCOREFOLD_KAFKA_BROKERS)",
    ],
  });
});

it("tells whether a cluster is meant at all", () => {
  expect(namesCluster({}, {})).toBe(false);
  expect(namesCluster({}, { SCOREFOLD_KAFKA_BROKERS: "" })).toBe(false);
  expect(namesCluster({ brokers: "a:1" }, {})).toBe(true);
  expect(namesCluster({}, { SCOREFOLD_KAFKA_BROKERS: "a:1" })).toBe(true);
});

it("takes all of it from the environment", () => {
  const env = {
    SCOREFOLD_KAFKA_BROKERS: "kafka:9093",
    SCOREFOLD_APP: "scores-eu",
    SCOREFOLD_TOPICS: "topics",
    SCOREFOLD_PARTITIONER: "crc32",
    SCOREFOLD_WORKERS: "4",
    SCOREFOLD_HISTORY: "local",
    SCOREFOLD_KAFKA_SESSION_TIMEOUT: "45s",
    SCOREFOLD_KAFKA_COMMIT_INTERVAL: "20ms",
    SCOREFOLD_KAFKA_CA: "ca.pem",
    SCOREFOLD_KAFKA_SASL_MECHANISM: "SCRAM-SHA-512",
    SCOREFOLD_KAFKA_SASL_USERNAME: "scorefold",
    SCOREFOLD_KAFKA_SASL_PASSWORD: secret,
    SCOREFOLD_SCHEMA_REGISTRY_URL: "https://registry:8081/",
    SCOREFOLD_SCHEMA_REGISTRY_USERNAME: "reader",
    SCOREFOLD_SCHEMA_REGISTRY_PASSWORD: secret,
  };
  expect(readKafkaConfig({ app: "scores-us" }, env)).toMatchObject({
    ok: true,
    warnings: [],
    config: {
      brokers: ["kafka:9093"],
      app: "scores-us",
      topics: ["topics"],
      partitioner: "crc32",
      workers: 4,
      isHistoryLocal: true,
      sessionMs: 45_000,
      commitIntervalMs: 20,
      tls: { ca: "ca.pem", cert: null, key: null },
      sasl: { mechanism: "scram-sha-512", username: "scorefold", password: secret },
      registry: { url: "https://registry:8081", username: "reader", password: secret, ca: null },
    },
  });
});

it("names all problems at once, and no secret", () => {
  const env = {
    SCOREFOLD_KAFKA_BROKERS: "kafka",
    SCOREFOLD_APP: "scores eu",
    SCOREFOLD_WORKERS: "0",
    SCOREFOLD_HISTORY: "loca",
    SCOREFOLD_KAFKA_SESSION_TIMEOUT: "5s",
    SCOREFOLD_KAFKA_COMMIT_INTERVAL: "1h",
    SCOREFOLD_KAFKA_TLS: "false",
    SCOREFOLD_KAFKA_CERT: "own.pem",
    SCOREFOLD_KAFKA_SASL_MECHANISM: "scram",
    SCOREFOLD_KAFKA_SASL_PASSWORD: secret,
    SCOREFOLD_SCHEMA_REGISTRY_URL: `http://me:${secret}@registry`,
    SCOREFOLD_KAFKA_BROKER: "kafka",
  };
  const result = readKafkaConfig({}, env);
  expect(result).toEqual({
    ok: false,
    problems: [
      'SCOREFOLD_KAFKA_BROKERS is "kafka"; expected the brokers as host:port, with commas between them',
      'SCOREFOLD_APP is "scores eu"; expected 1 to 180 letters, digits, dots, dashes or underscores',
      'SCOREFOLD_WORKERS is "0"; expected a whole number from 1 to 1024',
      'SCOREFOLD_HISTORY is "loca"; expected one of log, local; did you mean local?',
      'SCOREFOLD_KAFKA_SESSION_TIMEOUT is "5s"; expected a duration from 6s to 30m',
      'SCOREFOLD_KAFKA_COMMIT_INTERVAL is "1h"; expected a duration from 0ms to 10s',
      "SCOREFOLD_KAFKA_CERT and SCOREFOLD_KAFKA_KEY belong together; one of them is missing",
      'SCOREFOLD_KAFKA_TLS is "false", and certificates are named; leave out one of both',
      'SCOREFOLD_KAFKA_SASL_MECHANISM is "scram"; expected one of plain, scram-sha-256, scram-sha-512, oauthbearer',
      "SCOREFOLD_KAFKA_SASL_USERNAME is missing; SASL plain needs it",
      "SCOREFOLD_SCHEMA_REGISTRY_URL can't be used; expected a URL as http://host:8081, without user and password (they go in SCOREFOLD_SCHEMA_REGISTRY_USERNAME and SCOREFOLD_SCHEMA_REGISTRY_PASSWORD)",
    ],
    warnings: ["SCOREFOLD_KAFKA_BROKER is set, and nothing reads it; did you mean SCOREFOLD_KAFKA_BROKERS?"],
  });
  expect(JSON.stringify(result)).not.toContain(secret);
});

it.each([
  ["plain", {}, "SCOREFOLD_KAFKA_SASL_USERNAME"],
  ["plain", { SCOREFOLD_KAFKA_SASL_USERNAME: "me" }, "SCOREFOLD_KAFKA_SASL_PASSWORD"],
  ["oauthbearer", { SCOREFOLD_KAFKA_SASL_PASSWORD: secret }, "SCOREFOLD_KAFKA_SASL_TOKEN_FILE"],
])("SASL %s needs what it needs: %j", (mechanism, more, missing) => {
  const env = { SCOREFOLD_KAFKA_SASL_MECHANISM: mechanism, ...more };
  expect(readKafkaConfig({ brokers: "a:1" }, env)).toMatchObject({
    ok: false,
    problems: [`${missing} is missing; SASL ${mechanism} needs it`],
  });
});

it("does not take settings of what is not named", () => {
  const sasl = readKafkaConfig({ brokers: "a:1" }, { SCOREFOLD_KAFKA_SASL_USERNAME: "me" });
  expect(sasl).toMatchObject({ ok: false, problems: [expect.stringContaining("SASL_MECHANISM is missing")] });
  const registry = readKafkaConfig({ brokers: "a:1" }, { SCOREFOLD_SCHEMA_REGISTRY_USERNAME: "me" });
  expect(registry).toMatchObject({ ok: false, problems: [expect.stringContaining("REGISTRY_URL is missing")] });
});

it("a registry can be had alone", () => {
  expect(readRegistryConfig({}, {})).toMatchObject({ ok: true, config: { registry: null } });
  const found = readRegistryConfig({ schemaRegistry: "http://r:8081/" }, { SCOREFOLD_SCHEMA_REGISTRY_USERNAME: "me" });
  expect(found).toMatchObject({ ok: true, config: { registry: { url: "http://r:8081", username: "me", ca: null } } });
  expect(readRegistryConfig({ schemaRegistry: "r:8081" }, {})).toMatchObject({ ok: false });
});
