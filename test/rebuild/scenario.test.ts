/**
 * Runs every scenario file of the project, and shows that the runner finds and tells what is wrong: a runner that passes
 * everything would look just the same.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Input } from "../../src/events/types.js";
import { ContactFold } from "../../src/fold/contact.js";
import { checkModel, checkModelTree } from "../../src/model/check.js";
import { compile } from "../../src/model/compile.js";
import { fileBytesMax } from "../../src/model/parse.js";
import { printModel } from "../../src/model/print.js";
import { formatOffset, parseOffset } from "../../src/rebuild/offset.js";
import { formatScenarioResult, runScenarioFile } from "../../src/rebuild/scenario.js";
import { parseScenarioFile } from "../../src/rebuild/scenario-file.js";

const root = join(import.meta.dirname, "../..");
const models = readdirSync(join(root, "models")).filter((name) => !name.endsWith(".test.yaml"));
const scenarioFiles = ["models", "test/scenarios"].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".test.yaml"))
    .map((name) => join(root, folder, name)),
);

function readBeside(file: string): (name: string) => string | undefined {
  return (name) => {
    const path = join(dirname(file), name);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  };
}

describe("the project's scenarios", () => {
  test("every model has scenarios", () => {
    expect(models.length).toBeGreaterThanOrEqual(5);
    for (const name of models) {
      expect(existsSync(join(root, "models", name.replace(/\.yaml$/, ".test.yaml"))), name).toBe(true);
    }
  });

  test("every model is named after its file and has nothing to warn of", () => {
    for (const name of models) {
      const result = checkModel(readFileSync(join(root, "models", name), "utf8"), name);
      expect(result.ok ? result.warnings : result.problems, name).toEqual([]);
      expect(result.ok && `${result.model.id}.yaml`).toBe(name);
    }
  });

  test.each(models)("%s: every rule is noticed by a scenario when it is taken out", (name) => {
    const path = join(root, "models", name.replace(/\.yaml$/, ".test.yaml"));
    const scenarios = readFileSync(path, "utf8");
    const result = checkModel(readFileSync(join(root, "models", name), "utf8"), name);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    const { model } = result;
    const unnoticed = model.rules.filter((taken) => {
      const text = printModel({ ...model, rules: model.rules.filter((rule) => rule !== taken) });
      const read = (file: string) => (file === name ? text : readBeside(path)(file));
      const outcomes = runScenarioFile(scenarios, basename(path), read).map(({ outcome }) => outcome);
      expect(outcomes, taken.id).not.toContain("invalid");
      return !outcomes.includes("failed");
    });
    expect(unnoticed.map(({ id }) => id)).toEqual([]);
  });

  for (const file of scenarioFiles) {
    describe(basename(file), () => {
      for (const result of runScenarioFile(readFileSync(file, "utf8"), basename(file), readBeside(file))) {
        test(result.name, () => {
          expect(result.outcome, formatScenarioResult(result)).toBe("passed");
        });
      }
      for (const { name, line } of scenariosOf(file)) {
        test(`${name}: the same in the order of the file and backwards`, () => {
          const [sorted, arrived, backwards] = foldedInThreeOrders(file, line);
          expect(arrived).toEqual(sorted);
          expect(backwards).toEqual(sorted);
        });
      }
    });
  }
});

function scenariosOf(file: string) {
  const parsed = parseScenarioFile(readFileSync(file, "utf8"), basename(file));
  return parsed.ok ? parsed.scenarios : [];
}

/** The score lines at the end of a scenario: in key order, as the file has them (so some are late), and backwards. */
function foldedInThreeOrders(file: string, line: number) {
  const scenario = scenariosOf(file).find((candidate) => candidate.line === line);
  if (scenario === undefined) throw new Error(`no scenario at line ${line}`);
  const models = scenario.models.map((source) => {
    const result =
      "name" in source ? checkModel(readBeside(file)(source.name) ?? "", file) : checkModelTree(source.tree, file);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    return result.model;
  });
  const inputs = scenario.inputs.map((input) =>
    input.kind === "adjustment" && input.model === "" ? { ...input, model: models[0]?.id ?? "" } : input,
  );
  const folded = (ordered: readonly Input[]) =>
    [...new Set(inputs.map(({ contactId }) => contactId))].map((contactId) => {
      const fold = new ContactFold(models.map(compile), "default", contactId, { history: "kept" });
      for (const input of ordered.filter((candidate) => candidate.contactId === contactId)) {
        fold.receive(input);
        fold.drain();
      }
      fold.advance(scenario.until);
      return fold.scoreLines();
    });
  const sorted = [...inputs].sort((a, b) => a.at - b.at);
  return [folded(sorted), folded(inputs), folded([...inputs].reverse())];
}

