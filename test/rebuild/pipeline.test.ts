/**
 * The whole way at once: random models as text, random inputs as lines of files, scores and outputs as lines of files,
 * held against the naive reading of the rules. Risks hunted here: what a part does right on its own and two of them do
 * wrong together (a field that the reader drops, a model that changes when printed, a copy that the sorter loses).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EpochMs, type Input, type Output, RETRACTION } from "../../src/events/types.js";
import { checkModel } from "../../src/model/check.js";
import { type CompiledModel, compile } from "../../src/model/compile.js";
import { printModel } from "../../src/model/print.js";
import type { Model } from "../../src/model/types.js";
import { type ReplayReport, replay } from "../../src/rebuild/replay.js";
import { shuffled } from "../arbitrary/inputs.js";
import { scenes } from "../arbitrary/scenes.js";
import { comparable } from "../oracle/comparable.js";
import { oracle } from "../oracle/oracle.js";
import { scoreLineText } from "../oracle/score-line.js";

const runs = 150;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "pipeline-test-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** How one input is written: everything that may be written in several ways. */
interface Spelling {
  readonly iso: boolean;
  readonly brief: boolean;
  readonly nulls: boolean;
  readonly file: 0 | 1;
}

interface Written {
  readonly input: Input;
  readonly spelling: Spelling;
}

const spelling: fc.Arbitrary<Spelling> = fc.record({
  iso: fc.boolean(),
  brief: fc.boolean(),
  nulls: fc.boolean(),
  file: fc.constantFrom(0, 1),
});

const cases = scenes().chain(({ models, inputs, asOf }) =>
  fc.record({
    models: fc.constant(models),
    inputs: fc.constant(inputs),
    asOf: fc.constant(asOf),
    onDisk: fc.boolean(),
    written: shuffled([...inputs, ...inputs.slice(0, 7)]).chain((arrived) =>
      fc.tuple(...arrived.map((input) => spelling.map((how): Written => ({ input, spelling: how })))),
    ),
  }),
);

it(`scores and outputs of files are those of the rules (${runs} random scenes)`, async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ models, inputs, asOf, onDisk, written }) => {
      const expected = oracle(models, inputs, asOf);
      const { report, scores, outputs } = await replayed(models.map(throughText), writeFiles(written), asOf, onDisk);
      expect(scores).toEqual(expected.lines.map(scoreLineText));
      expect(outputs.map(comparable)).toEqual(expected.outputs.map(comparable));
      const conflicts = expected.conflicts.filter((loser) => !isErased(loser, inputs)).length;
      expect(report.conflicts).toBe(conflicts);
      expect(report.deadLetters.total).toBe(conflicts);
    }),
    { numRuns: runs },
  );
});

/** A profile under the key of an erasure is forgotten, not kept in a file of dead letters. */
function isErased(loser: Input, inputs: readonly Input[]): boolean {
  const erases = (other: Input): boolean =>
    other.kind === "profile" && other.fields === null && isDeepStrictEqual(placeOf(other), placeOf(loser));
  return inputs.some(erases);
}

function placeOf({ tenantId, contactId, at, kind, id }: Input): readonly unknown[] {
  return [tenantId, contactId, at, kind, id];
}

/** The model as its file would give it. */
function throughText(model: Model): CompiledModel {
  const text = printModel(model);
  const checked = checkModel(text, "printed.yaml");
  if (!checked.ok) throw new Error(`${checked.problems.map(({ message }) => message).join("\n")}\n${text}`);
  return compile(checked.model);
}

/** Two files, one of them gzip. */
function writeFiles(written: readonly Written[]): string[] {
  const texts = ["", ""];
  for (const { input, spelling: how } of written) texts[how.file] += `${JSON.stringify(spelled(input, how))}\n`;
  const [plain, zipped] = [join(directory, "inputs.jsonl"), join(directory, "inputs.jsonl.gz")];
  writeFileSync(plain, texts[0] as string);
  writeFileSync(zipped, gzipSync(texts[1] as string, { level: 1 }));
  return [plain, zipped];
}

function spelled(input: Input, { iso, brief, nulls }: Spelling): object {
  const instant = (at: EpochMs): string | number => (iso ? new Date(at).toISOString() : at);
  const line: Record<string, unknown> = { ...input, at: instant(input.at) };
  if (brief && input.kind === "interaction") delete line["kind"];
  if (brief && input.id === "") delete line["id"];
  if (input.kind === "interaction") {
    const { type, attributes } = input;
    if (type === RETRACTION) line["attributes"] = { ...attributes, at: instant(attributes["at"] as EpochMs) };
    if (nulls) return { resource: null, automated: null, ...line };
    if (!brief && input.automated === undefined) line["automated"] = "no";
  }
  if (nulls && input.kind === "adjustment") return { add: null, set: null, dimension: null, ...line };
  return line;
}

async function replayed(
  models: readonly CompiledModel[],
  files: readonly string[],
  asOf: EpochMs,
  onDisk: boolean,
): Promise<{ report: ReplayReport; scores: string[]; outputs: Output[] }> {
  const [scores, outputs] = [join(directory, "scores.jsonl"), join(directory, "outputs.jsonl")];
  const sorting = onDisk ? { memoryBytesMax: 1, tempDirectory: directory } : {};
  const report = await replay({ models, files, asOf, scores, outputs, ...sorting });
  return { report, scores: linesOf(scores), outputs: linesOf(outputs).map((line) => JSON.parse(line) as Output) };
}

function linesOf(path: string): string[] {
  const text = readFileSync(path, "utf8");
  expect(text === "" || text.endsWith("\n")).toBe(true);
  return text.split("\n").slice(0, -1);
}
