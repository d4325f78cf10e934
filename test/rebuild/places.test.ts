/** Results must not destroy what someone still needs: inputs, models, dead letters that are being mended. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkModel } from "../../src/model/check.js";
import { compile } from "../../src/model/compile.js";
import { type ReplayOptions, replay } from "../../src/rebuild/replay.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "places-test-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const checked = checkModel(
  "{ model: m, version: 1, score: { max: 100000 }, rules: [{ id: r, when: a.b, points: 1 }] }",
  "m.yaml",
);
if (!checked.ok) throw new Error("the model is good");
const models = [compile(checked.model)];
const good = '{"id":"1","contactId":"c","type":"a.b","at":"2026-01-01T00:00:00Z"}\n';

const at = (name: string): string => join(directory, name);
const write = (name: string, text: string): string => {
  writeFileSync(at(name), text);
  return at(name);
};
const run = (over: Partial<ReplayOptions> & Pick<ReplayOptions, "files">) => replay({ models, ...over });

describe("replay refuses a result where something is that it reads", () => {
  it("a mended dead-letter file that lies at the default place", async () => {
    const mended = write("scores.jsonl.dead-letters.jsonl", good);
    const promise = run({ files: [write("in.jsonl", good), mended], scores: at("scores.jsonl") });
    await expect(promise).rejects.toMatchObject({
      code: "usage",
      message: /dead letters would go where an input file is/,
    });
    expect(readFileSync(mended, "utf8")).toBe(good);
  });

  it("outputs where the dead letters go by default", async () => {
    const files = [write("in.jsonl", good)];
    const promise = run({ files, scores: at("s"), outputs: at("s.dead-letters.jsonl") });
    await expect(promise).rejects.toMatchObject({ code: "usage" });
  });

  it("a link to an input", async () => {
    const input = write("in.jsonl", good);
    symlinkSync(input, at("link.jsonl"));
    await expect(run({ files: [input], scores: at("link.jsonl") })).rejects.toMatchObject({ code: "usage" });
    expect(readFileSync(input, "utf8")).toBe(good);
  });

  it("a file that is kept, such as a model", async () => {
    const model = write("model.yaml", "model: m");
    const promise = run({ files: [write("in.jsonl", good)], scores: model, kept: [model] });
    await expect(promise).rejects.toMatchObject({ code: "usage", message: /a file that is read/ });
  });
});

describe("what an earlier run left", () => {
  it("is removed beside the scores of this one, when there are no bad lines now", async () => {
    const left = write("scores.jsonl.dead-letters.jsonl", "old\n");
    await run({ files: [write("in.jsonl", good)], scores: at("scores.jsonl") });
    expect(existsSync(left)).toBe(false);
  });

  it("keeps its mode when it is replaced", async () => {
    const scores = at("scores.jsonl");
    writeFileSync(scores, "", { mode: 0o600 });
    await run({ files: [write("in.jsonl", good)], scores });
    expect(statSync(scores).mode & 0o777).toBe(0o600);
  });
});

describe("many lines with one key", () => {
  it("count once, and their doubles as duplicates, however many there are", async () => {
    const line = (points: number): string =>
      `{"contactId":"c","type":"a.b","at":"2026-01-01T00:00:00Z","attributes":{"points":${points}}}\n`;
    const text = Array.from({ length: 1000 }, (_, i) => line(i % 3)).join("");
    const report = await run({ files: [write("in.jsonl", text)], scores: at("scores.jsonl") });
    expect(report).toMatchObject({ duplicates: 997, conflicts: 2, scoreLines: 1 });
  });
});

describe("one contact with very many inputs", () => {
  it("gives off its outputs on the way, not all at its end", async () => {
    const lines = Array.from({ length: 5000 }, (_, i) =>
      JSON.stringify({ id: String(i), contactId: "c", type: "a.b", at: Date.UTC(2026, 0, 1) + i }),
    );
    const seen: number[] = [];
    let outputs = 0;
    await run({
      files: [write("in.jsonl", `${lines.join("\n")}\n`)],
      onOutput: () => {
        outputs += 1;
      },
      onProgress: ({ phase }) => {
        if (phase === "fold") seen.push(outputs);
      },
    });
    expect(seen.length).toBeGreaterThan(3);
    expect(seen[0]).toBeLessThan(outputs);
  });
});
