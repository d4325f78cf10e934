/** What errors of the client mean, wrapped as it wraps them. */
import { describe, expect, it } from "vitest";
import { ScorefoldError } from "../../src/errors.js";
import { connectionError, isRefusal, kafkaError } from "../../src/kafka/errors.js";

function errorOf(name: string, message: string, fields: object = {}): Error {
  return Object.assign(new Error(message), { name, ...fields });
}

/** As it throws what it has tried several times. */
const wrapped = (cause: Error): Error => errorOf("KafkaJSNumberOfRetriesExceeded", cause.message, { cause });

const sasl = errorOf("KafkaJSSASLAuthenticationError", "SASL PLAIN authentication failed: Invalid\nusername");
const unsigned = errorOf("KafkaJSConnectionError", "Connection error: no", { code: "SELF_SIGNED_CERT_IN_CHAIN" });

describe("kafkaError", () => {
  it("is what it was where it is known already", () => {
    const error = new ScorefoldError("history-lost", "gone");
    expect(kafkaError(error, "a fetch")).toBe(error);
  });

  it("tells fenced, refused and failed apart, in one line, however often it was wrapped", () => {
    for (const [error, code, text] of [
      [errorOf("KafkaJSProtocolError", "no", { code: 47 }), "fenced", "a test: the task has another owner now (no)"],
      [errorOf("KafkaJSProtocolError", "no", { code: 6 }), "log-failed", "a test: no"],
      [errorOf("KafkaJSConnectionError", "no", { code: "ECONNREFUSED" }), "log-failed", "a test: no"],
      [sasl, "config-invalid", "Invalid username; check the SASL mechanism, and that the broker knows this user"],
      [errorOf("KafkaJSProtocolError", "no", { code: 33 }), "config-invalid", "which SASL mechanisms"],
      [errorOf("KafkaJSProtocolError", "no", { code: 34 }), "config-invalid", "wants SASL at all"],
      [unsigned, "config-invalid", "; check that the CA is the one that has signed the broker's certificate"],
    ] as const)
      for (const own of [error, wrapped(error), wrapped(wrapped(error))]) {
        const found = kafkaError(own, "a test");
        expect(found).toMatchObject({ code, retryable: code === "log-failed", cause: own });
        expect(found.message).toContain(text);
        expect(found.message).not.toContain("\n");
        expect(isRefusal(own)).toBe(code === "config-invalid");
      }
    expect(kafkaError("text", "a test").message).toBe("a test: text");
  });

  it("adds what may be wrong where the first contact is closed without a word", () => {
    const closed = errorOf("KafkaJSConnectionClosedError", "Closed connection");
    expect(connectionError(wrapped(closed)).message).toMatch(
      /Closed connection; check that the settings of TLS and SASL/,
    );
    expect(connectionError(wrapped(sasl)).message).toBe(kafkaError(sasl, "connecting to Kafka").message);
  });
});
