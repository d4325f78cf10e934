import { expect, it } from "vitest";
import { testFiles, told } from "../memory-io.js";

const write = testFiles();
const model = (id: string): string => `model: ${id}
version: 1
tenants: [default]
dimensions: { score: { max: 100, decay: { percent: 5, every: 30d } } }
rules: [{ id: clicked, when: email.clicked, points: 10 }]
`;
const lines = [
  { contactId: "ada", id: "1", type: "email.clicked", at: "2026-01-01T09:00:00Z" },
  { contactId: "ada", id: "2", type: "email.clicked", at: "2026-01-02T09:00:00Z" },
  { contactId: "bob", id: "3", type: "email.clicked", at: "2026-03-01T09:00:00Z" },
  { tenantId: "acme", contactId: "cy", id: "4", type: "email.clicked", at: "2026-03-01T09:00:00Z" },
];

const explain = (...args: string[]) => {
  const input = write("in.jsonl", lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const models = [write("lead.yaml", model("lead")), write("zeal.yaml", model("zeal"))];
  return told(["explain", "--input", input, "--model", ...models, "--", ...args]);
};
const explainAt = (as: string[], ...args: string[]) => {
  const input = write("in.jsonl", lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return told(["explain", "--input", input, "--model", write("lead.yaml", model("lead")), ...as, "--", ...args]);
};

it("explains a contact under every model, with what happened", async () => {
  const { code, stdout, stderr } = await explain("ada");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^ada under lead@1 as of 2026-03-01T09:00:00.000Z\n {2}score 19\n/);
  expect(stdout).toContain("\n\nada under zeal@1 as of");
  expect(stdout).toMatch(/\+19 {2}clicked {2}decaying {2}2 matches {2}last 2026-01-02 09:00/);
  expect(stdout).toMatch(/2026-01-01 09:00 {2}new {5}10 {2}email.clicked/);
  // 2026-02-01 09:00 is the first step, 2026-03-03 09:00 the second.
  expect(stdout).toContain("next: 2026-03-03 09:00 decay: score 19 -> 18");
});

it("explains any instant, and leaves the timeline out where none is wanted", async () => {
  const { stdout } = await explainAt(["--as-of", "2026-01-01T12:00:00Z", "--timeline", "0"], "ada");
  expect(stdout).toContain("score 10");
  expect(stdout).not.toContain("what moved");
});

it("gives an object for each model as JSON", async () => {
  const { stdout } = await explainAt(["--format", "json"], "ada");
  const [text, ...rest] = stdout.trimEnd().split("\n");
  expect(rest).toEqual([]);
  expect(JSON.parse(text as string)).toMatchObject({
    score: { contactId: "ada", score: 19 },
    dimensions: [{ id: "score", sum: 19, lines: [{ rule: "clicked", points: 19, matches: 2 }] }],
  });
});

it.each([
  [["nobody"], [], "there is no input of contact nobody in tenant default"],
  [["cy"], [], "there is no input of contact cy in tenant default; it is in tenant acme (name it with --tenant)"],
  [["cy"], ["--tenant", "acme"], "contact cy of tenant acme has no score at that instant"],
])("says why there is nothing to explain: %j %j", async (contact, options, message) => {
  const result = await explainAt(options, ...contact);
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toContain(message);
});
