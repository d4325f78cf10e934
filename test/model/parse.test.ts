/** The risk: a model file that ends the process, runs for minutes, or is read otherwise than its writer meant. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { fileBytesMax, nestingDepthMax, parseTree, type TreeNode } from "../../src/model/parse.js";

/** The values of a tree, without places. */
function plain(node: TreeNode): unknown {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map(plain);
    case "map":
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
  }
}

function read(text: string): unknown {
  const { root, problems } = parseTree(text);
  expect(problems).toEqual([]);
  return plain(root!);
}

function problemsOf(text: string): readonly string[] {
  return parseTree(text).problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

test("YAML 1.2 core: no words for true and false but those, no octal by a leading 0, no merge keys", () => {
  expect(read("a: [yes, no, on, off, true, False, ~, null, 012, 0o12, 0x1F, 1e3, .5, 12:30]")).toEqual({
    a: ["yes", "no", "on", "off", true, false, null, null, 12, 10, 31, 1000, 0.5, "12:30"],
  });
  expect(read("<<: 1")).toEqual({ "<<": 1 });
});

test("JSON is accepted, tabs, escapes and a byte order mark included", () => {
  const value = { model: 'é\u{1f600}"\\/\u0001\u2028', n: [1, -2.5, 1e-7, true, null, {}], "a: b": { c: [] } };
  expect(read(JSON.stringify(value))).toEqual(value);
  expect(read(`\ufeff${JSON.stringify(value, null, "\t")}`)).toEqual(value);
});

test("every text that JSON can hold comes back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(read(JSON.stringify([text]))).toEqual([text]);
    }),
  );
});

test("places count from 1, a byte order mark is no column", () => {
  const { root } = parseTree("\ufeffa:\r\n  - b: 'x'\r\n");
  const [a] = root?.kind === "map" ? root.entries : [];
  expect(a?.keyPlace).toEqual({ line: 1, column: 1 });
  const item = a?.value.kind === "list" ? a.value.items[0] : undefined;
  const [b] = item?.kind === "map" ? item.entries : [];
  expect([b?.keyPlace, b?.value.place]).toEqual([
    { line: 2, column: 5 },
    { line: 2, column: 8 },
  ]);
});

test.each([
  ["a: x + y", 4, { line: 1, column: 8 }],
  ["a: 'x + y'", 4, { line: 1, column: 9 }],
  ['a: "x + y"', 4, { line: 1, column: 9 }],
  ["a: x +\n   y", 4, { line: 2, column: 4 }],
  ["a: >-\n  x +\n  y", 4, { line: 3, column: 3 }],
  ["a: |  # why\n  x +\n  y\n", 4, { line: 3, column: 3 }],
  ["a: 'x +'", 3, { line: 1, column: 8 }],
])("the place inside %j", (text, index, place) => {
  const { root, placeIn } = parseTree(text);
  const value = root?.kind === "map" ? root.entries[0]?.value : undefined;
  expect(value?.kind === "scalar" ? placeIn(value, index) : undefined).toEqual(place);
});

test("all problems of syntax are named at once", () => {
  expect(problemsOf('a: [1\nb: "\\q"\nc: !foo x\n')).toMatchInlineSnapshot(`
    [
      "2:1 Flow sequence in block collection must be sufficiently indented and end with a ]",
      "2:5 Invalid escape sequence \\q; in double quotes write \`\\\\\` for a backslash, or use single quotes",
      "3:4 Unresolved tag: !foo; remove the tag (\`!...\`), or put the text in quotes",
    ]
  `);
});

test("duplicate keys are named with both places, and so are keys that only differ in quotes", () => {
  expect(problemsOf('a: 1\nb: { c: 1, "c": 2 }\na: 2\n"5": x\n5: y\n')).toEqual([
    "2:12 duplicate key `c`: it is already at line 2, column 6; keep one of the two",
    "3:1 duplicate key `a`: it is already at line 1, column 1; keep one of the two",
    "5:1 duplicate key `5`: it is already at line 4, column 1; keep one of the two",
  ]);
});

test.each([
  ["", "1:1 the file is empty; a model starts with `model: <id>` and `version: <number>`"],
  ["# only a comment\n", "1:1 the file is empty; a model starts with `model: <id>` and `version: <number>`"],
  ["a: 1\n---\nb: 2\n", "2:1 a second document begins here; keep one model in a file"],
  ["%YAML 1.1\n---\na: yes\n", "1:1 models are YAML 1.2; remove the `%YAML` line"],
  ["a: *b\n", "1:4 `*b` names no anchor before it; add `&b` to what is meant, or put the text in quotes"],
  ["a: &b [*b]\n", "1:8 `*b` stands inside what it names; write the part out"],
  ["? [1]\n: 2\n", "1:3 a key must be a text or a number; put it in quotes if it is meant as text"],
  ["~: 2\n", "1:1 a key must be a text or a number; put it in quotes if it is meant as text"],
  ["#".repeat(fileBytesMax + 1), `1:1 the file is larger than ${fileBytesMax} bytes; split the model into several`],
  [
    `#${"é".repeat(fileBytesMax / 2)}`,
    `1:1 the file is larger than ${fileBytesMax} bytes; split the model into several`,
  ],
])("%j", (text, problem) => {
  expect(problemsOf(text)).toContain(problem);
});

test("aliases stand for what they name", () => {
  expect(read("a: &x { b: [1] }\nc: *x\nd: [*x, &x 2, *x]\n")).toEqual({
    a: { b: [1] },
    c: { b: [1] },
    d: [{ b: [1] }, 2, 2],
  });
});

test("an alias bomb is refused", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i <= 9; i++) {
    lines.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(", ")}]`,
    );
  }
  expect(problemsOf(lines.join("\n"))).toEqual([
    expect.stringContaining("more than 100000 keys and values (aliases written out); make it smaller"),
  ]);
});

test("a chain of aliases can't be deeper than what is written out", () => {
  const lines = ["a0: &a0 [x]"];
  for (let i = 1; i <= 2 * nestingDepthMax; i++) {
    lines.push(`a${i}: &a${i} [*a${i - 1}]`);
  }
  expect(problemsOf(lines.join("\n"))).toEqual([expect.stringContaining("nested deeper than 64 levels")]);
});

test.each([
  ["brackets", "[".repeat(500_000)],
  ["closed brackets", "[".repeat(100_000) + "]".repeat(100_000)],
  ["braces", "{a: ".repeat(100_000)],
  ["dashes", `${"- ".repeat(100_000)}1`],
  ["indented keys", Array.from({ length: 1000 }, (_, i) => `${" ".repeat(i)}a:\n`).join("")],
  ["questions", "? ".repeat(100_000)],
  ["one level too many", "[".repeat(nestingDepthMax + 1) + "]".repeat(nestingDepthMax + 1)],
])("nesting without end is refused: %s", (_, text) => {
  expect(problemsOf(text)).toEqual([expect.stringMatching(/^[0-9]+:[0-9]+ nested deeper than 64 levels/)]);
});

test("as deep as allowed is read", () => {
  expect(problemsOf("[".repeat(nestingDepthMax) + "]".repeat(nestingDepthMax))).toEqual([]);
});

test("any text is read or refused, never thrown at", () => {
  const piece = fc.constantFrom(
    ..."a:- [{}]&*!|>'\"%@`#,?~0.\n\t\\\u0000\ufeff",
    "\n  ",
    "---",
    "...",
    "&a",
    "*a",
    ": ",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const { root, problems } = parseTree(pieces.join(""));
      expect(root !== undefined || problems.length > 0).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
