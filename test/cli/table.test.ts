import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { counted, grouped, renderTable, signed, width } from "../../src/cli/table.js";

describe("a table", () => {
  it("aligns columns, underlines titles, and leaves no blanks at the end of lines", () => {
    const columns = [{ title: "who" }, { title: "score", align: "right" as const }, { title: "" }];
    const rows = [
      ["ada", "7", ""],
      ["grace", "100", "x"],
    ];
    expect(renderTable(columns, rows)).toBe(
      ["who    score", "-----  -----  -", "ada        7", "grace    100  x", ""].join("\n"),
    );
  });

  it("shows titles without rows, and empty texts where a row is short", () => {
    expect(renderTable([{ title: "a" }, { title: "b" }], [])).toBe("a  b\n-  -\n");
    expect(renderTable([{ title: "a" }, { title: "b" }], [["1"]])).toBe("a  b\n-  -\n1\n");
  });

  it("cuts long texts by what they take on a terminal", () => {
    const cut = (text: string, widthMax: number) => renderTable([{ title: "", widthMax }], [[text]]).split("\n")[2];
    expect(cut("abcdef", 6)).toBe("abcdef");
    expect(cut("abcdefg", 6)).toBe("abcde…");
    expect(cut("日本語日本語", 6)).toBe("日本…");
    expect(cut("😀😀😀😀", 5)).toBe("😀😀…");
  });

  it("shows characters that would act on the terminal", () => {
    const text = renderTable([{ title: "who" }], [["a\u001b[2Jb\r\nc\u0000\u009b1m\u202ed"]]);
    expect(text.split("\n")[2]).toBe("a\\x1b[2Jb\\x0d\\x0ac\\x00\\x9b1m\\u202ed");
  });

  it("keeps the second column straight under any first one", () => {
    const letters = fc.constantFrom("a", "é", "e\u0301", "日", "한", "😀", "ｗ", "\u001b", "\n", " ");
    const text = fc.array(letters, { maxLength: 30 }).map((all) => `${all.join("")}.`);
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), (texts) => {
        const rows = texts.map((one) => [one, "|"]);
        const [, , ...body] = renderTable([{ title: "", widthMax: 20 }, { title: "" }], rows)
          .trimEnd()
          .split("\n");
        expect(body).toHaveLength(texts.length);
        expect(new Set(body.map((line) => width(line.slice(0, line.lastIndexOf("|"))))).size).toBe(1);
      }),
    );
  });
});

it.each([
  ["abc", 3],
  ["", 0],
  ["é", 1],
  ["e\u0301", 1],
  ["日本", 4],
  ["ｗ", 2],
  ["한글", 4],
  ["😀", 2],
])("%j takes %i columns", (text, columns) => {
  expect(width(text)).toBe(columns);
});

it("writes counts and points for people", () => {
  expect([0, 999, 1000, 1234567].map(grouped)).toEqual(["0", "999", "1,000", "1,234,567"]);
  expect([counted(0, "contact"), counted(1, "contact"), counted(1000, "match", "matches")]).toEqual([
    "0 contacts",
    "1 contact",
    "1,000 matches",
  ]);
  expect([10, -2.5, 0, -0, 0.1 + 0.2, -0.0004].map(signed)).toEqual(["+10", "-2.5", "+0", "+0", "+0.3", "+0"]);
});
