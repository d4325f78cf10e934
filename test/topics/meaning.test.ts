/** How values become inputs, as one text: it is another with any change of a mapping, and no other without. */
import { expect, it } from "vitest";
import { meaningOf } from "../../src/topics/meaning.js";
import { parseTopic } from "../../src/topics/parse.js";
import type { InputTopic } from "../../src/topics/types.js";

const text = `
name: visits
role: input
partitions: 2
mapping:
  version: 1
  inputs:
    - kind: interaction
      only: { type: [track, null] }
      fields:
        contactId: { from: [userId, anonymousId] }
        at: { record: timestamp }
        type: { from: event, values: { a: x, b: null }, others: skip }
      
`;

function meaning(of: string): string {
  const result = parseTopic(of, "visits.yaml");
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return meaningOf(result.topic as InputTopic);
}

it("is the kind alone where values are inputs as they are", () => {
  expect(meaning("name: contacts\nrole: input\nkind: profile\npartitions: 2\n")).toBe("profile");
});

it("does not depend on the order in which a mapping is written, its description or its partitions", () => {
  const same = text
    .replace("{ a: x, b: null }", "{ b: null, a: x }")
    .replace("partitions: 2", "partitions: 3\ndescription: visits");
  expect(meaning(same)).toBe(meaning(text));
  expect(meaning(text)).toMatch(/^interaction by version 1 of its mapping = \{/);
});

it.each([
  ["version: 1", "version: 2"],
  ["[userId, anonymousId]", "[anonymousId, userId]"],
  ["[track, null]", "[track]"],
  ["b: null", "b: y"],
  ["others: skip", "others: refuse"],
  ["kind: interaction", "kind: interaction\n      except: { x: [1] }"],
])("is another with %s as %s", (before, after) => {
  expect(text).toContain(before);
  expect(meaning(text.replace(before, after))).not.toBe(meaning(text));
});
