/** What is committed beside the offsets comes back as it was, and fits where a log keeps it. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Loss, noLosses } from "../../src/store/position.js";
import { METADATA_BYTES_MAX } from "../../src/stream/log.js";
import { decodeMetadata, encodeMetadata } from "../../src/stream/metadata.js";

const instant = fc.integer({ min: -8.64e15, max: 8.64e15 });
const key = fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => `acme\0${text}`);

function lossOf(topic: string): Loss {
  const times = { since: null, until: 5, at: 6 };
  return { topic, kind: "other", position: 10, resumed: 4, records: 6, by: "ann@host", ...times };
}

const place = fc.record({
  timer: fc.record({
    all: fc.option(instant),
    run: fc.option(fc.record({ until: instant, done: key })),
  }),
  change: fc.option(fc.record({ to: fc.string(), done: key })),
  losses: fc.constantFrom(noLosses, { count: 3, records: 12, last: [lossOf("web"), lossOf("forms")] }),
});
const models = fc.option(fc.string());

describe("metadata", () => {
  it("gives back what was written", () => {
    fc.assert(
      fc.property(place, models, (one, set) => {
        expect(decodeMetadata(encodeMetadata(one, set))).toEqual({ ...one, models: set });
      }),
    );
  });

  it("fits with the longest names there are", () => {
    // Each of these takes most when it is escaped.
    for (const character of ["\\", '"', "\u007f", "\u{1f600}", "\u2028"]) {
      const name = character.repeat(Math.floor(256 / Buffer.byteLength(character)));
      const done = `${name}\0${name}`;
      const timer = { all: -8.64e15, run: { until: -8.64e15, done } };
      const last = Array.from({ length: 20 }, () => lossOf("t".repeat(249)));
      const losses = { count: 20, records: 120, last };
      const text = encodeMetadata({ timer, change: { to: "x".repeat(16), done }, losses }, "x".repeat(16));
      expect(decodeMetadata(text).losses).toMatchObject({ count: 20, records: 120 });
      expect(decodeMetadata(text).losses.last.length).toBeGreaterThan(2);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(METADATA_BYTES_MAX);
    }
  });

  it("of before models were in it has none", () => {
    expect(decodeMetadata("[1,null,null,null]")).toMatchObject({ models: null });
  });

  it("of another version is refused", () => {
    expect(() => decodeMetadata("[2,null,null,null]")).toThrow(/version 2/);
  });
});
