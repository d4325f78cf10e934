/** A data directory that is removed, moved or replaced under a running engine: nothing is taken that no start would find. */
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EmbeddedEngine } from "../../src/engine/embedded-engine.js";
import { opened, Place, recordsOf, scoresOf, take } from "./given.js";
import { began, click, day, deeds } from "./people.js";

const later = began + 300 * day;
const late = (id: string): object => click("newcomer", id, began);

let place: Place;
let engine: EmbeddedEngine | undefined;
beforeEach(() => {
  place = new Place();
});
afterEach(async () => {
  await engine?.stop();
  engine = undefined;
  place.remove();
});

/** An engine that has taken some inputs, and nothing since. */
async function running(): Promise<EmbeddedEngine> {
  const { engine: started } = await opened(place.data);
  engine = started;
  await started.task.running();
  await take(started, deeds(20));
  return started;
}

const aside = (): string => join(place.root, "aside");

describe("the data directory, under a running engine", () => {
  it.each<[what: string, act: () => void]>([
    ["removed", () => rmSync(place.data, { recursive: true })],
    ["moved", () => renameSync(place.data, aside())],
    [
      "moved, and another one made",
      () => {
        renameSync(place.data, aside());
        mkdirSync(join(place.data, "log"), { recursive: true });
      },
    ],
    [
      "replaced by a copy",
      () => {
        renameSync(place.data, aside());
        cpSync(aside(), place.data, { recursive: true });
      },
    ],
    ["left without its log", () => rmSync(join(place.data, "log"), { recursive: true })],
    [
      "left without the files of its log",
      () => {
        const log = join(place.data, "log");
        for (const name of readdirSync(log)) rmSync(join(log, name));
      },
    ],
    [
      "left without the write-ahead log of its log",
      () => {
        const log = join(place.data, "log");
        for (const name of readdirSync(log).filter((one) => one.endsWith(".log"))) rmSync(join(log, name));
      },
    ],
    [
      "given another write-ahead log, as a restore over it does",
      () => {
        const log = join(place.data, "log");
        for (const name of readdirSync(log).filter((one) => one.endsWith(".log"))) {
          cpSync(join(log, name), join(log, "copy"));
          renameSync(join(log, "copy"), join(log, name));
        }
      },
    ],
  ])("%s: nothing more is taken, and it ends and says what to do", async (_, act) => {
    const started = await running();
    await started.checkPlace();
    act();
    const refused = {
      code: "directory-unusable",
      message: expect.stringMatching(/data\/log is not the log any more that this engine has open: .*start the engine/),
    };
    await expect(started.checkPlace()).rejects.toMatchObject(refused);
    await expect(started.append([JSON.stringify(late("e1"))])).rejects.toMatchObject(refused);
    // The task finds out by itself: nothing has to be sent for that.
    await expect(started.ended()).rejects.toMatchObject(refused);
    expect(started.status).toMatchObject({ state: "failed", isUp: false, isReady: false });
    expect(started.status.detail).toMatch(/put .* back as it was/i);
  });

  it("moved and put back: all that was taken is there, and nothing that was refused", async () => {
    const started = await running();
    renameSync(place.data, aside());
    await expect(started.append([JSON.stringify(late("e1"))])).rejects.toThrow(/removed or moved/);
    await started.ended().catch(() => undefined);
    expect(existsSync(place.data)).toBe(false);
    renameSync(aside(), place.data);
    const { engine: again } = await opened(place.data);
    engine = again;
    await again.task.caughtUp();
    expect(again.status.contacts).toBeGreaterThanOrEqual(20);
    // What was refused is what nobody was told of: whether it is there or not, sending it again counts it once.
    await take(again, [late("e1")]);
    expect((await scoresOf(again, later)).filter((line) => line.includes("newcomer"))).toHaveLength(1);
  });

  it("left without its store: the store is folded again from the log, and nothing is published twice", async () => {
    const started = await running();
    const before = await scoresOf(started, later);
    const published = await recordsOf(started, "score-changed");
    rmSync(join(place.data, "store"), { recursive: true });
    // What waits for the life that ends is told so, or goes on in the next one.
    await take(started, [late("e1")]).catch(() => undefined);
    await started.task.caughtUp();
    await started.task.written();
    expect(started.status.state).toBe("running");
    const isOther = (line: string): boolean => !line.includes("newcomer");
    expect((await scoresOf(started, later)).filter(isOther)).toEqual(before);
    expect((await recordsOf(started, "score-changed")).filter(isOther)).toEqual(published);
    expect(statSync(join(place.data, "store")).isDirectory()).toBe(true);
  });
});
