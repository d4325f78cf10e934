/**
 * The embedded log is a log too: its newest part may be gone with a damaged disk, and two copies of a directory may go
 * different ways. What proves the log below a position finds it, of inputs and of outputs; what is said brings it on.
 */
import { cpSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { acceptOfDirectory, lostPartition } from "../../src/engine/accept-loss.js";
import { DataDirectory } from "../../src/engine/directory.js";
import type { EmbeddedEngine } from "../../src/engine/embedded-engine.js";
import type { ScorefoldError } from "../../src/errors.js";
import { opened, Place, recordsOf, scoresOf, take } from "./given.js";
import { began, click, day, deeds, person } from "./people.js";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.remove());

async function withEngine<T>(path: string, work: (engine: EmbeddedEngine) => Promise<T>): Promise<T> {
  const { engine } = await opened(path);
  try {
    await engine.task.running();
    return await work(engine);
  } finally {
    await engine.stop();
  }
}

function copyOf(path: string, name: string): string {
  const copy = join(place.root, name);
  cpSync(path, copy, { recursive: true });
  return copy;
}

/** Puts the log of one directory over that of another. */
function logInto(from: string, into: string): void {
  rmSync(join(into, "log"), { recursive: true });
  cpSync(join(from, "log"), join(into, "log"), { recursive: true });
}

async function refusal(path: string): Promise<string> {
  const { engine } = await opened(path);
  const error = await engine.ended().catch((own: unknown) => own);
  expect(error).toMatchObject({ code: "log-lost", retryable: false });
  return (error as ScorefoldError).message;
}

/** Does what a message says, and nothing else. */
async function accept(path: string, message: string): Promise<void> {
  const named = [...message.matchAll(/--accept-loss (\S+-\d+)/g)].map(([, one]) => lostPartition(one!).topic);
  expect(named.length, message).toBeGreaterThan(0);
  await acceptOfDirectory(await DataDirectory.open(path), new Set(named));
}

async function endsOf(engine: EmbeddedEngine): Promise<Record<string, number>> {
  return Object.fromEntries((await engine.topics()).map(({ topic, end }) => [topic, end]));
}

const people = 30;
const later = Array.from({ length: people }, (_, i) => click(person(i).id, "later", began + 70 * day));
const more = Array.from({ length: people }, (_, i) => click(person(i).id, "more", began + 71 * day));

describe("a log that has lost its end", () => {
  let whole: Record<string, number>;
  let scores: string[];

  /** A directory whose log is that of before the last inputs. */
  async function lostEnd(): Promise<string> {
    await withEngine(place.data, async (engine) => await take(engine, deeds(people)));
    const before = copyOf(place.data, "before");
    await withEngine(place.data, async (engine) => {
      await take(engine, later);
      whole = await endsOf(engine);
      scores = await scoresOf(engine, began + 80 * day);
    });
    logInto(before, place.data);
    return place.data;
  }

  it("is refused with what is lost, inputs and outputs; accepted, no offset is used twice and scores stay", async () => {
    const path = await lostEnd();
    const message = await refusal(path);
    expect(message).toContain(path);
    const { inputs, "score-changed": changed } = whole as { inputs: number; "score-changed": number };
    expect(message).toContain(`inputs-0 has 0 to ${inputs - people} now, and was read up to ${inputs}`);
    expect(message).toMatch(
      new RegExp(`score-changed-0 has 0 to \\d+ now, and was written up to ${changed}: \\d+ outputs are gone`),
    );
    // Asked again it is refused again: nothing was put aside, nothing was written.
    expect(await refusal(path)).toBe(message);
    await accept(path, message);
    await withEngine(path, async (engine) => {
      expect(await endsOf(engine)).toEqual(whole);
      expect(await scoresOf(engine, began + 80 * day)).toEqual(scores);
      expect(engine.taskStatuses()[0]!.losses).toMatchObject({ count: 3 });
      await take(engine, more);
      // Who resumes where the topic ended finds all that is new.
      const fresh = await recordsFrom(engine, "score-changed", changed);
      expect(fresh.length).toBeGreaterThan(0);
      expect((await recordsOf(engine, "inputs")).length).toBe(inputs - people + people);
    });
    expect(readdirSync(path)).not.toContain("store.damaged-1");
  });

  it("by a file that was cut short is refused, or nothing is missing", async () => {
    await withEngine(place.data, async (engine) => await take(engine, deeds(people)));
    await withEngine(place.data, async (engine) => {
      await take(engine, later);
      whole = await endsOf(engine);
    });
    let refused = 0;
    for (const share of [0.9, 0.5, 0.1]) {
      const path = copyOf(place.data, `cut-${share}`);
      const newest = readdirSync(join(path, "log"))
        .filter((name) => name.endsWith(".log"))
        .sort()
        .at(-1)!;
      const file = join(path, "log", newest);
      truncateSync(file, Math.floor(share * statSync(file).size));
      const { engine } = await opened(path);
      const error = await engine.task.running().catch((own: unknown) => own);
      if (error === undefined) expect(await endsOf(engine)).toEqual(whole);
      else {
        expect(error).toMatchObject({ code: expect.stringMatching(/^log-(lost|corrupt)$/) });
        refused += 1;
      }
      await engine.stop();
    }
    expect(refused).toBeGreaterThan(0);
  });
});

async function recordsFrom(engine: EmbeddedEngine, topic: string, from: number): Promise<string[]> {
  const { end } = (await engine.topics()).find((one) => one.topic === topic)!;
  const values: string[] = [];
  for await (const some of engine.outputs(topic, from, new AbortController().signal, end))
    values.push(...some.map(({ value }) => value));
  return values;
}

describe("two copies of a directory that went different ways", () => {
  it("are told apart, though each has as many inputs; accepted, the scores are those of the log that is there", async () => {
    await withEngine(place.data, async (engine) => await take(engine, deeds(people)));
    const other = copyOf(place.data, "other");
    await withEngine(place.data, async (engine) => await take(engine, later));
    let scores: string[] = [];
    let ends: Record<string, number> = {};
    await withEngine(other, async (engine) => {
      await take(engine, more);
      scores = await scoresOf(engine, began + 80 * day);
      ends = await endsOf(engine);
    });
    logInto(other, place.data);
    const message = await refusal(place.data);
    expect(message).toContain(
      `inputs-0 has 0 to ${ends["inputs"]} now, and was read up to ${ends["inputs"]}: other records`,
    );
    await accept(place.data, message);
    await withEngine(place.data, async (engine) => {
      expect(await scoresOf(engine, began + 80 * day)).toEqual(scores);
      expect(await endsOf(engine)).toEqual(ends);
    });
    // What only this copy had is in the store that was put aside.
    expect(readdirSync(place.data)).toContain("store.damaged-1");
  });
});
