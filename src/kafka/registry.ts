/**
 * A schema registry, asked over its REST API (https://docs.confluent.io/platform/current/schema-registry/develop/api.html).
 *
 * Not through @kafkajs/confluent-schema-registry (3.9.0), which tests read and write with: its errors have lost the
 * registry's code, so that an id that is not known looks like a wrong URL; it makes code out of each schema it fetches
 * before we could look at the names in it; it registers nothing for subjects whose compatibility is not BACKWARD, sets
 * it where none is set, and can't check; and an answer that breaks off it waits for, for ever.
 */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { ScorefoldError } from "../errors.js";

export interface RegistrySettings {
  /** `http://host:8081`, with a path where it has one; without user and password. */
  readonly url: string;
  /** For basic authentication. */
  readonly username?: string;
  readonly password?: string;
  /** Certificates to trust in place of the system's, in PEM. */
  readonly ca?: string;
}

export interface RegisteredSchema {
  /** `AVRO`, `JSON`, `PROTOBUF`. */
  readonly type: string;
  /** As it was registered. */
  readonly text: string;
  /** Whether it names types that are registered apart. */
  readonly hasReferences: boolean;
}

/** Of one request; a registry that answers drop by drop must not hold a task for ever. */
const REQUEST_MS = 10_000;
/** Before each try: what passes within a second need not end the life of a task. */
const WAITS_MS = [0, 100, 400];
/** Of a text that a registry gives for an error. */
const SAID_LENGTH_MAX = 1_000;
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
const MEDIA_TYPE = "application/vnd.schemaregistry.v1+json";
const SUBJECT_NOT_FOUND = 40_401;
const VERSION_NOT_FOUND = 40_402;
const SCHEMA_NOT_FOUND = 40_403;

/** What a registry answers, good or bad. */
interface Answer {
  readonly status: number;
  /** Null where it is no JSON object, as of something else that listens there. */
  readonly data: Readonly<Record<string, unknown>> | null;
}

export class SchemaRegistry {
  readonly #url: string;
  readonly #agent: HttpAgent;
  readonly #auth: string | undefined;

  constructor({ url, username, password, ca }: RegistrySettings) {
    this.#url = url.replace(/\/$/, "");
    this.#agent = this.#isSecure
      ? new HttpsAgent({ keepAlive: true, ...(ca === undefined ? undefined : { ca }) })
      : new HttpAgent({ keepAlive: true });
    this.#auth = username === undefined ? undefined : `${username}:${password ?? ""}`;
  }

  /** What it is called where somebody waits for it. */
  get name(): string {
    return `the schema registry at ${this.#url}`;
  }

  /**
   * The schema with this id; null: the registry has none.
   *
   * @throws ScorefoldError `registry-failed` for anything but an answer
   */
  async schemaOf(id: number, signal?: AbortSignal): Promise<RegisteredSchema | null> {
    const what = `asking for the schema ${id}`;
    const { status, data } = await this.#ask(what, `/schemas/ids/${id}`, null, signal);
    if (status === 404 && data?.["error_code"] === SCHEMA_NOT_FOUND) return null;
    const text = data?.["schema"];
    if (status !== 200 || typeof text !== "string") throw this.#unexpected(what, { status, data });
    const { schemaType = "AVRO", references } = data ?? {};
    return { type: String(schemaType), text, hasReferences: Array.isArray(references) && references.length > 0 };
  }

  /** The id under which a subject has a schema, in any version; null: it has it not. @throws ScorefoldError `registry-failed` */
  async idOf(subject: string, schema: string): Promise<number | null> {
    const what = `looking a schema up in the subject ${subject}`;
    const answer = await this.#ask(what, `/subjects/${encodeURIComponent(subject)}`, { schema });
    const code = answer.data?.["error_code"];
    if (answer.status === 404 && (code === SUBJECT_NOT_FOUND || code === SCHEMA_NOT_FOUND)) return null;
    return this.#idIn(what, answer);
  }

