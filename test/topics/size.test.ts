/** What is said to be small is small. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { isWithin } from "../../src/topics/size.js";

it("never takes a long value for a short one", () => {
  let within = 0;
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.nat(2000), (value, bytesMax) => {
      if (!isWithin(value, bytesMax)) return;
      within += 1;
      expect(Buffer.byteLength(JSON.stringify(value))).toBeLessThanOrEqual(bytesMax);
    }),
    { numRuns: 1000 },
  );
  expect(within).toBeGreaterThan(100);
});

it("counts what escapes and numbers take", () => {
  expect(isWithin("\u0001".repeat(100), 601)).toBe(false);
  expect(isWithin([-1.2345678901234568e-300], 25)).toBe(false);
  expect(isWithin({ a: "x".repeat(100) }, 1000)).toBe(true);
});
