import type { Patch } from "./patch.js";

/** An error of a connection. */
export interface ConnectionError {
  readonly code?: unknown;
  retriable: boolean;
}

interface ConnectionClass {
  readonly prototype: { rejectRequests(this: object, error: ConnectionError): void };
}

/** What Node.js says of certificates that it does not take. */
const certificates = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "HOSTNAME_MISMATCH",
  "INVALID_CA",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** Whether a certificate is the reason, this side's or the other's, or that one side speaks no TLS. */
export function isOfTls(code: unknown): code is string {
  if (typeof code !== "string") return false;
  return certificates.has(code) || /^(CERT_|ERR_TLS_CERT_|ERR_SSL_|EPROTO$)/.test(code);
}

/** A certificate that is not taken is not taken the next time: kafkajs tries ten seconds long, six times. */
export const tlsErrors: Patch = {
  name: "errors of TLS",
  file: "src/network/connection.js",
  replace: (original) => {
    const { prototype } = original as ConnectionClass;
    const reject = prototype.rejectRequests;
    // Comes before everything else that is told of an error of the socket.
    prototype.rejectRequests = function (error): void {
      if (isOfTls(error.code)) error.retriable = false;
      reject.call(this, error);
    };
    return original;
  },
};
