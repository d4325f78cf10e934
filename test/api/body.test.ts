import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readJson, readLines } from "../../src/api/items.js";
import { malformed } from "../../src/api/json-fault.js";
import { Problem } from "../../src/api/problems.js";
import { type Answer, ask, click, post, serve } from "./serve.js";

const expected = { kind: "interaction", tenantId: undefined, itemsMax: 1000 } as const;

/** Pieces of JSON in any order: mostly broken, and near to what is right. */
const nearJson = fc
  .array(
    fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "\\",
      '"id"',
      '"contactId":"c"',
      "1",
      "-",
      "1e9",
      "true",
      "nul",
      " ",
      "\n",
      "\u00e9",
      "\u{1f642}",
      "\u0000",
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  nearJson.map((text) => Buffer.from(text)),
  fc.json().map((text) => Buffer.from(text)),
  fc.array(fc.json()).map((texts) => Buffer.from(`[${texts.join(" , ")}]`)),
  fc.array(fc.oneof(fc.json(), nearJson)).map((texts) => Buffer.from(texts.join("\n"))),
);

function checkAnswer({ status, type, json }: Answer): void {
  if (status === 202) {
    expect(json.accepted + json.refused).toBe(json.results.length);
    return;
  }
  expect(type).toContain("application/problem+json");
  expect(json).toMatchObject({ type: expect.stringMatching(/^\/problems\//), status, detail: expect.any(String) });
  expect([400, 422]).toContain(status);
}

describe("whatever bytes are sent", () => {
  it("the answer is a result or a problem, and the server lives", async () => {
    const { url, engine } = await serve();
    const types = fc.constantFrom("application/json", "application/x-ndjson");
    const paths = fc.constantFrom("interactions", "profiles", "adjustments");
    await fc.assert(
      fc.asyncProperty(anyBytes, types, paths, async (bytes, type, path) => {
        checkAnswer(await post(`${url}/v1/${path}`, new Uint8Array(bytes), { "content-type": type }));
      }),
      { numRuns: 400 },
    );
    const before = engine.lines.length;
    expect((await post(`${url}/v1/interactions`, click("e1"))).json.offset).toBe(before);
    expect((await ask(`${url}/healthz`)).status).toBe(200);
  });

  it("JSON is taken exactly where JSON.parse takes it, cut into the same values", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        let value: unknown;
        let isJson = true;
        try {
          value = JSON.parse(new TextDecoder("utf8", { fatal: true }).decode(bytes));
        } catch {
          isJson = false;
        }
        let items: ReturnType<typeof readJson> | undefined;
        try {
          items = readJson(bytes, expected);
        } catch (error) {
          expect(error).toBeInstanceOf(Problem);
        }
        expect(items !== undefined).toBe(isJson);
        if (items === undefined) return;
        const values = Array.isArray(value) ? value : [value];
        expect(items.isBatch).toBe(Array.isArray(value));
        expect(items.count).toBe(values.length);
        if (items.mismatches.size > 0) return;
        expect(items.lines.map((line) => JSON.parse(line as string))).toEqual(values);
      }),
      { numRuns: 5000 },
    );
  });

  it("lines are never lost", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.json(), nearJson)), (texts) => {
        const all = texts.flatMap((text) => text.split("\n")).filter((text) => text.trim() !== "");
        if (all.length === 0) return;
        const items = readLines(Buffer.from(texts.join("\n")), expected);
        expect(items.lines.length + items.mismatches.size).toBe(all.length);
        expect(items.lines).toEqual(all.map((text) => text.trim()));
      }),
    );
  });

  it("and however deep they are nested", async () => {
    const { url } = await serve();
    const deep = "[".repeat(500_000) + "]".repeat(500_000);
    const one = `{"id":"e1","contactId":"ann","type":"email.clicked","at":1000000000001,"attributes":{"deep":${deep}}}`;
    for (const text of [deep, one, "[".repeat(1_000_000), '{"a":'.repeat(200_000)]) {
      const answer = await post(`${url}/v1/interactions`, text);
      if (answer.status === 202) expect(answer.json.refused).toBe(1);
      else checkAnswer(answer);
    }
  });
});

describe("malformed JSON", () => {
  it.each([
    ["", 0, "a value"],
    ["{", 1, "a name in quotation marks, or }"],
    ['{"a"}', 4, ":"],
    ['{"a":1,}', 7, "a name in quotation marks"],
    ["[1 2]", 3, ", or ]"],
    ["[1,]", 3, "a value"],
    ["{]", 1, "a name in quotation marks, or }"],
    ["[1] x", 4, "nothing more"],
    ['["a\nb"]', 3, "a text without control characters, or its end"],
    ['["\\x"]', 2, "an escape such as \\n or \\u00e9"],
    ['["abc', 5, "the end of the text"],
    ["[01]", 2, ", or ]"],
    ["[tru]", 1, "a value"],
  ])("%j is at fault at %i: expected %s", (text, position, wanted) => {
    const problem = malformed(text);
    expect(problem.extensions["position"]).toBe(position);
    expect(problem.message).toContain(`expected ${wanted}; nothing`);
  });

  it("is found wherever JSON.parse finds any", () => {
    fc.assert(
      fc.property(nearJson, (text) => {
        try {
          JSON.parse(text);
        } catch {
          expect(malformed(text).message).not.toContain("expected JSON");
        }
      }),
      { numRuns: 5000 },
    );
  });
});
