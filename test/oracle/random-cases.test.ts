/**
 * Models and inputs with answers of an implementation that is not ours: the second implementation and the replay of
 * files must both give them, score lines and outputs. SCOREFOLD_RANDOM_CASES names the folder of the cases.
 * Risk hunted here: a sentence of the contract that both implementations of this project read wrongly in the same way.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Output } from "../../src/events/types.js";
import { compile } from "../../src/model/compile.js";
import { replay } from "../../src/rebuild/replay.js";
import { readLine } from "./lines.js";
import { oracle } from "./oracle.js";
import { byContactAndModel, linesOf, type RandomCase, readRandomCases, toldOf } from "./random-case.js";
import { scoreLineText } from "./score-line.js";

const folder = process.env["SCOREFOLD_RANDOM_CASES"];
const cases = folder === undefined ? [] : readRandomCases(folder);
const runnable = cases.filter(({ unbuilt }) => unbuilt.length === 0);

/** Cases that use only what has been built for long: these must have been run, whatever else is there. */
const known = [...Array.from({ length: 17 }, (_, i) => String(i).padStart(3, "0")), "028"];

if (folder === undefined) {
  process.stderr.write("random cases are left out: SCOREFOLD_RANDOM_CASES names no folder of cases\n");
} else {
  process.stderr.write(`random cases: ${runnable.length} of ${cases.length} use only what this version builds\n`);
}

describe.skipIf(folder === undefined)("random cases with known answers", () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "random-cases-test-"));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it("refuses none of the cases that use only what is built", () => {
    const refused = cases.filter(({ name, unbuilt }) => known.includes(name) && unbuilt.length > 0);
    expect(refused.map(({ name, unbuilt }) => [name, ...unbuilt])).toEqual([]);
    expect(runnable.map(({ name }) => name)).toEqual(expect.arrayContaining(known));
  });

  it.each(runnable)("the second implementation gives the answers of $name", ({ models, inputs, looks, ...one }) => {
    const read = inputs.map(readLine).flatMap((each) => ("input" in each ? [each.input] : []));
    for (const { asOf, lines } of looks) expect(oracle(models, read, asOf).lines.map(scoreLineText)).toEqual(lines);
    const outputs = oracle(models, read, one.outputsAsOf).outputs.map(toldOf);
    expect(byContactAndModel(outputs)).toEqual(byContactAndModel(one.outputs));
  });

  it.each(runnable)("a replay gives the answers of $name", async (one) => {
    for (const look of one.looks) expect((await replayed(one, one.inputsFile, look.asOf)).lines).toEqual(look.lines);
    const { outputs } = await replayed(one, one.inputsFile, one.outputsAsOf);
    expect(byContactAndModel(outputs.map(toldOf))).toEqual(byContactAndModel(one.outputs));
  });

  it.each(runnable)("a replay of $name from its last line to its first gives the same", async (one) => {
    const backwards = join(directory, "backwards.jsonl");
    writeFileSync(backwards, `${[...one.inputs].reverse().join("\n")}\n`);
    for (const look of one.looks) expect((await replayed(one, backwards, look.asOf)).lines).toEqual(look.lines);
  });

  async function replayed({ models }: RandomCase, file: string, asOf: number) {
    const [scores, outputs] = [join(directory, "scores.jsonl"), join(directory, "outputs.jsonl")];
    await replay({ models: models.map((model) => compile(model)), files: [file], asOf, scores, outputs });
    return {
      lines: linesOf(readFileSync(scores, "utf8")),
      outputs: linesOf(readFileSync(outputs, "utf8")).map((line) => JSON.parse(line) as Output),
    };
  }
});
