/** `topics` without a broker. */
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { testFiles, told } from "../memory-io.js";

const write = testFiles();

it("list shows the topics that are shipped", async () => {
  const table = await told(["topics", "list"]);
  expect(table).toMatchObject({ code: 0, stderr: "" });
  expect(table.stdout).toMatch(/^interactions\.email +input +interaction +12 +retention\.ms=-1 /m);
  expect(table.stdout).toMatch(/^scorefold\.clock +clock +1 /m);
  expect(table.stdout.trimEnd().split("\n")).toHaveLength(2 + 13);
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
    ["scorefold.clock", 1, null],
  ]);
});

it("all problems of all files are told, each with its place", async () => {
  const bad = [
    write("bad1.yaml", "name: a\nrole: inptu\npartitions: 1\n"),
    write("bad2.yaml", "nmae: b\nrole: input\n"),
  ];
  const { code, stderr } = await told(["topics", "list", "--topics", ...bad]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/bad1\.yaml:2:7: role: expected one of input, output, clock/);
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
