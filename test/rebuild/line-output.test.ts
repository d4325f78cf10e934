import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LineOutput } from "../../src/rebuild/line-output.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "output-test-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => Promise.reject(new Error("no error")),
    (error: unknown) => error,
  );

describe("LineOutput", () => {
  it("shows a file only when it is complete, and replaces the one before", async () => {
    const path = join(directory, "scores.jsonl");
    writeFileSync(path, "old\n");
    const output = await LineOutput.open(path);
    output.append("a");
    output.append("\u{1f600}");
    await output.flush();
    expect(readFileSync(path, "utf8")).toBe("old\n");
    output.append("c");
    await output.commit();
    await output.discard();
    expect(readFileSync(path, "utf8")).toBe("a\n\u{1f600}\nc\n");
    expect(readdirSync(directory)).toEqual(["scores.jsonl"]);
  });

  it("leaves nothing behind when given up", async () => {
    const output = await LineOutput.open(join(directory, "scores.jsonl"));
    output.append("a");
    await output.flush();
    expect(readdirSync(directory)).toHaveLength(1);
    await output.discard();
    expect(readdirSync(directory)).toEqual([]);
  });

  it("replaces what a link leads to, not the link", async () => {
    const target = join(directory, "target");
    const link = join(directory, "link");
    writeFileSync(target, "old\n");
    symlinkSync(target, link);
    const output = await LineOutput.open(link);
    output.append("new");
    await output.commit();
    expect(readFileSync(target, "utf8")).toBe("new\n");
  });

  it("writes to a stream at its pace and leaves it open", async () => {
    const stream = new PassThrough({ highWaterMark: 16 });
    const output = await LineOutput.open(stream);
    const line = "x".repeat(1000);
    for (let i = 0; i < 300; i += 1) output.append(line);
    expect(output.isFull).toBe(true);
    let received = 0;
    let isFlushed = false;
    const flushed = output.flush().then(() => {
      isFlushed = true;
    });
    await new Promise((done) => setImmediate(done));
    expect(isFlushed).toBe(false);
    stream.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    await flushed;
    await output.commit();
    expect(received).toBe(300 * 1001);
    expect(stream.writable).toBe(true);
  });

  it("names the place and the way out when it can't write", async () => {
    const none = join(directory, "none", "scores.jsonl");
    expect(await failure(LineOutput.open(none))).toMatchObject({
      code: "output-failed",
      message: expect.stringMatching(/none\/scores.jsonl: there is no directory .*none; make it first/),
    });
    mkdirSync(join(directory, "folder"));
    expect(await failure(LineOutput.open(join(directory, "folder")))).toMatchObject({
      message: expect.stringContaining("name a file"),
    });
    const broken = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("broken"), { code: "EPIPE" })),
    });
    const output = await LineOutput.open(broken);
    output.append("x");
    expect(await failure(output.commit())).toMatchObject({ code: "output-failed" });
  });

  it.runIf(process.env["CI"] !== undefined || existsSync("/dev/full"))("says when the disk is full", async () => {
    const output = await LineOutput.open("/dev/full");
    output.append("x");
    expect(await failure(output.commit())).toMatchObject({
      code: "disk-full",
      retryable: true,
      message: "/dev/full: the disk is full; make room, or name a file on another disk",
    });
    await output.discard();
  });

  it("removes what was begun when a signal ends the process", async () => {
    const module = new URL("../../dist/rebuild/line-output.js", import.meta.url).href;
    const script = `
      const { LineOutput } = await import(${JSON.stringify(module)});
      const output = await LineOutput.open(${JSON.stringify(join(directory, "scores.jsonl"))});
      output.append("x");
      await output.flush();
      console.log("begun");
      setInterval(() => output, 1000);
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((begun) => child.stdout.once("data", begun));
    expect(readdirSync(directory)).toHaveLength(1);
    child.kill("SIGINT");
    const signal = await new Promise((ended) => child.once("exit", (_code, by) => ended(by)));
    expect(signal).toBe("SIGINT");
    expect(readdirSync(directory)).toEqual([]);
  });
});
