/** Output topics: their bounds, and their records from an offset on, as events or as lines. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ApiContext } from "../context.js";
import type { OutputRecord, TopicBounds } from "../engine.js";
import { accepted, EVENTS_TYPE, JSON_TYPE, NDJSON_TYPE } from "../media.js";
import { bad, readQuery, wordOf } from "../parameters.js";
import { Problem } from "../problems.js";
import { type Farewell, type Stream, StreamEnded } from "../streams.js";

/** What a browser waits before it connects again. */
const RETRY_MS = 2_000;

export function outputRoutes(app: FastifyInstance, context: ApiContext): void {
  app.get(
    "/v1/topics",
    { exposeHeadRoute: true, config: { produces: [JSON_TYPE] } },
    async (request: FastifyRequest) => {
      readQuery(request, []);
      return { topics: await context.engine.topics() };
    },
  );
  app.get("/v1/outputs/:topic", { config: { produces: [EVENTS_TYPE, NDJSON_TYPE] } }, (request, reply) =>
    outputs(context, request, reply),
  );
}

async function outputs(context: ApiContext, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { engine, streams, limits } = context;
  const query = readQuery(request, ["from", "format", "until"]);
  const asLines = (wordOf("format", query.format, ["sse", "ndjson"]) ?? preferred(request.headers.accept)) === "ndjson";
  const untilEnd = wordOf("until", query.until, ["end"]) === "end";
  const bounds = await boundsOf(context, (request.params as { readonly topic: string }).topic);
  const resumed = request.headers["last-event-id"];
  const from = startOf(bounds, query.from ?? (untilEnd ? "earliest" : "latest"), resumed?.toString());
  const stream = streams.open(reply, asLines ? NDJSON_TYPE : EVENTS_TYPE);
  const until = untilEnd ? bounds.end : undefined;
  const write = asLines ? lineOf : eventOf;
  try {
    if (!asLines) {
      await stream.write(`retry: ${RETRY_MS}\n\n`);
      stream.keepAlive(":\n\n", limits.heartbeatMs);
    }
    const place = { next: from };
    // Who wants all there is must not take the end of the answer for the end of the topic.
    if (until === undefined) stream.farewell = () => farewell(place.next, asLines);
    if (until === undefined || from < until) {
      await copy(engine.outputs(bounds.topic, from, stream.signal, until), stream, { write, until, place });
    }
    if (stream.isEnding) return reply;
    if (until !== undefined && stream.signal.aborted) stream.cut();
    else stream.end();
  } catch (error) {
    // One that was told where to go on has that to read yet.
    if (stream.isEnding) return reply;
    stream.cut();
    if (!(error instanceof StreamEnded)) request.log.error({ err: error }, "outputs could not be read on");
  }
  return reply;
}

interface Copying {
  readonly write: (record: OutputRecord) => string;
  readonly until: number | undefined;
  /** Where the reader has to go on: behind the last record that was given to its socket. */
  readonly place: { next: number };
}

async function copy(
  records: AsyncIterable<readonly OutputRecord[]>,
  stream: Stream,
  { write, until, place }: Copying,
): Promise<void> {
  for await (const batch of records) {
    const wanted = until === undefined ? batch : batch.filter(({ offset }) => offset < until);
    await stream.writeAll(wanted.map(write), (count) => {
      place.next = wanted[count - 1]!.offset + 1;
    });
    const last = batch.at(-1);
    if (stream.signal.aborted || (until !== undefined && last !== undefined && last.offset >= until - 1)) return;
  }
}

/** What a reader is told that has been ended for others: in a stream of events as a comment, which no client takes for one. */
function farewell(next: number, asLines: boolean): Farewell {
  if (asLines) return { text: "", next };
  const from = next === 0 ? "from=0" : `Last-Event-ID: ${next - 1}`;
  return { text: `: ended: too much was held for readers that do not read; go on with ${from}\n\n`, next };
}

function preferred(accept: string | undefined): "sse" | "ndjson" {
  return accepted(accept, [EVENTS_TYPE, NDJSON_TYPE]) === EVENTS_TYPE ? "sse" : "ndjson";
}

async function boundsOf({ engine }: ApiContext, topic: string): Promise<TopicBounds> {
  const topics = await engine.topics();
  const bounds = topics.find((one) => one.topic === topic);
  if (bounds !== undefined) return bounds;
  const names = topics.map((one) => one.topic).join(", ");
  throw new Problem("unknown-topic", `there is no topic ${JSON.stringify(topic.slice(0, 60))}; there are: ${names}`);
}

/** Where to begin. A client that comes back says what it has had, and that holds. */
function startOf({ topic, start, end }: TopicBounds, from: string, lastEventId: string | undefined): number {
  // Before its first event a browser sends none, or an empty one.
  const resumes = lastEventId !== undefined && lastEventId !== "";
  if (!resumes && from === "earliest") return start;
  if (!resumes && from === "latest") return end;
  const text = resumes ? lastEventId : from;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  if (number === undefined) {
    if (resumes) throw bad("Last-Event-ID", text, "the offset of an event");
    throw bad("from", text, "an offset, earliest or latest");
  }
  const offset = resumes ? number + 1 : number;
  if (offset >= start && offset <= end) return offset;
  const why = offset < start ? "what came before is no longer there" : "nothing has that offset yet";
  const detail = `${topic} has the offsets from ${start} up to, not including, ${end}: ${why}`;
  throw new Problem("offset-out-of-range", detail, { start, end, offset });
}

function lineOf({ value }: OutputRecord): string {
  return `${value}\n`;
}

const kindAtStart = /^\{"kind":"(\w+)"/;

function eventOf({ offset, value }: OutputRecord): string {
  const kind = kindAtStart.exec(value)?.[1];
  const event = kind === undefined ? "" : `event: ${kind}\n`;
  return `id: ${offset}\n${event}data: ${value}\n\n`;
}
