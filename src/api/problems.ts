/**
 * What can go wrong over HTTP, as a closed list, and how it is told: problem documents after RFC 9457. Clients tell
 * problems apart by `type`, so a name that was once given stays.
 */
import { STATUS_CODES } from "node:http";
import { ScorefoldError } from "../errors.js";

/** Name -> status, title, what to do about it. */
const problems = {
  "malformed-http": [400, "Malformed request", "What was sent is not HTTP/1.1, or ended before it was complete."],
  "malformed-json": [
    400,
    "Malformed JSON",
    "The body is no JSON; `line` and `column` say where. Nothing of it was taken.",
  ],
  "empty-body": [400, "Empty body", "Send an input, a list of inputs, or lines of inputs."],
  "not-utf8": [400, "Not UTF-8", "A JSON body has to be UTF-8. Nothing of it was taken."],
  "bad-tenant": [400, "Bad tenant", "X-Tenant is 1 to 256 bytes of UTF-8 without control characters."],
  "bad-contact": [
    400,
    "Bad contact id",
    "A contact id is 1 to 256 bytes of UTF-8, percent-encoded, without control characters.",
  ],
  "bad-parameter": [400, "Bad parameter", "A query parameter is unknown, came twice, or has a value that can't be."],
  "bad-path": [400, "Bad path", "The path holds a percent sign that encodes nothing; write a percent sign as %25."],
  "bad-request": [400, "Bad request", "The request can't be read."],
  unauthorized: [401, "Token needed", "Send `Authorization: Bearer TOKEN` with the token that the server was given."],
  "not-found": [404, "No such path", "GET / and GET /v1/openapi.json tell what there is."],
  "unknown-contact": [404, "Unknown contact", "The tenant has no contact of this id; X-Tenant names the tenant."],
  "unknown-dead-letter": [
    404,
    "Unknown dead letter",
    "`/v1/dead-letters` tells which there are; it may have been dropped.",
  ],
  "unknown-topic": [404, "Unknown topic", "GET /v1/topics tells which topics there are."],
  "unknown-model": [404, "Unknown model", "No model of this id is running; /readyz and the detail tell which are."],
  "method-not-allowed": [405, "Method not allowed", "The `Allow` header tells what this path answers to."],
  "not-acceptable": [406, "Not acceptable", "The `Accept` header leaves out every format that this path has."],
  "request-timeout": [408, "Request timeout", "The request did not arrive in time."],
  "body-too-large": [413, "Body too large", "Send smaller batches, or load the file with `scorefold ingest`."],
  "too-many-items": [413, "Too many items", "Send smaller batches, or load the file with `scorefold ingest`."],
  "url-too-long": [414, "URL too long", "Ids have at most 256 bytes; nothing that is asked needs such a URL."],
  "unsupported-media-type": [
    415,
    "Unsupported media type",
    "Send application/json or application/x-ndjson in UTF-8, not compressed.",
  ],
  "offset-out-of-range": [
    416,
    "Offset out of range",
    "The topic holds the offsets from `start` up to, not including, `end`; `from=earliest` always works.",
  ],
  "wrong-host": [421, "Wrong host", "This server answers to localhost only; the Host header named another."],
  elsewhere: [
    421,
    "Elsewhere",
    "Another process of the group has this contact, or some of them; `/v1/tasks` of each process tells what it has.",
  ],
  "input-refused": [
    422,
    "Input refused",
    "`reason` and `error` tell why. The input is in the dead-letter topic unless it contradicts the request.",
  ],
  "too-many": [429, "Too many at once", "More is waiting than is taken; send again after `Retry-After` seconds."],
  "headers-too-large": [431, "Headers too large", "All headers together have at most 16 kB."],
  internal: [500, "Internal error", "The log of the server has the cause, under the id in `instance`."],
  "not-ready": [
    503,
    "Not ready",
    "The engine is not taking inputs or questions yet; ask again after `Retry-After` seconds.",
  ],
  failed: [503, "Failed", "The engine has stopped working and needs a person; `detail` tells why."],
  stopping: [503, "Stopping", "The server is stopping; send again after `Retry-After` seconds."],
  unavailable: [503, "Unavailable", "The engine could not do this just now; send again after `Retry-After` seconds."],
  "too-many-streams": [
    503,
    "Too many streams",
    "As many streams are open as are allowed; close one, or try again later.",
  ],
  "disk-full": [507, "Disk full", "There is no space left where the data are. Nothing of the request was taken."],
} as const satisfies Record<string, readonly [status: number, title: string, text: string]>;

export type ProblemName = keyof typeof problems;
export const problemNames = Object.keys(problems) as readonly ProblemName[];
export const PROBLEM_TYPE = "application/problem+json";

/** What tells a program more than `detail` does. */
export type Extensions = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly [extension: string]: unknown;
}

/** Thrown wherever a request can't be answered. */
export class Problem extends Error {
  readonly problem: ProblemName;
  readonly status: number;
  readonly extensions: Extensions;
  readonly headers: Readonly<Record<string, string>>;

  constructor(problem: ProblemName, detail: string, extensions: Extensions = {}, headers: Record<string, string> = {}) {
    super(detail);
    this.name = "Problem";
    this.problem = problem;
    this.status = problems[problem][0];
    this.extensions = extensions;
    this.headers = headers;
  }

  /** @param id of the request; it is in the log, too */
  document(id: string): ProblemDocument {
    const [status, title] = problems[this.problem];
    const { extensions } = this;
    const type = `/problems/${this.problem}`;
    return { type, title, status, detail: this.message, instance: `urn:uuid:${id}`, ...extensions };
  }
}

export function isProblemName(name: string): name is ProblemName {
  return Object.hasOwn(problems, name);
}

/** What GET /problems/{name} tells. */
export function explainProblem(name: ProblemName): string {
  const [status, title, text] = problems[name];
  return `${title}\nStatus ${status} ${STATUS_CODES[status] ?? ""}\n\n${text}\n`;
}

const RETRY: Record<string, string> = { "retry-after": "1" };

/** Asking again later can help. */
export function retryable(problem: ProblemName, detail: string, extensions: Extensions = {}): Problem {
  return new Problem(problem, detail, extensions, RETRY);
}

/** Whatever was thrown, as a problem. What nobody expected tells nothing of the inside: that is for the log. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof ScorefoldError) return ofEngine(error);
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  switch (code) {
    case "FST_ERR_BAD_URL":
      return new Problem("bad-path", problems["bad-path"][2]);
    case "FST_ERR_MAX_PARAM_LENGTH":
      return new Problem("url-too-long", problems["url-too-long"][2]);
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new Problem("unsupported-media-type", problems["unsupported-media-type"][2]);
  }
  if (typeof statusCode === "number" && statusCode >= 400 && statusCode < 500) {
    return new Problem("bad-request", problems["bad-request"][2]);
  }
  return new Problem("internal", problems.internal[2]);
}

function ofEngine(error: ScorefoldError): Problem {
  switch (error.code) {
    case "too-many":
      return retryable("too-many", error.message);
    case "stopping":
      return retryable("stopping", error.message);
    case "disk-full":
      return new Problem("disk-full", problems["disk-full"][2], {}, { "retry-after": "60" });
    // A log that is not there: only a person can put it back, and the process is about to end.
    case "directory-unusable":
      return new Problem("failed", error.message, { state: "failed" });
    case "elsewhere":
      return new Problem("elsewhere", error.message);
    case "usage":
      return new Problem("bad-parameter", error.message);
    default:
      return error.retryable
        ? retryable("unavailable", problems.unavailable[2])
        : new Problem("internal", problems.internal[2]);
  }
}
