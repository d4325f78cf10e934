import { describe, expect, it } from "vitest";
import { EmbeddedLog, INPUTS } from "../../src/embedded/log.js";
import { rowKey } from "../../src/embedded/rows.js";
import { SimulatedDisk } from "../simulator/disk.js";
import { atOnce, fetchAll, fromOffset, line, outputOf } from "../stream/log.contract.js";
import { Gate, givenLog, readRecords, readValues } from "./given.js";

const options = { now: () => 1, memoryBytesMax: 0 };

describe("a damaged log", () => {
  it("stops whoever reads the row, naming its place", async () => {
    const { log, disk } = await givenLog(0);
    await log.append([line("a")]);
    await log.append([line("b"), line("c")]);
    disk.damage(rowKey(INPUTS, 2), (value) => value.replace("ann", "bob"));
    const task = await log.open(0);
    const [first] = await task.fetch(fromOffset(log, 0), { ...atOnce, recordsMax: 1 });
    expect(first?.records).toHaveLength(1);
    const failure = await task.fetch(fromOffset(log, 1), atOnce).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "log-corrupt", retryable: false });
    expect((failure as Error).message).toMatch(/topic inputs, offset 2: .*backup/);
    await expect(readRecords(log, INPUTS)).rejects.toMatchObject({ code: "log-corrupt" });
    await expect(log.scrub((_, value) => value)).rejects.toMatchObject({ code: "log-corrupt" });
    await expect(EmbeddedLog.open(disk.crash({ loseTail: 0 }), options)).rejects.toMatchObject({
      code: "log-corrupt",
    });
  });

  it("stops whoever comes to a row that is not there, or that is another's", async () => {
    const { log, disk } = await givenLog(0);
    for (const id of ["a", "b", "c"]) await log.append([line(id)]);
    const other = disk.find(rowKey(INPUTS, 2))?.value ?? "";
    disk.damage(rowKey(INPUTS, 1), () => other);
    await expect(log.read(INPUTS, 1, atOnce)).rejects.toMatchObject({ code: "log-corrupt" });
    disk.commit([{ type: "del", key: rowKey(INPUTS, 1) }]);
    await expect(log.read(INPUTS, 1, atOnce)).rejects.toMatchObject({ code: "log-corrupt" });
  });

  it("is not made of another database, nor of another format", async () => {
    const disk = new SimulatedDisk();
    const database = disk.open();
    await database.write([{ type: "put", key: "other", value: "" }]);
    await expect(EmbeddedLog.open(database, options)).rejects.toMatchObject({ code: "format-unknown" });
    const { disk: newer } = await givenLog();
    newer.damage("m\0format", () => "2");
    const opening = EmbeddedLog.open(newer.crash({ loseTail: 0 }), options);
    await expect(opening).rejects.toMatchObject({ code: "format-unknown", message: expect.stringMatching(/format 2/) });
  });
});

describe("read", () => {
  it("reads any topic in parts, with its bounds", async () => {
    const { log } = await givenLog();
    const task = await log.open(0);
    const outputs = [1, 2, 3].map(outputOf);
    await task.publish({ offsets: fromOffset(log, 0), metadata: "", outputs, deadLetters: [] });
    const part = await log.read("score-changed", 1, { bytesMax: 1, recordsMax: 9 });
    expect(part).toMatchObject({ records: [{ offset: 1, timestamp: 1000 }], next: 2, start: 0, end: 3 });
    expect(await log.read("score-changed", 3, atOnce)).toEqual({ records: [], next: 3, start: 0, end: 3 });
    expect(log.topics.get("score-changed")).toEqual({ start: 0, end: 3 });
    await expect(log.read("scores", 0, atOnce)).rejects.toMatchObject({ code: "usage" });
  });

  it("can wait for more", async () => {
    const { log } = await givenLog();
    const task = await log.open(0);
    const stop = new AbortController();
    await log.append([line("a")]);
    await log.whenMore(INPUTS, 0, stop.signal);
    const waiting = log.whenMore("score-changed", 0, stop.signal);
    await task.publish({ offsets: fromOffset(log, 0), metadata: "", outputs: [outputOf(1)], deadLetters: [] });
    await waiting;
    const stopped = log.whenMore("score-changed", 1, stop.signal);
    stop.abort();
    await stopped;
  });

  it("gives large transactions back, cut into rows", async () => {
    const { log } = await givenLog();
    const task = await log.open(0);
    const outputs = Array.from({ length: 20_000 }, (_, i) => outputOf(i));
    await task.publish({ offsets: fromOffset(log, 0), metadata: "", outputs, deadLetters: [] });
    const records = await readRecords(log, "score-changed", 30_000);
    expect(records.map(({ offset }) => offset)).toEqual(outputs.map((_, i) => i));
  });
});

