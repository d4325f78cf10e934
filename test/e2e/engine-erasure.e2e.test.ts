/**
 * Erased is gone: after `erase` and `compact` no byte of any file of the data directory tells of the contact, in whatever
 * form it was sent, and what comes late of it stays refused. Nobody else loses anything, wherever a compaction dies.
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { placesOf } from "../engine/bytes.js";
import { began, click, day, deeds, deedsOf, model, type Person } from "../engine/people.js";
import { Running } from "../engine/running.js";
import { type Ended, ended, Folder, scorefold, start } from "./command.js";

/** With everything in its id that JSON and URLs write in another way. */
const zora: Person = { id: 'zörabelle/"q" 77', name: "Zörabelle Quixworth", mail: "zora+quix@exämple.test" };
const traces = [zora.id, "zörabelle", "belle", zora.name, "Quixworth", zora.mail, "zora+quix"];

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
  folder.write("lead.yaml", model);
});
afterEach(() => folder.remove());

async function run(...args: string[]): Promise<Ended> {
  const result = await scorefold(args, { cwd: folder.path });
  expect(result.stderr).not.toMatch(/fault of scorefold|^ {4}at /m);
  return result;
}

async function ok(...args: string[]): Promise<Ended> {
  const result = await run(...args);
  expect(result, result.stderr).toMatchObject({ code: 0 });
  return result;
}

const ingest = (...files: string[]): Promise<Ended> => ok("ingest", ...files, "--model", "lead.yaml");
const scores = async (): Promise<string[]> => (await ok("scores", "--format", "json")).stdout.split("\n");
const others = (lines: readonly string[]): string[] => lines.filter((line) => !line.includes("belle"));
const traced = (): string[] => placesOf(join(folder.path, "data"), traces);

