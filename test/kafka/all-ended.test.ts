import { expect, it } from "vitest";
import { allEnded } from "../../src/kafka/all-ended.js";

it("fails when all have ended, and not before: what comes late is there to be closed", async () => {
  let come: () => void = () => undefined;
  const late = new Promise<void>((resolve) => {
    come = resolve;
  });
  let hasEnded = false;
  const both = allEnded([Promise.reject(new Error("refused")), late]).finally(() => {
    hasEnded = true;
  });
  both.catch(() => undefined);
  await new Promise(setImmediate);
  expect(hasEnded).toBe(false);
  come();
  await expect(both).rejects.toThrow("refused");
});

it("resolves when all have come", async () => {
  await expect(allEnded([Promise.resolve(1), Promise.resolve(2)])).resolves.toBeUndefined();
});
