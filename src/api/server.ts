/** The HTTP API over an engine: put together, listening, and closed in good order. */

import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { type FastifyInstance, type FastifyReply, fastify, LogController } from "fastify";
import { accessCheck } from "./access.js";
import { Bodies } from "./body.js";
import type { ApiContext } from "./context.js";
import type { Engine } from "./engine.js";
import { accepted } from "./media.js";
import {
  type ApiLimits,
  type ApiOptions,
  checkAccess,
  DEFAULT_HOST,
  DEFAULT_PORT,
  defaultApiLimits,
} from "./options.js";
import { PROBLEM_TYPE, Problem, type ProblemName, problemOf, retryable } from "./problems.js";
import { allowedMethods, type Route } from "./route-table.js";
import { contactRoutes } from "./routes/contacts.js";
import { deadLetterRoutes } from "./routes/dead-letters.js";
import { ingestRoutes } from "./routes/ingest.js";
import { outputRoutes } from "./routes/outputs.js";
import { statusRoutes } from "./routes/status.js";
import { Streams } from "./streams.js";

export type { ApiOptions } from "./options.js";

export interface ApiServer {
  readonly routes: readonly Route[];
  /** What is held for readers of streams, beyond what the system has taken. */
  readonly heldBytes: number;
  /** Resolves with where it listens, as `http://127.0.0.1:7070`. */
  listen(): Promise<string>;
  /**
   * Takes no more, ends streams, and lets requests under way finish for as long as is allowed; then cuts what is left.
   * Every call waits for the same end. The engine is to be stopped after it.
   */
  close(): Promise<void>;
}

const HEADERS_BYTES_MAX = 16 * 1024;
const URL_LENGTH_MAX = 8 * 1024;
/** Longer ids are refused with a reason; what is longer than this is not even looked at. */
const PARAMETER_LENGTH_MAX = 4 * 1024;
/** A connection on which nothing moves; streams send something more often than this. */
const SILENCE_MS = 120_000;

/** @throws ScorefoldError `config-invalid` for an address that would be open to everybody */
export async function createServer(engine: Engine, options: ApiOptions): Promise<ApiServer> {
  checkAccess(options);
  const limits: ApiLimits = { ...defaultApiLimits, ...options.limits };
  const app = fastify({
    ...(options.logger === undefined ? { logger: false } : { loggerInstance: options.logger }),
    // URLs hold ids of contacts.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: "idle",
    connectionTimeout: SILENCE_MS,
    requestTimeout: limits.requestMs,
    http: {
      maxHeaderSize: HEADERS_BYTES_MAX,
      headersTimeout: Math.min(20_000, limits.requestMs),
      connectionsCheckingInterval: Math.min(10_000, limits.requestMs),
    },
    routerOptions: { maxParamLength: PARAMETER_LENGTH_MAX },
    clientErrorHandler: answerBroken,
    frameworkErrors: (error, request, reply) => {
      sendProblem(problemOf(error), request.id, reply as unknown as FastifyReply);
    },
  });
  const context: ApiContext = { engine, limits, bodies: new Bodies(limits), streams: new Streams(limits) };
  const closing = new Closing(app, context);
  const routes = routeList(app);
  addChecks(app, options, closing);
  addAnswersToErrors(app, routes);
  // Bodies are read by those who want them, within bounds of their own.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  for (const add of [ingestRoutes, contactRoutes, outputRoutes, deadLetterRoutes, statusRoutes]) add(app, context);
  await app.ready();
  refuseEarly(app, context.bodies);

  // `localhost` can mean two addresses, and only one of them would be watched.
  const host = options.host === undefined || options.host === "localhost" ? DEFAULT_HOST : options.host;
  const listening = { host: host.replace(/^\[(.*)\]$/, "$1"), port: options.port ?? DEFAULT_PORT };
  return {
    routes,
    get heldBytes() {
      return context.streams.heldBytes;
    },
    listen: () => app.listen(listening),
    close: () => closing.close(),
  };
}

