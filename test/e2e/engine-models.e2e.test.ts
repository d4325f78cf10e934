/**
 * Another model, and the history is scored again before anything else: once, whatever kills it half-way, with what
 * changed published as the model's doing. What was used and published can't be changed behind its version.
 */

import { cpSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { began, click, day, deeds, person, model as withDecay } from "../engine/people.js";
import { Running } from "../engine/running.js";
import { Folder, scorefold } from "./command.js";

const people = 700;
/** Without what would change by itself while the tests go on. */
const model = withDecay.replace("{ decay: { halfLife: 30d } }", "{}");
const asOf = new Date(began + 90 * day).toISOString();
const second = model.replace("version: 1", "version: 2").replace("points: 10, repeat", "points: 17, repeat");
const other = `model: other\nversion: 1\nrules: [{ id: viewed, when: web.page_viewed, points: 2 }]\nthresholds: [4]\n`;

interface Output {
  readonly kind: string;
  readonly contactId: string;
  readonly model: string;
  readonly version: number;
  readonly cause?: { readonly kind: string };
}

let base: Folder;
let folder: Folder;
beforeAll(async () => {
  base = new Folder();
  base.write("lead.yaml", model);
  base.writeLines("in.jsonl", deeds(people));
  const result = await scorefold(["ingest", "in.jsonl", "--model", "lead.yaml", "--until", asOf], { cwd: base.path });
  expect(result, result.stderr).toMatchObject({ code: 0 });
});
afterAll(() => base.remove());
beforeEach(() => {
  folder = new Folder();
  cpSync(base.path, folder.path, { recursive: true });
  folder.write("second.yaml", second);
  folder.write("other.yaml", other);
});
afterEach(() => folder.remove());

async function ok(...args: string[]): Promise<string> {
  const result = await scorefold(args, { cwd: folder.path });
  expect(result, result.stderr).toMatchObject({ code: 0 });
  return result.stdout;
}

/** Starts the engine under these models, until all is scored under them, and stops it. */
async function runUnder(...models: string[]): Promise<string> {
  const engine = await Running.start(folder, ["--models", ...models]);
  await engine.ready();
  expect(await engine.stop()).toMatchObject({ code: 0 });
  return engine.told;
}

async function published(): Promise<Output[]> {
  const all: Output[] = [];
  for (const topic of ["score-changed", "threshold-crossed"]) {
    const text = await ok("tail", topic);
    all.push(
      ...text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Output),
    );
  }
  return all;
}

const sorted = (outputs: readonly Output[]): string[] => outputs.map((output) => JSON.stringify(output)).sort();

/** What is in `after` and not in `before`, each as often as it is there. */
function added(before: readonly Output[], after: readonly Output[]): Output[] {
  const left = new Map<string, number>();
  for (const text of sorted(before)) left.set(text, (left.get(text) ?? 0) + 1);
  return after.filter((output) => {
    const text = JSON.stringify(output);
    const count = left.get(text) ?? 0;
    if (count > 0) left.set(text, count - 1);
    return count === 0;
  });
}

/** Not `toEqual`: a difference of thousands of lines is not to be printed. */
function expectSame(actual: readonly Output[], expected: readonly Output[]): void {
  const [more, less] = [added(expected, actual), added(actual, expected)];
  expect({ more: more.length, less: less.length, first: more[0] ?? less[0] }).toEqual({ more: 0, less: 0 });
}

/** Scores and explanations are those of a replay of the same inputs under the same models. */
async function expectAsReplayed(...models: string[]): Promise<void> {
  const asked = ["--as-of", asOf, "--format", "json"];
  const own = await ok("scores", ...asked);
  const replayed = await ok("scores", ...asked, "--input", "in.jsonl", "--model", ...models);
  expect(own === replayed, "scores").toBe(true);
  for (const number of [7, 600]) {
    const { id } = person(number);
    const explained = await ok("explain", id, ...asked);
    expect(explained).toBe(await ok("explain", id, ...asked, "--input", "in.jsonl", "--model", ...models));
  }
}

