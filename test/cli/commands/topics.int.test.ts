/** `topics` against a real broker. */
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { addressIfThere } from "../../components/component.js";
import { type Told, told } from "../memory-io.js";

const broker = await addressIfThere("kafka");
const directory = mkdtempSync(join(tmpdir(), "cli-topics-test-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A set of topics that no other test has, in a directory of its own. */
function ownTopics(): { readonly id: string; readonly path: string; readonly write: (retention: string) => void } {
  const id = randomUUID();
  const path = join(directory, id);
  mkdirSync(path);
  const file = (name: string, text: string): void => writeFileSync(join(path, `${name}.yaml`), text);
  const write = (retention: string): void =>
    file("visits", `name: ${id}.visits\nrole: input\npartitions: 2\nconfig: { retention.ms: ${retention} }\n`);
  for (const kind of ["score-changed", "threshold-crossed", "dead-letter"])
    file(kind, `name: ${id}.${kind}\nrole: output\nkind: ${kind}\npartitions: 2\n`);
  write("-1");
  return { id, path, write };
}

describe.skipIf(broker === null)("topics", () => {
  const run = async (path: string, ...args: readonly string[]): Promise<Told> =>
    await told(["topics", ...args, "--topics", path], { env: { SCOREFOLD_KAFKA_BROKERS: broker ?? "" } });

  it("are listed, made and told apart from what is defined, and never changed", async () => {
    const { id, path, write } = ownTopics();
    const before = await run(path, "list");
    expect(before).toMatchObject({ code: 3, stderr: "4 topics: 4 missing\n" });
    expect(before.stdout).toContain(`${id}.visits`);
    expect(await run(path, "apply", "--dry-run")).toMatchObject({ code: 3, stderr: "4 topics: 4 missing\n" });
    const made = await run(path, "apply", "--partitions", "3", "--replication", "1");
    expect(made).toMatchObject({ code: 0, stderr: "4 topics: 4 created\n" });
    expect(made.stdout).toContain(`created  ${id}.visits\n`);
    expect(await run(path, "apply", "--partitions", "3")).toMatchObject({ code: 0, stderr: "4 topics: 4 same\n" });
    write("5000");
    const differs = await run(path, "apply");
    expect(differs).toMatchObject({ code: 3, stderr: "4 topics: 4 differ\n" });
    expect(differs.stdout).toContain(
      `${id}.visits: partitions is 3, defined is 2\n  a topic is not grown or shrunk under an engine`,
    );
    expect(differs.stdout).toContain(
      `${id}.visits: retention.ms is -1, defined is 5000\n` +
        `  kafka-configs.sh --bootstrap-server ${broker} --alter --entity-type topics --entity-name ${id}.visits --add-config retention.ms=5000\n` +
        "  or define retention.ms: -1 in the topic's file\n",
    );
    const listed = await run(path, "list", "--format", "json");
    expect(listed.code).toBe(3);
    const lines = listed.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({
      topic: `${id}.visits`,
      partitions: 2,
      there: { partitions: 3, replication: 1, config: { "retention.ms": "-1" } },
      differences: [
        { setting: "partitions", wanted: "2", found: "3" },
        { setting: "retention.ms", wanted: "5000", found: "-1" },
      ],
    });
  });

  it("that the broker refuses are an error", async () => {
    const { id, path, write } = ownTopics();
    write("lots");
    const { code, stderr } = await run(path, "apply");
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^error: topic ${id}.visits can't be made: .*retention.ms`));
  });
});
