/** Listeners of the local broker that want to know who comes: SASL with every mechanism, TLS, and both. */
import type { Certificate, Certificates } from "./certificates.js";
import type { Listeners } from "./listeners.js";

const USERNAME = "alice";
/** With what has a meaning in settings and in SASL. */
const PASSWORD = "s3cret=of:alice";

/** What a client needs to know. */
export interface SecuredDetails {
  readonly username: string;
  readonly password: string;
  /** Of the broker's certificate. */
  readonly authority: string;
  readonly client: Certificate;
  readonly stranger: Certificate;
  /** By protocol; `SSL` wants a client's certificate. */
  readonly addresses: Readonly<Record<"SASL_PLAINTEXT" | "SASL_SSL" | "SSL", string>>;
}

export class Secured implements Listeners {
  readonly details: SecuredDetails;
  readonly listeners: readonly string[];
  readonly advertised: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  /** Users of SCRAM lie in the metadata. */
  readonly formatOptions: readonly string[];

  constructor(certificates: Certificates, ports: readonly [number, number, number]) {
    const { authority, broker, client, stranger } = certificates;
    const [saslPlaintext, saslSsl, ssl] = ports.map((port) => `127.0.0.1:${port}`) as [string, string, string];
    const addresses = { SASL_PLAINTEXT: saslPlaintext, SASL_SSL: saslSsl, SSL: ssl };
    this.details = { username: USERNAME, password: PASSWORD, authority, client, stranger, addresses };
    this.listeners = Object.entries(addresses).map(([protocol, address]) => `${protocol}://${address}`);
    this.advertised = this.listeners;
    const module = (name: string, options = ""): string =>
      `org.apache.kafka.common.security.${name} required${options};`;
    const sasl = (listener: string): Record<string, string> => ({
      [`listener.name.${listener}.sasl.enabled.mechanisms`]: "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
      [`listener.name.${listener}.plain.sasl.jaas.config`]: module(
        "plain.PlainLoginModule",
        ` user_${USERNAME}="${PASSWORD}"`,
      ),
      [`listener.name.${listener}.scram-sha-256.sasl.jaas.config`]: module("scram.ScramLoginModule"),
      [`listener.name.${listener}.scram-sha-512.sasl.jaas.config`]: module("scram.ScramLoginModule"),
      // Tokens are taken that nobody has signed: what is tested is how they are sent.
      [`listener.name.${listener}.oauthbearer.sasl.jaas.config`]: module(
        "oauthbearer.OAuthBearerLoginModule",
        ' unsecuredLoginStringClaim_sub="broker"',
      ),
    });
    this.settings = {
      ...sasl("sasl_plaintext"),
      ...sasl("sasl_ssl"),
      "ssl.keystore.type": "PEM",
      "ssl.keystore.certificate.chain": oneLine(broker.certificate),
      "ssl.keystore.key": oneLine(broker.key),
      "ssl.truststore.type": "PEM",
      "ssl.truststore.certificates": oneLine(authority),
      "listener.name.ssl.ssl.client.auth": "required",
    };
    this.formatOptions = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
      "--add-scram",
      `${mechanism}=[name=${USERNAME},password=${PASSWORD}]`,
    ]);
  }
}

/** As a file of properties has it. */
function oneLine(pem: string): string {
  return pem.trim().replaceAll("\n", "\\n");
}
