/**
 * The one law through the engine: inputs taken into a log and a store, in any order and split, twice, or killed at ten
 * random moments, give the bytes of a replay of the file. SCOREFOLD_CDNOW names a file of real purchases; without it,
 * made-up ones take its place.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generatePurchases } from "../../src/cli/demo/purchases.js";
import { Random } from "../../src/cli/demo/random.js";
import { ended, Folder, root, scorefold, start } from "./command.js";

const realFile = process.env["SCOREFOLD_CDNOW"];
const model = join(root, "models", "purchases.yaml");
const asOf = "1998-07-01T00:00:00Z";
const kills = 10;
const seed = Number(process.env["SCOREFOLD_KILL_SEED"] ?? Math.floor(Math.random() * 1e9));

describe(`purchases ${realFile === undefined ? "made up by the generator" : "of a real shop"}, ingested`, () => {
  let folder: Folder;
  let lines: string[];
  let replayed: { scores: string; outputs: string[] };
  let published: { changes: string; crossings: string };
  beforeAll(async () => {
    folder = new Folder();
    lines =
      realFile === undefined
        ? [...generatePurchases({ seed: 7, customers: 6000 })]
        : gunzipSync(readFileSync(realFile)).toString().split("\n").filter(Boolean);
    folder.write("in.jsonl", `${lines.join("\n")}\n`);
    const targets = ["--scores", "scores.jsonl", "--outputs", "outputs.jsonl"];
    await ok(["replay", "--model", model, "--input", "in.jsonl", "--as-of", asOf, ...targets]);
    replayed = { scores: folder.read("scores.jsonl"), outputs: folder.lines("outputs.jsonl") };
  });
  afterAll(() => folder.remove());

  async function ok(args: readonly string[], stdin = ""): Promise<string> {
    const result = await scorefold(args, { cwd: folder.path, stdin });
    expect(result, result.stderr).toMatchObject({ code: 0 });
    return result.stdout;
  }

  const ingest = (data: string, files: readonly string[]): string[] => {
    return ["ingest", ...files, "--data", data, "--models", model, "--until", asOf];
  };

  async function scoresIn(data: string): Promise<string> {
    const tenant = (JSON.parse(lines[0]!) as { tenantId: string }).tenantId;
    return await ok(["scores", "--data", data, "--tenant", tenant, "--format", "json"]);
  }

  async function publishedIn(data: string): Promise<typeof published> {
    return {
      changes: await ok(["tail", "score-changed", "--data", data]),
      crossings: await ok(["tail", "threshold-crossed", "--data", data]),
    };
  }

  /** Not `toEqual`: a difference of megabytes is not to be printed. */
  function expectSame(actual: string, expected: string, what: string): void {
    if (actual === expected) return;
    const [own, other] = [actual.split("\n"), expected.split("\n")];
    const place = own.findIndex((line, i) => line !== other[i]);
    expect.fail(
      `${what} differ at line ${place + 1} (${own.length} and ${other.length} lines, seed ${seed}):\n` +
        `${own[place]}\n${other[place]}`,
    );
  }

  it("in order: the score lines of a replay, and its outputs", async () => {
    await ok(ingest("plain", ["in.jsonl"]));
    expectSame(await scoresIn("plain"), replayed.scores, "scores");
    published = await publishedIn("plain");
    const own = [published.changes, published.crossings].flatMap((text) => text.split("\n").filter(Boolean));
    // The engine goes by arrival, a replay by contact: of each contact they are in the same order.
    expectSame([...own].sort().join("\n"), [...replayed.outputs].sort().join("\n"), "outputs");
    const ofContact = (id: string, all: readonly string[]): string[] =>
      all.filter((line) => line.includes(`"contactId":"${id}"`));
    const { contactId } = JSON.parse(lines[5]!) as { contactId: string };
    expect(ofContact(contactId, published.changes.split("\n"))).toEqual(
      ofContact(contactId, replayed.outputs).filter((line) => line.startsWith('{"kind":"ScoreChanged"')),
    );
  });

  it("killed with -9 at ten random moments and begun again: the same scores, and no output lost or doubled", async () => {
    const random = new Random(seed);
    const data = "killed";
    const began = performance.now();
    await ok(ingest("warm", ["in.jsonl"]));
    rmSync(join(folder.path, "warm"), { recursive: true });
    const wholeMs = performance.now() - began;
    for (let kill = 0; kill < kills; kill++) {
      const child = start(ingest(data, ["in.jsonl"]), { cwd: folder.path });
      const end = ended(child);
      child.stdin.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), random.next() * wholeMs);
      const result = await end;
      clearTimeout(timer);
      // It may have come to its end before.
      expect(result.signal === "SIGKILL" || result.code === 0, result.stderr).toBe(true);
    }
    await ok(ingest(data, ["in.jsonl"]));
    expectSame(await scoresIn(data), replayed.scores, "scores");
    const again = await publishedIn(data);
    expectSame(again.changes, published.changes, "score changes");
    expectSame(again.crossings, published.crossings, "crossings");
    expect(await ok(["tail", "dead-letters", "--data", data])).toBe("");
  }, 400_000);

  it("shuffled, split over a file, a gzip file and standard input, a part of it twice: the same scores", async () => {
    const mixed = new Random(3).shuffled(lines);
    const third = Math.floor(mixed.length / 3);
    const files = [
      folder.writeLines("a.jsonl", mixed.slice(0, third)),
      folder.write("b.jsonl.gz", gzipSync(mixed.slice(third, 2 * third).join("\n"), { level: 1 })),
    ];
    await ok(ingest("mixed", ["-", ...files]), mixed.slice(2 * third).join("\r\n"));
    await ok(ingest("mixed", ["a.jsonl"]));
    expectSame(await scoresIn("mixed"), replayed.scores, "scores");
  });
});
