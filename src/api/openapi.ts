/** What the API answers to, as an OpenAPI 3.1 document. A test holds it against the routes, both ways. */
import { DEAD_LETTERS, ERASED_UNTIL, LATER_INPUTS, LEFT_IN_TOPICS, MENTIONS } from "./erasure-headers.js";
import { EVENTS_TYPE, JSON_TYPE, NDJSON_TYPE } from "./media.js";
import { defaultApiLimits } from "./options.js";
import { PROBLEM_TYPE, problemNames } from "./problems.js";
import { schemas } from "./schemas.js";

type Data = Readonly<Record<string, unknown>>;

const problem: Data = { $ref: "#/components/responses/Problem" };

const tenant = {
  name: "X-Tenant",
  in: "header",
  description: "The tenant: 1 to 256 bytes of UTF-8.",
  schema: { type: "string", default: "default" },
};
const contact = {
  name: "id",
  in: "path",
  required: true,
  description: "The contact's id, percent-encoded; at most 256 bytes.",
  schema: { type: "string", minLength: 1 },
};
const model = parameter("model", "Only this model, in the version that is running.", { type: "string" });
const asOf = parameter("asOf", "ISO 8601 with a zone, or whole milliseconds since 1970. Default: now.", {
  type: "string",
});

const deadLetterFilters = [
  parameter("ids", "Ids with commas between.", { type: "string" }),
  parameter("reason", "Reasons with commas between.", { type: "string" }),
  parameter("source", "A file, or a file and a line: `visits.jsonl`, `visits.jsonl:6`.", { type: "string" }),
  parameter(
    "containing",
    "A text in the original: not a pattern, without case, and without the difference between two spellings of one letter.",
    { type: "string" },
  ),
];

export const openapi: Data = {
  openapi: "3.1.0",
  info: {
    title: "Scorefold",
    version: "1",
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    description:
      "Scores contacts out of what they do and are. Every error is a problem document (RFC 9457); its `type` is one of a " +
      "closed list, and can be opened. Instants in answers are milliseconds since 1970-01-01T00:00:00Z.",
  },
  security: [{}, { token: [] }],
  paths: {
    "/": { get: get("What there is", { 200: json("Links", { type: "object" }) }) },
    "/v1/inputs": { post: ingest("Inputs of any kind, each saying which", "Input") },
    "/v1/interactions": { post: ingest("What contacts did", "Interaction") },
    "/v1/profiles": { post: ingest("Whole profiles of contacts; `fields: null` erases", "Profile") },
    "/v1/adjustments": { post: ingest("Corrections by a person", "Adjustment") },
    "/v1/folded": {
      get: get(
        "Waits until inputs are folded and published, or for 30 s",
        { 200: json("Whether they are", { type: "object", properties: { folded: { type: "boolean" } } }) },
        [parameter("offset", "Of the last of these inputs.", { type: "integer", minimum: 0 })],
      ),
    },
    "/v1/contacts/{id}": { delete: erasure() },
    "/v1/contacts/{id}/scores": {
      get: get("A contact's scores, one a model", { 200: json("Scores", ref("ContactScores")), 404: problem }, [
        contact,
        tenant,
        model,
        asOf,
      ]),
    },
    "/v1/contacts/{id}/explain": {
      get: get("Why the scores are what they are", { 200: json("Explanations", ref("Explained")), 404: problem }, [
        contact,
        tenant,
        model,
        asOf,
        parameter("timeline", "How many outputs of the timeline to give, the newest.", count(20)),
      ]),
    },
    "/v1/scores": {
      get: get("Score lines of all contacts, in order of contacts and models", { 200: lines("ScoreLine") }, [
        tenant,
        model,
        asOf,
        parameter("tasks", "`own`: those of this process's tasks will do, also where others have some.", {
          enum: ["own", "all"],
          default: "all",
        }),
      ]),
    },
    "/v1/tasks": { get: get("The tasks of this process, and how far they are", { 200: json("Tasks", ref("Tasks")) }) },
    "/v1/topics": { get: get("Topics that can be read", { 200: json("Topics", ref("Topics")) }) },
    "/v1/outputs/{topic}": { get: outputs() },
    "/v1/dead-letters": {
      get: get("Dead letters, from an offset on", { 200: json("Dead letters", ref("DeadLetters")), 404: problem }, [
        ...deadLetterFilters,
        parameter("from", "The first id.", count(0)),
        parameter("limit", "At most so many.", { type: "integer", minimum: 0, maximum: 1000, default: 100 }),
      ]),
      delete: {
        summary: "Takes dead letters out for good, with the lines that they are of; at least one parameter says which",
        parameters: deadLetterFilters,
        responses: { 200: json("How many", ref("Dropped")), 404: problem, default: problem },
      },
    },
    "/v1/dead-letters/{id}": {
      get: get("One dead letter, whole", { 200: json("A dead letter", ref("DeadLetter")), 404: problem }, [
        { name: "id", in: "path", required: true, schema: { type: "integer", minimum: 0 } },
      ]),
    },
    "/v1/openapi.json": { get: get("This document", { 200: json("OpenAPI 3.1", { type: "object" }) }) },
    "/healthz": {
      get: open(get("Whether the process lives", { 200: json("It does", ref("Health")) })),
    },
    "/readyz": {
      get: open(get("Whether inputs and questions are taken", { 200: json("They are", ref("Ready")), 503: problem })),
    },
    "/metrics": { get: get("Metrics for Prometheus", { 200: text("Metrics") }) },
    "/problems/{name}": {
      get: get("What a problem means", { 200: text("An explanation"), 404: problem }, [
        { name: "name", in: "path", required: true, schema: { enum: problemNames } },
      ]),
    },
  },
  components: {
    schemas,
    responses: {
      Problem: { description: "A problem", content: { [PROBLEM_TYPE]: { schema: ref("Problem") } } },
    },
    securitySchemes: { token: { type: "http", scheme: "bearer" } },
  },
};

