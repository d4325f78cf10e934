/** `erase`, `compact` and `dead-letters` on a directory: what is left of a person, byte by byte. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createServer } from "../../../src/api/server.js";
import { TASK_KEY } from "../../../src/embedded/meta.js";
import { compactDirectory } from "../../../src/engine/compaction.js";
import { DataDirectory } from "../../../src/engine/directory.js";
import { placesOf } from "../../engine/bytes.js";
import { opened, take } from "../../engine/given.js";
import { began, click, day, deeds, deedsOf, model, type Person } from "../../engine/people.js";
import { type MemoryIoOptions, type Told, told } from "../memory-io.js";

const zora: Person = { id: 'zörabelle/"q" 77', name: "Zörabelle Quixworth", mail: "zora+quix@exämple.test" };
const traces = [zora.id, "zörabelle", "Zörabelle", zora.name, "Quixworth", zora.mail, "zora+quix"];
const minute = 60_000;

let root: string;
let data: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "scorefold-erase-"));
  data = join(root, "data");
  writeFileSync(join(root, "lead.yaml"), model);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function ran(args: readonly string[], options: MemoryIoOptions = {}): Promise<Told> {
  return await told(args, { ...options, env: { SCOREFOLD_DATA: data } });
}

async function ok(...args: string[]): Promise<Told> {
  const result = await ran(args);
  expect(result, result.stderr).toMatchObject({ code: 0 });
  return result;
}

async function ingest(name: string, lines: readonly (object | string | Buffer)[]): Promise<void> {
  const texts = lines.map((line) =>
    Buffer.isBuffer(line) ? line : Buffer.from(typeof line === "string" ? line : JSON.stringify(line)),
  );
  writeFileSync(join(root, name), Buffer.concat(texts.flatMap((text) => [text, Buffer.from("\n")])));
  await ok("ingest", join(root, name), "--model", join(root, "lead.yaml"));
}

const left = (): string[] => placesOf(data, traces);
const scores = async (): Promise<string> => (await ok("scores", "--format", "json")).stdout;
const letters = async (...args: string[]): Promise<{ id: number; reason: string; preview: string }[]> =>
  (await ok("dead-letters", "list", "--format", "json", ...args)).stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as never);

const mine = { contactId: zora.id, attributes: { name: zora.name, mail: zora.mail } };
/** Of hers, and none of them in force; with all dates that there are. */
const badLines = (now: number): (object | string | Buffer)[] => [
  // Dated after the erasure.
  { ...mine, id: "m1", type: "meeting.booked", at: now + 30 * day },
  { ...mine, id: "m2", type: "meeting.booked", at: "2206-03-01T00:00:00Z" },
  { ...mine, id: "m3", type: "meeting.booked", at: now * 1000 },
  // In seconds.
  { ...mine, id: "m4", type: "meeting.booked", at: Math.round(now / 1000) },
  { ...mine, kind: "profil", at: now + 30 * day },
  // Undecodable, with a date of later.
  `{"contactId": ${JSON.stringify(zora.id)}, "type":"email.clicked","at":${now + 30 * day},"name":"${zora.name}`,
  // By a misspelt key.
  { type: "email.clicked", at: began, contact_id: zora.id, attributes: { name: zora.name } },
  { type: "email.clicked", at: now + 30 * day, ContactId: zora.id, attributes: { mail: zora.mail } },
  `{'contact_id': '${zora.id}', 'type': 'email.clicked', 'at': ${began}, 'mail': '${zora.mail}'}`,
  `[${JSON.stringify({ ...mine, id: "l1", type: "email.clicked", at: now + 30 * day })}]`,
  Buffer.from(`{"contactId":${JSON.stringify(zora.id)},"type":"email.clicked","name":"${zora.name}"}`, "latin1"),
];

/** Rows that nobody can say to be hers, and one of somebody else who is called like her. */
const rows = [
  `${zora.id.replaceAll('"', '""')},${zora.mail},email.clicked,2026-03-01`,
  `7,"${zora.name}",${zora.mail}`,
];

