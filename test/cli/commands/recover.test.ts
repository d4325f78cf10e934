/** `recover --accept-loss` on a directory: the command that the error names, given as it is. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { began, click, day, deeds, model, person } from "../../engine/people.js";
import { type Told, told } from "../memory-io.js";

let root: string;
let data: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "scorefold-recover-"));
  data = join(root, "data");
  writeFileSync(join(root, "lead.yaml"), model);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function ran(...args: string[]): Promise<Told> {
  return await told(args, { env: { SCOREFOLD_DATA: data } });
}

async function ingest(name: string, inputs: readonly object[]): Promise<Told> {
  const path = join(root, name);
  writeFileSync(path, inputs.map((input) => `${JSON.stringify(input)}\n`).join(""));
  return await ran("ingest", "--models", join(root, "lead.yaml"), path);
}

it("goes on after a log that has lost its end, by the command of the message alone", async () => {
  expect(await ingest("first.jsonl", deeds(5))).toMatchObject({ code: 0 });
  cpSync(join(data, "log"), join(root, "log"), { recursive: true });
  expect(await ingest("second.jsonl", [click(person(1).id, "later", began + 70 * day)])).toMatchObject({ code: 0 });
  rmSync(join(data, "log"), { recursive: true });
  cpSync(join(root, "log"), join(data, "log"), { recursive: true });
  const more = [click(person(2).id, "more", began + 71 * day)];
  const refused = await ingest("third.jsonl", more);
  expect(refused.code).toBe(1);
  const command = /`scorefold (recover[^`]+)`/.exec(refused.stderr)?.[1];
  expect(command, refused.stderr).toMatch(/^recover --accept-loss inputs-0/);
  const accepted = await ran(...command!.split(" "));
  expect(accepted, accepted.stderr).toMatchObject({ code: 0 });
  expect(accepted.stdout).toMatch(/inputs-0: was read up to \d+, and goes on at \d+; 1 records at most are accepted/);
  expect(await ingest("third.jsonl", more)).toMatchObject({ code: 0 });
  // Nothing is lost any more.
  const again = await ran(...command!.split(" "));
  expect(again.code).not.toBe(0);
  expect(again.stderr).toContain("inputs-0");
  expect(again.stderr).toContain("nothing is lost of it");
});

it("wants to be told something, and a partition by its name", async () => {
  expect((await ran("recover")).stderr).toContain("name --published-until or --accept-loss");
  expect((await ran("recover", "--accept-loss", "inputs")).stderr).toContain("name it as TOPIC-PARTITION");
});
