/** What requests say in path, query and headers. Strict: a misspelt `asof` must not be answered as of now. */
import { isUtf8 } from "node:buffer";
import type { FastifyRequest } from "fastify";
import { DEFAULT_TENANT, NAME_BYTES_MAX } from "../events/decode.js";
import { INSTANT_SIZE_MAX_MS, parseInstant } from "../events/time.js";
import type { ContactId, EpochMs, TenantId } from "../events/types.js";
import type { Engine, Question } from "./engine.js";
import { Problem, type ProblemName } from "./problems.js";

const SHOWN_MAX = 60;

export function bad(name: string, value: string, expected: string): Problem {
  const found = JSON.stringify(value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}...` : value);
  return new Problem("bad-parameter", `${name} is ${found}; expected ${expected}`, { parameter: name });
}

/** The query, each parameter once, and none but these. */
export function readQuery<Name extends string>(
  request: FastifyRequest,
  names: readonly Name[],
): { readonly [N in Name]?: string } {
  const query = request.query as Readonly<Record<string, string | readonly string[]>>;
  for (const [name, value] of Object.entries(query)) {
    if (!(names as readonly string[]).includes(name)) {
      const known = names.length === 0 ? "this path has none" : `this path knows ${names.join(", ")}`;
      const shown = JSON.stringify(name.slice(0, SHOWN_MAX));
      throw new Problem("bad-parameter", `there is no parameter ${shown}; ${known}`);
    }
    if (typeof value !== "string") throw new Problem("bad-parameter", `${name} is there twice`, { parameter: name });
  }
  return query as { readonly [N in Name]?: string };
}

/** One of these words, or undefined where the parameter is not there. */
export function wordOf<Word extends string>(
  name: string,
  value: string | undefined,
  words: readonly Word[],
): Word | undefined {
  if (value === undefined) return undefined;
  const word = words.find((one) => one === value);
  if (word === undefined) throw bad(name, value, words.join(" or "));
  return word;
}

/** A whole number from 0 to `max`. */
export function countOf(name: string, value: string, max: number): number {
  const count = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!(count <= max)) throw bad(name, value, `a whole number from 0 to ${max}`);
  return count;
}

export function instantOf(name: string, value: string): EpochMs {
  if (/^-?\d{1,16}$/.test(value) && Math.abs(Number(value)) <= INSTANT_SIZE_MAX_MS) return Number(value) + 0;
  // A plus that was not percent-encoded arrives as a blank, and no instant has one.
  const at = parseInstant(value.replace(" ", "+"));
  if (at !== undefined) return at;
  throw bad(name, value, "ISO 8601 with a zone, as 2024-05-01T12:00:00Z, or whole milliseconds since 1970");
}

/** The tenant that the header names, if it does. */
export function givenTenant(request: FastifyRequest): TenantId | undefined {
  const header = request.headers["x-tenant"];
  if (header === undefined) return undefined;
  if (typeof header !== "string") throw new Problem("bad-tenant", "X-Tenant is there twice");
  // Node reads headers byte by byte; tenants are UTF-8.
  const bytes = Buffer.from(header, "latin1");
  if (!isUtf8(bytes)) throw new Problem("bad-tenant", "X-Tenant is not UTF-8");
  return checkedName("bad-tenant", "X-Tenant", bytes.toString("utf8"));
}

export function tenantOf(request: FastifyRequest): TenantId {
  return givenTenant(request) ?? DEFAULT_TENANT;
}

export function contactOf(request: FastifyRequest): ContactId {
  return checkedName("bad-contact", "the contact id", (request.params as { readonly id: string }).id);
}

function checkedName(problem: ProblemName, what: string, name: string): string {
  if (name === "") throw new Problem(problem, `${what} is empty`);
  const bytes = Buffer.byteLength(name);
  if (bytes > NAME_BYTES_MAX) {
    throw new Problem(problem, `${what} has ${bytes} bytes; at most ${NAME_BYTES_MAX} are allowed`);
  }
  if (/\p{Cc}/u.test(name)) throw new Problem(problem, `${what} holds a control character`);
  return name;
}

/** Whom and when a question is about; a model that nobody runs is a mistake, not an empty answer. */
export function questionOf(
  engine: Engine,
  tenantId: TenantId,
  { model, asOf }: { readonly model?: string; readonly asOf?: string },
): Question {
  if (model !== undefined) {
    const ids = [...new Set(engine.status.models.map((name) => name.replace(/@\d+$/, "")))];
    if (!ids.includes(model)) {
      const known = ids.length === 0 ? "none is" : `these are: ${ids.slice(0, 30).join(", ")}`;
      const shown = JSON.stringify(model.slice(0, SHOWN_MAX));
      throw new Problem("unknown-model", `no model ${shown} is running; ${known}`);
    }
  }
  return {
    tenantId,
    ...(model === undefined ? undefined : { model }),
    ...(asOf === undefined ? undefined : { asOf: instantOf("asOf", asOf) }),
  };
}
