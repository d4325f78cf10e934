/** The demo: ends by itself, shows what it promises, and says the same for the same seed. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Ended, Folder, scorefold } from "./command.js";

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
  return stdout.replace(/ in \d+\.\d s/, " in SECONDS").replaceAll(`${dir}/`, "DIR/");
}

it("shows bands, crossings, the top with why, a story, and how to go on", async () => {
  const result = await demo("files");
  expect(result.code).toBe(0);
  const titles = [
    /^Scorefold demo: 300 made-up contacts, 3 months/m,
    /the same inputs, shuffled: the same scores, byte for byte/,
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

it("offers three commands that work", async () => {
  const { stdout } = await demo("files");
  const commands = stdout
    .slice(stdout.indexOf("Go on"))
    .split("\n")
    .flatMap((line) => /^ {2}scorefold (.*)$/.exec(line)?.[1] ?? []);
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
