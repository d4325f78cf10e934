import { describe, expect, it } from "vitest";
import { EmbeddedLog, INPUTS } from "../../src/embedded/log.js";
import { atOnce, fetchAll, fromOffset, line, outputOf } from "../stream/log.contract.js";
import { Gate, givenLog, readRecords, readValues } from "./given.js";

describe("append", () => {
  it("gathers what comes during a write into the next one, in the order of the calls", async () => {
    const gate = new Gate("disk write");
    const { log } = await givenLog(1_000_000, gate.step);
    gate.shut();
    const writesBefore = gate.count;
    const appends = ["a", "b", "c", "d"].map((id) => log.append([line(id), line(`${id}2`)]));
    gate.go();
    const appended = await Promise.all(appends);
    expect(appended.map(({ base }) => base)).toEqual([0, 2, 4, 6]);
    expect(gate.count - writesBefore).toBe(2);
    const ids = appended.flatMap(({ decoded }) => decoded.map((one) => one.ok && one.input.id));
    expect(ids).toEqual(["a", "a2", "b", "b2", "c", "c2", "d", "d2"]);
    expect(await readValues(log, INPUTS)).toEqual(ids.map((id) => line(String(id))));
  });

  it("keeps a write to some megabytes, and cuts it into rows", async () => {
    const gate = new Gate("disk write");
    const { log } = await givenLog(100_000_000, gate.step);
    gate.shut();
    const writesBefore = gate.count;
    const long = line("x".repeat(200_000));
    const appends = Array.from({ length: 8 }, () => log.append(Array.from({ length: 8 }, () => long)));
    gate.go();
    await Promise.all(appends);
    // 1.6 MB each: one that was first, then two at a time.
    expect(gate.count - writesBefore).toBe(5);
    expect(await readValues(log, INPUTS)).toEqual(Array.from({ length: 64 }, () => long));
  });

  it("shows records only when they are durable", async () => {
    const gate = new Gate("disk written");
    const { log } = await givenLog(1_000_000, gate.step);
    gate.shut();
    const arrival = gate.arrival();
    const appending = log.append([line("a")]);
    await arrival;
    expect(log.topics.get(INPUTS)).toEqual({ start: 0, end: 0 });
    gate.go();
    await appending;
    expect(log.topics.get(INPUTS)).toEqual({ start: 0, end: 1 });
  });

  it("rejects exactly the appends of a write that fails, and gives their offsets to others", async () => {
    const { log, disk } = await givenLog();
    await log.append([line("a")]);
    disk.isFull = true;
    await expect(log.append([line("lost")])).rejects.toMatchObject({ code: "disk-full" });
    disk.isFull = false;
    expect((await log.append([line("b")])).base).toBe(1);
    expect(await readValues(log, INPUTS)).toEqual([line("a"), line("b")]);
  });

  it("goes on behind a write that failed and is there all the same", async () => {
    let fails = false;
    const { log } = await givenLog(1_000_000, async (name) => {
      if (fails && name === "disk written") throw new Error("the disk did not say");
    });
    const task = await log.open(0);
    fails = true;
    await expect(log.append([line("unknown")])).rejects.toThrow("did not say");
    fails = false;
    expect((await log.append([line("b")])).base).toBe(1);
    expect((await fetchAll(log, task, atOnce)).map(({ offset }) => offset)).toEqual([0, 1]);
  });

  it("stamps records with a time that never goes back, not even when it is opened again", async () => {
    const { log, disk, host } = await givenLog();
    host.now = 5000;
    await log.append([line("a")]);
    host.now = 3000;
    await log.append([line("b")]);
    await log.close();
    const again = await EmbeddedLog.open(disk.crash({ loseTail: 0 }), { now: () => host.now, memoryBytesMax: 0 });
    expect(await (await again.open(0)).time()).toBe(5000);
    await again.append([line("c")]);
    host.now = 6000;
    await again.append([line("d")]);
    expect((await readRecords(again, INPUTS)).map(({ timestamp }) => timestamp)).toEqual([5000, 5000, 5000, 6000]);
  });

  it("names the source of broken lines only, counting from the first line", async () => {
    const { log } = await givenLog(0);
    await log.append([line("a"), "broken", line("b"), "{}"], { name: "inputs.jsonl", firstLine: 10 });
    const records = await fetchAll(log, await log.open(0), atOnce);
    expect(records.map(({ source }) => source)).toEqual([null, "inputs.jsonl:11", null, "inputs.jsonl:13"]);
    expect(await readValues(log, INPUTS)).toEqual([line("a"), "broken", line("b"), "{}"]);
  });

  it("keeps any text, also one with line feeds, a tag or half a character", async () => {
    for (const memory of [0, 1_000_000]) {
      const { log } = await givenLog(memory);
      const texts = [`{\n"id": 1}`, "\u0001", '\u0001{"original":1}', "\ud800", "\u2028\r"];
      await log.append(texts);
      const originals = (await fetchAll(log, await log.open(0), atOnce)).map(({ original }) => original);
      expect(originals).toEqual([...texts.slice(0, 3), "\ufffd", "\u2028\r"]);
    }
  });
});