describe("scrub", () => {
  it("replaces and removes, leaves the others and all offsets, and shows each record once", async () => {
    for (const memory of [0, 1_000_000]) {
      const { log, disk } = await givenLog(memory);
      const task = await log.open(0);
      await log.append([line("a"), line("gone"), line("changed"), "broken"], { name: "f", firstLine: 1 });
      await log.append([line("gone")]);
      await log.append([line("z")]);
      await task.publish({ offsets: fromOffset(log, 0), metadata: "", outputs: [outputOf(1)], deadLetters: [] });
      // What a reader has at hand must not outlive the scrubbing.
      await task.fetch(fromOffset(log, 0), { ...atOnce, recordsMax: 1 });
      await log.read(INPUTS, 0, { ...atOnce, recordsMax: 1 });
      const seen: string[] = [];
      const batches = disk.batches;
      const done = await log.scrub((topic, value) => {
        seen.push(topic);
        if (value === line("gone")) return null;
        return value === line("changed") ? line("new") : value;
      });
      expect(done).toEqual({ records: 7, changed: 3 });
      expect(seen).toEqual([...Array.from({ length: 6 }, () => INPUTS), "score-changed"]);
      expect(disk.batches).toBe(batches + 1);
      const records = await fetchAll(log, task, { ...atOnce, recordsMax: 1 });
      expect(records.map(({ offset }) => offset)).toEqual([0, 2, 3, 5]);
      expect(records[2]).toMatchObject({ original: "broken", source: "f:4" });
      expect(await readValues(log, INPUTS)).toEqual([line("a"), line("new"), "broken", line("z")]);
      // What was removed is not shown again.
      expect(await log.scrub((_, value) => value)).toEqual({ records: 7, changed: 0 });
      const again = await EmbeddedLog.open(disk.crash({ loseTail: 0 }), options);
      expect(await readValues(again, INPUTS)).toEqual([line("a"), line("new"), "broken", line("z")]);
    }
  });

  it("moves a reader past a topic of which nothing is left", async () => {
    const { log } = await givenLog();
    const task = await log.open(0);
    await log.append([line("a"), line("b")]);
    await log.scrub(() => null);
    expect(await task.fetch(fromOffset(log, 0), atOnce)).toMatchObject([
      { topic: INPUTS, records: [], next: 2, end: 2 },
    ]);
    expect(await log.read(INPUTS, 0, atOnce)).toEqual({ records: [], next: 2, start: 0, end: 2 });
  });

  it("replaces the original of a broken line, and takes no text of several lines", async () => {
    const { log } = await givenLog(0);
    await log.append([{ bytes: 7, sha256: "ab", head: "{ann", isUtf8: false }]);
    await expect(log.scrub(() => "a\nb")).rejects.toMatchObject({ code: "internal" });
    await log.scrub((_, value) => value.replace("ann", "-"));
    const [record] = await fetchAll(log, await log.open(0), atOnce);
    expect(record).toMatchObject({ original: "{-", decoded: { ok: false } });
  });
});

describe("remove", () => {
  it("takes records out of whatever rows they are in, and leaves the others and all offsets", async () => {
    for (const memory of [0, 1_000_000]) {
      const { log, disk } = await givenLog(memory);
      const task = await log.open(0);
      await log.append([line("a"), line("b"), "broken"], { name: "f", firstLine: 1 });
      await log.append([line("c")]);
      await log.append([line("d")]);
      await task.fetch(fromOffset(log, 0), { ...atOnce, recordsMax: 1 });
      expect(await log.remove(INPUTS, [1, 2, 3])).toBe(3);
      expect(await log.remove(INPUTS, [0, 1, 99])).toBe(1);
      const records = await fetchAll(log, task, atOnce);
      expect(records.map(({ offset }) => offset)).toEqual([4]);
      const again = await EmbeddedLog.open(disk.crash({ loseTail: 0 }), options);
      expect(await readValues(again, INPUTS)).toEqual([line("d")]);
      expect(again.topics.get(INPUTS)?.end).toBe(5);
    }
  });
});

describe("close", () => {
  it("waits for writes under way, and refuses what comes later", async () => {
    const gate = new Gate("disk write");
    const { log } = await givenLog(1_000_000, gate.step);
    const task = await log.open(0);
    const stop = new AbortController();
    gate.shut();
    const appends = [log.append([line("a")]), log.append([line("b")])];
    const fetching = task.fetch(fromOffset(log, 0), { ...atOnce, waitMs: 60_000 });
    const waiting = log.whenMore(INPUTS, 0, stop.signal);
    const draining = log.drained(-1);
    let isClosed = false;
    const closing = log.close().then(() => {
      isClosed = true;
    });
    for (const one of [fetching, waiting, draining]) await expect(one).rejects.toMatchObject({ code: "stopping" });
    expect(isClosed).toBe(false);
    gate.go();
    expect((await Promise.all(appends)).map(({ base }) => base)).toEqual([0, 1]);
    await closing;
    for (const later of [
      log.append([line("c")]),
      log.read(INPUTS, 0, atOnce),
      log.size(),
      log.scrub(() => null),
      log.remove(INPUTS, [0]),
    ]) {
      await expect(later).rejects.toMatchObject({ code: "stopping" });
    }
  });
});
