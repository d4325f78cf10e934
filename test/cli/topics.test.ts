/** The topics that an engine takes, and where an input goes that comes over HTTP. */
import { describe, expect, it } from "vitest";
import { topicsOf } from "../../src/cli/topics.js";
import type { Input, Interaction } from "../../src/events/types.js";
import { topicsPath } from "../topics/given.js";
import { testFiles } from "./memory-io.js";

const write = testFiles();
const key = { id: "1", tenantId: "default", contactId: "ada", at: 0 } as const;
const profile: Input = { ...key, kind: "profile", fields: {} };
const adjustment: Input = { ...key, kind: "adjustment", model: "lead", add: 1 };

function interaction(type: string): Interaction {
  return { ...key, kind: "interaction", type, attributes: {} };
}

describe("topics of an engine", () => {
  it("are those that are shipped, an input in that of its kind and channel", () => {
    const { inputTopics, outputTopics, topicOf } = topicsOf({ topics: null });
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
    const { inputTopics, topicOf } = topicsOf({ topics: [file("people", "profile"), file("clicks", "interaction")] });
    expect(inputTopics).toEqual(["clicks", "people"]);
    expect([interaction("email.opened"), profile, adjustment].map(topicOf)).toEqual(["clicks", "people", "clicks"]);
  });

  it("are refused with a mapping", () => {
    expect(() => topicsOf({ topics: [`${topicsPath}examples`] })).toThrow(
      /segment.events, sendgrid.events: the engine/,
    );
  });
});