describe("the tail in memory", () => {
  it("gives the same records as the disk", async () => {
    const broken = { bytes: 9, sha256: "ab", head: "{", isUtf8: false };
    const fetched = [];
    for (const memory of [0, 200, 1_000_000]) {
      const { log } = await givenLog(memory);
      const task = await log.open(0);
      for (let i = 0; i < 20; i++) await log.append([line(i), "no json", broken], { name: "f", firstLine: i });
      fetched.push(await fetchAll(log, task, { bytesMax: 250, recordsMax: 7, waitMs: 0 }));
    }
    expect(fetched[0]).toHaveLength(60);
    expect(fetched[1]).toEqual(fetched[0]);
    expect(fetched[2]).toEqual(fetched[0]);
  });

  it("reads from the disk only what was not kept", async () => {
    const gate = new Gate("disk scan");
    const { log } = await givenLog(1_000_000, gate.step);
    const task = await log.open(0);
    await log.append([line("a"), line("b")]);
    await fetchAll(log, task, atOnce);
    expect(gate.count).toBe(0);
    await task.fetch(fromOffset(log, 2), atOnce);
    // Fetched already, as another owner does that begins further back.
    await fetchAll(log, task, atOnce);
    expect(gate.count).toBeGreaterThan(0);
  });

  it("tells what is unread, and when it has been drained", async () => {
    for (const memory of [0, 100, 1_000_000]) {
      const { log } = await givenLog(memory);
      const task = await log.open(0);
      expect(log.unreadBytes).toBe(0);
      await log.append([line("a"), line("b")]);
      await log.append([line("c"), line("d")]);
      const all = 4 * line("a").length;
      expect(log.unreadBytes).toBe(all);
      let isDrained = false;
      const draining = log.drained(line("a").length).then(() => {
        isDrained = true;
      });
      await task.fetch(fromOffset(log, 0), { ...atOnce, recordsMax: 1 });
      // Whoever fetches may take less than it was given: it tells by where it goes on.
      expect(log.unreadBytes).toBe(all);
      await task.fetch(fromOffset(log, 1), { ...atOnce, recordsMax: 1 });
      expect(log.unreadBytes).toBe(all - line("a").length);
      expect(isDrained).toBe(false);
      await fetchAll(log, task, atOnce, 1);
      await task.fetch(fromOffset(log, 4), atOnce);
      await draining;
      expect(log.unreadBytes).toBe(0);
      await log.drained(0);
    }
  });
});

describe("a publish that fails", () => {
  it("leaves the owner without the right to go on, and the next one with what is on disk", async () => {
    for (const isThere of [false, true]) {
      let fails = false;
      const { log } = await givenLog(0, async (name) => {
        if (fails && name === (isThere ? "disk written" : "disk write")) throw new Error("the disk did not say");
      });
      const task = await log.open(0);
      const one = { offsets: fromOffset(log, 0), metadata: "1", outputs: [outputOf(1)], deadLetters: [] };
      fails = true;
      await expect(task.publish(one)).rejects.toThrow("did not say");
      fails = false;
      await expect(task.publish(one)).rejects.toMatchObject({ code: "log-failed" });
      const owner = await log.open(0);
      expect((await owner.committed())?.metadata).toBe(isThere ? "1" : undefined);
      await owner.publish({ ...one, outputs: [outputOf(2)] });
      const offsets = (await readRecords(log, "score-changed")).map(({ offset }) => offset);
      expect(offsets).toEqual(isThere ? [0, 1] : [0]);
    }
  });
});
