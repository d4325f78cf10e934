/** What is said again and again is said once a minute, its stack once. */
import { expect, it } from "vitest";
import { CauseLog } from "../../src/engine/cause-log.js";
import { createLogger } from "../../src/telemetry.js";
import { Told } from "./given.js";

it("one line for each cause and minute, the first with its stack", () => {
  const told = new Told();
  let now = 0;
  const log = new CauseLog(createLogger("info", told), () => now);
  for (; now < 150_000; now += 300) {
    log.warn("the task has failed and tries again", new Error(`a transaction: denied at offset ${now}`));
    if (now % 3_000 === 0) log.warn("the task has failed and tries again", new Error("no answer"));
  }
  const lines = told.lines as unknown as { msg: string; err?: { stack: string }; cause?: string; more?: number }[];
  expect(lines).toHaveLength(6);
  expect(lines.filter(({ err }) => err?.stack !== undefined)).toHaveLength(2);
  const denied = lines.filter(({ cause }) => cause?.includes("denied"));
  expect(denied.map(({ more }) => more)).toEqual([199, 199]);
});
