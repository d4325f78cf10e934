/** What goes in and comes out, as JSON Schema 2020-12, for the OpenAPI document. Tests check real answers by it. */
import { deadLetterReasons } from "../events/decode.js";
import { problemNames } from "./problems.js";

type Schema = Readonly<Record<string, unknown>>;

const string = { type: "string" };
const number = { type: "number" };
const integer = { type: "integer" };
const boolean = { type: "boolean" };
const orNull = (type: string): Schema => ({ type: [type, "null"] });
const instant = { type: "integer", description: "Milliseconds since 1970-01-01T00:00:00Z" };
const givenInstant = { type: ["string", "integer"], description: "ISO 8601 with a zone, or milliseconds since 1970" };
const lag = {
  type: ["integer", "null"],
  description: "Inputs in the log that are not folded and published yet, as the log says; null: it has not said yet",
};
const oldestInputAgeMs = {
  type: ["number", "null"],
  description: "How long the oldest of them has been in the log; 0: there is none; null: not known",
};
const name = { type: "string", description: "At most 256 bytes without control characters" };

/** @param optional names of properties that may be missing */
function object(properties: Schema, optional: readonly string[] = []): Schema {
  return { type: "object", properties, required: Object.keys(properties).filter((one) => !optional.includes(one)) };
}

function list(items: Schema): Schema {
  return { type: "array", items };
}

function ref(schema: string): Schema {
  return { $ref: `#/components/schemas/${schema}` };
}

function input(kind: string, properties: Schema, optional: readonly string[]): Schema {
  const own = { kind: { const: kind }, id: name, tenantId: name, contactId: name, at: givenInstant };
  return object({ ...own, ...properties }, ["kind", "id", "tenantId", ...optional]);
}

const deadLetter = {
  id: { type: "integer", description: "Its offset in the topic" },
  at: { type: "integer", description: "When it was put aside" },
  reason: { enum: deadLetterReasons },
  error: string,
  topic: string,
  partition: integer,
  offset: { type: "integer", description: "Of the record that it is of" },
  source: { type: ["string", "null"], description: "File and line, where they are known" },
};

export const schemas: Schema = {
  Interaction: input(
    "interaction",
    {
      type: { type: "string", description: "channel.action, as email.opened" },
      resource: string,
      automated: { enum: ["yes", "maybe", "no"] },
      attributes: { type: "object" },
    },
    ["resource", "automated", "attributes"],
  ),
  Profile: input(
    "profile",
    { fields: { type: ["object", "null"], description: "The whole profile; null erases" } },
    [],
  ),
  Adjustment: input(
    "adjustment",
    { model: name, dimension: name, add: number, set: number, reason: string, by: string },
    ["dimension", "add", "set", "reason", "by"],
  ),
  Input: { oneOf: [ref("Interaction"), ref("Profile"), ref("Adjustment")] },
  Ingested: object(
    {
      accepted: integer,
      refused: integer,
      offset: { type: ["integer", "null"], description: "Of the first input in the log; null: none was written" },
      folded: { type: "boolean", description: "With wait=folded: false where it took longer than the wait" },
      results: list(ref("Result")),
    },
    ["folded"],
  ),
  Result: {
    oneOf: [
      object({ status: { const: "accepted" }, offset: integer }),
      object(
        {
          status: { const: "refused" },
          offset: { type: "integer", description: "Missing where the input contradicts the request" },
          reason: { enum: [...deadLetterReasons, "kind-mismatch", "tenant-mismatch"] },
          error: string,
          item: { type: "integer", description: "Its place in the request, from 0" },
        },
        ["offset"],
      ),
    ],
  },
  ScoreLine: object({
    tenantId: string,
    contactId: string,
    model: string,
    version: integer,
    score: number,
    grade: orNull("string"),
    dimensions: { type: "object", additionalProperties: number },
    salesReady: boolean,
    suppressed: boolean,
    lastActivityAt: orNull("integer"),
  }),
  ContactScores: object({ tenantId: string, contactId: string, asOf: instant, scores: list(ref("ScoreLine")) }),
  Explained: object({
    tenantId: string,
    contactId: string,
    asOf: instant,
    explanations: list(ref("Explanation")),
    timelineLength: { type: "integer", description: "Of the whole timeline, of which the newest are given" },
    timeline: list(object({ kind: { enum: ["ScoreChanged", "ThresholdCrossed", "ContactErased"] }, at: instant })),
  }),
  Explanation: object({
    score: ref("ScoreLine"),
    asOf: instant,
    firstSightAt: instant,
    silenceSince: instant,
    dimensions: list(
      object({
        id: string,
        min: number,
        max: number,
        points: number,
        sum: { type: "number", description: "Of all lines, before the range is applied" },
        accumulated: number,
        standing: number,
        lines: list(
          object({
            rule: string,
            pool: { enum: ["decaying", "lasting", "standing", "profile"] },
            points: number,
            matches: integer,
            lastMatchAt: orNull("integer"),
            until: orNull("integer"),
          }),
        ),
      }),
    ),
    next: {
      description: "What time alone changes next",
      oneOf: [{ type: "null" }, object({ at: instant, cause: string, score: number, lines: list({ type: "object" }) })],
    },
  }),
  Topics: object({ topics: list(object({ topic: string, start: integer, end: integer })) }),
  Tasks: object({
    state: string,
    detail: orNull("string"),
    lag,
    oldestInputAgeMs,
    contacts: integer,
    models: list(string),
    tasks: list(
      object({
        task: integer,
        state: string,
        detail: orNull("string"),
        lag,
        oldestInputAgeMs,
        contacts: integer,
        offsets: { type: "object", description: "By input topic, up to where inputs are folded and published" },
        timersBehindMs: number,
        losses: object({
          count: integer,
          records: integer,
          last: list(
            object({
              topic: string,
              kind: { enum: ["end", "other", "begin", "anew", "committed"] },
              position: integer,
              resumed: integer,
              records: { type: "integer", description: "How many records it is about, at most" },
              since: orNull("integer"),
              until: orNull("integer"),
              by: string,
              at: integer,
            }),
          ),
        }),
      }),
    ),
  }),
  DeadLetters: object({
    letters: list(object({ ...deadLetter, preview: { type: "string", description: "The beginning of the original" } })),
    next: { type: ["integer", "null"], description: "Where there is more: from where on" },
  }),
  DeadLetter: object(
    {
      ...deadLetter,
      kind: { const: "DeadLetter" },
      original: string,
      originalBase64: string,
      length: integer,
      sha256: string,
    },
    ["source", "originalBase64", "length", "sha256"],
  ),
  Dropped: object({
    letters: integer,
    lines: { type: "integer", description: "Lines of inputs that went with them" },
  }),
  Health: object({ status: { const: "ok" }, state: string }),
  Ready: object({
    status: { const: "ready" },
    state: string,
    detail: orNull("string"),
    lag,
    oldestInputAgeMs,
    contacts: integer,
    models: list(string),
  }),
  Problem: object({
    type: { enum: problemNames.map((one) => `/problems/${one}`) },
    title: string,
    status: integer,
    detail: string,
    instance: { type: "string", description: "Names the request; the server's log has it where it logged anything" },
  }),
};
