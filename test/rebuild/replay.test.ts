import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeLine } from "../../src/events/decode.js";
import type { Output, ScoreLine } from "../../src/events/types.js";
import { ContactFold } from "../../src/fold/contact.js";
import { compile } from "../../src/model/compile.js";
import type { Model } from "../../src/model/types.js";
import { type ReplayedContact, type ReplayOptions, type ReplayProgress, replay } from "../../src/rebuild/replay.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "replay-test-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const DAY_MS = 86_400_000;

function model(over: Partial<Model> = {}): Model {
  return {
    id: "lead",
    version: 1,
    timeZone: "UTC",
    score: { min: 0, max: 100 },
    dimensions: [{ id: "engagement", min: 0, max: 100, decay: { kind: "percent", percent: 50, every: 30 * DAY_MS } }],
    rules: [
      {
        family: "accumulating",
        id: "clicked",
        when: ["email.clicked"],
        where: [],
        automated: "skip",
        scopeResource: false,
        effect: {
          kind: "points",
          dimension: "engagement",
          points: { kind: "times", by: ["attributes", "amount"], times: 1, else: 10 },
          weight: 1,
          periodCaps: [],
          decays: true,
        },
      },
    ],
    thresholds: [{ at: 25, rearm: 25 }],
    triggers: [],
    grades: [],
    routes: {},
    lift: [],
    ...over,
  };
}
const lead = compile(model());

const file = (name: string, lines: readonly (object | string)[]): string => {
  const path = join(directory, name);
  writeFileSync(path, lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""));
  return path;
};
/** What instants of these tests are counted from. */
const START = 1_000_000_000_000;
const click = (contactId: string, at: number, id: string, over: object = {}) => ({
  contactId,
  type: "email.clicked",
  at: START + at,
  id,
  ...over,
});

const jsonLines = <T>(path: string): T[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
const scoresPath = () => join(directory, "scores.jsonl");
const deadPath = () => `${scoresPath()}.dead-letters.jsonl`;
const run = (files: readonly string[], over: Partial<ReplayOptions> = {}) =>
  replay({ models: [lead], files, scores: scoresPath(), ...over });
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => Promise.reject(new Error("no error")),
    (error: unknown) => error,
  );

