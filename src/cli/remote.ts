/** A running engine, asked over HTTP. */
import type {
  ContactAnswer,
  DeadLetterFilter,
  DeadLetterPage,
  DeadLetterTopic,
  DroppedLetters,
  Engine,
  ErasureAnswer,
  ErasureOptions,
  ExplainAnswer,
  OutputRecord,
  Question,
  TopicBounds,
} from "../api/engine.js";
import { DEAD_LETTERS, ERASED_UNTIL, LATER_INPUTS, LEFT_IN_TOPICS, leftOf, MENTIONS } from "../api/erasure-headers.js";
import type { IngestedLines } from "../engine/ingest.js";
import { COMMAND_PATIENCE_MS, Patience } from "../engine/patience.js";
import { ScorefoldError } from "../errors.js";
import type { Original } from "../events/dead-letter.js";
import type { ContactId, ScoreLine, TenantId } from "../events/types.js";
import { systemClock } from "../stream/clock.js";

const TIMELINE_MAX = 1000;

/** Tries again what an engine can't do just now, for as long as a command does in its own process. */
async function patiently<T>(act: () => Promise<T>): Promise<T> {
  return await new Patience(systemClock, COMMAND_PATIENCE_MS).trying(act, ["disk-full", "stopping"]);
}

/** What the commands ask of an engine, be it in this process or elsewhere. */
export type Asked = Pick<Engine, "scores" | "explain" | "allScores" | "outputs" | "topics" | "erase" | "deadLetters">;

interface Problem {
  readonly type?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly [extension: string]: unknown;
}

export class RemoteEngine implements Asked {
  readonly url: string;
  readonly #token: string | undefined;

  /** @param token where the engine wants one */
  constructor(url: string, token: string | undefined) {
    this.url = url.replace(/\/$/, "");
    this.#token = token;
  }