describe("erase, and compact", () => {
  it("leave nothing of dead letters of the contact, whatever their date", async () => {
    const now = Date.now();
    await ingest("in.jsonl", [...deeds(20), ...deedsOf(zora, 3), ...badLines(now)]);
    const before = (await scores()).split("\n").filter((line) => !line.includes("belle"));
    expect(left().length).toBeGreaterThan(0);
    const erased = await ok("erase", zora.id);
    expect(erased.stderr).toContain(`with ${badLines(now).length} dead letters of it`);
    expect(erased.stderr).not.toContain("stay");
    expect((await ok("compact")).stderr).toMatch(/^1 erased contact, /);
    expect(left()).toEqual([]);
    expect((await scores()).split("\n")).toEqual(before);
    // What comes again later stays gone as far as it is dated up to then, or at no instant.
    await ingest("again.jsonl", badLines(now).slice(6, 7));
    await ok("compact");
    expect(left()).toEqual([]);
  });

  it("say what stays because it is dated later, and with --also-later take it too", async () => {
    const later = Date.now() + 50 * minute;
    const own = [click(zora.id, "soon", later), { ...mine, id: "soon2", type: "web.page_viewed", at: later + 1 }];
    await ingest("in.jsonl", [...deeds(3), ...deedsOf(zora, 3), ...own]);
    const erased = await ok("erase", zora.id);
    expect(erased.stderr).toContain("2 inputs of it dated later stay: --also-later");
    expect((await ok("compact")).stderr).toContain("2 lines of these contacts dated after the erasure stay;");
    expect(await scores()).toContain("belle");
    // Of before the erasure nothing is left.
    expect(placesOf(data, [`/of/${zora.mail}`])).toEqual([]);
    const all = await ok("erase", zora.id, "--also-later");
    expect(all.stderr).toContain(`what is dated up to ${new Date(later + 1).toISOString()} is gone, and refused`);
    expect(all.stderr).not.toContain("stay");
    await ok("compact");
    expect(left()).toEqual([]);
    expect(await scores()).not.toContain("belle");
    await ingest("again.jsonl", own);
    expect(await scores()).not.toContain("belle");
    await ok("compact");
    expect(left()).toEqual([]);
  });

  it("with --also-later date the erasure at the newest instant of a dead letter, and it is taken", async () => {
    const now = Date.now();
    const meeting = { ...mine, id: "m1", type: "meeting.booked", at: now + 30 * day };
    await ingest("in.jsonl", [
      ...deedsOf(zora, 3),
      meeting,
      { ...mine, type: "meeting.booked", at: "2206-01-01T00:00Z" },
    ]);
    const erased = await ok("erase", zora.id, "--also-later");
    expect(erased.stderr).toContain(`what is dated up to ${new Date(meeting.at).toISOString()} is gone`);
    expect(await scores()).toBe("");
    expect((await letters()).map(({ reason }) => reason)).toEqual(["too-far-ahead", "implausible-instant"]);
    await ok("compact");
    expect(left()).toEqual([]);
    // The store is made anew, and knows it still; an erasure again goes beyond.
    rmSync(join(data, "store"), { recursive: true });
    await ingest("again.jsonl", [...deeds(2), click(zora.id, "again", now), { ...meeting, at: now + 31 * day }]);
    expect(await scores()).not.toContain("belle");
    expect((await ok("erase", zora.id)).stderr).toContain("with 1 dead letter of it");
    await ok("compact");
    expect(left()).toEqual([]);
  });

  it("ask at a terminal only", async () => {
    const later = Date.now() + 50 * minute;
    await ingest("in.jsonl", [...deedsOf(zora, 3), click(zora.id, "soon", later)]);
    const quiet = await ran(["erase", zora.id], { stdin: "y\n" });
    expect(quiet.stderr).toContain("1 input of it dated later stays");
    expect(await scores()).toContain("belle");
    const no = await ran(["erase", zora.id], { stdin: "n\n", terminal: true });
    expect(no.stderr).toContain("erase 1 later input as well? [y/N]");
    expect(await scores()).toContain("belle");
    await ran(["erase", zora.id], { stdin: "y\n", terminal: true });
    expect(await scores()).toBe("");
  });

  it("leave nothing in a store that was put aside, nor in a state that is long", async () => {
    const views = Array.from({ length: 700 }, (_, i) => {
      return {
        id: `p${i}`,
        contactId: zora.id,
        type: "web.page_viewed",
        at: began + i * minute,
        resource: `/${zora.mail}/${i}`,
      };
    });
    const later = { ...mine, id: "soon", type: "web.page_viewed", at: Date.now() + 50 * minute, resource: "/later" };
    const retracted = {
      ...{ contactId: zora.id, id: "r", type: "interaction.retracted", at: began + 40 * day },
      attributes: { id: "p3", at: began + 3 * minute, why: zora.name },
    };
    await ingest("in.jsonl", [...deeds(3), ...deedsOf(zora, 3), ...views, retracted, later]);
    mkdirSync(join(data, "store.damaged-1"));
    writeFileSync(join(data, "store.damaged-1", "000005.ldb"), zora.mail);
    await ok("erase", zora.id);
    await ok("compact");
    expect(existsSync(join(data, "store.damaged-1"))).toBe(false);
    // The line of later has her id and name; what came before is nowhere.
    expect(placesOf(data, [`${zora.mail}/`, "/of/", '"why"', "interaction.retracted"])).toEqual(
      placesOf(data, ["/of/"]),
    );
    await ok("erase", zora.id, "--also-later");
    await ok("compact");
    expect(left()).toEqual([]);
  });

  it("leave nothing of the contact that a run of timers had come to when it was broken off", async () => {
    const first = { ...zora, id: `0-${zora.id}` };
    const until = began + 200 * day;
    const { engine } = await opened(data, {
      limits: { sliceContactsMax: 1 },
      onCommit: ({ kind }) => {
        if (kind === "timers") void engine.stop();
      },
    });
    await engine.task.running();
    await take(engine, [...deeds(10), ...deedsOf(first, 3)]);
    await engine.task.fireUntil(until).catch(() => undefined);
    await engine.stop();
    // It is in the position of the log, and of the store.
    const database = await (await DataDirectory.open(data)).openLog();
    expect(await database.get(TASK_KEY)).toContain("belle");
    await database.close();
    await ok("erase", first.id);
    expect(left().length).toBeGreaterThan(0);
    await ok("compact");
    expect(left()).toEqual([]);
  });

  it("are done again where a compaction was broken off, and know still what came before an erasure of long ago", async () => {
    const now = Date.now();
    // Sent by another system, and dated before what is dead.
    const erasure = { kind: "profile", contactId: zora.id, at: began + 90 * day, fields: null };
    await ingest("in.jsonl", [...deeds(5), ...deedsOf(zora, 3), ...badLines(now), erasure]);
    let topics = 0;
    const breaking = compactDirectory(await DataDirectory.open(data), (what) => {
      // The inputs are written then, the erasure among them; the dead letters are not.
      if (what === "scrubbing" && ++topics === 2) throw new Error("broken off");
    });
    await expect(breaking).rejects.toThrow("broken off");
    expect(left().join()).toContain("log/");
    await ok("compact");
    expect(left()).toEqual([]);
    // A bad line that came after the erasure, and is dated after it, is of a life that begins anew.
    await ingest("new.jsonl", [{ ...mine, id: "m9", type: "meeting.booked", at: now + 30 * day }]);
    await ok("compact");
    expect(await letters()).toHaveLength(1);
  });

  it("do not take what the contact sends later, in a life that begins anew", async () => {
    await ingest("in.jsonl", [...deedsOf(zora, 3)]);
    await ok("erase", zora.id);
    await ok("compact");
    const now = Date.now();
    await ingest("new.jsonl", [
      click(zora.id, "new", now),
      { ...mine, id: "m9", type: "meeting.booked", at: now + 30 * day },
    ]);
    await ok("compact");
    expect(await scores()).toContain("belle");
    expect(await letters()).toMatchObject([{ reason: "too-far-ahead" }]);
  });
});

