/** The command line as a whole: exit codes, help, and what is said to those who mistype. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { run } from "../../src/cli/run.js";
import { memoryIo, testFiles, told } from "./memory-io.js";

const write = testFiles();
const lead = "model: lead\nversion: 1\nrules: [{ id: clicked, when: email.clicked, points: 10 }]\n";
const input = '{"contactId":"ada","type":"email.clicked","at":1000000000000}\n';

describe("exit codes", () => {
  it("0 when all went well, with data on standard output and talk on standard error", async () => {
    const model = write("lead.yaml", lead);
    const result = await told(["replay", "--model", model, "--input", "-"], { stdin: input });
    expect(result).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\{"tenantId":"default".*\}\n$/) });
    expect(result.stderr).toMatch(/^lead@1 as of 2001-09-09T01:46:40.000Z: 1 input of 1 contact -> 1 score line/);
  });

  it("1 when it failed", async () => {
    const result = await told(["replay", "--model", write("lead.yaml", lead), "--input", "/nowhere/in.jsonl"]);
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toMatch(/^error: \/nowhere\/in.jsonl: there is no such file; check the name/);
  });

  it("1 for models with errors when they were to be used, 3 when they were to be checked", async () => {
    const bad = write("bad.yaml", `${lead}thresholds: [ten]\n`);
    const used = await told(["replay", "--model", bad, "--input", "-"], { stdin: input });
    expect(used).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("bad.yaml:4:14: thresholds[0]"),
    });
    const checked = await told(["models", "check", bad]);
    expect(checked).toMatchObject({ code: 3, stdout: expect.stringContaining("bad.yaml:4:14: thresholds[0]") });
  });

  it("1 for a fault of the program itself, with the trace for a report", async () => {
    const io = memoryIo();
    Object.defineProperty(io, "stdin", {
      get: () => {
        throw new TypeError("boom");
      },
    });
    expect(await run(["replay", "--model", write("lead.yaml", lead), "--input", "-"], io)).toBe(1);
    expect(io.stderr.text).toMatch(
      /error: this is a fault of scorefold itself, please report it:\nTypeError: boom\n +at /,
    );
  });
});

describe("wrong usage: exit code 2, and what would be right", () => {
  it.each([
    [["repaly"], /unknown command 'repaly'\n\(Did you mean replay\?\)/],
    [["models", "chek"], /unknown command 'chek'\n\(Did you mean check\?\)/],
    [["replay"], /required option '--input <files...>' not specified/],
    [["explain", "--input", "x"], /missing required argument 'contact'/],
    [["replay", "--input"], /option '--input <files...>' argument missing/],
    [["replay", "--input", "x", "--socres", "y"], /unknown option '--socres'\n\(Did you mean --scores\?\)/],
    [["replay", "--input", "x", "--memory", "lots"], /Expected a number of megabytes above 0, such as 512/],
    [["replay", "--input", "x", "y", "--", "z"], /too many arguments/],
    [["scores", "--input", "x", "--format", "pdf"], /Allowed choices are table, json, csv/],
    [["scores", "--input", "x", "--limit", "few"], /Expected a whole number, such as 20/],
    [["scores", "--input", "x", "--limit", "-1"], /Expected a whole number, such as 20/],
    [["explain", "a", "--input", "x", "--timeline", "1.5"], /Expected a whole number, such as 20/],
  ])("%j", async (args, message) => {
    const result = await told(args);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toContain("(--help tells what there is)");
  });

  it.each([
    "yesterday",
    "2026-06-30",
    "2026-06-30T00:00:00",
    "2026-02-30T00:00:00Z",
    "",
  ])("--as-of %j", async (instant) => {
    for (const command of [["replay"], ["scores"], ["explain", "ada"]]) {
      const result = await told([...command, "--input", "x", "--as-of", instant]);
      expect(result).toMatchObject({ code: 2, stdout: "" });
      expect(result.stderr).toContain("Expected an ISO 8601 instant with a zone, such as 2026-06-30T00:00:00Z.");
    }
  });

  it("shows what there is when nothing was asked", async () => {
    for (const args of [[], ["models"]]) {
      const result = await told(args);
      expect(result).toMatchObject({ code: 2, stdout: "" });
      expect(result.stderr).toContain("Usage: scorefold");
    }
  });
});

const commands = [
  ...["demo", "replay", "scores", "explain", "models"].map((name) => [name]),
  ...["check", "show", "test", "list"].map((name) => ["models", name]),
];

describe("help", () => {
  it("is data when asked for, and lists every command", async () => {
    for (const args of [["--help"], ["-h"], ["help"]]) {
      const result = await told(args);
      expect(result).toMatchObject({ code: 0, stderr: "" });
      for (const [name = ""] of commands) expect(result.stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
      expect(result.stdout).toContain("Exit codes: 0 ok, 1 failed, 2 wrong usage, 3 checks found problems");
    }
  });

  it.each(
    commands.map((command) => [command.join(" "), command] as const),
  )("of %s has examples", async (_, command) => {
    const result = await told([...command, "--help"]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(result.stdout).toContain(`Usage: scorefold ${command.join(" ")}`);
    expect(result.stdout).toMatch(new RegExp(`^ +\\$ scorefold ${command.join(" ")}`, "m"));
  });
});

it("--version prints that of package.json", async () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(await told(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
});

it("leaves the streams as they were", async () => {
  const io = memoryIo();
  await run(["--version"], io);
  expect(io.stdout.listenerCount("error")).toBe(0);
  expect(io.stdout.writableEnded).toBe(false);
});