describe("replay", () => {
  it("writes score lines by tenant, contact, model, and outputs per contact in order", async () => {
    const files = [
      file("one.jsonl", [click("b", 0, "2", { tenantId: "acme" }), click("b", 0, "1"), click("\ue000", 0, "5")]),
      file("two.jsonl", [click("\u{10000}", 0, "6"), click("a", 2 * DAY_MS, "4"), click("a", DAY_MS, "3")]),
    ];
    const other = compile(model({ id: "fit", tenants: ["default"] }));
    const outputs = join(directory, "outputs.jsonl");
    const report = await run(files, { models: [lead, other], outputs });
    const lines = jsonLines<ScoreLine>(scoresPath());
    expect(lines.map((line) => [line.tenantId, line.contactId, line.model, line.score])).toEqual([
      ["acme", "b", "lead", 10],
      ["default", "a", "fit", 20],
      ["default", "a", "lead", 20],
      ["default", "b", "fit", 10],
      ["default", "b", "lead", 10],
      ["default", "\ue000", "fit", 10],
      ["default", "\ue000", "lead", 10],
      ["default", "\u{10000}", "fit", 10],
      ["default", "\u{10000}", "lead", 10],
    ]);
    const ofA = jsonLines<Output>(outputs).filter((output) => output.contactId === "a");
    expect(ofA.map(({ kind, at }) => [kind, at])).toEqual([
      ["ScoreChanged", START + DAY_MS],
      ["ScoreChanged", START + DAY_MS],
      ["ScoreChanged", START + 2 * DAY_MS],
      ["ScoreChanged", START + 2 * DAY_MS],
    ]);
    expect(report).toMatchObject({
      asOf: START + 2 * DAY_MS,
      lines: 6,
      inputs: { interaction: 6, profile: 0, adjustment: 0 },
      contacts: 5,
      scoreLines: 9,
      outputs: { ScoreChanged: 11, ThresholdCrossed: 0, ContactErased: 0 },
      deadLetters: { total: 0, byReason: {}, path: null },
      spilled: false,
    });
    expect(existsSync(deadPath())).toBe(false);
  });

  it("scores as of the newest input, or as of the instant asked for", async () => {
    const path = file("in.jsonl", [click("a", 0, "1"), click("b", 30 * DAY_MS, "2"), click("b", 30 * DAY_MS + 1, "3")]);
    const scoreOf = () => Object.fromEntries(jsonLines<ScoreLine>(scoresPath()).map((l) => [l.contactId, l.score]));
    expect(await run([path])).toMatchObject({ asOf: START + 30 * DAY_MS + 1, afterAsOf: 0 });
    expect(scoreOf()).toEqual({ a: 5, b: 20 });
    expect(await run([path], { asOf: START + 30 * DAY_MS })).toMatchObject({ asOf: START + 30 * DAY_MS, afterAsOf: 1 });
    expect(scoreOf()).toEqual({ a: 5, b: 10 });
    expect(await run([path], { asOf: START + 30 * DAY_MS - 1 })).toMatchObject({ afterAsOf: 2, contacts: 1 });
    expect(scoreOf()).toEqual({ a: 10 });
    await run([path], { asOf: START + 61 * DAY_MS });
    expect(scoreOf()).toEqual({ a: 2, b: 10 });
  });

  it("puts bad lines aside with the reason and the original, and goes on", async () => {
    const big = JSON.stringify(click("a", 1, "x", { attributes: { text: "y".repeat(1_000_000) } }));
    const lines = [
      click("a", 0, "1"),
      "{not json",
      { type: "email.clicked", at: START },
      click("a", 0, "2", { at: "yesterday" }),
      { kind: "purchase", contactId: "a", at: START },
      click("a", 0, "3", { attributes: "text" }),
      big,
      click("a", 0, "line\nbreak"),
      click("a", 0, "nul\u0000"),
      click("a", 0, "4", { attributes: { amount: 1e308 } }),
      '{"contactId":"a","type":"email.clicked","at":1000000000000,"attributes":{"amount":1e400}}',
      click("\u{1f600}", 0, "5"),
      { kind: "profile", contactId: "a", at: START },
      click("a", 0, "6", { atributes: {} }),
      "",
      "   ",
      { kind: "population", model: "lead" },
    ];
    const path = file("in.jsonl", lines);
    const report = await run([path]);
    expect(report).toMatchObject({
      lines: 15,
      inputs: { interaction: 4 },
      contacts: 2,
      deadLetters: {
        total: 11,
        byReason: {
          undecodable: 1,
          "no-contact": 1,
          "bad-instant": 1,
          "unknown-kind": 1,
          invalid: 5,
          "too-large": 1,
          unsupported: 1,
        },
        path: deadPath(),
      },
      ignoredFields: [{ kind: "interaction", field: "atributes", count: 1, nearest: "attributes" }],
    });
    const dead = jsonLines<Record<string, unknown>>(deadPath());
    expect(dead.map(({ line, reason }) => [line, reason])).toEqual([
      [2, "undecodable"],
      [3, "no-contact"],
      [4, "bad-instant"],
      [5, "unknown-kind"],
      [6, "invalid"],
      [7, "too-large"],
      [8, "invalid"],
      [9, "invalid"],
      [11, "invalid"],
      [13, "invalid"],
      [17, "unsupported"],
    ]);
    expect(dead[0]).toMatchObject({ file: path, original: "{not json" });
    expect(Object.keys(dead[0] as object)).toEqual(["reason", "error", "file", "line", "original"]);
    expect(dead[5]).toMatchObject({
      original: big.slice(0, 512 * 1024),
      length: big.length,
      sha256: createHash("sha256").update(big).digest("hex"),
    });
    expect(jsonLines<ScoreLine>(scoresPath())).toMatchObject([
      { contactId: "a", score: 100 },
      { contactId: "\u{1f600}", score: 10 },
    ]);
  });

  it("counts duplicates, decides conflicts by content, and removes a stale file of dead letters", async () => {
    const amount = (value: number) => ({ attributes: { amount: value } });
    const lines = [click("a", 0, "1", amount(3)), click("a", 0, "1", amount(1)), click("a", 0, "1", amount(3))];
    for (const order of [lines, [...lines].reverse()]) {
      expect(await run([file("in.jsonl", order)])).toMatchObject({ duplicates: 1, conflicts: 1 });
      expect(jsonLines(scoresPath())).toMatchObject([{ score: 1 }]);
      const [dead, ...rest] = jsonLines<Record<string, unknown>>(deadPath());
      expect(rest).toEqual([]);
      expect(dead).toMatchObject({ reason: "conflict" });
      expect(JSON.parse(dead?.["original"] as string)).toMatchObject(amount(3));
    }
    const twice = file("twice.jsonl", [...lines.slice(1, 2), ...lines.slice(1, 2)]);
    expect(await run([twice])).toMatchObject({ duplicates: 1, conflicts: 0, deadLetters: { total: 0 } });
    expect(existsSync(deadPath())).toBe(false);
  });

  it("names outputs as a contact does that both contents have come to, the one that holds first", async () => {
    const amount = (value: number) => ({ attributes: { amount: value } });
    const lines = [click("a", 0, "1", amount(80)), click("a", 0, "1", amount(90)), click("a", 90 * DAY_MS, "2")];
    const outputs: Output[] = [];
    await run([file("in.jsonl", lines)], { onOutput: (output) => outputs.push(output) });
    const contact = new ContactFold([lead], "default", "a", { history: "kept" });
    for (const line of lines) {
      const decoded = decodeLine(JSON.stringify(line));
      if (decoded.ok) contact.receive(decoded.input);
    }
    expect(contact.drain()).toEqual(outputs);
    expect(outputs.filter((one) => one.kind === "ScoreChanged" && one.id.includes("/time/1."))).toHaveLength(3);
  });

  it("lets an erasure hold over a profile with its key and over what is at its instant", async () => {
    const profile = (fields: object | null) => ({ kind: "profile", contactId: "a", at: START + 5, fields });
    const path = file("in.jsonl", [
      click("a", 1, "1"),
      profile({ city: "Kiel" }),
      profile(null),
      click("a", 5, "2"),
      click("b", 6, "3"),
    ]);
    const outputs = join(directory, "outputs.jsonl");
    const report = await run([path], { outputs });
    expect(report).toMatchObject({ erased: 2, conflicts: 0, deadLetters: { total: 0 }, outputs: { ContactErased: 1 } });
    expect(jsonLines<ScoreLine>(scoresPath()).map((line) => line.contactId)).toEqual(["b"]);
    expect(jsonLines<Output>(outputs).at(1)).toMatchObject({ kind: "ContactErased", contactId: "a", at: START + 5 });
  });

  it("retracts what was folded, before or after it in the files", async () => {
    const retraction = (at: number, of: object) => ({
      contactId: "a",
      type: "interaction.retracted",
      at: START + at,
      id: "r",
      attributes: of,
    });
    const lines = [click("a", 1, "1"), click("a", 2, "2"), retraction(3, { id: "1", at: START + 1 })];
    for (const order of [lines, [...lines].reverse()]) {
      await run([file("in.jsonl", order)]);
      expect(jsonLines(scoresPath())).toMatchObject([{ contactId: "a", score: 10 }]);
    }
    await run([file("in.jsonl", lines)], { asOf: START + 2 });
    expect(jsonLines(scoresPath())).toMatchObject([{ score: 20 }]);
    await run([file("in.jsonl", [click("a", 1, "1"), retraction(0, { id: "1", at: START + 1 }), click("b", 4, "2")])]);
    expect(jsonLines(scoresPath())).toMatchObject([{ contactId: "b" }]);
  });

  it("gives the same bytes for any order of lines, any number of copies, any files, in memory and on disk", async () => {
    const line = fc
      .record({
        contactId: fc.constantFrom("a", "b", "c", "\u{1f600}"),
        at: fc.nat(8).map((days) => START + days * 10 * DAY_MS),
        id: fc.constantFrom("1", "2", "\ue000"),
        what: fc.nat(9),
        amount: fc.nat(30),
      })
      .map(({ what, amount, ...base }) => {
        if (what === 0) return { ...base, kind: "profile", fields: amount < 10 ? null : { amount } };
        if (what === 1) return { ...base, kind: "adjustment", model: "lead", set: amount };
        if (what === 2)
          return { ...base, type: "interaction.retracted", attributes: { id: "1", at: START + 10 * DAY_MS } };
        return click(base.contactId, base.at - START, base.id, { attributes: { amount } });
      });
    const bytes = async (files: readonly string[], over: Partial<ReplayOptions> = {}) => {
      const outputs = join(directory, "outputs.jsonl");
      await run(files, { outputs, asOf: START + 90 * DAY_MS, ...over });
      return readFileSync(scoresPath(), "utf8") + readFileSync(outputs, "utf8");
    };
    const cases = fc.tuple(fc.array(line, { minLength: 1, maxLength: 30 }), fc.infiniteStream(fc.nat()));
    await fc.assert(
      fc.asyncProperty(cases, async ([lines, keys]) => {
        const expected = await bytes([file("sorted.jsonl", lines)]);
        const twice = [...lines, ...lines].map((one) => ({ one, key: keys.next().value as number }));
        const shuffled = twice.sort((a, b) => a.key - b.key).map(({ one }) => one);
        const half = file("half.jsonl", shuffled.slice(0, lines.length));
        const zipped = join(directory, "rest.gz");
        const rest = shuffled.slice(lines.length).map((one) => `${JSON.stringify(one)}\n`);
        writeFileSync(zipped, gzipSync(rest.join("")));
        expect(await bytes([half, zipped])).toBe(expected);
        expect(await bytes([zipped, half], { memoryBytesMax: 1, tempDirectory: directory })).toBe(expected);
      }),
      { numRuns: 25 },
    );
  });

  it("reads standard input, writes to a stream, and tells how far it is", async () => {
    const scores = new PassThrough();
    const progress: ReplayProgress[] = [];
    const seen: ReplayedContact[] = [];
    const outputs: Output[] = [];
    const report = await replay({
      models: [lead],
      files: ["-"],
      stdin: Readable.from([
        Buffer.from(`${JSON.stringify(click("b", 0, "1"))}\n${JSON.stringify(click("a", 1, "2"))}`),
      ]),
      scores,
      deadLetters: join(directory, "dead.jsonl"),
      onProgress: (step) => progress.push(step),
      onOutput: (output) => outputs.push(output),
      onContact: (contact) => {
        seen.push(contact);
      },
    });
    const text = String(scores.read());
    expect(text.split("\n").map((line) => line.slice(0, 40))).toEqual([
      '{"tenantId":"default","contactId":"a","m',
      '{"tenantId":"default","contactId":"b","m',
      "",
    ]);
    expect(seen.map((contact) => [contact.contactId, contact.scoreLines.length])).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
    expect(outputs.map((output) => output.contactId)).toEqual(["a", "b"]);
    expect(report).toMatchObject({ lines: 2, contacts: 2 });
    expect(progress.at(0)).toMatchObject({ phase: "read", total: undefined });
    expect(progress.at(-1)).toEqual({ phase: "fold", done: 2, total: 2 });
  });

  it("folds only the contacts that are selected, as of the newest input of all", async () => {
    const path = file("in.jsonl", [click("a", 0, "1"), click("b", 30 * DAY_MS, "2")]);
    expect(await run([path], { select: (_tenant, contact) => contact === "a" })).toMatchObject({ contacts: 1 });
    expect(jsonLines(scoresPath())).toMatchObject([{ contactId: "a", score: 5 }]);
  });

  it("leaves no file behind when it fails, and the old one as it was", async () => {
    writeFileSync(scoresPath(), "old\n");
    const good = file("good.jsonl", [click("a", 0, "1")]);
    const broken = join(directory, "broken.gz");
    writeFileSync(broken, gzipSync("x\n".repeat(100_000)).subarray(0, 100));
    const before = readdirSync(directory);
    const options = { memoryBytesMax: 1, tempDirectory: directory, outputs: join(directory, "outputs.jsonl") };
    expect(await failure(run([good, broken], options))).toMatchObject({ code: "input-missing" });
    expect(readdirSync(directory)).toEqual(before);
    expect(readFileSync(scoresPath(), "utf8")).toBe("old\n");
  });

  it("names every missing file at once, and says when there is nothing in a file", async () => {
    const good = file("good.jsonl", [click("a", 0, "1")]);
    const empty = file("empty.jsonl", []);
    const error = await failure(run([join(directory, "x"), good, join(directory, "y")]));
    expect(error).toMatchObject({ code: "input-missing" });
    expect(String(error)).toMatch(/\/x: there is no such file.*\n.*\/y: there is no such file/);
    expect(await failure(run([empty]))).toMatchObject({
      code: "input-missing",
      message: `${empty}: empty; expected one JSON object on each line`,
    });
    expect(await run([empty, good])).toMatchObject({ emptyFiles: [empty], contacts: 1 });
  });

  it("refuses targets that exclude each other", async () => {
    const path = file("in.jsonl", [click("a", 0, "1")]);
    expect(await failure(run([path], { outputs: scoresPath() }))).toMatchObject({ code: "usage" });
    expect(await failure(run([path], { scores: path }))).toMatchObject({ code: "usage" });
    expect(await failure(run([path], { scores: "-", outputs: "-" }))).toMatchObject({ code: "usage" });
    expect(await failure(run(["-", "-"]))).toMatchObject({ code: "usage" });
    expect(await failure(run([]))).toMatchObject({ code: "usage" });
    expect(await failure(run([path], { models: [lead, lead] }))).toMatchObject({ code: "usage" });
    expect(readFileSync(path, "utf8")).toContain("email.clicked");
  });

  it.runIf(process.env["CI"] !== undefined || existsSync("/dev/full"))("says when the disk is full", async () => {
    const path = file("in.jsonl", [click("a", 0, "1")]);
    const outputs = join(directory, "outputs.jsonl");
    expect(await failure(run([path], { scores: "/dev/full", outputs }))).toMatchObject({ code: "disk-full" });
    expect(existsSync(outputs)).toBe(false);
  });

  it("removes its temporary files when a signal ends it while it sorts", async () => {
    const from = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    const temp = mkdtempSync(join(directory, "temp-"));
    const script = `
      import { compile } from ${from("../../dist/model/compile.js")};
      import { replay } from ${from("../../dist/rebuild/replay.js")};
      await replay({
        models: [compile(${JSON.stringify(model())})],
        files: ["-"],
        scores: ${JSON.stringify(scoresPath())},
        memoryBytesMax: 1,
        tempDirectory: ${JSON.stringify(temp)},
        onProgress: () => console.log("reading"),
      });
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin.write(`${JSON.stringify(click("a", 0, "1"))}\n`);
    await new Promise((reading) => child.stdout.once("data", reading));
    expect(readdirSync(temp)).toHaveLength(1);
    child.kill("SIGTERM");
    expect(await new Promise((ended) => child.once("exit", (_code, signal) => ended(signal)))).toBe("SIGTERM");
    expect(readdirSync(temp)).toEqual([]);
    expect(readdirSync(directory).filter((name) => name.includes("scores"))).toEqual([]);
  });
});
