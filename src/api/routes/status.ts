/** How the process is, and what it has to offer. */
import type { FastifyInstance } from "fastify";
import { type ApiContext, requireReady } from "../context.js";
import { JSON_TYPE } from "../media.js";
import { openapi } from "../openapi.js";
import { readQuery } from "../parameters.js";
import { explainProblem, isProblemName, Problem } from "../problems.js";

const TEXT_TYPE = "text/plain; charset=utf-8";

const links = {
  name: "scorefold",
  openapi: "/v1/openapi.json",
  inputs: "/v1/inputs",
  interactions: "/v1/interactions",
  profiles: "/v1/profiles",
  adjustments: "/v1/adjustments",
  contact: "/v1/contacts/{id}",
  contactScores: "/v1/contacts/{id}/scores",
  contactExplain: "/v1/contacts/{id}/explain",
  scores: "/v1/scores",
  tasks: "/v1/tasks",
  topics: "/v1/topics",
  outputs: "/v1/outputs/{topic}",
  deadLetters: "/v1/dead-letters",
  health: "/healthz",
  ready: "/readyz",
  metrics: "/metrics",
  problem: "/problems/{name}",
};

export function statusRoutes(app: FastifyInstance, { engine }: ApiContext): void {
  const json = { exposeHeadRoute: true, config: { produces: [JSON_TYPE] } };
  const any = { exposeHeadRoute: true };

  app.get("/", json, async () => links);
  app.get("/v1/openapi.json", json, async () => openapi);

  // Alive is whoever can answer. A restart mends no task, and would end those that run beside one that has failed.
  app.get("/healthz", any, async () => ({ status: "ok", state: engine.status.state }));

  app.get("/readyz", any, async () => {
    requireReady(engine);
    await engine.checkPlace?.();
    const { state, detail, lag, oldestInputAgeMs, contacts, models } = engine.status;
    return { status: "ready", state, detail, lag, oldestInputAgeMs, contacts, models };
  });

  app.get("/v1/tasks", json, async () => {
    const { state, detail, lag, oldestInputAgeMs, contacts, models } = engine.status;
    return { state, detail, lag, oldestInputAgeMs, contacts, models, tasks: engine.taskStatuses() };
  });

  app.get("/metrics", any, async (request, reply) => {
    readQuery(request, []);
    const { text, contentType } = await engine.metrics();
    return reply.type(contentType).send(text);
  });

  app.get("/problems/:name", any, async (request, reply) => {
    const { name } = request.params as { readonly name: string };
    if (!isProblemName(name)) throw new Problem("not-found", "there is no problem of this name");
    return reply.type(TEXT_TYPE).send(explainProblem(name));
  });
}
