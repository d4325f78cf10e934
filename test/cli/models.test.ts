import { mkdirSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkFiles, filesAt, loadModels, readText } from "../../src/cli/models.js";
import { ScorefoldError } from "../../src/errors.js";
import { testFiles } from "./memory-io.js";

const write = testFiles();
const text = (id: string, version = 1): string =>
  `model: ${id}\nversion: ${version}\nrules: [{ id: a, when: email.opened, points: 1 }]\n`;

function failure(load: () => unknown): ScorefoldError {
  try {
    load();
  } catch (error) {
    if (error instanceof ScorefoldError) return error;
    throw error;
  }
  throw new Error("no error");
}

describe("models of files and directories", () => {
  it("are read by name, without what is no model", () => {
    const directory = dirname(write("zeal.yaml", text("zeal")));
    const own = join(directory, "own");
    mkdirSync(own);
    for (const [name, content] of [
      ["b.json", '{"model":"b","version":1,"rules":[]}'],
      ["a.yml", text("a")],
      ["a.test.yaml", "model: a.yml\nscenarios: []\n"],
      ["notes.md", "# no model"],
    ] as const) {
      write(join("own", name), content);
    }
    expect(filesAt(own, "models")).toEqual([join(own, "a.yml"), join(own, "b.json")]);
    expect(filesAt(own, "tests")).toEqual([join(own, "a.test.yaml")]);
    expect(loadModels([own, join(directory, "zeal.yaml")]).map(({ id }) => id)).toEqual(["a", "b", "zeal"]);
  });

  it("count once, however often the same file is named", () => {
    const path = write("once.yaml", text("once"));
    expect(loadModels([path, path])).toHaveLength(1);
  });

  it("may not share an id and a version; versions of one model may stand side by side", () => {
    const [one, copy, two] = [
      write("one.yaml", text("lead")),
      write("copy.yaml", text("lead")),
      write("two.yaml", text("lead", 2)),
    ];
    expect(loadModels([one, two]).map(({ version }) => version)).toEqual([1, 2]);
    const error = failure(() => loadModels([one, copy]));
    expect(error.code).toBe("model-invalid");
    expect(error.message).toContain(
      `${copy}:1:1: version: lead@1 is in ${one} too: a change of a model is a new version`,
    );
  });

  it("are not loaded when one has an error; all problems of all files are named", () => {
    const good = write("good.yaml", text("good"));
    const bad = [write("bad1.yaml", "modle: a\n"), write("bad2.yaml", "rules: 7\n")];
    const error = failure(() => loadModels([good, ...bad]));
    expect(error.code).toBe("model-invalid");
    for (const path of bad) expect(error.message).toMatch(new RegExp(`^${path}:\\d+:\\d+: `, "m"));
    expect(error.message).toMatch(/\d problems; nothing was scored$/);
    const checked = checkFiles([good, ...bad]);
    expect(checked.models.map(({ file }) => file)).toEqual([good]);
    expect(checked.files).toHaveLength(3);
  });
});

describe("files that can't be models", () => {
  it("are named, with what to do", () => {
    const good = write("good.yaml", text("good"));
    const missing = failure(() => loadModels([good, join(dirname(good), "missing.yaml")]));
    expect(missing.code).toBe("input-missing");
    expect(missing.message).toMatch(/missing.yaml: there is no such file or directory; check the path/);
    const empty = join(dirname(good), "empty");
    mkdirSync(empty);
    expect(failure(() => loadModels([empty])).message).toBe(
      `${empty}: there are no model files (*.yaml, *.json) in this directory`,
    );
    expect(failure(() => filesAt(empty, "tests")).message).toContain("no scenario files (*.test.yaml)");
    expect(failure(() => readText(empty)).code).toBe("input-missing");
  });

  it("are not read when they are huge", () => {
    const huge = write("huge.yaml", text("huge"));
    truncateSync(huge, 5 * 1024 * 1024 * 1024);
    const error = failure(() => loadModels([huge]));
    expect(error.code).toBe("input-missing");
    expect(error.message).toMatch(/huge.yaml: it has 5368709120 bytes; .* has at most 1048576/);
  });
});
