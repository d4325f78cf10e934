/** Records of topics whose values are not inputs as they are. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Reading, recordOf } from "../../src/kafka/record.js";
import { withoutRegistry } from "../../src/kafka/values.js";
import { compileTopic } from "../../src/topics/mapping.js";
import { parseTopic } from "../../src/topics/parse.js";
import type { InputTopic } from "../../src/topics/types.js";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function readingOf(yaml: string): Reading {
  const result = parseTopic(`name: visits\nrole: input\npartitions: 1\n${yaml}`, "visits.yaml");
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return { values: withoutRegistry, mapper: compileTopic(result.topic as InputTopic, sha256) };
}

function record(value: string | Buffer) {
  const bytes = Buffer.from(value);
  return { offset: 7, timestamp: 5, isAppendTime: true, key: Buffer.from("ada"), value: bytes, bytes: bytes.length };
}

const mapped = readingOf(`
mapping:
  version: 1
  inputs:
    - only: { type: [track] }
      fields:
        contactId: { record: key }
        at: { from: timestamp, format: ms }
        type: { from: event, prefix: web. }
`);

describe("a record of a mapped topic", () => {
  it("is the input that the mapping makes, with an id out of its bytes", () => {
    const value = '{"type":"track","event":"seen","timestamp":1000000000003}';
    expect(recordOf("visits", 2, record(value), mapped)).toMatchObject({
      topic: "visits",
      partition: 2,
      offset: 7,
      timestamp: 5,
      original: null,
      decoded: {
        ok: true,
        input: {
          kind: "interaction",
          contactId: "ada",
          type: "web.seen",
          at: 1_000_000_000_003,
          id: sha256(Buffer.from(value)).slice(0, 32),
        },
      },
    });
  });

  it("that the mapping does not take is skipped, with its reason", () => {
    const found = recordOf("visits", 2, record('{"type":"page"}'), mapped);
    expect(found).toEqual({ ok: "skipped", reason: "type is track does not hold" });
  });

  it.each([
    ["what can't be mapped", '{"type":"track","event":"seen"}', "bad-instant"],
    ["what is no JSON", "{", "undecodable"],
    ["what is no object", "[]", "undecodable"],
  ])("%s is a dead letter with its original", (_, value, reason) => {
    expect(recordOf("visits", 0, record(value), mapped)).toMatchObject({
      decoded: { ok: false, reason },
      original: value,
    });
  });

  it("that is no text is one, too", () => {
    const found = recordOf("visits", 0, record(Buffer.from([0xff, 0xfe])), mapped);
    expect(found).toMatchObject({ decoded: { ok: false, reason: "undecodable" }, original: { isUtf8: false } });
    const avro = recordOf("visits", 0, record(Buffer.from([0, 0, 0, 0, 1, 2])), mapped);
    expect(avro).toMatchObject({ decoded: { ok: false, error: expect.stringContaining("--schema-registry") } });
  });
});

it("values of a topic of profiles need not say so", () => {
  const found = recordOf(
    "people",
    0,
    record('{"contactId":"ada","at":1000000000001,"fields":{"a":1}}'),
    readingOf("kind: profile"),
  );
  expect(found).toMatchObject({ decoded: { ok: true, input: { kind: "profile", fields: { a: 1 } } } });
});