  async scores(contact: ContactId, question: Question): Promise<ContactAnswer | null> {
    return (await this.#asked(`/v1/contacts/${encodeURIComponent(contact)}/scores`, question)) as ContactAnswer | null;
  }

  async explain(contact: ContactId, question: Question): Promise<ExplainAnswer | null> {
    const path = `/v1/contacts/${encodeURIComponent(contact)}/explain`;
    return (await this.#asked(path, question, { timeline: String(TIMELINE_MAX) })) as ExplainAnswer | null;
  }

  async *allScores(question: Question, isPartial = false): AsyncGenerator<readonly ScoreLine[]> {
    const query = queryOf(question, isPartial ? { tasks: "own" } : {});
    const response = await this.#request("GET", `/v1/scores${query}`, question.tenantId);
    for await (const lines of linesOf(response)) yield lines.map((line) => JSON.parse(line) as ScoreLine);
  }

  async topics(): Promise<readonly TopicBounds[]> {
    const answer = (await this.#json("GET", "/v1/topics", "")) as { topics: TopicBounds[] };
    return answer.topics;
  }

  async *outputs(
    topic: string,
    from: number,
    signal: AbortSignal,
    until?: number,
  ): AsyncGenerator<readonly OutputRecord[]> {
    let offset = from;
    let next = from;
    // A reader that was ended for others goes on where it was.
    for (let isEnded = true; isEnded; ) {
      isEnded = false;
      const path = `/v1/outputs/${encodeURIComponent(topic)}?format=sse&from=${next}`;
      const response = await this.#request("GET", path, "", undefined, signal);
      try {
        for await (const lines of linesOf(response)) {
          const records: OutputRecord[] = [];
          for (const line of lines) {
            if (line.startsWith(": ended:")) isEnded = true;
            if (line.startsWith("id: ")) offset = Number(line.slice(4));
            if (until !== undefined && offset >= until) break;
            if (line.startsWith("data: ")) records.push({ offset, value: line.slice(6) });
          }
          if (records.length > 0) {
            next = records.at(-1)!.offset + 1;
            yield records;
          }
          if (until !== undefined && offset >= until - 1) return;
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  async erase(contact: ContactId, tenantId: TenantId, { alsoLater }: ErasureOptions): Promise<ErasureAnswer> {
    try {
      const path = `/v1/contacts/${encodeURIComponent(contact)}${alsoLater ? "?alsoLater=true" : ""}`;
      const { headers } = await patiently(() => this.#request("DELETE", path, tenantId));
      const count = (name: string): number | null => (headers.has(name) ? Number(headers.get(name)) : null);
      return {
        status: "erased",
        until: count(ERASED_UNTIL) ?? 0,
        laterInputs: count(LATER_INPUTS) ?? 0,
        deadLetters: count(DEAD_LETTERS),
        mentions: count(MENTIONS),
        left: headers.has(LEFT_IN_TOPICS) ? leftOf(headers.get(LEFT_IN_TOPICS) ?? "") : null,
      };
    } catch (error) {
      if (!(error instanceof NotThere)) throw error;
      return { status: "unknown", nearest: typeof error.problem.nearest === "string" ? error.problem.nearest : null };
    }
  }

  readonly deadLetters: DeadLetterTopic = {
    list: async (filter, from, limit) =>
      (await this.#json("GET", `/v1/dead-letters${filterQuery(filter, { from, limit })}`, "")) as DeadLetterPage,
    show: async (id) => {
      try {
        const found = (await this.#json("GET", `/v1/dead-letters/${id}`, "")) as { id: number; at: number };
        const { id: _, at, ...letter } = found;
        return { id, at, value: JSON.stringify(letter) };
      } catch (error) {
        if (error instanceof NotThere) return null;
        throw error;
      }
    },
    drop: async (filter) =>
      (await this.#json("DELETE", `/v1/dead-letters${filterQuery(filter)}`, "")) as DroppedLetters,
  };

  /** Sends lines of any kind of input. They are on the engine's disk, or in Kafka, when it resolves. */
  async append(lines: readonly Original[]): Promise<IngestedLines> {
    // A line that is too long or no UTF-8 is sent as far as it was kept, and refused there in its turn.
    const body = lines.map((line) => (typeof line === "string" ? line : line.head)).join("\n");
    for (let wait = 250; ; wait = Math.min(5_000, 2 * wait)) {
      try {
        const response = await patiently(() => this.#request("POST", "/v1/inputs?results=refused", "", body));
        const answer = (await response.json()) as {
          offset: number | null;
          accepted: number;
          refused: number;
          results: readonly { status: "refused"; reason: never; error: string }[];
        };
        return {
          end: answer.offset === null ? null : answer.offset + answer.accepted + answer.refused,
          decoded: answer.results.map(({ reason }) => ({ ok: false, reason })),
        };
      } catch (error) {
        if (!(error instanceof ScorefoldError) || error.code !== "too-many") throw error;
        await new Promise((done) => setTimeout(done, wait));
      }
    }
  }

  /** Resolves once everything up to `offset` is folded and published. */
  async folded(offset: number): Promise<void> {
    for (;;) {
      const answer = await patiently(() => this.#json("GET", `/v1/folded?offset=${offset}`, ""));
      const { folded } = answer as { folded: boolean };
      if (folded) return;
    }
  }

  async #asked(path: string, question: Question, more: Readonly<Record<string, string>> = {}): Promise<unknown> {
    try {
      return await this.#json("GET", `${path}${queryOf(question, more)}`, question.tenantId);
    } catch (error) {
      if (error instanceof NotThere) return null;
      throw error;
    }
  }

  async #json(method: string, path: string, tenantId: TenantId): Promise<unknown> {
    return await (await this.#request(method, path, tenantId)).json();
  }

  async #request(
    method: string,
    path: string,
    tenantId: TenantId,
    body?: string,
    signal?: AbortSignal,
  ): Promise<Response> {
    const headers: Record<string, string> = {};
    if (tenantId !== "") headers["x-tenant"] = tenantId;
    if (this.#token !== undefined) headers["authorization"] = `Bearer ${this.#token}`;
    if (body !== undefined) headers["content-type"] = "application/x-ndjson";
    let response: Response;
    try {
      response = await fetch(`${this.url}${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      throw new ScorefoldError("engine-unreachable", `the engine at ${this.url} does not answer; is it running?`, {
        cause,
      });
    }
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as Problem;
    const text = problem.detail ?? problem.title ?? `it answered with status ${response.status}`;
    if (response.status === 404 && notThere.test(problem.type ?? "")) throw new NotThere(text, problem);
    if (response.status === 421 && problem.type?.endsWith("/elsewhere") === true)
      throw new ScorefoldError("elsewhere", text);
    if (response.status === 503 && problem.type?.endsWith("/failed") !== true)
      throw new ScorefoldError("stopping", text);
    if (response.status === 507)
      throw new ScorefoldError(
        "disk-full",
        `the disk of the engine at ${this.url} is full; make room there, and do it again: what comes twice counts once`,
      );
    if (response.status === 429) throw new ScorefoldError("too-many", text);
    if (response.status === 401 || response.status === 403) {
      throw new ScorefoldError(
        "engine-unreachable",
        `the engine at ${this.url} refuses: ${text} (its token goes in SCOREFOLD_API_TOKEN)`,
      );
    }
    throw new ScorefoldError(response.status < 500 ? "usage" : "engine-unreachable", `${this.url}: ${text}`);
  }
}

const notThere = /\/unknown-(contact|dead-letter)$/;

class NotThere extends Error {
  readonly problem: Problem;

  constructor(text: string, problem: Problem) {
    super(text);
    this.problem = problem;
  }
}

function filterQuery(
  { ids, reasons, source, containing }: DeadLetterFilter,
  more: Readonly<Record<string, number>> = {},
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(more)) query.set(name, String(value));
  if (ids !== undefined) query.set("ids", ids.join(","));
  if (reasons !== undefined) query.set("reason", reasons.join(","));
  if (source !== undefined) query.set("source", source);
  if (containing !== undefined) query.set("containing", containing);
  return query.size === 0 ? "" : `?${query}`;
}

function queryOf({ model, asOf }: Question, more: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(more);
  if (model !== undefined) query.set("model", model);
  if (asOf !== undefined) query.set("asOf", new Date(asOf).toISOString());
  return query.size === 0 ? "" : `?${query}`;
}

/** The lines of an answer, as they come. */
async function* linesOf(response: Response): AsyncGenerator<string[]> {
  if (response.body === null) return;
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body) {
    const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    const whole = lines.filter((line) => line !== "");
    if (whole.length > 0) yield whole;
  }
  if (rest !== "") yield [rest];
}
