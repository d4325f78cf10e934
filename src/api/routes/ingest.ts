/** Inputs in: one or many, appended at once, and each answered. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Decoded } from "../../events/decode.js";
import type { Input } from "../../events/types.js";
import { type ApiContext, requireUp } from "../context.js";
import type { Appended, Engine } from "../engine.js";
import { type Items, readJson, readLines } from "../items.js";
import { bodyFormat, JSON_TYPE } from "../media.js";
import { countOf, givenTenant, readQuery, wordOf } from "../parameters.js";
import { type Extensions, Problem } from "../problems.js";

const kindOfPath: Readonly<Record<string, Input["kind"] | null>> = {
  "/v1/inputs": null,
  "/v1/interactions": "interaction",
  "/v1/profiles": "profile",
  "/v1/adjustments": "adjustment",
};

export function ingestRoutes(app: FastifyInstance, context: ApiContext): void {
  for (const [path, kind] of Object.entries(kindOfPath)) {
    app.post(path, { config: { produces: [JSON_TYPE] } }, (request, reply) => ingest(context, kind, request, reply));
  }
  app.get("/v1/folded", { config: { produces: [JSON_TYPE] } }, async (request) => {
    const { offset } = readQuery(request, ["offset"]);
    if (offset === undefined) throw new Problem("bad-parameter", "offset is missing; it is in the answer to an ingest");
    requireUp(context.engine);
    const at = countOf("offset", offset, Number.MAX_SAFE_INTEGER);
    return { folded: await isFolded(context.engine, at, context.limits.waitMs) };
  });
}

async function ingest(
  { engine, limits, bodies }: ApiContext,
  kind: Input["kind"] | null,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const query = readQuery(request, ["results", "wait"]);
  const onlyRefused = wordOf("results", query.results, ["all", "refused"]) === "refused";
  const waits = wordOf("wait", query.wait, ["folded"]) === "folded";
  // Before anything is taken.
  if (waits && !engine.hasOffsets)
    throw new Problem("bad-parameter", "wait=folded is for the embedded engine: here inputs go to several topics");
  const expected = { kind, tenantId: givenTenant(request), itemsMax: limits.itemsMax };
  const format = bodyFormat(request);
  requireUp(engine);
  const body = await bodies.read(request.raw, reply.raw);
  const items = format === "json" ? readJson(body, expected) : readLines(body, expected);
  const appended = items.lines.length === 0 ? null : await engine.append(items.lines);
  const folded =
    waits && appended !== null && appended.offset !== null
      ? await isFolded(engine, appended.offset + appended.decoded.length - 1, limits.waitMs)
      : null;
  if (!items.isBatch) checkSingle(items, appended);
  return reply
    .code(202)
    .type(JSON_TYPE)
    .send(answer(items, appended, onlyRefused, folded));
}

/** Waits until all of it is folded, or for as long as is allowed. */
async function isFolded(engine: Engine, offset: number, waitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), waitMs);
  });
  const folded = engine.folded(offset).then(() => true as const);
  try {
    return await Promise.race([folded, late]);
  } finally {
    clearTimeout(timer);
    // Whoever waited has been answered; what becomes of it later is told by the engine's state.
    folded.catch(() => undefined);
  }
}

/** One input that is refused is an error of the request; in a batch it is a result like the others. */
function checkSingle({ mismatches }: Items, appended: Appended | null): void {
  const mismatch = mismatches.get(0);
  if (mismatch !== undefined) throw refused(mismatch.reason, mismatch.error, {});
  const [decoded] = appended?.decoded ?? [];
  if (appended !== null && decoded?.ok === false) {
    throw refused(decoded.reason, decoded.error, { offset: appended.offset });
  }
}

function refused(reason: string, error: string, place: Extensions): Problem {
  return new Problem("input-refused", `${reason}: ${error}`, { reason, error, ...place });
}

/** As text: an object for each of many accepted inputs would only be turned into this. */
function answer(items: Items, appended: Appended | null, onlyRefused: boolean, folded: boolean | null): string {
  const { count, mismatches } = items;
  const first = appended?.offset ?? null;
  let results = "";
  let accepted = 0;
  for (let place = 0, line = 0; place < count; place += 1) {
    const mismatch = mismatches.get(place);
    let result: string;
    if (mismatch !== undefined) result = JSON.stringify({ status: "refused", ...mismatch, item: place });
    else {
      const decoded = appended!.decoded[line] as Decoded;
      const offset = first === null ? null : first + line;
      line += 1;
      if (decoded.ok) {
        accepted += 1;
        if (onlyRefused) continue;
        result = `{"status":"accepted","offset":${offset}}`;
      } else {
        const { reason, error } = decoded;
        result = JSON.stringify({ status: "refused", offset, reason, error, item: place });
      }
    }
    results += results === "" ? result : `,${result}`;
  }
  const told = folded === null ? "" : `,"folded":${folded}`;
  const counts = `"accepted":${accepted},"refused":${count - accepted},"offset":${first}`;
  return `{${counts}${told},"results":[${results}]}`;
}
