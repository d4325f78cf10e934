/** The client's settings and its words. */
import type { KafkaConfig } from "kafkajs";
import { describe, expect, it, vi } from "vitest";
import { type ClientLogger, connectKafka, type KafkaSettings } from "../../src/kafka/client.js";
import { kafkajs } from "../../src/kafka/kafkajs.js";

const settings: KafkaSettings = { brokers: ["a:9092", "b:9092"], clientId: "scorefold", tls: false, sasl: null };
const silent: ClientLogger = { warn: () => undefined, debug: () => undefined };

/** What kafkajs is given. */
function configOf(some: Partial<KafkaSettings>, logger = silent): KafkaConfig {
  const { kafkajs: client } = kafkajs();
  const made = vi.spyOn(client, "Kafka").mockImplementation(function (this: object) {
    return this;
  } as never);
  connectKafka({ ...settings, ...some }, logger);
  const [config] = made.mock.calls[0]!;
  made.mockRestore();
  return config;
}

describe("connectKafka", () => {
  it("gives brokers, TLS and SASL as they are meant", async () => {
    expect(configOf({})).toMatchObject({ brokers: ["a:9092", "b:9092"], clientId: "scorefold", ssl: false });
    expect(configOf({}).sasl).toBeUndefined();
    expect(configOf({ tls: true }).ssl).toBe(true);
    expect(configOf({ tls: { ca: "PEM" } }).ssl).toEqual({ ca: "PEM" });
    const plain = { mechanism: "scram-sha-512", username: "u", password: "p" } as const;
    expect(configOf({ sasl: plain }).sasl).toEqual(plain);
    const bearer = { mechanism: "oauthbearer", token: async () => "t" } as const;
    expect(configOf({ sasl: bearer }).sasl).toMatchObject({ mechanism: "oauthbearer" });
  });

  it("tells as a warning only what the client does not try again", () => {
    const said: string[] = [];
    const by = (how: string) => (_: object, message: string) => void said.push(`${how} ${message}`);
    const { logCreator } = configOf({}, { warn: by("warn"), debug: by("debug") });
    const log = logCreator!(0);
    const { ERROR, WARN, INFO } = kafkajs().kafkajs.logLevel;
    const say = (level: number, fields: object): void =>
      log({ level, namespace: "Producer", label: "", log: { timestamp: "", message: "m", ...fields } } as never);
    say(ERROR, { retryCount: 1 });
    say(ERROR, { error: "The coordinator is loading" });
    say(ERROR, {});
    say(WARN, { message: "n" });
    say(WARN, { retryCount: 0 });
    say(INFO, {});
    expect(said).toEqual(
      ["debug m", "debug m", "warn m", "warn n", "debug m", "debug m"].map((own) =>
        own.replace(" ", " kafka: Producer: "),
      ),
    );
  });
});
