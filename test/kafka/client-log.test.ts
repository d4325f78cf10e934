/** What the client says again and again while a broker is away. */
import type { LogEntry } from "kafkajs";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { clientLog } from "../../src/kafka/client-log.js";
import { kafkajs } from "../../src/kafka/kafkajs.js";

const away = "Connection error: connect ECONNREFUSED 127.0.0.1:9092";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function hear() {
  const warned: string[] = [];
  let debugged = 0;
  const log = clientLog({ warn: (_, text) => void warned.push(text), debug: () => void debugged++ });
  const { ERROR } = kafkajs().kafkajs.logLevel;
  const say = (message: string, fields: object, times = 1): void => {
    const own = { timestamp: "", message, ...fields };
    const entry = { level: ERROR, namespace: "Connection", label: "", log: own };
    for (let i = 0; i < times; i++) log(entry as unknown as LogEntry);
  };
  return { say, told: () => warned.splice(0), debugged: () => debugged };
}

it("is told once, then how often, until it is not said any more", () => {
  const { say, told, debugged } = hear();
  const broker = { broker: "a:9092" };
  say(away, broker, 300);
  expect(told()).toEqual([`kafka: Connection: ${away}`]);
  vi.advanceTimersByTime(60_000);
  expect(told()).toEqual([`kafka: Connection: ${away} (299 more of these in 60 s)`]);
  say(away, broker, 2);
  vi.advanceTimersByTime(60_000);
  expect(told()).toEqual([`kafka: Connection: ${away} (2 more of these in 60 s)`]);
  vi.advanceTimersByTime(3_600_000);
  expect(told()).toEqual([]);
  expect(debugged()).toBe(301);
  expect(vi.getTimerCount()).toBe(0);
  say(away, broker);
  expect(told()).toEqual([`kafka: Connection: ${away}`]);
});

it("hides nothing else: another broker, another error, another group", () => {
  const { say, told } = hear();
  say(away, { broker: "a:9092" }, 2);
  say(away, { broker: "b:9092" }, 2);
  say("Connection error: read ECONNRESET", { broker: "a:9092" }, 2);
  for (const groupId of ["g", "h"]) say("Crash", { groupId }, 2);
  const reset = "kafka: Connection: Connection error: read ECONNRESET";
  const [refused, crash] = [away, "Crash"].map((text) => `kafka: Connection: ${text}`);
  expect(told()).toEqual([refused, refused, reset, crash, crash]);
});

it("is told each time where too much is said to be counted", () => {
  const { say, told } = hear();
  for (let i = 0; i < 120; i++) say(`error ${i}`, { broker: "a:9092" });
  expect(told()).toHaveLength(120);
  say("error 119", { broker: "a:9092" });
  say("error 0", { broker: "a:9092" });
  expect(told()).toEqual(["kafka: Connection: error 119"]);
});
