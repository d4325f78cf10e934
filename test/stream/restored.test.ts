/** Whether a store has read all that was scored, and what is said where it has not. */
import { expect, it } from "vitest";
import { noLosses, noProof, noTimers, type Position } from "../../src/store/position.js";
import { decodeMetadata, encodeMetadata, uncounted } from "../../src/stream/metadata.js";
import { checkRestored, RestoredLess, UnreadRecords } from "../../src/stream/restored.js";

function at(inputs: number | null): Position {
  return { ...noProof, offsets: new Map([["visits", 9]]), timer: noTimers, change: null, inputs };
}

function letter(offset: number, schema: number) {
  const error = `the schema registry has no schema with the id ${schema}`;
  return {
    reason: "unknown-schema",
    error,
    topic: "visits",
    partition: 0,
    offset,
    source: null,
    original: "",
  } as const;
}

it("takes as many, more, and what nobody has counted", () => {
  const unread = new UnreadRecords();
  for (const [before, now] of [
    [5, 5],
    [5, 6],
    [null, 0],
    [5, null],
  ] as const)
    checkRestored(0, at(before), at(now), unread);
});

it("stops at fewer, with the records that can't be read by what they lack", () => {
  const unread = new UnreadRecords();
  unread.note([letter(2, 7), letter(3, 8)]);
  unread.note([letter(6, 7)]);
  const check = (): void => checkRestored(4, at(5), at(2), unread);
  expect(check).toThrow(RestoredLess);
  expect(check).toThrow(/task 4: 5 inputs were scored .*, and 2 of them can be read: the store would lack 3/);
  expect(check).toThrow(
    "what can't be read now: visits-0, 2 from offset 2 to 6: the schema registry has no schema with the id 7; visits-0, " +
      "1 from offset 3 to 3: the schema registry has no schema with the id 8.",
  );
  expect(() => checkRestored(4, at(5), at(2), new UnreadRecords())).toThrow(/a topic or a mapping is not what it was/);
});

it("is committed with a position, and not with another", () => {
  const text = encodeMetadata(at(5), "models");
  expect(decodeMetadata(text)).toMatchObject({ inputs: 5, models: "models" });
  expect(decodeMetadata(uncounted(text))).toEqual({
    timer: noTimers,
    change: null,
    losses: noLosses,
    models: "models",
  });
  expect(uncounted("")).toBe("");
});
