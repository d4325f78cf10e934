/** What looks at the end of a run sees what is wrong there: a check that finds nothing wrong anywhere would pass as well. */
import { expect, it } from "vitest";
import type { Input, ScoreLine } from "../../src/events/types.js";
import type { CommittedRecord } from "../components/kafka/java-client.js";
import { oracle } from "../oracle/oracle.js";
import { applicationModels, DEAD_LETTERS, REKEYED } from "./application.js";
import { checkDeadLetters } from "./dead-letters.js";
import { readInputs } from "./inputs.js";
import { taskOf } from "./load.js";
import { checkPublished } from "./published.js";

const start = Date.UTC(2026, 0, 1);
const contactId = "c1";
const models = applicationModels();

function record(topic: string, offset: number, value: object | string, partition = taskOf(contactId)): CommittedRecord {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return { topic, partition, offset, timestamp: start + offset, value: Buffer.from(text) };
}

function visit(id: string, n = 1): Input {
  const base = { kind: "interaction", tenantId: "default", contactId, id, at: start, type: "web.page_viewed" } as const;
  return { ...base, attributes: { n } };
}

const end: ScoreLine[] = oracle(models, [visit("a"), visit("b")], start).lines.filter(({ model }) => model === "lead");

function changed(id: string, previous: number | null, current: number) {
  const base = { kind: "ScoreChanged", id, tenantId: "default", contactId, model: "lead", at: start };
  return { ...base, previous, current, delta: current - (previous ?? 0) };
}

function crossed(eventId: string, id: string, direction: "up" | "down") {
  const base = { kind: "ThresholdCrossed", eventId, tenantId: "default", contactId, model: "lead", at: start };
  return { ...base, crossing: "threshold", id, direction };
}

function published(...values: readonly object[]): string[] {
  const records = values.map((value, i) => record("any", i, value));
  return checkPublished(records, { models, lines: end, until: start });
}

it("sees outputs that are missing, doubled, in a wrong order or a wrong partition, or not the last", () => {
  const [first, second] = [changed("x1", null, 3), changed("x2", 3, 6)];
  expect(end.map(({ score }) => score)).toEqual([6]);
  expect(published(first, second)).toEqual([]);
  expect(published(first)).toEqual([expect.stringContaining("the last that is published is [3,")]);
  expect(published(second)).toEqual(["x2 says it was 3 before, and null was published"]);
  expect(published(first, second, second)).toContain("output x2 is there twice");
  expect(published(first, second, crossed("y1", "20", "up"))).toHaveLength(1);
  expect(published(first, second, crossed("y1", "20", "down"))).toEqual(["y1 crosses what was crossed before"]);
  const elsewhere = { ...record("any", 2, crossed("y1", "20", "down")), partition: (taskOf(contactId) + 1) % 6 };
  const all = [record("any", 0, first), record("any", 1, second), elsewhere];
  expect(checkPublished(all, { models, lines: end, until: start })).toContainEqual(
    expect.stringContaining("y1 is in partition"),
  );
  expect(checkPublished(all.slice(0, 2), { models, lines: [], until: start })).toEqual([
    "default/c1/lead: 6 is published, and there is no score",
  ]);
});

it("follows an erasure, and goes on after it", () => {
  const erased = { kind: "ContactErased", id: "z", tenantId: "default", contactId, at: start };
  expect(published(changed("x1", null, 9), erased, changed("x2", null, 6))).toEqual([]);
  expect(published(changed("x1", null, 9), erased, changed("x2", 9, 6))).toHaveLength(1);
});

it("sees what was passed on twice, not at all, or without need", () => {
  const wrong = (taskOf(contactId) + 1) % 6;
  const lost = record("contacts", 0, visit("a"), wrong);
  const passedOn = record(REKEYED, 0, visit("a"));
  expect(readInputs([lost, passedOn])).toMatchObject({ problems: [], folded: [{ topic: REKEYED }] });
  expect(readInputs([lost]).problems).toEqual([expect.stringContaining("1 missing")]);
  expect(readInputs([passedOn]).problems).toEqual([expect.stringContaining("1 too many")]);
  expect(readInputs([lost, passedOn, passedOn]).problems).toHaveLength(1);
});

it("sees dead letters that are missing, doubled, or of the wrong content", () => {
  const letter = (reason: string, topic: string, offset: number, original: unknown) =>
    record(DEAD_LETTERS, 0, {
      reason,
      topic,
      partition: taskOf(contactId),
      offset,
      original: JSON.stringify(original),
    });
  const read = readInputs([
    record("w", 0, "no json"),
    record("w", 1, { ...visit("ahead"), at: start + 86_400_000 }),
    record("w", 2, visit("a", 2)),
    record("w", 3, visit("a", 1)),
    record("w", 4, visit("a", 1)),
    record("w", 5, visit("b", 1)),
    record("v", 0, visit("b", 2)),
  ]);
  const right = [
    letter("undecodable", "w", 0, ""),
    letter("too-far-ahead", "w", 1, ""),
    letter("conflict", "w", 3, visit("a", 2)),
    letter("conflict", "w", 5, visit("b", 2)),
  ];
  const check = (...letters: readonly CommittedRecord[]): string[] => checkDeadLetters(letters, read);
  expect(check(...right)).toEqual([]);
  // Over two topics either may have come first.
  expect(check(...right.slice(0, 3), letter("conflict", "v", 0, visit("b", 2)))).toEqual([]);
  for (let i = 0; i < right.length; i++) {
    expect(check(...right.toSpliced(i, 1)), String(i)).not.toEqual([]);
    expect(check(...right, right[i]!), String(i)).not.toEqual([]);
  }
  expect(check(...right.toSpliced(2, 1), letter("conflict", "w", 3, visit("a", 1)))).not.toEqual([]);
  expect(check(...right.toSpliced(2, 1), letter("conflict", "w", 2, visit("a", 2)))).not.toEqual([]);
  expect(check(...right, letter("conflict", "w", 9, visit("c")))).not.toEqual([]);
});
