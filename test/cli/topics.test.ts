/** The topics that an engine takes, and where an input goes that comes over HTTP. */
import { describe, expect, it } from "vitest";
import { loadTopology } from "../../src/cli/topic-files.js";
import { topicsOf } from "../../src/cli/topics.js";
import type { Input, Interaction } from "../../src/events/types.js";
import { topicsPath } from "../topics/given.js";
import { testFiles } from "./memory-io.js";

const write = testFiles();
const key = { id: "1", tenantId: "default", contactId: "ada", at: 1_000_000_000_000 } as const;
const profile: Input = { ...key, kind: "profile", fields: {} };
const adjustment: Input = { ...key, kind: "adjustment", model: "lead", add: 1 };

function interaction(type: string): Interaction {
  return { ...key, kind: "interaction", type, attributes: {} };
}

describe("topics of an engine", () => {
  it("are those that are shipped, an input in that of its kind and channel", () => {
    const { inputTopics, outputTopics, topicOf } = topicsOf(loadTopology(null), { app: "scores" });
    expect(inputTopics).toHaveLength(9);
    expect(outputTopics).toEqual({
      scoreChanged: "score-changed",
      thresholdCrossed: "threshold-crossed",
      deadLetters: "dead-letters",
    });
    expect([interaction("email.opened"), interaction("fax.read"), profile, adjustment].map(topicOf)).toEqual([
      ...["interactions.email", "interactions.product", "contacts", "adjustments"],
    ]);
  });

  it("are one's own, an input in any of its kind, else in any", () => {
    const file = (name: string, kind: string): string =>
      write(`${name}.yaml`, `name: ${name}\nrole: input\nkind: ${kind}\npartitions: 2\n`);
    const { inputTopics, topicOf } = topicsOf(
      loadTopology([file("people", "profile"), file("clicks", "interaction")]),
      { app: "scores" },
    );
    expect(inputTopics).toEqual(["clicks", "people"]);
    expect([interaction("email.opened"), profile, adjustment].map(topicOf)).toEqual(["clicks", "people", "clicks"]);
  });

  it("have mappings, and then inputs over HTTP go where inputs are as they are", () => {
    const { mappers, topicOf } = topicsOf(loadTopology([`${topicsPath}examples`]), { app: "scores" });
    expect([...mappers.keys()]).toEqual(["segment.events", "sendgrid.events"]);
    expect(topicOf(profile)).toBe("scores.rekeyed");
  });

  it("fill in the kind of values that do not say theirs", () => {
    const { mappers } = topicsOf(loadTopology(null), { app: "scores" });
    expect([...mappers.keys()]).toEqual(["adjustments", "contacts"]);
    const value = { contactId: "ada", at: 1_000_000_000_000, fields: { country: "DE" } };
    const mapped = mappers.get("contacts")!(value, { key: null, timestamp: 0, bytes: Buffer.alloc(0) });
    expect(mapped).toMatchObject({ ok: true, input: { kind: "profile", fields: { country: "DE" } } });
  });
});
