/** All environment variables that are read, by the setting. */
export const runVariables = {
  data: "SCOREFOLD_DATA",
  models: "SCOREFOLD_MODELS",
  host: "SCOREFOLD_HOST",
  port: "SCOREFOLD_PORT",
  apiToken: "SCOREFOLD_API_TOKEN",
  allowAnonymous: "SCOREFOLD_ALLOW_ANONYMOUS",
  logLevel: "SCOREFOLD_LOG_LEVEL",
  timerGrace: "SCOREFOLD_TIMER_GRACE",
  inputAhead: "SCOREFOLD_INPUT_AHEAD",
} as const;

export const kafkaVariables = {
  brokers: "SCOREFOLD_KAFKA_BROKERS",
  app: "SCOREFOLD_APP",
  topics: "SCOREFOLD_TOPICS",
  partitioner: "SCOREFOLD_PARTITIONER",
  workers: "SCOREFOLD_WORKERS",
  history: "SCOREFOLD_HISTORY",
  session: "SCOREFOLD_KAFKA_SESSION_TIMEOUT",
  tls: "SCOREFOLD_KAFKA_TLS",
  ca: "SCOREFOLD_KAFKA_CA",
  cert: "SCOREFOLD_KAFKA_CERT",
  key: "SCOREFOLD_KAFKA_KEY",
  mechanism: "SCOREFOLD_KAFKA_SASL_MECHANISM",
  username: "SCOREFOLD_KAFKA_SASL_USERNAME",
  password: "SCOREFOLD_KAFKA_SASL_PASSWORD",
  tokenFile: "SCOREFOLD_KAFKA_SASL_TOKEN_FILE",
  registryUrl: "SCOREFOLD_SCHEMA_REGISTRY_URL",
  registryUsername: "SCOREFOLD_SCHEMA_REGISTRY_USERNAME",
  registryPassword: "SCOREFOLD_SCHEMA_REGISTRY_PASSWORD",
  registryCa: "SCOREFOLD_SCHEMA_REGISTRY_CA",
} as const;