/** A line as a program writes it that sends ASCII only, and slashes behind backslashes. */
function ascii(input: object): string {
  const text = JSON.stringify(input).replaceAll("/", "\\/");
  return text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const writeInputs = (): void => {
  const bad = { contactId: zora.id, attributes: { name: zora.name, mail: zora.mail } };
  const first = click(zora.id, "c0", began + 3 * day);
  folder.writeLines("in.jsonl", [
    ...deeds(150),
    ...deedsOf(zora, 3),
    ...deedsOf(zora, 3).map(ascii),
    ...deedsOf({ ...zora, id: "p-0008-too" }, 8).map((one) =>
      JSON.stringify(one).replaceAll(/zora.quix|Quixworth|Z?örabelle/g, "x"),
    ),
    ...deeds(10),
    // Bad lines of hers.
    { ...bad, type: "email.clicked", at: "2026-03-04 07:05" },
    ascii({ ...bad, type: "email.clicked", at: "2026-03-04 07:06" }),
    `{"contactId": ${JSON.stringify(zora.id)}, "type":"email.clicked","attributes":{"mail":"${zora.mail}`,
    { ...bad, kind: "profil", at: began },
    { ...bad, type: "email.clicked", at: began, id: `x${"x".repeat(300)}` },
    JSON.stringify({ ...bad, type: "email.clicked", at: began, attributes: { text: zora.mail.repeat(30_000) } }),
    // A conflict of hers.
    { ...first, resource: `/mine/${zora.mail}` },
    { ...first, attributes: { mail: zora.mail } },
    {
      kind: "adjustment",
      id: "a1",
      contactId: zora.id,
      at: began + 4 * day,
      model: "lead",
      dimension: "fit",
      add: 3,
      reason: zora.name,
    },
    {
      id: "r1",
      contactId: zora.id,
      type: "interaction.retracted",
      at: began + 5 * day,
      attributes: { id: "v0", at: began + 2 * day + 3 },
    },
  ]);
};

describe("an erased contact", () => {
  it("leaves no byte after a compaction, and the others their scores (the engine runs)", async () => {
    writeInputs();
    await ingest("in.jsonl");
    const before = await scores();
    expect(before.some((line) => line.includes("belle"))).toBe(true);
    expect(traced().length).toBeGreaterThan(0);
    const letters = (await ok("tail", "dead-letters")).stdout;
    expect(letters.split("\n").filter((line) => line.includes("belle")).length).toBeGreaterThan(5);

    const engine = await Running.start(folder, ["--models", "lead.yaml"]);
    await engine.ready();
    const erased = await ok("erase", zora.id);
    expect(erased.stderr).toContain("is erased");
    const missing = await engine.get(`/v1/contacts/${encodeURIComponent(zora.id)}/scores`);
    expect(missing.status).toBe(404);
    const compacting = await run("compact");
    expect(compacting).toMatchObject({ code: 1 });
    expect(compacting.stderr).toContain(`an engine runs on data (${engine.url}): stop it first`);
    expect(await engine.stop()).toMatchObject({ code: 0 });

    const compacted = await ok("compact");
    expect(compacted.stderr).toMatch(/^1 erased contact, \d+ records removed from the log; /);
    expect(traced()).toEqual([]);
    expect(others(await scores())).toEqual(others(await scores()));
    const after = await scores();
    expect(after.some((line) => line.includes("belle"))).toBe(false);
    const asOf = ["--as-of", "2026-05-01T00:00:00Z"];
    await ingest("in.jsonl");
    // Sent again she stays gone, and the next compaction takes that out too.
    expect((await scores()).filter((line) => line.includes("belle"))).toEqual([]);
    await ok("compact");
    expect(traced()).toEqual([]);
    const again = others((await ok("scores", "--format", "json", ...asOf)).stdout.split("\n"));
    rmSync(join(folder.path, "data", "store"), { recursive: true });
    await ingest("in.jsonl");
    const rebuilt = (await ok("scores", "--format", "json", ...asOf)).stdout.split("\n");
    expect(rebuilt).toEqual(again);
  });

  it("is erased in a directory without an engine, once or twice, and may begin anew", async () => {
    writeInputs();
    await ingest("in.jsonl");
    const before = others(await scores());
    expect((await ok("erase", zora.id)).stderr).toContain("is erased");
    expect((await ok("erase", zora.id)).stderr).toContain("is erased");
    expect(await run("erase", "nobody-of-this-name")).toMatchObject({ code: 1 });
    expect(others(await scores())).toEqual(before);
    const erasedAt = Date.now();
    // Written in forms that not everybody reads.
    const later = new Date(erasedAt + 60_000).toISOString().replace("Z", "000000+00");
    folder.writeLines("later.jsonl", [{ id: "new", contactId: zora.id, type: "email.clicked", at: later }]);
    await ingest("later.jsonl");
    await ok("compact");
    const asOf = new Date(erasedAt + 60_000).toISOString();
    const begun = (await ok("scores", "--format", "json", "--as-of", asOf)).stdout.split("\n");
    expect(begun.filter((line) => line.includes("belle")).map((line) => JSON.parse(line))).toMatchObject([
      { score: 10 },
    ]);
    expect(placesOf(join(folder.path, "data"), ["Quixworth", zora.mail, "nobody-of-this-name"])).toEqual([]);
    rmSync(join(folder.path, "data", "store"), { recursive: true });
    await ingest("in.jsonl");
    const rebuilt = (await ok("scores", "--format", "json", "--as-of", asOf)).stdout.split("\n");
    expect(rebuilt).toEqual(begun);
  });
});

describe("a compaction that is killed", () => {
  it("at any point leaves a directory that opens, and is done again", async () => {
    writeInputs();
    await ingest("in.jsonl");
    const before = others(await scores());
    await ok("erase", zora.id);
    const began = performance.now();
    await ok("scores", "--format", "json");
    const openMs = performance.now() - began;
    let killed = 0;
    for (let i = 0; i < 12; i++) {
      const child = start(["compact"], { cwd: folder.path });
      child.stdin.end();
      const end = ended(child);
      const timer = setTimeout(() => child.kill("SIGKILL"), openMs * (0.4 + i * 0.1));
      const { signal, code } = await end;
      clearTimeout(timer);
      if (signal === "SIGKILL") killed += 1;
      else expect(code).toBe(0);
      expect(others(await scores())).toEqual(before);
      if (signal !== "SIGKILL") break;
    }
    expect(killed).toBeGreaterThan(0);
    await ok("compact");
    expect(traced()).toEqual([]);
    expect(others(await scores())).toEqual(before);
    for (const left of ["log.copy", "log.old", "store.copy", "store.old", "compacting.json"])
      expect(existsSync(join(folder.path, "data", left)), left).toBe(false);
  });
});
