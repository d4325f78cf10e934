import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { openapi } from "../../src/api/openapi.js";
import { ask, click, post, serve } from "./serve.js";

type Operations = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

describe("the OpenAPI document", () => {
  it("has every route, and no other", async () => {
    const { server, url } = await serve();
    const documented = Object.entries(openapi["paths"] as Operations).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const registered = server.routes
      .filter(({ method }) => method !== "HEAD")
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
    expect(documented.sort()).toEqual(registered.sort());
    expect((await ask(`${url}/v1/openapi.json`)).json).toEqual(openapi);
  });

  it("refers to nothing that is not there", () => {
    const text = JSON.stringify(openapi);
    for (const [, path] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = path!.split("/").reduce<unknown>((value, name) => (value as Operations)?.[name], openapi);
      expect(found, path).toBeDefined();
    }
  });

  it("tells answers as they are", async () => {
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema({ $id: "api", ...openapi });
    const fits = (schema: string, value: unknown): void => {
      const validate = ajv.compile({ $ref: `api#/components/schemas/${schema}` });
      validate(value);
      expect(validate.errors ?? [], schema).toEqual([]);
    };
    const { url } = await serve();
    const batch = [click("e1"), click("e2"), {}, { kind: "profile" }];
    fits("Interaction", click("e1"));
    fits("Ingested", (await post(`${url}/v1/interactions?wait=folded`, batch)).json);
    fits("ContactScores", (await ask(`${url}/v1/contacts/ann/scores`)).json);
    fits("Explained", (await ask(`${url}/v1/contacts/ann/explain`)).json);
    fits("Tasks", (await ask(`${url}/v1/tasks`)).json);
    fits("Topics", (await ask(`${url}/v1/topics`)).json);
    fits("Health", (await ask(`${url}/healthz`)).json);
    fits("Ready", (await ask(`${url}/readyz`)).json);
    fits("Problem", (await ask(`${url}/nothing`)).json);
    fits("ScoreLine", JSON.parse((await ask(`${url}/v1/scores`)).text));
  });
});
