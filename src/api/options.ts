/** How the API is served, and how much of everything it takes. */
import type { FastifyBaseLogger } from "fastify";
import { ScorefoldError } from "../errors.js";
import { isLoopback } from "./loopback.js";

export interface ApiOptions {
  /** Default 127.0.0.1. Another than a loopback address needs a token, or `allowAnonymous`. */
  readonly host?: string;
  /** Default 7070; 0 is any free port. */
  readonly port?: number;
  /** What clients have to send as `Authorization: Bearer`; without it nobody is asked. */
  readonly token?: string;
  /** Everybody who reaches the address may read and write everything. */
  readonly allowAnonymous?: boolean;
  /** A pino. Requests are not logged; what failed here is. */
  readonly logger?: FastifyBaseLogger;
  readonly limits?: Partial<ApiLimits>;
}

export interface ApiLimits {
  /** Of one request. */
  readonly bodyBytesMax: number;
  readonly itemsMax: number;
  /** Of all requests that are under way, together. */
  readonly bodiesBytesMax: number;
  readonly streamsMax: number;
  /** What may be held for all readers of streams together, beyond what the system has taken. */
  readonly streamsBytesMax: number;
  readonly heartbeatMs: number;
  /** How long a client of a stream may leave what it was sent unread. */
  readonly stalledMs: number;
  /** How long `wait=folded` waits before it answers that folding is not done. */
  readonly waitMs: number;
  /** How long a request may take to arrive. */
  readonly requestMs: number;
  /** How long `close` lets requests under way finish. */
  readonly closeMs: number;
}

export const defaultApiLimits: ApiLimits = {
  bodyBytesMax: 16 * 1024 * 1024,
  itemsMax: 50_000,
  bodiesBytesMax: 128 * 1024 * 1024,
  streamsMax: 100,
  streamsBytesMax: 8 * 1024 * 1024,
  heartbeatMs: 15_000,
  stalledMs: 60_000,
  waitMs: 30_000,
  requestMs: 120_000,
  closeMs: 10_000,
};

export const DEFAULT_HOST = "127.0.0.1";
export const DEFAULT_PORT = 7070;

/** @throws ScorefoldError `config-invalid` where everybody on the network could read and write */
export function checkAccess({ host = DEFAULT_HOST, token, allowAnonymous = false }: ApiOptions): void {
  if (token === "") throw new ScorefoldError("config-invalid", "the API token is empty; leave it out, or give one");
  if (isLoopback(host) || token !== undefined || allowAnonymous) return;
  throw new ScorefoldError(
    "config-invalid",
    `the API would be open to everybody who reaches ${host}: set a token (SCOREFOLD_API_TOKEN), or bind to ` +
      "127.0.0.1, or allow anonymous access in so many words",
  );
}