describe("a raised version", () => {
  it("is scored from the history before inputs are taken, the net differences published once, as the model's", async () => {
    const before = await published();
    await runUnder("second.yaml");
    const after = await published();
    const news = added(before, after);
    expect(after.length).toBe(before.length + news.length);
    const changes = news.filter(({ kind, version }) => kind === "ScoreChanged" && version === 2);
    expect(changes.length).toBeGreaterThan(people / 2);
    expect(new Set(changes.map(({ contactId }) => contactId)).size).toBe(changes.length);
    expect(new Set(news.map(({ cause }) => cause?.kind))).toEqual(new Set(["model"]));
    await expectAsReplayed("second.yaml");
    await runUnder("second.yaml");
    expectSame(await published(), after);
  });

  it("killed with -9 on the way, again and again: none lost, none doubled", async () => {
    const before = await published();
    const whole = new Folder();
    cpSync(folder.path, whole.path, { recursive: true });
    for (let kill = 0; kill < 8; kill++) {
      const engine = await Running.start(folder, ["--models", "second.yaml"]);
      const isOver = await Promise.race([engine.says(/"state":"rebuilding"/), engine.says(/"state":"running"/)]);
      if (isOver[0].includes("running")) break;
      await new Promise((done) => setTimeout(done, kill * 9));
      expect(await engine.stop("SIGKILL")).toMatchObject({ signal: "SIGKILL" });
    }
    await runUnder("second.yaml");
    const killed = added(before, await published());
    await expectAsReplayed("second.yaml");
    folder.remove();
    folder = whole;
    await runUnder("second.yaml");
    expectSame(killed, added(before, await published()));
  });

  it("goes back to the one before, and forth again, with what is between them published each time", async () => {
    await runUnder("second.yaml");
    await runUnder("lead.yaml");
    await expectAsReplayed("lead.yaml");
    await runUnder("second.yaml");
    await expectAsReplayed("second.yaml");
  });
});

describe("a model of the same version with other content", () => {
  it("is refused with its name and the way out, by `run` and `ingest`, and nothing is changed", async () => {
    folder.write("lead.yaml", model.replace("points: 10, repeat", "points: 11, repeat"));
    const before = await published();
    for (const args of [
      ["run", "--port", "0", "--models", "lead.yaml"],
      ["ingest", "in.jsonl", "--model", "lead.yaml"],
    ]) {
      const { code, stderr } = await scorefold(args, { cwd: folder.path });
      expect(code, stderr).toBe(1);
      expect(stderr).toMatch(/error: lead@1: this version was used before with other content.*raise `version`/);
      expect(stderr).not.toMatch(/fault of scorefold|\n {4}at /);
    }
    folder.write("lead.yaml", `# A comment is no content.\n${model}`);
    await runUnder("lead.yaml");
    expectSame(await published(), before);
    await expectAsReplayed("lead.yaml");
  });
});

describe("models that come and go", () => {
  it("one that is added is scored from the beginning; one that is taken away and brought back publishes nothing twice", async () => {
    const before = await published();
    await runUnder("lead.yaml", "other.yaml");
    const both = await published();
    const news = added(before, both);
    expect(new Set(news.map((output) => output.model))).toEqual(new Set(["other"]));
    expect(new Set(news.map(({ cause }) => cause?.kind))).toEqual(new Set(["model"]));
    await expectAsReplayed("lead.yaml", "other.yaml");

    await runUnder("lead.yaml");
    expectSame(await published(), both);
    await expectAsReplayed("lead.yaml");
    await runUnder("lead.yaml", "other.yaml");
    expectSame(await published(), both);
    await expectAsReplayed("lead.yaml", "other.yaml");
  });

  it("what comes while one is away counts when it is back", async () => {
    await runUnder("lead.yaml", "other.yaml");
    const late = Array.from({ length: 50 }, (_, i) => ({
      ...{ id: "late", contactId: person(i).id, type: "web.page_viewed", resource: "/late" },
      at: began + 80 * day,
    }));
    folder.writeLines("late.jsonl", [...late, click(person(60).id, "late", began + 81 * day)]);
    await ok("ingest", "late.jsonl", "--model", "lead.yaml", "--until", asOf);
    await runUnder("lead.yaml", "other.yaml");
    folder.write("in.jsonl", folder.read("in.jsonl") + folder.read("late.jsonl"));
    await expectAsReplayed("lead.yaml", "other.yaml");
  });
});
