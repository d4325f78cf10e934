/** The main job, as scripts rely on it: `scorefold replay --model .. --input .. [--as-of ..] --scores .. [--outputs ..]`. */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ended, Folder, scorefold, start } from "./command.js";

const lead = `model: lead
version: 2
dimensions:
  engagement: { min: 0, max: 50, decay: { percent: 5, every: 30d } }
  fit: { min: 0, max: 50 }
rules:
  - { id: clicked, dimension: engagement, when: email.clicked, points: 10 }
  - { id: city, dimension: fit, where: [{ field: contact.city, is: Chicago }], points: 20 }
thresholds: [25]
grades: [{ id: cold, from: 0 }, { id: warm, from: 25 }]
routes: { warm: sdr-team }
salesReady: 30
`;
const visits = `model: visits
version: 1
tenants: [acme]
rules:
  - { id: viewed, when: web.page_viewed, points: 1.5 }
  - { id: unsubscribed, when: email.unsubscribed, suppress: true }
`;

const on = (day: string, ...rest: object[]) => Object.assign({ at: `${day}T00:00:00Z` }, ...rest);
const ofB = { contactId: "b" };
const ofA = { tenantId: "acme", contactId: "a" };

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
  folder.write("lead.yaml", lead);
  folder.write("visits.yaml", visits);
});
afterEach(() => folder.remove());

const run = (args: readonly string[], stdin?: string) =>
  scorefold(args, { cwd: folder.path, ...(stdin === undefined ? {} : { stdin }) });

describe("two models over a file, a gzip file and standard input", () => {
  const stdin = `${JSON.stringify(on("2026-01-03", ofB, { type: "email.clicked", id: "c2" }))}\n`;
  const models = ["--model", "visits.yaml", "lead.yaml"];
  const inputs = ["--input", "one.jsonl", "two.jsonl.gz", "-"];
  const scores = (lastOfB: object) =>
    [
      '{"tenantId":"acme","contactId":"a","model":"lead","version":2,"score":0,"grade":"cold","dimensions":{"engagement":0,"fit":0},"salesReady":false,"suppressed":false,"lastActivityAt":null}',
      '{"tenantId":"acme","contactId":"a","model":"visits","version":1,"score":0,"grade":null,"dimensions":{"score":3},"salesReady":false,"suppressed":true,"lastActivityAt":1767484800000}',
      JSON.stringify({ tenantId: "default", contactId: "b", model: "lead", version: 2, ...lastOfB }),
      "",
    ].join("\n");
  const later = scores({
    score: 39,
    grade: "warm",
    dimensions: { engagement: 19, fit: 20 },
    salesReady: true,
    suppressed: false,
    lastActivityAt: 1767398400000,
  });

  beforeEach(() => {
    folder.writeLines("one.jsonl", [
      on("2026-01-02", ofB, { kind: "profile", fields: { city: "chicago" } }),
      on("2026-01-01", ofB, { kind: "interaction", type: "email.clicked", id: "c1" }),
    ]);
    const zipped = [
      { ...ofA, type: "web.page_viewed", id: "v2", at: 1767484800000 },
      on("2026-01-03", ofA, { type: "web.page_viewed", id: "v1" }),
      on("2026-01-05", ofA, { type: "email.unsubscribed", id: "u" }),
    ];
    folder.write("two.jsonl.gz", gzipSync(zipped.map((line) => JSON.stringify(line)).join("\r\n")));
  });

  it("writes the score lines and the outputs, and keeps standard output clean", async () => {
    const files = ["--scores", "scores.jsonl", "--outputs", "outputs.jsonl"];
    const result = await run(["replay", ...models, ...inputs, "--as-of", "2026-02-05T01:00:00+01:00", ...files], stdin);
    expect(result, result.stderr).toMatchObject({ code: 0, stdout: "" });
    expect(result.stderr).toContain("6 inputs of 2 contacts -> 3 score lines");
    expect(folder.read("scores.jsonl")).toBe(later);
    const outputs = folder.json("outputs.jsonl");
    expect(
      outputs.map(({ kind, contactId, model, crossing, id, previous, current, cause }) =>
        kind === "ScoreChanged"
          ? [contactId, model, previous, current, (cause as { kind: string }).kind]
          : [contactId, model, crossing, id],
      ),
    ).toEqual([
      ["a", "lead", null, 0, "interaction"],
      ["a", "visits", null, 1, "interaction"],
      ["a", "visits", 1, 3, "interaction"],
      ["a", "visits", 3, 0, "interaction"],
      ["b", "lead", null, 10, "interaction"],
      ["b", "lead", 10, 30, "profile"],
      ["b", "lead", "threshold", "25"],
      ["b", "lead", "salesReady", "lead"],
      ["b", "lead", "grade", "warm"],
      ["b", "lead", 30, 40, "interaction"],
      ["b", "lead", 40, 39, "decay"],
    ]);
    expect(outputs[5]).toMatchObject({ delta: 20, route: "sdr-team", dimensions: { engagement: 10, fit: 20 } });
    expect(folder.names()).toEqual(
      ["lead.yaml", "one.jsonl", "outputs.jsonl", "scores.jsonl", "two.jsonl.gz", "visits.yaml"].sort(),
    );
  });

  it("stands at the newest input without --as-of, and writes the same to a pipe", async () => {
    const newest = scores({
      score: 40,
      grade: "warm",
      dimensions: { engagement: 20, fit: 20 },
      salesReady: true,
      suppressed: false,
      lastActivityAt: 1767398400000,
    });
    for (const target of [["--scores", "-"], []]) {
      const result = await run(["replay", ...models, ...inputs, ...target], stdin);
      expect(result, result.stderr).toMatchObject({ code: 0, stdout: newest });
      expect(result.stderr).toContain("as of 2026-01-05T00:00:00.000Z");
    }
  });

  it("counts only what was known by the instant", async () => {
    const result = await run(["replay", ...models, ...inputs, "--as-of", "2026-01-01T00:00:00Z"], stdin);
    expect(result.stdout.split("\n").slice(0, -1)).toEqual([
      expect.stringContaining('"contactId":"b","model":"lead","version":2,"score":10,"grade":"cold"'),
    ]);
    expect(result.stderr).toContain("5 inputs after the as-of instant left out");
  });
});

