import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ScorefoldError } from "../../src/errors.js";
import { type BrokenLine, LINE_BYTES_MAX, readError, readLines } from "../../src/rebuild/lines.js";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "lines-test-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const file = (name: string, content: string | Buffer): string => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};

async function linesOf(path: string, stdin?: Readable): Promise<(string | BrokenLine)[]> {
  const all: (string | BrokenLine)[] = [];
  for await (const batch of readLines(path, stdin)) {
    expect(batch.firstLine).toBe(all.length + 1);
    all.push(...batch.lines);
  }
  return all;
}

async function failure(path: string): Promise<ScorefoldError> {
  const error = await linesOf(path).catch((caught: unknown) => caught);
  if (!(error instanceof ScorefoldError)) throw new Error(`no error, or another: ${String(error)}`);
  expect(error.code).toBe("input-missing");
  expect(error.message).toContain(path);
  return error;
}

const sha256 = (bytes: Buffer | string) => createHash("sha256").update(bytes).digest("hex");

describe("readLines", () => {
  it("reads LF and CR LF, empty lines, a byte order mark, and a last line without an end", async () => {
    expect(await linesOf(file("ends", "\ufeffa\r\n\n b \nc\r\n\u00e9"))).toEqual(["a", "", " b ", "c", "\u00e9"]);
    expect(await linesOf(file("empty", ""))).toEqual([]);
    expect(await linesOf(file("blank", "\n"))).toEqual([""]);
  });

  it("reads gzip by its first bytes and by its name, several members too", async () => {
    const members = Buffer.concat([gzipSync("a\nb"), gzipSync("c\n")]);
    expect(await linesOf(file("x.gz", members))).toEqual(["a", "bc"]);
    expect(await linesOf(file("no-ending", members))).toEqual(["a", "bc"]);
  });

  it("reads a stream in chunks of any size, plain or gzip, as it reads the whole", async () => {
    const line = fc.oneof(
      fc.string({ unit: fc.constantFrom("a", "\u00e9", "\u{1f600}", "\u001f", "\u008b"), maxLength: 12 }),
      fc.constant("x".repeat(40)),
    );
    const content = fc.tuple(fc.array(line, { maxLength: 20 }), fc.boolean(), fc.boolean());
    await fc.assert(
      fc.asyncProperty(content, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), async (parts, sizes) => {
        const [lines, hasEnd, isZipped] = parts;
        const text = lines.join("\n") + (hasEnd ? "\n" : "");
        const bytes = isZipped ? gzipSync(text) : Buffer.from(text);
        const chunks: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i += 1) {
          const size = sizes[i % sizes.length] as number;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        const expected = text.split("\n");
        if (expected.at(-1) === "") expected.pop();
        expect(await linesOf("-", Readable.from(chunks))).toEqual(expected);
      }),
    );
  });

  it("does not keep a line that is too long, and reads on", async () => {
    const long = "\u00e9".repeat(LINE_BYTES_MAX);
    const fits = "y".repeat(LINE_BYTES_MAX);
    const over = `${"z".repeat(LINE_BYTES_MAX)}z`;
    const [a, first, b, second, third, c] = await linesOf(file("long", `a\n${long}\nb\n${fits}\n${over}\nc`));
    expect([a, b, c]).toEqual(["a", "b", "c"]);
    expect(first).toEqual({
      bytes: 2 * LINE_BYTES_MAX,
      sha256: sha256(long),
      head: "\u00e9".repeat(LINE_BYTES_MAX / 2),
      isUtf8: true,
    });
    expect(second === fits).toBe(true);
    expect(third).toMatchObject({ bytes: LINE_BYTES_MAX + 1, sha256: sha256(over) });
    // Cut in the middle of a character: the whole ones are kept.
    const odd = `-${"\u{1f600}".repeat(LINE_BYTES_MAX / 2)}`;
    const [cut] = (await linesOf(file("odd", odd))) as BrokenLine[];
    expect(cut).toMatchObject({ isUtf8: true, bytes: 2 * LINE_BYTES_MAX + 1 });
    expect(cut?.head).toBe(`-${"\u{1f600}".repeat(LINE_BYTES_MAX / 4 - 1)}`);
  });

  it("names a line that is not UTF-8, and only that one", async () => {
    const bad = Buffer.from([0x61, 0xff, 0xfe, 0x62]);
    const lines = await linesOf(file("bad", Buffer.concat([Buffer.from("\u00e9\n"), bad, Buffer.from("\r\nz")])));
    expect(lines[0]).toBe("\u00e9");
    expect(lines[1]).toMatchObject({ isUtf8: false, bytes: 5, head: "a\ufffd\ufffdb\r", base64: "Yf/+Yg0=" });
    expect(lines[2]).toBe("z");
  });

  it("says what is wrong with a file that can't be read, and what to do", async () => {
    expect((await failure(join(directory, "none.jsonl"))).message).toContain("no such file");
    mkdirSync(join(directory, "folder"));
    expect((await failure(join(directory, "folder"))).message).toContain("name the files in it");
    expect((await failure(join(file("plain", "x"), "y"))).message).toContain("check the path");
    const zipped = gzipSync("some lines\n".repeat(10_000));
    expect((await failure(file("cut.gz", zipped.subarray(0, zipped.length / 2)))).message).toContain("end too early");
    const damaged = Buffer.from(zipped);
    damaged.fill(0xff, 20, 60);
    expect((await failure(file("damaged.gz", damaged))).message).toContain("damaged");
    expect((await failure(file("named.gz", "plain text"))).message).toContain("damaged");
  });

  it("says when it may not read; the superuser may", async () => {
    const path = file("secret", "x");
    chmodSync(path, 0);
    if (process.getuid?.() === 0) expect(await linesOf(path)).toEqual(["x"]);
    else expect((await failure(path)).message).toContain("no permission");
    const refused = Object.assign(new Error("EACCES: permission denied, open"), { code: "EACCES" });
    expect(readError("inputs.jsonl", refused, 0)).toMatchObject({
      code: "input-missing",
      message: "inputs.jsonl: no permission to read the file; change its mode or run as its owner",
    });
  });
});