/** Filled while routes are added. */
function routeList(app: FastifyInstance): readonly Route[] {
  const routes: Route[] = [];
  app.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ method: one, path: url });
  });
  return routes;
}

function addChecks(app: FastifyInstance, options: ApiOptions, closing: Closing): void {
  const checkRequest = accessCheck(options);
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-content-type-options", "nosniff").header("cache-control", "no-store");
    if (request.url.length > URL_LENGTH_MAX) {
      throw new Problem("url-too-long", `the URL has more than ${URL_LENGTH_MAX} characters`);
    }
    checkRequest(request);
    if (closing.isClosing) throw retryable("stopping", "the server is stopping");
    const { produces } = request.routeOptions.config;
    if (produces !== undefined) accepted(request.headers.accept, produces);
  });
  app.addHook("onSend", async (_request, reply) => {
    // Or the client would send its next request to a server that is gone.
    if (closing.isClosing) reply.header("connection", "close");
  });
}

function addAnswersToErrors(app: FastifyInstance, routes: readonly Route[]): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    if (problem.problem === "internal" || problem.problem === "unavailable" || problem.problem === "disk-full") {
      const { method } = request;
      request.log.error({ err: error, id: request.id, method, route: request.routeOptions.url }, problem.message);
    }
    return sendProblem(problem, request.id, reply);
  });
  app.setNotFoundHandler((request) => {
    const allowed = allowedMethods(routes, request.url);
    if (allowed.length === 0) throw new Problem("not-found", "there is no such path; GET / tells what there is");
    const allow = allowed.join(", ");
    throw new Problem("method-not-allowed", `this path answers to ${allow}`, {}, { allow });
  });
}

function sendProblem(problem: Problem, id: string, reply: FastifyReply): FastifyReply {
  const text = JSON.stringify(problem.document(id));
  return reply.code(problem.status).headers(problem.headers).type(PROBLEM_TYPE).send(text);
}

/** What can't be read as HTTP has no request that could be answered in the usual way. */
function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  const { code } = error;
  if (code === "ECONNRESET" || socket.destroyed) return;
  const names: Readonly<Record<string, ProblemName>> = {
    ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
    HPE_HEADER_OVERFLOW: "headers-too-large",
  };
  const name = names[code ?? ""] ?? "malformed-http";
  const problem = new Problem(name, "the request could not be read");
  const text = JSON.stringify(problem.document(randomUUID()));
  const head = `HTTP/1.1 ${problem.status} ${name}\r\nContent-Type: ${PROBLEM_TYPE}\r\nConnection: close\r\n`;
  if (socket.writable) socket.end(`${head}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  socket.once("finish", () => socket.destroy()).on("error", () => undefined);
}

/** A client that asks before it sends a body is told at once that it is too large. */
function refuseEarly(app: FastifyInstance, bodies: Bodies): void {
  app.server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    if (!bodies.isTooLarge(request)) response.writeContinue();
    app.server.emit("request", request, response);
  });
}

class Closing {
  readonly #app: FastifyInstance;
  readonly #context: ApiContext;
  /** Connections that have not asked anything yet: they would hold the end up, and nothing is lost with them. */
  readonly #unused = new Set<Socket>();
  #done: Promise<void> | undefined;

  constructor(app: FastifyInstance, context: ApiContext) {
    this.#app = app;
    this.#context = context;
    app.server.on("connection", (socket: Socket) => {
      this.#unused.add(socket);
      socket.once("close", () => this.#unused.delete(socket));
    });
    app.server.on("request", (request: IncomingMessage) => this.#unused.delete(request.socket));
  }

  get isClosing(): boolean {
    return this.#done !== undefined;
  }

  close(): Promise<void> {
    this.#done ??= this.#close();
    return this.#done;
  }

  async #close(): Promise<void> {
    this.#context.streams.stop();
    const timer = setTimeout(() => this.#app.server.closeAllConnections(), this.#context.limits.closeMs);
    const closed = this.#app.close();
    for (const socket of this.#unused) socket.destroy();
    try {
      await closed;
    } finally {
      clearTimeout(timer);
    }
  }
}