const modelText = `model: lead
version: 1
dimensions: { engagement: {}, fit: {} }
rules:
  - { id: clicked, dimension: engagement, when: email.clicked, points: 10 }
thresholds: [10, 20]
grades: [{ id: cold, from: 0 }, { id: warm, from: 20 }]
`;

/** Runs one scenario of two clicks, a day apart, with these expectations. */
function runTwoClicks(expectations: string) {
  const text = `model: lead.yaml
start: 2026-03-02T09:00:00Z
scenarios:
  - name: two clicks
    inputs:
      - { at: +1d, type: email.clicked, resource: /b }
      - { at: +0h, type: email.clicked, resource: /a }
${expectations.replace(/^/gm, "    ")}
`;
  const [result] = runScenarioFile(text, "lead.test.yaml", (name) => (name === "lead.yaml" ? modelText : undefined));
  if (result === undefined) throw new Error("no result");
  return result;
}

describe("what the runner finds", () => {
  test("right expectations pass", () => {
    const result = runTwoClicks(`expect:
  - { at: +23h, score: 10, grade: cold, dimensions: { engagement: 10 }, lastActivityAt: +0h }
  - { at: 2026-03-03T09:00:00Z, score: 20, grade: warm, salesReady: false, suppressed: false }
crossings:
  - { at: +0h, threshold: 10, direction: up, previous: null, score: 10, cause: interaction, route: null }
  - { at: +1d, threshold: 20, direction: up }
  - { at: +1d, grade: warm, direction: up }
changes:
  - { at: +0h, score: 10, previous: null, grade: cold }
  - { at: +1d, score: 20, previous: 10, grade: warm }
erasures: []`);
    expect(formatScenarioResult(result)).toBe("ok      lead.test.yaml:4  two clicks");
  });

  test("a wrong score is told with its instant, both values and the inputs before it", () => {
    const result = runTwoClicks(`expect:
  - { at: +2h, score: 11 }`);
    expect(formatScenarioResult(result)).toBe(`FAILED  lead.test.yaml:4  two clicks
  lead.test.yaml:9: score at +2h (2026-03-02T11:00:00.000Z), contact c1
    expected 11
    got      10
    inputs until then:
      +0h (2026-03-02T09:00:00.000Z)  email.clicked /a`);
  });

  test.each([
    ["grade", "grade: warm", ["expected warm", "got      cold"]],
    ["grade", "grade: null", ["expected null", "got      cold"]],
    ["dimension engagement", "dimensions: { fit: 0, engagement: 9 }", ["expected 9", "got      10"]],
    ["salesReady", "salesReady: true", ["expected true", "got      false"]],
    ["suppressed", "suppressed: true", ["expected true", "got      false"]],
    ["score line", "none: true", ["expected none", "got      score 10"]],
    ["last activity", "lastActivityAt: null", ["expected null", "got      +0h (2026-03-02T09:00:00.000Z)"]],
  ])("a wrong %s is found (%s)", (what, expectation, details) => {
    const result = runTwoClicks(`expect:\n  - { at: +2h, ${expectation} }`);
    const differences = result.outcome === "failed" ? result.differences : [];
    expect(differences.map((difference) => difference.what.split(" at ")[0])).toEqual([what]);
    expect(differences[0]?.details).toEqual(details);
  });

  test("a contact that is not known yet has no score line", () => {
    const result = runTwoClicks(
      "expect:\n  - { at: 2026-03-01T00:00:00Z, score: 0 }\n  - { at: +1d, contact: c2, score: 0 }",
    );
    const differences = result.outcome === "failed" ? result.differences : [];
    expect(differences.map(({ details }) => details)).toEqual(
      Array(2).fill(["expected one", "got      none: the contact is not known yet"]),
    );
  });

  test("a crossing too many, one too few and a wrong one are shown in one list", () => {
    const result = runTwoClicks(`crossings:
  - { at: +0h, threshold: 10, direction: up }
  - { at: +0h, threshold: 15, direction: up }
  - { at: +1d, grade: warm, direction: up, previous: 9 }`);
    const differences = result.outcome === "failed" ? result.differences : [];
    expect(differences.map(({ details }) => details)).toEqual([
      [
        "  +0h (2026-03-02T09:00:00.000Z)  up threshold 10 (previous null, score 10, route null, cause interaction)",
        "- +0h (2026-03-02T09:00:00.000Z)  up threshold 15",
        "- +1d (2026-03-03T09:00:00.000Z)  up grade warm (previous 9)",
        "+ +1d (2026-03-03T09:00:00.000Z)  up threshold 20 (previous 10, score 20, route null, cause interaction)",
        "+ +1d (2026-03-03T09:00:00.000Z)  up grade warm (previous 10, score 20, route null, cause interaction)",
      ],
    ]);
  });

  test.each([
    "crossings: []",
    "changes: []",
    "changes:\n  - { at: +0h, score: 10 }",
    "erasures:\n  - { at: +0h }",
  ])("lists are complete: %s fails", (expectation) => {
    expect(runTwoClicks(expectation).outcome).toBe("failed");
  });

  test("an output of a contact that the scenario's lists leave out is found", () => {
    const result = runTwoClicks("crossings:\n  - { at: +0h, threshold: 10, direction: up, contact: c2 }");
    expect(result.outcome === "failed" && result.differences.map(({ what }) => what.slice(0, 23))).toEqual([
      "crossings of contact c1",
      "crossings of contact c2",
    ]);
  });
});

