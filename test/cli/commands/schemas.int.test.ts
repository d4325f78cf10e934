/** The commands against a real registry, in which the subjects of the shipped schemas are these tests'. */
import { describe, expect, it } from "vitest";
import { addressIfThere } from "../../components/component.js";
import { told } from "../memory-io.js";

const url = await addressIfThere("registry");
const SUBJECT = "adjustments-value";

async function send(method: "POST" | "DELETE", path: string, body?: object): Promise<number> {
  const headers = { "content-type": "application/vnd.schemaregistry.v1+json" };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  return (await fetch(`${url}${path}`, { method, headers, ...sent })).status;
}

const schemas = async (command: string) =>
  await told(["schemas", command, "--format", "json"], { env: { SCOREFOLD_SCHEMA_REGISTRY_URL: url! } });
const states = (stdout: string): Record<string, string> =>
  Object.fromEntries(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { subject: string; state: string })
      .map(({ subject, state }) => [subject, state]),
  );

describe.skipIf(url === null)("schemas", () => {
  it("registers all or nothing, and says what is in the way", async () => {
    await send("DELETE", `/subjects/${SUBJECT}`);
    const schema = { type: "record", name: "Adjustment", fields: [{ name: "else", type: "int" }] };
    expect(await send("POST", `/subjects/${SUBJECT}/versions`, { schema: JSON.stringify(schema) })).toBe(200);
    for (const command of ["check", "register"]) {
      const refused = await schemas(command);
      expect(refused).toMatchObject({ code: 3, stderr: "12 subjects, 1 incompatible\n" });
      expect(states(refused.stdout)).toMatchObject({ [SUBJECT]: "incompatible", "contacts-value": "new" });
    }
    expect(await send("DELETE", `/subjects/${SUBJECT}`)).toBe(200);
    const registered = await schemas("register");
    expect(registered).toMatchObject({ code: 0, stderr: "12 subjects\n" });
    expect(new Set(Object.values(states(registered.stdout)))).toEqual(new Set(["registered"]));
    expect(await schemas("check")).toEqual(registered);
    expect((await told(["schemas", "check", "--schema-registry", url!])).stdout).toMatch(
      /^subject +schema +id +why not\n-+.*\ninteractions\.email-value +registered +\d+\n/,
    );
  });
});

it("schemas wants a registry", async () => {
  expect(await told(["schemas", "check"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--schema-registry is missing"),
  });
});
