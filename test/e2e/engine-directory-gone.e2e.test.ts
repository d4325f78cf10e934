/** The data directory is taken away from under the built command: what a client, a probe and a supervisor see. */
import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { began, click, model } from "../engine/people.js";
import { Running } from "../engine/running.js";
import { Folder, scorefold } from "./command.js";

let folder: Folder;
let engine: Running;
beforeEach(async () => {
  folder = new Folder();
  folder.write("lead.yaml", model);
  engine = await Running.start(folder, ["--models", "lead.yaml"]);
  await engine.ready();
});
afterEach(async () => {
  await engine.stop("SIGKILL");
  folder.remove();
});

it.each([
  ["removed", () => rmSync(join(folder.path, "data"), { recursive: true })],
  ["moved", () => renameSync(join(folder.path, "data"), join(folder.path, "aside"))],
])("%s: nothing is answered 202, /readyz is 503, and the process ends and says what to do", async (_, act) => {
  expect((await engine.send([click("ada", "e1", began)])).status).toBe(202);
  act();
  const answers = await Promise.all([
    engine.get("/readyz"),
    ...["e2", "e3", "e4"].map((id) => engine.send([click("ada", id, began)])),
  ]);
  for (const { status, body } of answers)
    expect([status, body["detail"]]).toEqual([503, expect.stringMatching(/put .*data back as it was/i)]);
  const { code, stderr } = await engine.end;
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^error: .*data\/log is not the log any more that this engine has open: it was removed or moved/m,
  );
  expect(stderr).not.toMatch(/fault of scorefold/);
  // Nothing of it is made anew, so that what was moved can be put back.
  expect(existsSync(join(folder.path, "data"))).toBe(false);
});

it("moved and put back: what was answered 202 is there", async () => {
  expect((await engine.send([click("ada", "e1", began)])).status).toBe(202);
  renameSync(join(folder.path, "data"), join(folder.path, "aside"));
  expect((await engine.end).code).toBe(1);
  renameSync(join(folder.path, "aside"), join(folder.path, "data"));
  const { stdout } = await scorefold(["scores", "--format", "json"], { cwd: folder.path });
  expect(stdout).toContain('"contactId":"ada"');
});