describe("what can't be run", () => {
  const problemsOf = (text: string, model: string | undefined = modelText) =>
    runScenarioFile(text, "x.test.yaml", () => model).flatMap((result) =>
      result.outcome === "invalid"
        ? result.problems.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`)
        : [`${result.name}: ${result.outcome}`],
    );

  test("all mistakes of a file are told at once, each at its place", () => {
    const text = `modle: lead.yaml
model: lead.yaml
start: tomorrow
scenarios:
  - name: one
    inputs:
      - { at: +1, type: email.clicked }
      - { at: +1d, type: email.clicked, profile: {} }
      - { type: email.clicked }
      - { at: +1d, typ: email.clicked }
      - { at: +1d, adjust: { add: 1, set: 2 } }
      - { at: +1d, erase: true, resource: /a }
    expect:
      - { at: +1d, scor: 5 }
      - { at: +1d, none: true, score: 5 }
  - name: one
    inputs: 5
    crossings:
      - { at: +1d, threshold: 5 }
`;
    expect(problemsOf(text)).toEqual([
      'x.test.yaml:1:1: unknown key "modle"; did you mean "model"?',
      'x.test.yaml:3:8: "tomorrow" is no instant; write 2026-03-02T09:00:00Z, with a zone',
      'x.test.yaml:7:15: "1" is no instant; write 2026-03-02T09:00:00Z, or an offset from the start such as +3d2h (w d h m s ms)',
      "x.test.yaml:8:9: expected exactly one of type, profile, erase, adjust, retract",
      'x.test.yaml:9:9: "at" is missing',
      "x.test.yaml:10:9: expected exactly one of type, profile, erase, adjust, retract",
      'x.test.yaml:10:20: unknown key "typ"; did you mean "type"?',
      "x.test.yaml:11:28: expected exactly one of add, set",
      'x.test.yaml:12:43: "resource" goes with "type" only, not with "erase"',
      "x.test.yaml:14:9: expected `none: true` alone, or some of score, grade, dimensions, salesReady, suppressed, lastActivityAt",
      'x.test.yaml:14:20: unknown key "scor"; did you mean "score"?',
      "x.test.yaml:15:9: expected `none: true` alone, or some of score, grade, dimensions, salesReady, suppressed, lastActivityAt",
      'x.test.yaml:16:11: there is a scenario "one" already; names tell failures apart',
      "x.test.yaml:17:13: expected a list",
      'x.test.yaml:19:9: "direction" is missing',
    ]);
  });

  test("broken YAML, duplicate keys, and an empty file", () => {
    expect(problemsOf("scenarios: [")[0]).toMatch(/^x\.test\.yaml:1:13: /);
    expect(problemsOf("model: a\nmodel: b\n")).toEqual([
      "x.test.yaml:2:1: duplicate key `model`: it is already at line 1, column 1; keep one of the two",
    ]);
    expect(problemsOf("")).toEqual(["x.test.yaml:1:1: the file is empty; expected model and scenarios"]);
    expect(problemsOf("model: a\nscenarios: []\n")[0]).toMatch(/at least one scenario/);
  });

  const withInput = (input: string) =>
    `model: lead.yaml\nscenarios:\n  - name: a\n    inputs:\n      - ${input}\n    expect: [{ at: +1d, score: 0 }]\n`;

  test.each([
    [
      "an alias without end",
      "{ at: +0h, type: a.b, attributes: &a { x: *a } }",
      "5:51: `*a` stands inside what it names; write the part out",
    ],
    ["an alias without anchor", "{ at: +0h, type: a.b, attributes: *nope }", "5:43: `*nope` names no anchor before it"],
    [
      "a number that is none",
      "{ at: +0h, type: a.b, attributes: { x: [.nan] } }",
      "5:49: expected a finite number, found the number .nan",
    ],
    ["nesting without end", `{ at: +0h, type: a.b, attributes: ${"[".repeat(500_000)}`, "nested deeper than 64 levels"],
    [
      "aliases of aliases",
      `{ at: +0h, type: a.b, attributes: { a0: &a0 [x, x, x, x, x, x, x, x, x, x], ${[1, 2, 3, 4, 5, 6, 7, 8]
        .map((i) => `a${i}: &a${i} [${Array(10).fill(`*a${i - 1}`)}]`)
        .join(", ")} } }`,
      "more than 100000 keys and values (aliases written out)",
    ],
    ["a control sequence", '{ at: +0h, type: a.b, "\\e[2J": 1 }', '5:31: unknown key "\\u001b[2J"'],
    ["an empty item", "", "5:9: expected a mapping with at, contact"],
    [
      "an instant that is a dead letter everywhere",
      "{ at: 2100-01-01T00:00:00Z, type: a.b }",
      "5:9: it would be a dead letter, implausible-instant: at is 4102444800000",
    ],
    ["a type without a channel", "{ at: +0h, type: clicked }", "it would be a dead letter, invalid: type is"],
    ["a day for an instant", "{ at: 2026-01-05, type: a.b }", '5:15: "2026-01-05" is no instant'],
  ])("%s", (_, input, problem) => {
    expect(problemsOf(withInput(input))[0]).toContain(problem);
  });

  test("two documents, an empty model, and a model of another tenant", () => {
    expect(problemsOf("a: 1\n---\nb: 2\n")).toEqual([
      "x.test.yaml:2:1: a second document begins here; take out the line `---`",
    ]);
    expect(problemsOf("%YAML 1.1\n---\na: 1\n")).toEqual([
      "x.test.yaml:1:1: scenario files are YAML 1.2; remove the `%YAML` line",
    ]);
    expect(problemsOf("#".repeat(fileBytesMax + 1))).toEqual([
      `x.test.yaml:1:1: the file is larger than ${fileBytesMax} bytes; split the scenarios over several files`,
    ]);
    expect(problemsOf("model:\nscenarios: []\n")[0]).toMatch(/^x\.test\.yaml:1:7: expected the name of a model file/);
    expect(
      problemsOf(withInput("{ at: +0h, type: a.b }"), modelText.replace("version", "tenants: [acme]\nversion")),
    ).toEqual(["x.test.yaml:3:1: model lead is not for tenant default; write `tenant: acme` at the top of the file"]);
  });

  test("a scenario that expects nothing, or has no model", () => {
    expect(problemsOf("scenarios:\n  - { name: a, inputs: [] }\n")).toEqual([
      "x.test.yaml:2:5: no model: name one with `model:`, here or at the top of the file",
      "x.test.yaml:2:5: expects nothing: write at least one of expect, crossings, changes, erasures",
    ]);
  });

  const oneScenario = "model: lead.yaml\nscenarios:\n  - { name: a, inputs: [], expect: [{ at: +1d, none: true }] }\n";

  test("a model file that is missing, and one with mistakes", () => {
    expect(problemsOf(oneScenario)).toEqual(["a: passed"]);
    expect(runScenarioFile(oneScenario, "x.test.yaml", () => undefined)).toMatchObject([
      {
        outcome: "invalid",
        problems: [{ line: 1, column: 8, message: 'there is no model file "lead.yaml" beside this file' }],
      },
    ]);
    expect(problemsOf(oneScenario, "model: lead\nversion: zero\nrules: []\n")[0]).toMatch(/^lead\.yaml:2:10: /);
  });

  test("a mistake in a model in place is told at its line and column in the scenario file", () => {
    const text = `scenarios:
  - name: a
    model:
      model: lead
      version: 1
      rules:
        - { id: clicked, when: email.clicked, pionts: 10 }
    expect: [{ at: +1d, none: true }]
`;
    expect(problemsOf(text)[0]).toMatch(/^x\.test\.yaml:7:\d+: .*points/);
  });

  test("a mistake inside a text of a model in place is told at its character, and paths begin at the model", () => {
    const text = `scenarios:
  - name: a
    model: { model: lead, version: 1, rules: [], total: score + scor }
    expect: [{ at: +1d, none: true }]
`;
    const [result] = runScenarioFile(text, "x.test.yaml", () => undefined);
    expect(result?.outcome === "invalid" && result.problems).toMatchObject([
      {
        file: "x.test.yaml",
        line: 3,
        column: 65,
        path: "total",
        message: "unknown dimension `scor`; did you mean `score`?",
      },
    ]);
  });

  test("models in place may be anchored, and name parts of each other", () => {
    const text = `scenarios:
  - name: a
    model: &lead
      model: lead
      version: 1
      rules: &rules [{ id: clicked, when: email.clicked, points: 10 }]
    inputs: &inputs [{ at: +0h, type: email.clicked }]
    expect: &expect [{ at: +0h, score: 10 }]
  - { name: b, model: *lead, inputs: *inputs, expect: *expect }
  - { name: c, model: { model: other, version: 1, rules: *rules }, inputs: *inputs, expect: *expect }
`;
    expect(problemsOf(text)).toEqual(["a: passed", "b: passed", "c: passed"]);
  });

  test("a model or dimension that the scenario does not have", () => {
    const text = `model: lead.yaml
scenarios:
  - name: a
    expect:
      - { at: +1d, model: laed, none: true }
      - { at: +1d, dimensions: { intent: 3 } }
`;
    expect(problemsOf(text)).toEqual([
      'x.test.yaml:5:1: no model "laed" in this scenario; it has lead',
      'x.test.yaml:6:1: model lead has no dimension "intent"; it has engagement, fit',
    ]);
  });
});

describe("offsets", () => {
  test.each([
    ["+0h", 0],
    ["+3d2h", 266_400_000],
    ["+1w", 604_800_000],
    ["+10d1ms", 864_000_001],
    ["+1h30m5s", 5_405_000],
  ])("%s", (text, offset) => {
    expect(parseOffset(text)).toBe(offset);
  });

  test.each(["3d", "+3", "+d", "+3x", "+ 3d", "-3d", "+3d ", "+1.5d", ""])("%j is none", (text) => {
    expect(parseOffset(text)).toBeUndefined();
  });

  test("are written as they are read", () => {
    expect(formatOffset(266_400_000)).toBe("+3d2h");
    expect(formatOffset(0)).toBe("+0h");
    expect(formatOffset(-90_000)).toBe("-1m30s");
    expect(parseOffset(formatOffset(864_005_001))).toBe(864_005_001);
  });
});