describe("dead-letters", () => {
  it("lists, shows and drops what nobody can be said to have, for good", async () => {
    await ingest("in.jsonl", [...deeds(3), ...deedsOf(zora, 3)]);
    await ingest("rows.csv", [...rows, "bob,bob@example.test,email.clicked,2026-03-01"]);
    const erased = await ok("erase", zora.id);
    expect(erased.stderr).toContain("1 dead letter that can't be said to be of anybody holds the id and stays");
    await ok("compact");
    expect(left().length).toBeGreaterThan(0);
    const table = await ok("dead-letters", "list", "--source", join(root, "rows.csv"));
    expect(table.stdout).toMatch(/^id +place +time +reason +source +line\n/);
    expect(table.stdout).toMatch(/ 2 +inputs-0@\d+ +\d{4}-[\d-]+T[\d:.]+Z +undecodable +.*rows.csv:3 +bob,bob@/);
    expect(await letters("--reason", "undecodable")).toHaveLength(3);
    expect(await letters("--reason", "conflict")).toEqual([]);
    expect(await letters("--source", "rows")).toEqual([]);
    expect(await letters("--source", `${join(root, "rows.csv")}:2`)).toMatchObject([{ id: 1 }]);
    // Another case, and letters put together of two.
    const found = await letters("--containing", zora.mail.toUpperCase().normalize("NFD"));
    expect(found.map(({ id }) => id)).toEqual([0, 1]);
    expect(await letters("--containing", "zora.quix")).toEqual([]);
    expect((await letters("--limit", "1"))[0]).toMatchObject({ id: 0 });
    expect((await ok("dead-letters", "list", "--limit", "2")).stderr).toContain("there are more: --from 2,");
    const shown = JSON.parse((await ok("dead-letters", "show", "1")).stdout) as object;
    expect(shown).toMatchObject({ id: 1, kind: "DeadLetter", reason: "undecodable", original: rows[1] });
    const dropped = await ok("dead-letters", "drop", "--containing", zora.mail);
    expect(dropped.stderr).toContain("2 dead letters dropped, with 2 lines of inputs; `scorefold compact`");
    expect(await letters()).toMatchObject([{ id: 2 }]);
    expect(await ran(["dead-letters", "show", "1"])).toMatchObject({ code: 1 });
    // Offsets stay, and so does the record of the other one.
    expect((await ok("tail", "dead-letters", "--offsets")).stdout).toMatch(/^\{"offset":2,/);
    await ok("compact");
    expect(left()).toEqual([]);
    expect((await ok("dead-letters", "drop", "2", "0", "--yes")).stderr).toContain(
      "1 dead letter dropped, with 1 line",
    );
    expect((await ok("dead-letters", "drop", "--containing", "x")).stderr).toContain("0 dead letters dropped");
  });

  it("drops the content of a conflict wherever it came, and leaves the one that holds", async () => {
    const at = began + 3 * day;
    const secret = { ...click("ann", "c", at), attributes: { mail: zora.mail } };
    const holds = { ...click("ann", "c", at), attributes: { a: 1 } };
    // The one that holds comes last, and its record is the one that the dead letter names.
    await ingest("in.jsonl", [secret, secret]);
    expect(left().join()).toMatch(/store\/.*log\/|log\/.*store\//);
    await ingest("winner.jsonl", [click("ann", "d", at + 1), holds]);
    await ingest("more.jsonl", [secret]);
    const before = await scores();
    expect((await letters()).map(({ reason }) => reason)).toEqual(["conflict", "conflict"]);
    expect((await ok("dead-letters", "drop", "--reason", "conflict")).stderr).toContain(
      "2 dead letters dropped, with 3 lines",
    );
    await ok("compact");
    expect(left()).toEqual([]);
    expect(await scores()).toBe(before);
    // Asked of before, and with an input that is late, the history is whole.
    await ingest("late.jsonl", [click("ann", "b", at - 1)]);
    const late = await scores();
    rmSync(join(data, "store"), { recursive: true });
    await ingest("none.jsonl", [holds]);
    expect(await scores()).toBe(late);
  });

  it("asks before it drops at a terminal only, and needs to be told which", async () => {
    await ingest("rows.csv", rows);
    expect(await ran(["dead-letters", "drop"])).toMatchObject({ code: 2 });
    expect(await ran(["dead-letters", "drop", "--containing", ""])).toMatchObject({ code: 2 });
    expect(await ran(["dead-letters", "drop", "x"])).toMatchObject({ code: 2 });
    const no = await ran(["dead-letters", "drop", "0"], { stdin: "\n", terminal: true });
    expect(no.stderr).toContain("drop 1 dead letter for good? [y/N] nothing was dropped");
    const none = await ran(["dead-letters", "drop", "7"], { stdin: "y\n", terminal: true });
    expect(none.stderr).toContain("there are none");
    const yes = await ran(["dead-letters", "drop", "0"], { stdin: "y\n", terminal: true });
    expect(yes.stderr).toContain("1 dead letter dropped");
    await ran(["dead-letters", "drop", "--reason", "undecodable", "--yes"], { terminal: true });
    expect(await letters()).toEqual([]);
  });
});

describe("on a running engine", () => {
  it("the commands ask it, and it goes on meanwhile", async () => {
    const now = Date.now();
    const { engine } = await opened(data, { timers: "clock" });
    await engine.task.running();
    const server = await createServer(engine, { port: 0 });
    const url = ["--url", await server.listen()];
    try {
      await take(engine, [...deeds(20), ...deedsOf(zora, 3), click(zora.id, "soon", now + 50 * minute)]);
      await engine.append(badLines(now).map((line) => (typeof line === "object" ? JSON.stringify(line) : line)));
      await take(engine, [click("p-0001", "c9", now)]);
      await engine.append(rows);
      const erased = await ok("erase", zora.id, ...url);
      expect(erased.stderr).toContain("1 input of it dated later stays");
      expect(erased.stderr).toContain("1 dead letter that can't be said to be of anybody holds the id");
      const all = await ok("erase", zora.id, "--also-later", ...url);
      expect(all.stderr).not.toContain("dated later");
      expect(await engine.scores(zora.id, { tenantId: "default" })).toBeNull();
      const unknown = await ran(["erase", "P-0007", ...url]);
      expect(unknown).toMatchObject({ code: 1 });
      expect(unknown.stderr).toContain("did you mean p-0007?");
      expect(
        (await ok("dead-letters", "drop", "--containing", zora.mail, "--reason", "undecodable", ...url)).stderr,
      ).toMatch(/^\d dead letters dropped, with \d lines of inputs/);
      const rest = (await ok("dead-letters", "list", "--format", "json", ...url)).stdout;
      expect(rest).not.toContain(rows[1]);
      const { id } = JSON.parse(rest.split("\n")[0]!) as { id: number };
      expect((await ok("dead-letters", "show", String(id), ...url)).stdout).toContain(zora.mail);
      expect(await ran(["dead-letters", "show", "999", ...url])).toMatchObject({ code: 1 });
      // What comes is folded as before.
      await take(engine, [click("p-0001", "c10", now + 1)]);
    } finally {
      await server.close();
      await engine.stop();
    }
    await ok("compact");
    expect(left()).toEqual([]);
  });
});

describe("erasing nobody", () => {
  it("is an error that names who was probably meant, and leaves no trace", async () => {
    await ingest("in.jsonl", deeds(20));
    const unknown = await ran(["erase", "P-0007 "]);
    expect(unknown).toMatchObject({ code: 1 });
    expect(unknown.stderr).toContain("contact P-0007  of tenant default is not known, and nothing was erased");
    expect(unknown.stderr).toContain("did you mean p-0007?");
    const far = await ran(["erase", "nobody-of-this-name"]);
    expect(far.stderr).not.toContain("did you mean");
    expect(placesOf(data, ["nobody-of-this-name", "P-0007"])).toEqual([]);
    expect(await ok("erase", "p-0007")).toMatchObject({ code: 0 });
    expect((await ok("erase", "p-0007")).stderr).toContain("is erased");
    await ok("compact");
    expect((await ok("erase", "p-0007")).stderr).toContain("is erased");
  });
});
