/** Parsing and checking of a model with 500 rules. */
import { parseDocument } from "yaml";
import { checkModel } from "../../src/model/check.js";
import type { Measured } from "./fold.js";

const ruleCount = 500;

const text = [
  "model: large",
  "version: 1",
  "dimensions:",
  "  engagement: { max: 50, decay: { percent: 5, every: 30d } }",
  "  fit: { max: 50 }",
  "rules:",
  ...Array.from({ length: ruleCount }, (_, i) =>
    i % 5 === 0
      ? `  - { id: fit-${i}, dimension: fit, where: [{ field: contact.city, in: [Chicago, Boston, "City ${i}"] }], points: ${i % 10} }`
      : [
          `  - id: rule-${i}`,
          "    dimension: engagement",
          "    when: [email.clicked, web.*]",
          "    where:",
          `      - { field: resource, contains: /page-${i} }`,
          `      - { field: attributes.campaign, matches: "^(spring|summer)-${i}" }`,
          `    points: { by: attributes.kind, values: { a: 1, b: ${i % 20} }, else: 1 }`,
          "    cap: [40, { points: 20, per: day }]",
        ].join("\n"),
  ),
].join("\n");

export function parseYaml(): Measured {
  const started = performance.now();
  parseDocument(text);
  return {
    name: "yaml of 500 rules, parsed only (rules)",
    count: ruleCount,
    seconds: (performance.now() - started) / 1000,
  };
}

export function checkRules(): Measured {
  const started = performance.now();
  const result = checkModel(text, "large.yaml");
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("\n"));
  return {
    name: "model of 500 rules, parsed and checked (rules)",
    count: ruleCount,
    seconds: (performance.now() - started) / 1000,
  };
}
