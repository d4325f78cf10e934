/** `topics` without a broker. */
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { decodeLine } from "../../../src/events/decode.js";
import { topicsPath } from "../../topics/given.js";
import { testFiles, told } from "../memory-io.js";

const write = testFiles();

it("list shows the topics that are shipped", async () => {
  const table = await told(["topics", "list"]);
  expect(table).toMatchObject({ code: 0, stderr: "" });
  expect(table.stdout).toMatch(/^interactions\.email +input +interaction +12 +retention\.ms=-1 /m);
  expect(table.stdout.trimEnd().split("\n")).toHaveLength(2 + 12);
});

it("list shows own inputs with the outputs that are shipped, with another count of partitions", async () => {
  const mapping =
    "mapping: { version: 4, inputs: [{ fields: { contactId: { from: u }, at: { from: t }, type: { value: a.b } } }] }";
  const path = write("visits.yaml", `name: visits\nrole: input\npartitions: 12\n${mapping}\n`);
  const options = { env: { SCOREFOLD_TOPICS: path } };
  const listed = await told(["topics", "list", "--partitions", "6", "--format", "json"], options);
  const lines = listed.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ topic, partitions, mapping }) => [topic, partitions, mapping])).toEqual([
    ["visits", 6, 4],
    ["score-changed", 6, null],
    ["threshold-crossed", 6, null],
    ["dead-letters", 6, null],
  ]);
});

it("all problems of all files are told, each with its place", async () => {
  const bad = [
    write("bad1.yaml", "name: a\nrole: inptu\npartitions: 1\n"),
    write("bad2.yaml", "nmae: b\nrole: input\n"),
  ];
  const { code, stderr } = await told(["topics", "list", "--topics", ...bad]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/bad1\.yaml:2:7: role: expected one of input, output\n/);
  expect(stderr).toMatch(/bad2\.yaml:1:1: nmae: unknown key "nmae"; did you mean "name"\?/);
  expect(stderr).toMatch(/4 problems of topic files\n$/);
});

it("topics that do not fit together are told", async () => {
  const paths = [2, 3].map((count) => write(`n${count}.yaml`, `name: n${count}\nrole: input\npartitions: ${count}\n`));
  expect(await told(["topics", "list", "--topics", ...paths])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/n3\.yaml: n3 has 3 partitions, and n2 has 2; a task is one partition number/),
  });
  expect((await told(["topics", "list", "--topics", paths[0]!])).code).toBe(0);
});

it("directories without topics, and counts that are none, are refused", async () => {
  const directory = dirname(write("notes.md", "# no topic"));
  const empty = await told(["topics", "list", "--topics", `${directory}/none`]);
  expect(empty).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no such file or directory") });
  for (const count of ["0", "-1", "x", "4097"]) {
    const { code, stderr } = await told(["topics", "list", `--partitions=${count}`]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/Expected a whole number from 1 to 4096/);
  }
});

it("apply needs brokers", async () => {
  const { code, stderr } = await told(["topics", "apply"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/--brokers is missing/);
});

it("map tries a mapping: inputs that ingest takes, what is skipped by its reason, what is bad by its place", async () => {
  const example = (name: string): string => `${topicsPath}examples/segment-track.${name}`;
  const good = await told(["topics", "map", example("yaml"), example("jsonl")]);
  expect(good.code).toBe(0);
  expect(good.stderr).toMatch(
    /^4 inputs, 2 skipped\n {2}1 skipped: type is track does not hold; .*\n {2}1 skipped: .*\n$/,
  );
  const decoded = good.stdout.trimEnd().split("\n").map(decodeLine);
  expect(decoded.map((one) => one.ok && one.input.id)).toEqual(["ajs-1", "ajs-2", "ajs-3", "ajs-4"]);
  const track = '{"type":"track","userId":"ada","event":"x","timestamp":"2026-06-01T09:30:00Z"}';
  const lines = [track, "", track.replace("2026", "June"), "{", track.replace("ada", "\\u001b[31m".repeat(100))];
  const bad = await told(["topics", "map", example("yaml")], { stdin: lines.join("\n") });
  expect(bad.code).toBe(3);
  expect(bad.stdout.trimEnd().split("\n")).toHaveLength(1);
  expect(bad.stderr).toMatch(/^standard input:3: bad-instant: at, from timestamp or originalTimestamp, is "June-06/);
  expect(bad.stderr).toMatch(/^standard input:4: undecodable: not JSON/m);
  expect(bad.stderr).toMatch(/^standard input:5: too-large: contactId has 500 bytes/m);
  expect(bad.stderr).toMatch(/^1 input, 3 bad$/m);
});

it("map takes one input topic", async () => {
  expect(await told(["topics", "map", topicsPath])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/has 12 topics; name the file of one/),
  });
  const { code, stderr } = await told(["topics", "map", `${topicsPath}dead-letters.yaml`]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/dead-letters is no input topic; name one with `role: input`/);
});