function get(summary: string, responses: Data, parameters: readonly Data[] = []): Data {
  return { summary, ...(parameters.length === 0 ? {} : { parameters }), responses: { ...responses, default: problem } };
}

function open(operation: Data): Data {
  return { ...operation, security: [{}] };
}

function erasure(): Data {
  const header = (description: string): Data => ({ description, schema: { type: "integer" } });
  return {
    summary: "Erases a contact as of now; answered once that is durable, folded, published and stored",
    parameters: [
      contact,
      tenant,
      parameter("alsoLater", "`true`: what is dated later than now goes as well.", { enum: ["true", "false"] }),
    ],
    responses: {
      204: {
        description: "Erased, now or before",
        headers: {
          [ERASED_UNTIL]: header("What is dated up to here is gone, whenever it arrives"),
          [LATER_INPUTS]: header("Inputs that stay, because they are dated later"),
          [DEAD_LETTERS]: header("Dead letters of the contact, which go with it; missing on Kafka"),
          [LEFT_IN_TOPICS]: {
            description:
              "On Kafka: partitions that still hold what was sent of the contact and published, as `topic/partition/start-end`",
            schema: { type: "string" },
          },
          [MENTIONS]: header("Dead letters that hold its id and are nobody's, which stay; missing on Kafka"),
        },
      },
      404: problem,
      421: problem,
      default: problem,
    },
  };
}

function ingest(summary: string, schema: string): Data {
  const { itemsMax, bodyBytesMax } = defaultApiLimits;
  return {
    summary,
    description:
      `One input, or up to ${itemsMax} of them in ${bodyBytesMax} bytes; answered once they are durable. Each is answered ` +
      "for itself: what is refused goes to the topic dead-letters with its reason, and the others are taken; a batch is " +
      "answered 202 also where all are refused, since it has been taken and sending it again would change nothing. Only " +
      "a single input that is refused is an error, 422. Sending the same input again (same contact, instant, kind, id " +
      "and content) is accepted again and changes nothing, so whatever is not answered can be sent again. An input whose " +
      "kind is another than the path's, or whose tenantId is another than the header's, is refused and goes nowhere.",
    parameters: [
      tenant,
      parameter("results", "`refused` leaves accepted inputs out of `results`.", {
        enum: ["all", "refused"],
        default: "all",
      }),
      parameter("wait", "Answer only when the inputs are folded and their outputs published.", { enum: ["folded"] }),
    ],
    requestBody: {
      required: true,
      content: {
        [JSON_TYPE]: { schema: { oneOf: [ref(schema), { type: "array", items: ref(schema) }] } },
        [NDJSON_TYPE]: { schema: { type: "string", description: "One input a line" } },
      },
    },
    responses: {
      202: json("Durable", ref("Ingested")),
      413: problem,
      415: problem,
      422: problem,
      429: problem,
      503: problem,
      507: problem,
      default: problem,
    },
  };
}

function outputs(): Data {
  return {
    summary: "Records of a topic from an offset on, as they come",
    description:
      "As server-sent events: `id` is the offset, `event` the kind, `data` the record. A client that comes back with " +
      "`Last-Event-ID` goes on behind it. A client that leaves what it was sent unread is cut off after a minute.",
    parameters: [
      { name: "topic", in: "path", required: true, schema: { type: "string" } },
      parameter("from", "An offset, `earliest` or `latest` (default; with `until=end`: earliest).", { type: "string" }),
      parameter("until", "`end`: what is there now, and no more.", { enum: ["end"] }),
      parameter("format", "Default: what `Accept` asks for, or events.", { enum: ["sse", "ndjson"] }),
      { name: "Last-Event-ID", in: "header", schema: { type: "string" } },
    ],
    responses: {
      200: {
        description: "Records",
        content: { [EVENTS_TYPE]: { schema: { type: "string" } }, [NDJSON_TYPE]: { schema: { type: "string" } } },
      },
      404: problem,
      416: problem,
      503: problem,
      default: problem,
    },
  };
}

function parameter(name: string, description: string, schema: Data): Data {
  return { name, in: "query", description, schema };
}

function count(byDefault: number): Data {
  return { type: "integer", minimum: 0, default: byDefault };
}

function json(description: string, schema: Data): Data {
  return { description, content: { [JSON_TYPE]: { schema } } };
}

function lines(schema: string): Data {
  return { description: `One ${schema} a line`, content: { [NDJSON_TYPE]: { schema: ref(schema) } } };
}

function text(description: string): Data {
  return { description, content: { "text/plain": { schema: { type: "string" } } } };
}

function ref(schema: string): Data {
  return { $ref: `#/components/schemas/${schema}` };
}
