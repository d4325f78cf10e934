/** Dead letters, where they lie in the engine's own log: found, shown, and taken out for good. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { deadLetterReasons } from "../../events/decode.js";
import type { ApiContext } from "../context.js";
import type { DeadLetterFilter, DeadLetterTopic } from "../engine.js";
import { JSON_TYPE } from "../media.js";
import { bad, countOf, readQuery } from "../parameters.js";
import { Problem } from "../problems.js";

const PAGE_DEFAULT = 100;
const PAGE_MAX = 1_000;
const IDS_MAX = 1_000;
const filters = ["ids", "reason", "source", "containing"] as const;

export function deadLetterRoutes(app: FastifyInstance, context: ApiContext): void {
  const json = { exposeHeadRoute: true, config: { produces: [JSON_TYPE] } };
  const own = { config: { produces: [JSON_TYPE] } };
  app.get("/v1/dead-letters", json, (request) => list(context, request));
  app.get("/v1/dead-letters/:id", json, (request, reply) => show(context, request, reply));
  app.delete("/v1/dead-letters", own, (request) => drop(context, request));
}

async function list(context: ApiContext, request: FastifyRequest): Promise<object> {
  const { from, limit, ...query } = readQuery(request, [...filters, "from", "limit"]);
  const filter = filterOf(query);
  const start = from === undefined ? 0 : countOf("from", from, Number.MAX_SAFE_INTEGER);
  const count = limit === undefined ? PAGE_DEFAULT : countOf("limit", limit, PAGE_MAX);
  return await topicOf(context).list(filter, start, count);
}

async function show(context: ApiContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  readQuery(request, []);
  const id = countOf("the id", (request.params as { readonly id: string }).id, Number.MAX_SAFE_INTEGER);
  const found = await topicOf(context).show(id);
  if (found === null)
    throw new Problem("unknown-dead-letter", `there is no dead letter ${id}; it may have been dropped`);
  return reply.type(JSON_TYPE).send(`{"id":${id},"at":${found.at},${found.value.slice(1)}`);
}

async function drop(context: ApiContext, request: FastifyRequest): Promise<object> {
  const query = readQuery(request, filters);
  if (Object.keys(query).length === 0)
    throw new Problem("bad-parameter", "say which dead letters are to be dropped: ids, reason, source or containing");
  return await topicOf(context).drop(filterOf(query));
}

function filterOf({ ids, reason, source, containing }: Readonly<Record<string, string | undefined>>): DeadLetterFilter {
  const reasons = reason?.split(",");
  const unknown = reasons?.find((one) => !(deadLetterReasons as readonly string[]).includes(one));
  if (unknown !== undefined)
    throw bad("reason", unknown, `reasons with commas between: ${deadLetterReasons.join(", ")}`);
  for (const [name, text] of Object.entries({ source, containing }))
    if (text === "") throw bad(name, text, "a text that is not empty");
  const numbers = ids?.split(",").map((id) => countOf("ids", id, Number.MAX_SAFE_INTEGER));
  if (numbers !== undefined && numbers.length > IDS_MAX)
    throw new Problem("bad-parameter", `ids are ${numbers.length}; at most ${IDS_MAX} at once`, { parameter: "ids" });
  return {
    ...(numbers === undefined ? undefined : { ids: numbers }),
    ...(reasons === undefined ? undefined : { reasons }),
    ...(source === undefined ? undefined : { source }),
    ...(containing === undefined ? undefined : { containing }),
  };
}

function topicOf({ engine }: ApiContext): DeadLetterTopic {
  if (engine.deadLetters !== null) return engine.deadLetters;
  throw new Problem(
    "unknown-topic",
    "dead letters of an engine on Kafka are in its topic there: Kafka's consumers read them, and they go with the " +
      "topic's retention, or with kafka-delete-records",
  );
}
