import fc from "fast-check";
import { expect, it } from "vitest";
import { csvLine } from "../../src/cli/csv.js";

it("quotes what would break a line or a field", () => {
  expect(csvLine(["a", 'say "hi"', "x,y", "two\nlines", "", 7, true])).toBe(
    'a,"say ""hi""","x,y","two\nlines",,7,true\r\n',
  );
});

it.each([
  "=1+1",
  "+49 40",
  "-2",
  "@SUM(A1)",
  "\tx",
  '=HYPERLINK("http://x","y")',
])("%j can't become a formula", (text) => {
  const [field] = read(csvLine([text]));
  expect(field).toBe(`'${text}`);
});

it("leaves numbers alone: theirs is no formula", () => {
  expect(csvLine([-2, 0, 1.5])).toBe("-2,0,1.5\r\n");
});

it("is read back as it was, whatever it holds", () => {
  const text = fc.string({ unit: fc.constantFrom("a", ",", '"', "\r", "\n", "=", "'", " ", "日") });
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), (values) => {
      expect(read(csvLine(values)).map((field, i) => (field === `'${values[i]}` ? field.slice(1) : field))).toEqual(
        values,
      );
    }),
  );
});

/** The fields of one line of RFC 4180. */
function read(line: string): string[] {
  expect(line.endsWith("\r\n")).toBe(true);
  const fields: string[] = [];
  let rest = `${line.slice(0, -2)},`;
  while (rest !== "") {
    const [whole, quoted, plain] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*)),/.exec(rest) ?? [];
    if (whole === undefined) throw new Error(`not RFC 4180: ${JSON.stringify(rest)}`);
    fields.push(quoted === undefined ? (plain as string) : quoted.replaceAll('""', '"'));
    rest = rest.slice(whole.length);
  }
  return fields;
}
