/** The published schema: what editors complete by must agree with what the check accepts. */
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { printModel } from "../../src/model/print.js";
import { singleModel } from "../arbitrary/models.js";
import { everything, twentyMistakes } from "./texts.js";

const schema = JSON.parse(readFileSync(new URL("../../schemas/model.schema.json", import.meta.url), "utf8"));
const validate = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, strictTypes: false }).compile(
  schema,
);

function errorsOf(text: string): readonly string[] {
  validate(parse(text, { version: "1.2", schema: "core" }));
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

test("a model with every feature is valid", () => {
  expect(errorsOf(everything)).toEqual([]);
});

test("random models are valid", () => {
  fc.assert(
    fc.property(singleModel, (model) => {
      expect(errorsOf(printModel(model))).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test.each([
  ["twenty mistakes", twentyMistakes],
  ["no version", "model: a"],
  ["an unknown key", "model: a\nversion: 1\nrule: []"],
  ["a percentage model", "kind: percentage\nmodel: a\nversion: 1"],
  ["an account model", "target: account\nmodel: a\nversion: 1"],
  ["a dimension called all", "model: a\nversion: 1\ndimensions: { all: {} }"],
  ["two kinds of decay", "model: a\nversion: 1\ndimensions: { a: { decay: { cycle: 1d, halfLife: 1d } } }"],
  ["a rise without a window", "model: a\nversion: 1\ntriggers: [{ id: a, risesBy: 5 }]"],
  ["two kinds of trigger", "model: a\nversion: 1\ntriggers: [{ id: a, reaches: 5, dropsBelow: 3 }]"],
  ...[
    "{ when: a.b, points: 1 }",
    "{ id: a, when: a.b }",
    "{ id: a, when: a, points: 1 }",
    "{ id: a, when: a.b, points: 1, set: 1 }",
    "{ id: a, when: a.b, set: 1, weight: 2 }",
    "{ id: a, when: a.b, suppress: true, dimension: score }",
    "{ id: a, when: a.b, points: 1, after: 3d }",
    "{ id: a, when: a.b, points: 1, within: 3d, decays: true }",
    "{ id: a, when: a.b, points: 1, within: 3d, cap: { points: 1, per: day } }",
    "{ id: a, when: a.b, points: 1, times: { min: 1 }, repeat: { within: 1d, multiplier: 2 } }",
    "{ id: a, when: a.b, points: 1, within: 1d, scope: resource, repeat: { within: 1d, multiplier: 2 } }",
    "{ id: a, points: 1, automated: count }",
    "{ id: a, inactive: 9d, when: a.b, points: 1 }",
    "{ id: cut, points: 1 }",
    "{ id: a, points: { by: contact.a, times: 1, values: {} } }",
    "{ id: a, points: 1, where: [{ field: contact.a }] }",
    "{ id: a, points: 1, where: [{ field: contact.a, is: 1, gt: 2 }] }",
    "{ id: a, points: 1, where: [{ any: [], all: [] }] }",
    "{ id: a, points: 1, where: [{ is: 1 }] }",
    "{ id: a, points: 1, where: [{ field: contact.a.b.c.d.e.f, is: 1 }] }",
    "{ id: a, points: 1, where: [{ field: city, is: 1 }] }",
  ].map((rule) => [rule, `model: a\nversion: 1\nrules:\n  - ${rule}`] as [string, string]),
])("not valid: %s", (_, text) => {
  expect(errorsOf(text)).not.toEqual([]);
});
