/** Who connects to a real broker by SASL and TLS, and what is said to who does not come in. */
import { randomUUID } from "node:crypto";
import { afterAll, describe, expect, it } from "vitest";
import { clusterIdOf, connectKafka, type KafkaSettings, type SaslSettings } from "../../src/kafka/client.js";
import { clusterOf } from "../../src/kafka/cluster.js";
import { Fetcher } from "../../src/kafka/fetcher.js";
import { detailsOf } from "../components/component.js";
import type { SecuredDetails } from "../components/kafka/secured.js";
import { connectedKafka, makeTopics } from "./kafka-app.js";

const connected = await connectedKafka();
const secured = connected === null ? null : (detailsOf("kafka") as SecuredDetails | null);
if (connected !== null && secured === null)
  process.stderr.write(
    "tests of SASL and TLS are left out: only a local broker, with openssl, has listeners for them\n",
  );
const { addresses, username, password, authority, client, stranger } = secured ?? ({} as SecuredDetails);
const topic = `security-${randomUUID()}`;
const said: string[] = [];

afterAll(async () => {
  await connected?.admin.disconnect();
});

function kafkaOf(protocol: keyof SecuredDetails["addresses"], some: Partial<KafkaSettings>) {
  const hear = (fields: object, message: string): void => void said.push(`${message} ${JSON.stringify(fields)}`);
  const settings = { brokers: [addresses[protocol]], clientId: "test", tls: false, sasl: null, ...some };
  return connectKafka(settings, { warn: hear, debug: hear });
}

/** A token that nobody has signed. */
function tokenOf(expiresIn: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  return `${part({ alg: "none" })}.${part({ sub: "alice", iat: now - 100, exp: now + expiresIn })}.`;
}

const bearer = (token: string): SaslSettings => ({ mechanism: "oauthbearer", token: async () => token });
const user = (mechanism: "plain" | "scram-sha-256" | "scram-sha-512", own = password): SaslSettings => ({
  mechanism,
  username,
  password: own,
});
const all = (): [string, SaslSettings][] => [
  ["PLAIN", user("plain")],
  ["SCRAM-SHA-256", user("scram-sha-256")],
  ["SCRAM-SHA-512", user("scram-sha-512")],
  ["OAUTHBEARER", bearer(tokenOf(3600))],
];

/** Sends a record, and reads it by a fetch, which has a connection of its own. */
async function sendAndFetch(protocol: keyof SecuredDetails["addresses"], some: Partial<KafkaSettings>): Promise<void> {
  const kafka = kafkaOf(protocol, some);
  expect(await clusterIdOf(kafka)).toMatch(/^[\w-]{22}$/);
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const value = randomUUID();
  const [answer] = await producer.send({ topic, messages: [{ value }] });
  await producer.disconnect();
  const cluster = clusterOf(kafka);
  await cluster.connect();
  await cluster.addMultipleTargetTopics([topic]);
  const fetcher = new Fetcher(cluster, [topic], 0, () => undefined);
  const limits = { recordsMax: 1, bytesMax: 1e6, waitMs: 10_000 };
  const from = new Map([[topic, Number(answer!.baseOffset)]]);
  const [taken] = await fetcher.fetch(from, limits);
  expect(taken!.records.map((record) => String(record.value))).toEqual([value]);
  const idle = fetcher.close();
  await cluster.disconnect();
  await idle;
}

/** @returns what is said, which must be one line, at once, and nothing that is secret */
async function refused(protocol: keyof SecuredDetails["addresses"], some: Partial<KafkaSettings>): Promise<string> {
  said.length = 0;
  const error = await clusterIdOf(kafkaOf(protocol, some)).catch((own: unknown) => own);
  expect(error).toMatchObject({ name: "ScorefoldError", code: "config-invalid", retryable: false });
  const { message } = error as Error;
  expect(message).toMatch(/^connecting to Kafka: .+; check /);
  const everything = [message, ...said].join("\n");
  expect(message).not.toContain("\n");
  for (const secret of [password, "wrong", client.key]) expect(everything).not.toContain(secret);
  // Six tries, of which each waits longer than the one before, if it were tried again.
  expect(said.filter((text) => text.includes('"retryCount":1'))).toEqual([]);
  return message;
}

describe.skipIf(secured === null)("a broker that wants to know who comes", () => {
  it("takes every mechanism of SASL, with TLS and without", async () => {
    await makeTopics(connected!.admin, [{ topic, numPartitions: 1 }]);
    for (const [, sasl] of all()) {
      await sendAndFetch("SASL_PLAINTEXT", { sasl });
      await sendAndFetch("SASL_SSL", { sasl, tls: { ca: authority } });
    }
    await sendAndFetch("SSL", { tls: { ca: authority, cert: client.certificate, key: client.key } });
  });

  it("does not take a wrong password or token", async () => {
    for (const mechanism of ["plain", "scram-sha-256", "scram-sha-512"] as const)
      expect(await refused("SASL_PLAINTEXT", { sasl: user(mechanism, "wrong") })).toMatch(
        /SASL .* authentication failed: .*check .* knows this user and password/,
      );
    expect(await refused("SASL_PLAINTEXT", { sasl: bearer(tokenOf(-50)) })).toMatch(
      /SASL OAUTHBEARER authentication failed: .*invalid_token.*takes this token/,
    );
  });

  it("is not taken where another authority has signed for it, or for another name", async () => {
    const sasl = user("plain");
    expect(await refused("SASL_SSL", { sasl, tls: true })).toContain("check that the CA is the one");
    expect(await refused("SASL_SSL", { sasl, tls: { ca: stranger.certificate } })).toContain(
      "check that the CA is the",
    );
    const brokers = [addresses.SASL_SSL.replace("127.0.0.1", "localhost")];
    expect(await refused("SASL_SSL", { brokers, sasl, tls: { ca: authority } })).toContain("named as in their");
  });

  it("does not take a client without a certificate, or with one that nobody has signed", async () => {
    expect(await refused("SSL", { tls: { ca: authority } })).toContain("check the client's certificate");
    const { certificate: cert, key } = stranger;
    expect(await refused("SSL", { tls: { ca: authority, cert, key } })).toContain("check the client's certificate");
  });

  it("says what to check where a listener is of another kind", async () => {
    const tls = { ca: authority };
    const sasl = user("plain");
    const told = async (kafka: ReturnType<typeof kafkaOf>): Promise<unknown> =>
      await clusterIdOf(kafka).catch((error: unknown) => (error as Error).message);
    const check = expect.stringContaining("; check that the settings of TLS and SASL are those of this listener");
    const found = await Promise.all([
      told(kafkaOf("SASL_PLAINTEXT", { sasl, tls })),
      told(kafkaOf("SASL_PLAINTEXT", {})),
      told(kafkaOf("SASL_SSL", { sasl })),
    ]);
    expect(found).toEqual([check, check, check]);
    expect(await refused("SSL", { sasl, tls: { ca: authority, cert: client.certificate, key: client.key } })).toContain(
      "check that this listener of the broker wants SASL at all",
    );
  });
});
