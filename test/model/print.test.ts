import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { checkModel } from "../../src/model/check.js";
import { describeModel } from "../../src/model/describe.js";
import { flow, printModel } from "../../src/model/print.js";
import type { Model } from "../../src/model/types.js";
import { singleModel } from "../arbitrary/models.js";
import { everything } from "./texts.js";

function read(text: string): Model {
  const result = checkModel(text, "printed.yaml");
  if (!result.ok) {
    throw new Error(`${result.problems.map((p) => `${p.line}:${p.column} ${p.message}`).join("\n")}\n${text}`);
  }
  return result.model;
}

test("a model with every feature prints as its canonical text, and is the same read again", () => {
  const model = read(everything);
  const printed = printModel(model);
  expect(printed).toMatchSnapshot();
  expect(read(printed)).toEqual(model);
  expect(printModel(read(printed))).toBe(printed);
});

test("random models are the same printed and read again", () => {
  fc.assert(
    fc.property(singleModel, (model) => {
      expect(read(printModel(model))).toEqual(model);
    }),
    { numRuns: 500 },
  );
});

const scalars = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const awkward = fc.constantFrom(
  "true",
  "NULL",
  "~",
  "5",
  "0x1F",
  "1e3",
  "-",
  "- a",
  "a: b",
  "a #b",
  "*",
  "&a",
  "<<",
  "30d",
  "a b",
  " a",
  "x".repeat(2000),
  "\u2028\ufeff\u0085",
  "...",
  "---",
);

test("every text and number survives printing, as a value and as a key", () => {
  fc.assert(
    fc.property(fc.oneof(scalars, awkward), fc.oneof(fc.string({ unit: "binary" }), awkward), (value, key) => {
      const written = flow([value, new Map([[key, value]])]);
      const [first, second] = parse(written, { version: "1.2", schema: "core", mapAsMap: true, stringKeys: true });
      const expected = value === 0 ? 0 : value;
      expect([first === 0 ? 0 : first, ...second.keys()]).toEqual([expected, key]);
    }),
    { numRuns: 1000 },
  );
});

test("the text view tells all there is", () => {
  expect(describeModel(read(everything))).toMatchSnapshot();
});

test("the text view of a rule reads as a query", () => {
  const model = read(`
model: lead
version: 1
dimensions: { engagement: {} }
rules:
  - id: clicked
    when: email.clicked
    where: [{ field: resource, contains: /pricing }, { field: contact.city, is: Chicago }]
    points: 10
    repeat: { within: 30d, multiplier: 1.5 }
    cap: 40
`);
  expect(describeModel(model)).toContain(
    '  clicked  +10 engagement  when email.clicked where resource contains "/pricing" and contact.city is "Chicago"; x1.5 if repeated within 30d; at most 40\n',
  );
});
