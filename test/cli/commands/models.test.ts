import { dirname } from "node:path";
import { expect, it } from "vitest";
import { everything } from "../../model/texts.js";
import { testFiles, told } from "../memory-io.js";

const write = testFiles();
const small = (id: string, version = 1): string =>
  `model: ${id}\nversion: ${version}\nrules: [{ id: clicked, when: email.clicked, points: 10 }]\n`;

it("check counts good models, errors and warnings", async () => {
  const good = write("good.yaml", small("good"));
  expect(await told(["models", "check", good])).toEqual({ code: 0, stdout: "", stderr: "1 file: 1 good model\n" });
  const bad = write("bad.yaml", `${small("bad")}thresholds: [ten, eleven]\n`);
  const result = await told(["models", "check", good, bad]);
  expect(result).toMatchObject({ code: 3, stderr: "2 files: 1 good model, 2 errors\n" });
  expect(result.stdout.trimEnd().split("\n")).toEqual([
    expect.stringMatching(/bad.yaml:4:14: thresholds\[0\]: /),
    expect.stringMatching(/bad.yaml:4:19: thresholds\[1\]: /),
  ]);
});

it("show prints text to read aloud, or YAML that is read again", async () => {
  const path = write("lead.yaml", everything);
  const text = await told(["models", "show", path]);
  expect(text).toMatchObject({ code: 0, stderr: "" });
  for (const name of ["clicked", "engagement", "alert-sales", "sql"]) expect(text.stdout).toContain(name);
  const yaml = await told(["models", "show", path, "--format", "yaml"]);
  const again = await told(["models", "show", write("again.yaml", yaml.stdout), "--format", "yaml"]);
  expect(again).toEqual(yaml);
});

it("show finds models by id, and names those there are", async () => {
  const directory = dirname(write("own-a.yaml", small("a")));
  const found = await told(["models", "show", "a", "--models", write("own-a.yaml", small("a"))]);
  expect(found.code).toBe(0);
  const missing = await told(["models", "show", "b", "--models", `${directory}/own-a.yaml`]);
  expect(missing).toMatchObject({ code: 1, stdout: "" });
  expect(missing.stderr).toMatch(/there is no good model `b` in .*own-a.yaml.*`a`/);
});

it("test tells which scenarios hold, and what was found where one does not", async () => {
  write("tested.yaml", small("tested"));
  const scenario = (name: string, score: number): string =>
    `  - name: ${name}\n    inputs: [{ at: +0d, type: email.clicked }]\n    expect: [{ at: +0d, score: ${score} }]\n`;
  const start = "model: tested.yaml\nstart: 2026-01-01T00:00:00Z\nscenarios:\n";
  const passing = await told(["models", "test", write("tested.test.yaml", start + scenario("one click", 10))]);
  expect(passing).toMatchObject({ code: 0, stderr: "1 scenario passed, 0 failed, in 1 file\n" });
  const failing = write("failing.test.yaml", start + scenario("good", 10) + scenario("wrong", 11));
  const result = await told(["models", "test", failing]);
  expect(result).toMatchObject({ code: 3, stderr: "1 scenario passed, 1 failed, in 1 file\n" });
  expect(result.stdout).toMatch(/ok .*good\n(.*\n)*.*wrong(.*\n)*.*11(.*\n)*.*10/);
});

it("test says when the model of a scenario is not there", async () => {
  const path = write("lost.test.yaml", "model: lost.yaml\nscenarios:\n  - { name: x, inputs: [], expect: [] }\n");
  const result = await told(["models", "test", path]);
  expect(result.code).toBe(3);
  expect(result.stdout).toContain("lost.yaml");
});

it("list shows the good ones and points at the others", async () => {
  const model = write("listed.yaml", small("listed", 3));
  const table = await told(["models", "list", "--models", model]);
  expect(table).toMatchObject({ code: 0, stderr: "" });
  expect(table.stdout).toMatch(/^listed +3 +score +1 +all +.*listed.yaml$/m);
  const json = await told(["models", "list", "--models", model, "--format", "json"]);
  expect(JSON.parse(json.stdout)).toEqual({ file: model, model: "listed", version: 3, name: null, rules: 1 });
  const broken = await told(["models", "list", "--models", write("broken.yaml", "modle: x\n")]);
  expect(broken.code).toBe(3);
  expect(broken.stderr).toMatch(/broken.yaml: has errors; `scorefold models check .*broken.yaml` names them/);
});
