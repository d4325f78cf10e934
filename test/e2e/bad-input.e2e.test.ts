/**
 * What the world sends: broken lines, broken files, broken models, a full disk. Each must be told with its place, what
 * is wrong and what to do, must cost nothing but itself, and must never look like a fault of the program.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { everything, twentyMistakes } from "../model/texts.js";
import { type Ended, Folder, mainFile, scorefold } from "./command.js";

const lead = "model: lead\nversion: 1\nrules: [{ id: clicked, when: email.clicked, points: 10 }]\n";

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
  folder.write("lead.yaml", lead);
});
afterEach(() => folder.remove());

async function run(...args: string[]): Promise<Ended> {
  const result = await scorefold(args, { cwd: folder.path });
  expect(result.signal).toBeNull();
  // No stack, no excuse: whatever was given, this was foreseen.
  expect(result.stderr).not.toMatch(/fault of scorefold|^ {4}at /m);
  return result;
}

const replay = (...args: string[]): Promise<Ended> =>
  run("replay", "--model", "lead.yaml", "--scores", "scores.jsonl", ...args);

const click = (over: object = {}): object => ({
  id: "1",
  contactId: "ada",
  type: "email.clicked",
  at: 1_000_000_000_000,
  ...over,
});

interface BadLine {
  readonly what: string;
  readonly line: string;
  readonly reason: string;
  readonly says: RegExp;
}

const badLines: readonly BadLine[] = [
  { what: "no JSON", line: "{not json", reason: "undecodable", says: /not JSON.*write one JSON object on each line/ },
  { what: "a line cut off", line: '{"contactId":"ada","ty', reason: "undecodable", says: /not JSON/ },
  { what: "a list", line: "[1,2]", reason: "undecodable", says: /expected a JSON object, found a list/ },
  { what: "a number", line: "7", reason: "undecodable", says: /expected a JSON object, found a number/ },
  {
    what: "no contact",
    line: JSON.stringify({ type: "email.clicked", at: 1_000_000_000_000 }),
    reason: "no-contact",
    says: /contactId is missing; say whose input this is/,
  },
  {
    what: "an empty contact",
    line: JSON.stringify(click({ contactId: "" })),
    reason: "no-contact",
    says: /contactId is missing/,
  },
  {
    what: "an instant without a zone",
    line: JSON.stringify(click({ at: "2026-03-04 07:05" })),
    reason: "bad-instant",
    says: /at is "2026-03-04 07:05"; expected ISO 8601 with a zone, as 2024-05-01T12:00:00Z/,
  },
  {
    what: "a day that is none",
    line: JSON.stringify(click({ at: "2026-02-30T00:00:00Z" })),
    reason: "bad-instant",
    says: /2026-02-30/,
  },
  { what: "half a millisecond", line: JSON.stringify(click({ at: 0.5 })), reason: "bad-instant", says: /at is 0.5/ },
  { what: "no instant", line: JSON.stringify(click({ at: null })), reason: "bad-instant", says: /at is missing/ },
  {
    what: "an instant out of reach",
    line: '{"contactId":"ada","type":"email.clicked","at":1e400}',
    reason: "bad-instant",
    says: /at is Infinity/,
  },
  {
    what: "an unknown kind",
    line: JSON.stringify(click({ kind: "profil" })),
    reason: "unknown-kind",
    says: /kind is "profil"; expected interaction, profile or adjustment \(did you mean profile\?\)/,
  },
  {
    what: "population",
    line: JSON.stringify({ kind: "population", model: "lead", at: 1_000_000_000_000 }),
    reason: "unsupported",
    says: /percentage models, which this version does not have/,
  },
  {
    what: "wrong types",
    line: JSON.stringify(click({ type: 7, attributes: "text", resource: {}, automated: "perhaps" })),
    reason: "invalid",
    says: /type is a number; expected a text.*automated is "perhaps".*attributes is a text; expected an object/,
  },
  {
    what: "an attribute beyond numbers",
    line: '{"contactId":"ada","type":"email.clicked","at":1000000000000,"attributes":{"amount":1e400}}',
    reason: "invalid",
    says: /attributes.amount/,
  },
  {
    what: "a megabyte of attributes",
    line: JSON.stringify(click({ attributes: { text: "x".repeat(1_000_000) } })),
    reason: "too-large",
    says: /bytes; at most 262144 are allowed: leave out attributes that no model reads/,
  },
  {
    what: "an id with a line end",
    line: JSON.stringify(click({ id: "line\nend" })),
    reason: "invalid",
    says: /id holds the control character U\+000A; remove it/,
  },
  {
    what: "a contact with a null character",
    line: JSON.stringify(click({ contactId: "ad\u0000a" })),
    reason: "invalid",
    says: /contactId holds the control character U\+0000; remove it/,
  },
  {
    what: "half a character",
    line: '{"contactId":"a\\ud83d","type":"email.clicked","at":1000000000000}',
    reason: "invalid",
    says: /contactId holds half of a surrogate pair/,
  },
  {
    what: "an id without end",
    line: JSON.stringify(click({ id: "x".repeat(300) })),
    reason: "too-large",
    says: /id has 300 bytes; at most 256 are allowed/,
  },
  {
    what: "a profile without fields",
    line: JSON.stringify({ kind: "profile", contactId: "ada", at: 1_000_000_000_000 }),
    reason: "invalid",
    says: /fields is missing; write the whole profile, or null to erase the contact/,
  },
  {
    what: "an adjustment of nothing",
    line: JSON.stringify({ kind: "adjustment", contactId: "ada", at: 1_000_000_000_000, model: "lead" }),
    reason: "invalid",
    says: /one of add and set is needed/,
  },
  {
    what: "JSON as deep as a well",
    line: `{"contactId":"ada","type":"email.clicked","at":1000000000000,"attributes":{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}}`,
    reason: "invalid",
    says: /attributes/,
  },
];

const goodLines: readonly string[] = [
  JSON.stringify(click()),
  JSON.stringify(click({ id: "2", contactId: "\u{1f600} zoë" })),
  JSON.stringify(click({ id: "\u{1f600}", at: "1970-01-01T00:00:00.001+00:00" })),
  JSON.stringify(click({ id: "3", attributes: { amount: 1e308, __proto__x: 1 } })),
  '{"contactId":"__proto__","type":"email.clicked","at":1000000000001,"attributes":{"__proto__":{"constructor":5}}}',
];

describe("bad lines", () => {
  it("go to the dead letters with place, reason and original; the rest is scored", async () => {
    // Good and bad in turns.
    const lines = badLines.flatMap(({ line }, i) => [line, goodLines[i] ?? ""]);
    folder.writeLines("in.jsonl", lines);
    const result = await replay("--input", "in.jsonl");
    expect(result).toMatchObject({ code: 0, stdout: "" });
    const letters = folder.json("scores.jsonl.dead-letters.jsonl");
    expect(letters.map(({ line, reason }) => [line, reason])).toEqual(
      badLines.map(({ reason }, i) => [2 * i + 1, reason]),
    );
    for (const [i, { what, line, says }] of badLines.entries()) {
      expect(letters[i], what).toMatchObject({ file: "in.jsonl", error: expect.stringMatching(says) });
      if (line.length < 512 * 1024) expect(letters[i], what).toMatchObject({ original: line });
    }
    const large = letters.find(({ length }) => length !== undefined);
    const original = badLines.find(({ what }) => what.startsWith("a megabyte"))?.line as string;
    expect(large).toMatchObject({
      length: original.length,
      sha256: createHash("sha256").update(original).digest("hex"),
      original: original.slice(0, 512 * 1024),
    });
    expect(result.stderr).toMatch(
      new RegExp(
        `${badLines.length} bad lines left out \\(.*[1-9]\\d* undecodable.*\\): scores.jsonl.dead-letters.jsonl`,
      ),
    );
    expect(folder.json("scores.jsonl").map(({ contactId, score }) => [contactId, score])).toEqual([
      ["__proto__", 10],
      ["ada", 30],
      ["\u{1f600} zoë", 10],
    ]);
  });

  it("come back good once they are mended", async () => {
    folder.writeLines("in.jsonl", [JSON.stringify(click({ at: "2026-03-04 07:05" }))]);
    expect(await replay("--input", "in.jsonl")).toMatchObject({ code: 0 });
    const [letter] = folder.json<{ original: string }>("scores.jsonl.dead-letters.jsonl");
    folder.writeLines("mended.jsonl", [letter?.original.replace("2026-03-04 07:05", "2026-03-04T07:05:00Z") as string]);
    expect(await replay("--input", "mended.jsonl")).toMatchObject({ code: 0 });
    expect(folder.json("scores.jsonl")).toMatchObject([{ contactId: "ada", score: 10 }]);
    expect(folder.names()).not.toContain("scores.jsonl.dead-letters.jsonl");
  });

  it("may be all there is", async () => {
    folder.writeLines("in.jsonl", ["one", "two"]);
    const result = await replay("--input", "in.jsonl");
    expect(result.code).toBe(0);
    expect(result.stderr).toContain("2 bad lines left out (2 undecodable)");
    expect(folder.read("scores.jsonl")).toBe("");
  });

  it("name a field that was meant to be another", async () => {
    folder.writeLines("in.jsonl", [click({ atributes: { amount: 5 } })]);
    const { stderr } = await replay("--input", "in.jsonl");
    expect(stderr).toContain("unknown field `atributes` of interaction inputs was ignored; did you mean `attributes`?");
  });

  it("are not made by a byte order mark, CR LF, blank lines or a missing last line end", async () => {
    folder.write("in.jsonl", `\ufeff${goodLines[0]}\r\n\r\n   \n${goodLines[1]}`);
    const result = await replay("--input", "in.jsonl");
    expect(result.stderr).toContain("2 inputs of 2 contacts");
    expect(result.stderr).not.toContain("bad line");
  });

  it("are named by other commands too", async () => {
    folder.writeLines("in.jsonl", [click(), "{"]);
    const scores = await run("scores", "--model", "lead.yaml", "--input", "in.jsonl");
    expect(scores.code).toBe(0);
    expect(scores.stderr).toContain("1 bad line left out");
    expect(scores.stdout).toContain("ada");
  });

  it("show control characters of texts in a table, and send none to the terminal", async () => {
    folder.write("grades.yaml", `${lead}grades: [{ id: "co\\u001b[31mld", from: 0 }]\n`);
    folder.writeLines("in.jsonl", [click()]);
    for (const args of [["scores"], ["explain", "ada"], ["models", "show", "grades.yaml"]]) {
      const input = args[0] === "models" ? [] : ["--model", "grades.yaml", "--input", "in.jsonl"];
      const { stdout, stderr } = await run(...args, ...input);
      expect(stdout + stderr).not.toContain("\u001b");
    }
  });
});

describe("bad files", () => {
  beforeEach(() => {
    folder.writeLines("in.jsonl", [click()]);
    folder.write("empty.jsonl", "");
    folder.write("blank.jsonl", "\n  \n");
    mkdirSync(join(folder.path, "directory"));
    const zipped = gzipSync(`${JSON.stringify(click())}\n`.repeat(1000));
    folder.write("cut.jsonl.gz", zipped.subarray(0, zipped.length / 2));
    folder.write("not.gz", "plain");
  });

  it.each([
    [["missing.jsonl", "in.jsonl", "lost.jsonl"], /missing.jsonl: there is no such file.*\n.*lost.jsonl: there is no/],
    [["empty.jsonl"], /empty.jsonl: empty; expected one JSON object on each line/],
    [["blank.jsonl"], /blank.jsonl: empty; expected one JSON object on each line/],
    [["-"], /standard input: empty/],
    [["directory"], /directory: this is a directory; name the files in it/],
    [["in.jsonl/below"], /in.jsonl\/below: a part of the path is a file, not a directory/],
    [["cut.jsonl.gz"], /cut.jsonl.gz: the gzip data end too early, after \d+ bytes; copy the file again/],
    [["not.gz"], /not.gz: the gzip data are damaged/],
  ])("%j: an error with the name, and no output", async (files, message) => {
    const before = folder.names();
    const result = await replay("--input", ...files, "--outputs", "outputs.jsonl");
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toMatch(message);
    expect(folder.names()).toEqual(before);
  });

  it("an empty file beside a good one is mentioned", async () => {
    const result = await replay("--input", "empty.jsonl", "in.jsonl");
    expect(result.code).toBe(0);
    expect(result.stderr).toContain("empty.jsonl: empty");
  });

  it.each([
    [["--scores", "directory"], 1, /directory: this is a directory; name a file/],
    [["--scores", "nowhere/scores.jsonl"], 1, /there is no directory nowhere; make it first/],
    [["--outputs", "scores.jsonl"], 2, /the outputs would go where the scores is: scores.jsonl; name another file/],
    [["--scores", "in.jsonl"], 2, /the scores would go where an input file is: in.jsonl; name another file/],
    [["--temp", "nowhere", "--memory", "0.00001"], 1, /can't sort on disk.*--temp or TMPDIR/],
  ])("%j can't be written to", async (args, code, message) => {
    const before = folder.names();
    const result = await replay("--input", "in.jsonl", ...args);
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toMatch(message);
    expect(folder.names()).toEqual(before);
    expect(folder.json("in.jsonl")).toEqual([click()]);
  });

  const hasFullDisk = process.env["CI"] !== undefined || existsSync("/dev/full");
  it
    .runIf(hasFullDisk)
    .each([
      [["--scores", "/dev/full", "--outputs", "outputs.jsonl"]],
      [["--outputs", "/dev/full"]],
      [["--dead-letters", "/dev/full"]],
    ])("a full disk: %j", async (args) => {
    folder.writeLines("in.jsonl", [click(), "{"]);
    const before = folder.names();
    const result = await replay("--input", "in.jsonl", ...args);
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toContain("/dev/full: the disk is full; make room, or name a file on another disk");
    expect(folder.names()).toEqual(before);
  });
});

it.runIf(process.env["CI"] !== undefined || existsSync("/dev/full")).each([
  ["replay", "--model", "lead.yaml", "--input", "in.jsonl", "--scores", "-"],
  ["scores", "--model", "lead.yaml", "--input", "in.jsonl"],
])("a full disk behind standard output: %s", (...args) => {
  folder.writeLines("in.jsonl", [click()]);
  const full = openSync("/dev/full", "w");
  const { status, stderr } = spawnSync(process.execPath, [mainFile, ...args], {
    cwd: folder.path,
    stdio: ["ignore", full, "pipe"],
    encoding: "utf8",
  });
  closeSync(full);
  expect(status).toBe(1);
  expect(stderr).toMatch(/error: .*the disk is full; make room/);
  expect(stderr).not.toContain("fault of scorefold");
});

describe("bad models", () => {
  const bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    .concat([..."bcdefghij"].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefghij"[i]}`).join(", ")}]`))
    .join("\n");

  it.each([
    ["an alias bomb", `model: lead\n${bomb}\n`, /bad.yaml:\d+:\d+: .*alias/i],
    ["a key twice", "model: lead\nmodel: zeal\nversion: 1\nrules: []\n", /bad.yaml:2:1: .*(twice|unique|duplicate)/i],
    [
      "a formula that does not parse",
      "model: lead\nversion: 1\ndimensions: { fit: {} }\ntotal: fit + (2 *\nrules: []\n",
      /bad.yaml:4:\d+: total: /,
    ],
    [
      "a regular expression that does not parse",
      'model: lead\nversion: 1\nrules:\n  - { id: a, when: "*", points: 1, where: [{ field: resource, matches: "(" }] }\n',
      /bad.yaml:4:\d+: rules\[0\]\.where\[0\]\.matches: /,
    ],
    ["no YAML", "model: [lead\nversion: 1\n", /bad.yaml:\d+:\d+: /],
    ["no mapping", "just a text\n", /bad.yaml:1:1: .*mapping/i],
    ["an empty file", "", /bad.yaml:1:1: /],
    ["a percentage model", "kind: percentage\nmodel: lead\nversion: 1\nbuckets: []\n", /bad.yaml:1:\d+: kind: /],
    ["an account model", `${lead}target: account\n`, /bad.yaml:4:\d+: target: /],
    ["bytes that are no text", Buffer.from([0x6d, 0xff, 0xfe, 0x00, 0x01]), /bad.yaml/],
  ])("%s: an error with its place", async (_, text, message) => {
    folder.write("bad.yaml", text);
    folder.writeLines("in.jsonl", [click()]);
    const checked = await run("models", "check", "bad.yaml");
    expect(checked.code).toBe(3);
    expect(checked.stdout).toMatch(message);
    const before = folder.names();
    const replayed = await replay("--model", "bad.yaml", "--input", "in.jsonl");
    expect(replayed).toMatchObject({ code: 1, stdout: "" });
    expect(replayed.stderr).toMatch(message);
    expect(replayed.stderr).toContain("nothing was scored");
    expect(folder.names()).toEqual(before);
  });

  it("names twenty mistakes in one run, each with its place, the nearest names too", async () => {
    folder.write("bad.yaml", twentyMistakes);
    const { code, stdout, stderr } = await run("models", "check", "bad.yaml", "lead.yaml");
    expect(code).toBe(3);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThanOrEqual(20);
    for (const line of lines) expect(line).toMatch(/^bad\.yaml:\d+:\d+: /);
    for (const near of ["model", "dimension", "engagement", "contains", "contact", "hot"])
      expect(stdout).toContain(near);
    expect(stderr).toMatch(/2 files: 1 good model, \d+ errors/);
  });

  it("takes a byte order mark, CR LF and JSON as they are", async () => {
    folder.write("crlf.yaml", `\ufeff${everything.replaceAll("\n", "\r\n")}`);
    folder.write("zeal.json", JSON.stringify({ model: "zeal", version: 1, rules: [] }));
    const { code, stdout } = await run("models", "check", "crlf.yaml", "zeal.json");
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.not.stringContaining("error") });
  });

  it.each(["(a+)+$", "(a|a)*$", "(.*a){12}$"])("runs %s over a long text at once", async (regex) => {
    const rule = `{ id: a, when: "*", points: 1, where: [{ field: attributes.text, matches: ${JSON.stringify(regex)} }] }`;
    folder.write("regex.yaml", `model: regex\nversion: 1\nrules: [${rule}]\n`);
    folder.writeLines("in.jsonl", [click({ attributes: { text: `${"a".repeat(100_000)}b` } })]);
    const started = performance.now();
    expect(await run("replay", "--model", "regex.yaml", "--input", "in.jsonl")).toMatchObject({ code: 0 });
    // A backtracking engine would take longer than there are years.
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
