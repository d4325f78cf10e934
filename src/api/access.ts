/** Who may ask: whoever names this machine and has the token. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { isLoopback, namesLoopback } from "./loopback.js";
import { type ApiOptions, DEFAULT_HOST } from "./options.js";
import { Problem } from "./problems.js";

/** An orchestrator asks for these without knowing any token. */
const openPaths: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

/** @returns a check that throws Problem `wrong-host`, `unauthorized` */
export function accessCheck({ host = DEFAULT_HOST, token }: ApiOptions): (request: FastifyRequest) => void {
  const onlyHere = isLoopback(host);
  const expected = token === undefined ? undefined : digest(token);
  return (request) => {
    if (onlyHere && !namesLoopback(request.headers.host)) {
      throw new Problem("wrong-host", "this server answers to localhost, 127.0.0.1 and [::1] only");
    }
    if (expected === undefined || openPaths.has(request.url.replace(/\?.*$/s, ""))) return;
    const given = /^Bearer +([^ ]+) *$/i.exec(request.headers.authorization ?? "")?.[1];
    // Hashes of both: they have one length, and the time taken tells nothing of the token.
    if (given === undefined || !timingSafeEqual(digest(given), expected)) {
      const what = given === undefined ? "Authorization: Bearer is missing" : "the token is another";
      throw new Problem("unauthorized", what, {}, { "www-authenticate": 'Bearer realm="scorefold"' });
    }
  };
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
