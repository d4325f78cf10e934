/** The score line: what the command line, the API and the topic show of a contact under a model. */
import { expect, test } from "vitest";
import { initial } from "../../src/fold/initial.js";
import { scoreLine } from "../../src/fold/score-line.js";
import { adjusted, did, folded, lead, profile, start } from "./given.js";

const model = lead(`
model: fit
version: 3
dimensions: { warm: { max: 50 }, ten: { max: 50 } }
rules:
  - { id: click, dimension: warm, when: a.click, points: 30.7 }
  - { id: gone, when: a.gone, suppress: true }
grades: [{ id: cold, from: 0 }, { id: hot, from: 30 }]
salesReady: 30
`);

test("has its keys in one order and its dimensions in model order", () => {
  const line = scoreLine(model, "acme", "ann", folded(model, [did("a.click", 5)]));
  expect(JSON.stringify(line)).toBe(
    `{"tenantId":"acme","contactId":"ann","model":"fit","version":3,"score":30,"grade":"hot","dimensions":{"warm":30,"ten":0},"salesReady":true,"suppressed":false,"lastActivityAt":${start + 5}}`,
  );
});

test("suppressed: the score is score.min, the dimensions show as they are", () => {
  const line = scoreLine(model, "acme", "ann", folded(model, [did("a.click", 5), did("a.gone", 6)]));
  expect(line).toMatchObject({
    score: 0,
    grade: "cold",
    dimensions: { warm: 30 },
    salesReady: false,
    suppressed: true,
  });
});

test("there is one from first sight on, even if no rule ever matched; without activity its instant is null", () => {
  for (const input of [did("a.other", 0), profile(0, {}), adjusted(0, { model: "other", add: 5 })])
    expect(scoreLine(model, "acme", "ann", folded(model, [input]))).toMatchObject({ score: 0, lastActivityAt: null });
});

test("without an input in force there is none, which is not a score of 0", () => {
  expect(scoreLine(model, "acme", "ann", initial(model))).toBeNull();
});

test("a model without grades has grade null", () => {
  const plain = lead("name: plain");
  expect(scoreLine(plain, "acme", "ann", folded(plain, [did("a.x", 0)]))).toMatchObject({ grade: null });
});
