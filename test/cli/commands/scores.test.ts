import { expect, it } from "vitest";
import { testFiles, told } from "../memory-io.js";

const write = testFiles();
const model = `model: lead
version: 1
dimensions: { engagement: { max: 50 }, fit: { max: 50 } }
rules:
  - { id: clicked, dimension: engagement, when: email.clicked, points: 10 }
  - { id: vip, dimension: fit, where: [{ field: contact.vip, is: true }], points: 30 }
grades: [{ id: cold, from: 0 }, { id: hot, from: 30 }]
salesReady: 40
`;
const lines = [
  { contactId: "ada", type: "email.clicked", at: "2026-01-01T09:00:00Z" },
  { contactId: "ada", kind: "profile", at: "2026-01-02T09:00:00Z", fields: { vip: true } },
  { contactId: '=bob,the "1st"', type: "email.clicked", at: "2026-01-03T09:00:00Z" },
  { contactId: "cy", type: "email.opened", at: "2026-01-04T09:00:00Z" },
  { tenantId: "globex", contactId: "dora", type: "email.clicked", at: "2026-01-05T09:00:00Z" },
];

const scores = (...args: string[]) => {
  const input = write("in.jsonl", lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return told(["scores", "--input", input, "--model", write("lead.yaml", model), ...args]);
};

it("prints a table, highest first", async () => {
  const { code, stdout, stderr } = await scores();
  expect(code).toBe(0);
  expect(stdout.split("\n")).toEqual([
    "contact         model   score  grade  ready  dimensions             last activity",
    "--------------  ------  -----  -----  -----  ---------------------  ----------------",
    "ada             lead@1     40  hot    yes    engagement 10, fit 30  2026-01-01 09:00",
    '=bob,the "1st"  lead@1     10  cold          engagement 10, fit 0   2026-01-03 09:00',
    "cy              lead@1      0  cold          engagement 0, fit 0",
    "",
  ]);
  expect(stderr).toBe("3 scores as of 2026-01-05T09:00:00.000Z\n");
});

it("says when it shows only some", async () => {
  const { stdout, stderr } = await scores("--limit", "1");
  expect(stdout).toContain("ada");
  expect(stdout).not.toContain("cy");
  expect(stderr).toContain("3 scores as of 2026-01-05T09:00:00.000Z, 1 is shown (--limit 3 shows all)");
});

it("prints CSV that a spreadsheet takes for data", async () => {
  const { stdout } = await scores("--format", "csv", "--grade", "cold");
  expect(stdout.split("\r\n")).toEqual([
    "tenantId,contactId,model,version,score,grade,salesReady,suppressed,lastActivityAt,dimensions",
    'default,"\'=bob,the ""1st""",lead,1,10,cold,false,false,2026-01-03T09:00:00.000Z,"engagement 10, fit 0"',
    'default,cy,lead,1,0,cold,false,false,,"engagement 0, fit 0"',
    "",
  ]);
});

it("prints score lines as replay does, sorted by contact", async () => {
  const { stdout } = await scores("--format", "json");
  const ids = stdout
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { contactId: string }).contactId);
  expect(ids).toEqual(['=bob,the "1st"', "ada", "cy"]);
});

it("sorts by contact or by activity", async () => {
  const order = async (by: string) =>
    (await scores("--format", "csv", "--sort", by)).stdout
      .split("\r\n")
      .flatMap((line) => /ada|bob|cy/.exec(line) ?? []);
  expect(await order("contact")).toEqual(["bob", "ada", "cy"]);
  expect(await order("activity")).toEqual(["bob", "ada", "cy"]);
});

it("looks at one tenant, and names the others where it has nothing", async () => {
  const globex = await scores("--tenant", "globex", "--format", "json");
  expect(globex.stdout).toMatch(/^\{"tenantId":"globex","contactId":"dora".*\n$/);
  const none = await scores("--tenant", "acme");
  expect(none.code).toBe(0);
  expect(none.stderr).toContain("no inputs of tenant acme; there are: default, globex (name one with --tenant)");
});

it("stands where --as-of says", async () => {
  const { stdout } = await scores("--as-of", "2026-01-01T23:00:00Z", "--format", "csv");
  expect(stdout.split("\r\n")[1]).toBe(
    'default,ada,lead,1,10,cold,false,false,2026-01-01T09:00:00.000Z,"engagement 10, fit 0"',
  );
});