/** Enough score lines to fill a pipe many times. */
const crowd = Array.from({ length: 8_000 }, (_, i) => on("2026-01-01", { contactId: `c${i}`, type: "email.clicked" }));

it.each([
  ["replay", "--model", "lead.yaml", "--input", "in.jsonl", "--scores", "-"],
  ["scores", "--model", "lead.yaml", "--input", "in.jsonl", "--format", "json"],
])("ends quietly when the reader goes away: %s | head -1", async (...args) => {
  folder.writeLines("in.jsonl", crowd);
  const child = start(args, { cwd: folder.path });
  child.stdout.once("data", () => child.stdout.destroy());
  const { code, signal, stderr } = await ended(child);
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  expect(stderr).not.toMatch(/EPIPE|error|pipe/i);
});

describe.each(["SIGINT", "SIGTERM"] as const)("%s", (signal) => {
  it("leaves no temporary files and no half-written output", async () => {
    folder.write("scores.jsonl", "old\n");
    mkdirSync(join(folder.path, "temp"));
    const before = folder.names();
    const targets = ["--scores", "scores.jsonl", "--outputs", "outputs.jsonl"];
    const args = ["replay", "--model", "lead.yaml", "--input", "-", ...targets, "--memory", "0.001", "--temp", "temp"];
    const child = start(args, { cwd: folder.path });
    const end = ended(child);
    child.stdin.on("error", () => undefined);
    child.stdin.write(
      crowd
        .slice(0, 100)
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(""),
    );
    // It waits for more input now, with inputs on disk and outputs begun.
    await vi.waitFor(
      () => {
        const [scratch] = readdirSync(join(folder.path, "temp"));
        // Its write-ahead log is made last: from then on the database is there.
        expect(readdirSync(join(folder.path, "temp", scratch!)).some((name) => name.endsWith(".log"))).toBe(true);
      },
      { timeout: 20_000 },
    );
    expect(folder.names().filter((name) => name.endsWith(".partial"))).toHaveLength(2);
    child.kill(signal);
    expect(await end).toMatchObject({ code: null, signal, stdout: "" });
    expect(folder.names()).toEqual(before);
    expect(readdirSync(join(folder.path, "temp"))).toEqual([]);
    expect(folder.read("scores.jsonl")).toBe("old\n");
  });
});
