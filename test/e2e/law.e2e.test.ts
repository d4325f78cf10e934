/**
 * The one law on a file of purchases: the same bytes, however the lines come. SCOREFOLD_CDNOW names a file of real ones
 * (JSON lines, gzip): without it, generated ones take its place.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generatePurchases } from "../../src/cli/demo/purchases.js";
import { Random } from "../../src/cli/demo/random.js";
import { Folder, root, scorefold } from "./command.js";

const realFile = process.env["SCOREFOLD_CDNOW"];
const model = join(root, "models", "purchases.yaml");
const asOf = "1998-07-01T00:00:00Z";

describe(`purchases ${realFile === undefined ? "made up by the generator" : "of a real shop"}`, () => {
  let folder: Folder;
  let lines: string[];
  let expected: { scores: string; outputs: string };
  beforeAll(async () => {
    folder = new Folder();
    lines =
      realFile === undefined
        ? [...generatePurchases({ seed: 7, customers: 6000 })]
        : gunzipSync(readFileSync(realFile)).toString().split("\n").filter(Boolean);
    expected = await replayed([folder.write("in.jsonl", `${lines.join("\n")}\n`)]);
  });
  afterAll(() => folder.remove());

  async function replayed(files: string[], more: string[] = [], stdin = ""): Promise<typeof expected> {
    const targets = ["--scores", "scores.jsonl", "--outputs", "outputs.jsonl"];
    const args = ["replay", "--model", model, "--input", ...files, "--as-of", asOf, ...targets, ...more];
    const result = await scorefold(args, { cwd: folder.path, stdin });
    expect(result, result.stderr).toMatchObject({ code: 0, stdout: "" });
    return { scores: folder.read("scores.jsonl"), outputs: folder.read("outputs.jsonl") };
  }

  /** Not `toEqual`: a difference of megabytes is not to be printed. */
  function expectSame(actual: typeof expected): void {
    expect(actual.scores === expected.scores).toBe(true);
    expect(actual.outputs === expected.outputs).toBe(true);
  }

  it("are many, and move through all bands", () => {
    expect(lines.length).toBeGreaterThan(10_000);
    const contacts = new Set(lines.map((line) => (JSON.parse(line) as { contactId: string }).contactId));
    expect(folder.lines("scores.jsonl")).toHaveLength(contacts.size);
    expect(new Set(folder.json("scores.jsonl").map(({ grade }) => grade)).size).toBe(4);
    const crossed = folder.json("outputs.jsonl").filter(({ crossing }) => crossing === "threshold");
    expect(new Set(crossed.map(({ id, direction }) => `${id} ${direction}`))).toEqual(
      new Set(["25 up", "50 up", "75 up", "25 down", "50 down", "75 down"]),
    );
  });

  it("give the same bytes shuffled", async () => {
    expectSame(await replayed([folder.writeLines("shuffled.jsonl", new Random(1).shuffled(lines))]));
  });

  it("give the same bytes sent twice, shuffled, sorted on disk", async () => {
    const twice = folder.writeLines("twice.jsonl", new Random(2).shuffled([...lines, ...lines]));
    expectSame(await replayed([twice], ["--memory", "2", "--temp", folder.path]));
    expect(folder.names().filter((name) => name.startsWith("scorefold-"))).toEqual([]);
  });

  it("give the same bytes split over a file, a gzip file and standard input", async () => {
    const mixed = new Random(3).shuffled(lines);
    const third = Math.floor(mixed.length / 3);
    const files = [
      folder.writeLines("a.jsonl", mixed.slice(0, third)),
      folder.write("b.jsonl.gz", gzipSync(mixed.slice(third, 2 * third).join("\n"), { level: 1 })),
    ];
    expectSame(await replayed(["-", ...files], [], mixed.slice(2 * third).join("\r\n")));
  });
});
