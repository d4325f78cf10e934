import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeReport } from "../../src/cli/report.js";
import { checkModel } from "../../src/model/check.js";
import { compile } from "../../src/model/compile.js";
import { replay } from "../../src/rebuild/replay.js";

const text = `
model: lead
version: 1
rules:
  - { id: opened, when: email.opened, points: 1 }
  - { id: shared, when: social.shared, points: 1 }
`;

async function reported(inputs: readonly object[]): Promise<string> {
  const checked = checkModel(text, "lead.yaml");
  if (!checked.ok) throw new Error("the model is good");
  const directory = mkdtempSync(join(tmpdir(), "report-test-"));
  try {
    const file = join(directory, "in.jsonl");
    writeFileSync(
      file,
      inputs.map((input, i) => `${JSON.stringify({ id: `${i}`, contactId: "c", ...input })}\n`).join(""),
    );
    const report = await replay({ models: [compile(checked.model)], files: [file] });
    return describeReport(report, [checked.model]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const at = "2026-01-01T00:00:00Z";

test("a type that is nearly one of the model's is asked about", async () => {
  const told = await reported([
    { type: "email.open", at },
    { type: "Email.Opened", at },
  ]);
  expect(told).toContain("no rule matches 1 input of type `email.open`; did you mean `email.opened`?");
  expect(told).toContain("no rule matches 1 input of type `Email.Opened`; did you mean `email.opened`?");
});

test("a type that is another one is not: many are in no model", async () => {
  expect(
    await reported([
      { type: "social.liked", at },
      { type: "email.sent", at },
    ]),
  ).not.toContain("no rule matches");
});

test("an adjustment for a model that is not scored is told", async () => {
  const told = await reported([{ kind: "adjustment", model: "Lead", add: 1, at }]);
  expect(told).toContain("1 adjustment for model `Lead`, which is not scored here; did you mean `lead`?");
});

test("seconds that were taken for milliseconds are told", async () => {
  const told = await reported([{ type: "email.opened", at: "1970-01-21T14:31:46.200Z" }]);
  expect(told).toContain(
    "1 input dated before 1990, the oldest 1970-01-21T14:31:46.200Z: seconds instead of milliseconds?",
  );
});
