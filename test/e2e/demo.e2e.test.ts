/** The demo: ends by itself, shows what it promises, and says the same for the same seed. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Ended, ended, Folder, scorefold, start } from "./command.js";

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder.remove());

const size = ["--contacts", "300", "--months", "3"];

const demo = (dir: string, ...more: string[]): Promise<Ended> =>
  scorefold(["demo", "--dir", dir, ...size, ...more], { cwd: folder.path });

/** Without what differs from run to run: how long it took, and where it was put. */
function told({ stdout }: Ended, dir: string): string {
  return stdout.replace(/ in \d+\.\d s/, " in SECONDS").replaceAll(dir, "DIR");
}

it("shows bands, crossings, the top with why, a story, and how to go on", async () => {
  const result = await demo("files");
  expect(result.code).toBe(0);
  const titles = [
    /^Scorefold demo: 300 made-up contacts, 3 months/m,
    /^The engine takes them as they come/m,
    /^ {2}2026-01-14 .*[▲▼]/m,
    /each on disk before it counted: [\d,]+ score changes/,
    /replayed from the file, sorted: the same scores, byte for byte/,
    /^Bands of Marketing suite/m,
    /^Bands of Lead fit and engagement/m,
    /^Crossed in the last 7 days \([1-9]/m,
    /^Top contacts of marketing-suite/m,
    /^One contact's story: \S/m,
    /^and where every point comes from/m,
    /^Go on/m,
  ];
  const places = titles.map((title) => result.stdout.search(title));
  expect(places.every((place, i) => place > (places[i - 1] ?? -1))).toBe(true);
  // Escapes are for terminals only.
  expect(result.stdout).not.toContain("\u001b");
  expect(folder.names()).toEqual(["files"]);
});

it("offers commands that work", async () => {
  const { stdout } = await demo("files");
  const commands = stdout
    .slice(stdout.indexOf("Go on"))
    .split("\n")
    .flatMap((line) => /^ {2}scorefold (.*)$/.exec(line)?.[1] ?? [])
    .filter((command) => command !== "demo --serve");
  expect(commands).toHaveLength(3);
  for (const command of commands) {
    const result = await scorefold(command.split(" "), { cwd: folder.path });
    expect(result, command).toMatchObject({ code: 0 });
    expect(result.stdout.split("\n").length, command).toBeGreaterThan(5);
  }
});

it("says the same for the same seed, and something else for another", async () => {
  const [one, again, other] = [
    await demo("first-run"),
    await demo("second-run"),
    await demo("third-run", "--seed", "7"),
  ];
  expect(told(again, "second-run")).toBe(told(one, "first-run"));
  expect(folder.read("second-run/inputs.jsonl") === folder.read("first-run/inputs.jsonl")).toBe(true);
  expect(folder.read("third-run/inputs.jsonl") === folder.read("first-run/inputs.jsonl")).toBe(false);
  expect(told(other, "third-run")).not.toBe(told(one, "first-run"));
});

it("with --serve stays up, and names curl commands that work", async () => {
  const args = ["demo", "--dir", "files", "--contacts", "100", "--months", "1", "--serve"];
  const child = start(args, { cwd: folder.path, env: { SCOREFOLD_PORT: "0" } });
  let stdout = "";
  const commands: string[] = [];
  for await (const chunk of child.stdout) {
    stdout += String(chunk);
    commands.splice(0, commands.length, ...[...stdout.matchAll(/^ {2}(curl .*)$/gm)].map(([, command]) => command!));
    if (commands.length === 3 && stdout.endsWith("\n")) break;
  }
  const [scores, post, stream] = commands as [string, string, string];
  const answers = [scores, post].map((command) => JSON.parse(execFileSync("sh", ["-c", `${command} -s`]).toString()));
  expect(answers[0].scores).toHaveLength(2);
  expect(answers[1]).toMatchObject({ accepted: 1, refused: 0, folded: true });
  const response = await fetch(/http:\S+/.exec(stream)![0]);
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  await response.body?.cancel();
  const end = ended(child);
  child.kill("SIGTERM");
  expect(await end).toMatchObject({ code: 0 });
});

it("clears away what an earlier demo left, and nobody else's data", async () => {
  expect((await demo("files")).code).toBe(0);
  expect((await demo("files")).code).toBe(0);
  rmSync(join(folder.path, "files", ".scorefold-demo"));
  const refused = await demo("files");
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toContain("there are data here that no demo has made");
});

it.each([
  [["--contacts", "0"], "--contacts is a whole number from 1 to 100000"],
  [["--months", "many"], "--months is a whole number from 1 to 36"],
  [["--seed", "1.5"], "--seed is a whole number"],
])("refuses %j", async (args, message) => {
  const result = await demo("files", ...args);
  expect(result).toMatchObject({ code: 2, stdout: "" });
  expect(result.stderr).toContain(message);
});

it("says where its files can't go", async () => {
  folder.write("file", "");
  const result = await demo("file/below");
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toContain("file/below: the demo's files can't go there");
  expect(result.stderr).toContain("--dir");
});