  /**
   * What is against a schema as the next version of a subject, by the compatibility that is set for the subject; null:
   * nothing, also where there is no such subject.
   *
   * @throws ScorefoldError `registry-failed`
   */
  async incompatibility(subject: string, schema: string): Promise<string | null> {
    const what = `checking a schema against the subject ${subject}`;
    const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/latest?verbose=true`;
    const { status, data } = await this.#ask(what, path, { schema });
    const code = data?.["error_code"];
    if (status === 404 && (code === SUBJECT_NOT_FOUND || code === VERSION_NOT_FOUND)) return null;
    const isCompatible = data?.["is_compatible"];
    if (status !== 200 || typeof isCompatible !== "boolean") throw this.#unexpected(what, { status, data });
    if (isCompatible) return null;
    const messages = data?.["messages"];
    return cut(Array.isArray(messages) && messages.length > 0 ? messages.join("; ") : "the registry does not say why");
  }

  /**
   * Registers a schema with a subject; one that is there already keeps its id.
   *
   * @throws ScorefoldError `schema-incompatible`, `registry-failed`
   */
  async register(subject: string, schema: string): Promise<number> {
    const what = `registering a schema with the subject ${subject}`;
    const answer = await this.#ask(what, `/subjects/${encodeURIComponent(subject)}/versions`, { schema });
    if (answer.status === 409) throw incompatible(subject, cut(String(answer.data?.["message"] ?? "")));
    return this.#idIn(what, answer);
  }

  /** Lets connections go. */
  close(): void {
    this.#agent.destroy();
  }

  #idIn(what: string, answer: Answer): number {
    const id = answer.data?.["id"];
    if (answer.status !== 200 || typeof id !== "number") throw this.#unexpected(what, answer);
    return id;
  }

  get #isSecure(): boolean {
    return this.#url.startsWith("https:");
  }

  /** An answer, after a few tries where it may pass. @param body null: only asked for */
  async #ask(what: string, path: string, body: object | null, signal?: AbortSignal): Promise<Answer> {
    let why: Error | null = null;
    for (const wait of WAITS_MS) {
      if (wait > 0) await sleep(wait, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
      if (signal?.aborted === true) break;
      try {
        const answer = await this.#once(path, body, signal);
        if (answer.status < 500 && answer.status !== 429) return answer;
        why = this.#unexpected(what, answer);
      } catch (error) {
        why = this.#failed(what, error instanceof Error ? error.message : String(error), error);
      }
    }
    if (signal?.aborted === true) throw new ScorefoldError("stopping", `${what}: stopped meanwhile`);
    throw why;
  }

  async #once(path: string, body: object | null, signal?: AbortSignal): Promise<Answer> {
    const stop = AbortSignal.timeout(REQUEST_MS);
    const sent = (this.#isSecure ? requestHttps : requestHttp)(`${this.#url}${path}`, {
      method: body === null ? "GET" : "POST",
      agent: this.#agent,
      headers: { accept: MEDIA_TYPE, "content-type": MEDIA_TYPE },
      signal: signal === undefined ? stop : AbortSignal.any([stop, signal]),
      ...(this.#auth === undefined ? undefined : { auth: this.#auth }),
    });
    try {
      return await new Promise<Answer>((resolve, reject) => {
        sent.on("error", reject);
        sent.on("response", (response) => textOf(response).then((text) => resolve(answerOf(response, text)), reject));
        sent.end(body === null ? undefined : JSON.stringify(body));
      });
    } catch (error) {
      throw stop.aborted ? new Error(`no answer within ${REQUEST_MS} ms`) : error;
    }
  }

  #unexpected(what: string, { status, data }: Answer): ScorefoldError {
    if (status === 401 || status === 403)
      return this.#failed(what, `it answers ${status}; check its user and password, and what they may do`);
    const message = data?.["message"];
    const said = typeof message === "string" ? ` (${cut(message)})` : "";
    return this.#failed(what, `it answers ${status}${said}; is that the URL of a schema registry, with its path?`);
  }

  #failed(what: string, why: string, cause?: unknown): ScorefoldError {
    return new ScorefoldError("registry-failed", `${this.name}: ${what}: ${why}`, { cause });
  }
}

export function incompatible(subject: string, why: string): ScorefoldError {
  return new ScorefoldError(
    "schema-incompatible",
    `the schema of this version does not fit those that the subject ${subject} has (${why}); give the topic another` +
      " name, or let the registry take it by the compatibility that is set for the subject",
  );
}

function cut(text: string): string {
  return text.slice(0, SAID_LENGTH_MAX);
}

async function textOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response) {
    pieces.push(piece as Buffer);
    bytes += (piece as Buffer).length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`the answer has more than ${ANSWER_BYTES_MAX} bytes`);
  }
  return Buffer.concat(pieces).toString("utf8");
}

function answerOf({ statusCode = 0 }: IncomingMessage, text: string): Answer {
  let data: unknown = null;
  try {
    data = JSON.parse(text);
  } catch {
    // Not a registry: its status says enough.
  }
  const isObject = typeof data === "object" && data !== null && !Array.isArray(data);
  return { status: statusCode, data: isObject ? (data as Answer["data"]) : null };
}
