/** Questions about contacts, and their erasure. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { encodeOutput, encodeScoreLine } from "../../events/encode.js";
import type { ContactId, TenantId } from "../../events/types.js";
import { type ApiContext, requireUp } from "../context.js";
import { DEAD_LETTERS, ERASED_UNTIL, LATER_INPUTS, LEFT_IN_TOPICS, leftText, MENTIONS } from "../erasure-headers.js";
import { JSON_TYPE, NDJSON_TYPE } from "../media.js";
import { contactOf, countOf, questionOf, readQuery, tenantOf, wordOf } from "../parameters.js";
import { Problem } from "../problems.js";
import { StreamEnded } from "../streams.js";

/** Of the outputs that an explanation shows, the newest; a contact can have many thousands. */
const TIMELINE_DEFAULT = 20;
const TIMELINE_MAX = 100_000;

export function contactRoutes(app: FastifyInstance, context: ApiContext): void {
  const json = { exposeHeadRoute: true, config: { produces: [JSON_TYPE] } };
  app.get("/v1/contacts/:id/scores", json, (request, reply) => scores(context, request, reply));
  app.get("/v1/contacts/:id/explain", json, (request, reply) => explain(context, request, reply));
  app.delete("/v1/contacts/:id", (request, reply) => erase(context, request, reply));
  app.get("/v1/scores", { config: { produces: [NDJSON_TYPE] } }, (request, reply) =>
    allScores(context, request, reply),
  );
}

async function scores({ engine }: ApiContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const query = readQuery(request, ["model", "asOf"]);
  const [contactId, tenantId] = [contactOf(request), tenantOf(request)];
  requireUp(engine);
  const found = await engine.scores(contactId, questionOf(engine, tenantId, query));
  if (found === null) throw unknownContact(contactId, tenantId);
  const lines = found.scores.map(encodeScoreLine).join(",");
  return reply.type(JSON_TYPE).send(`{${whose(tenantId, contactId)},"asOf":${found.asOf},"scores":[${lines}]}`);
}

async function explain({ engine }: ApiContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const query = readQuery(request, ["model", "asOf", "timeline"]);
  const count = query.timeline === undefined ? TIMELINE_DEFAULT : countOf("timeline", query.timeline, TIMELINE_MAX);
  const [contactId, tenantId] = [contactOf(request), tenantOf(request)];
  requireUp(engine);
  const found = await engine.explain(contactId, questionOf(engine, tenantId, query));
  if (found === null) throw unknownContact(contactId, tenantId);
  const { asOf, explanations, timeline } = found;
  const newest = count === 0 ? [] : timeline.slice(-count);
  return reply
    .type(JSON_TYPE)
    .send(
      `{${whose(tenantId, contactId)},"asOf":${asOf},"explanations":${JSON.stringify(explanations)}` +
        `,"timelineLength":${timeline.length},"timeline":[${newest.map(encodeOutput).join(",")}]}`,
    );
}

async function erase({ engine }: ApiContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const query = readQuery(request, ["alsoLater"]);
  const alsoLater = wordOf("alsoLater", query.alsoLater, ["true", "false"]) === "true";
  const [contactId, tenantId] = [contactOf(request), tenantOf(request)];
  requireUp(engine);
  const answer = await engine.erase(contactId, tenantId, { alsoLater });
  if (answer.status === "unknown") throw unknownContact(contactId, tenantId, answer.nearest);
  const { until, laterInputs, deadLetters, mentions, left } = answer;
  reply.header(ERASED_UNTIL, until).header(LATER_INPUTS, laterInputs);
  if (deadLetters !== null) reply.header(DEAD_LETTERS, deadLetters);
  if (mentions !== null) reply.header(MENTIONS, mentions);
  if (left !== null) reply.header(LEFT_IN_TOPICS, leftText(left));
  return reply.code(204).send();
}

/** Score lines as they are read. What fails in the middle ends the answer without its end. */
async function allScores(
  { engine, streams }: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { tasks, ...query } = readQuery(request, ["model", "asOf", "tasks"]);
  const question = questionOf(engine, tenantOf(request), query);
  const isPartial = wordOf("tasks", tasks, ["own", "all"]) === "own";
  requireUp(engine);
  const batches = engine.allScores(question, isPartial)[Symbol.asyncIterator]();
  // Asked for the first lines before anything is answered: what fails until then can be told.
  let next = await batches.next();
  const stream = streams.open(reply, NDJSON_TYPE);
  try {
    for (; next.done !== true; next = await batches.next()) {
      if (stream.signal.aborted) throw new StreamEnded();
      await stream.writeAll(next.value.map((line) => `${encodeScoreLine(line)}\n`));
    }
    stream.end();
  } catch (error) {
    stream.cut();
    if (!(error instanceof StreamEnded)) request.log.error({ err: error }, "scores could not be read to their end");
  } finally {
    await batches.return?.();
  }
  return reply;
}

function whose(tenantId: TenantId, contactId: ContactId): string {
  return `"tenantId":${JSON.stringify(tenantId)},"contactId":${JSON.stringify(contactId)}`;
}

/** @param nearest undefined where it was not looked for */
function unknownContact(contactId: ContactId, tenantId: TenantId, nearest?: ContactId | null): Problem {
  const near = nearest == null ? "" : `; did you mean ${JSON.stringify(nearest)}?`;
  const detail = `tenant ${JSON.stringify(tenantId)} has no contact ${JSON.stringify(contactId)}${near}`;
  return new Problem("unknown-contact", detail, {
    tenantId,
    contactId,
    ...(nearest === undefined ? undefined : { nearest }),
  });
}
