import { beforeEach, describe, expect, it } from "vitest";
import { painter, paints } from "../../src/cli/io.js";
import { Progress } from "../../src/cli/progress.js";
import { memoryIo } from "./memory-io.js";

let now = 0;
beforeEach(() => {
  now = 1000;
});
const clock = (): number => now;
const clearLine = "\r\u001b[2K";

describe("progress on a terminal", () => {
  it("draws a bar over itself, not more often than one can see", () => {
    const io = memoryIo({ terminal: true });
    const progress = new Progress(io, clock);
    progress.update("reading", 1, 4, "bytes");
    expect(io.stderr.text).toBe("");
    now += 100;
    progress.update("reading", 1000, 4000, "bytes");
    expect(io.stderr.text).toBe(`${clearLine}reading [${"█".repeat(7)}${"░".repeat(21)}] 25% 1,000 of 4,000 bytes`);
    now += 99;
    progress.update("reading", 2000, 4000, "bytes");
    now += 1;
    progress.update("reading", 4000, 4000, "bytes");
    expect(io.stderr.text.split(clearLine).slice(2)).toEqual([`reading [${"█".repeat(28)}] 100% 4,000 of 4,000 bytes`]);
  });

  it("takes the bar away once, and only if there is one", () => {
    const io = memoryIo({ terminal: true });
    const progress = new Progress(io, clock);
    progress.clear();
    expect(io.stderr.text).toBe("");
    now += 100;
    progress.update("folding", 0, 0, "inputs");
    expect(io.stderr.text).toContain("0% 0 of 0 inputs");
    progress.clear();
    progress.clear();
    expect(io.stderr.text.endsWith(`inputs${clearLine}`)).toBe(true);
  });

  it("counts where the end can't be known, and never shows more than all", () => {
    const io = memoryIo({ terminal: true });
    const progress = new Progress(io, clock);
    now += 100;
    progress.update("reading", 5000, undefined, "bytes");
    expect(io.stderr.text).toBe(`${clearLine}reading 5,000 bytes`);
    now += 100;
    progress.update("reading", 9, 8, "bytes");
    expect(io.stderr.text).toContain("] 100% 9 of 8 bytes");
  });
});

describe("progress elsewhere", () => {
  it("is a plain line now and then, and nothing for what is quickly done", () => {
    const io = memoryIo();
    const progress = new Progress(io, clock);
    for (const step of [100, 4899, 1, 4999]) {
      now += step;
      progress.update("folding", now, 20_000, "inputs");
    }
    progress.clear();
    expect(io.stderr.text).toBe("folding: 6,000 of 20,000 inputs\n");
    expect(io.stdout.text).toBe("");
  });
});

describe("colours", () => {
  it("are for terminals of people who have not said no", () => {
    const paintsOn = (options: Parameters<typeof memoryIo>[0]): boolean => {
      const io = memoryIo(options);
      return paints(io, io.stdout);
    };
    expect(paintsOn({ terminal: true })).toBe(true);
    expect(paintsOn({ terminal: false })).toBe(false);
    expect(paintsOn({ terminal: true, env: { NO_COLOR: "1" } })).toBe(false);
    expect(paintsOn({ terminal: true, env: { NO_COLOR: "" } })).toBe(true);
    expect(paintsOn({ terminal: true, env: { TERM: "dumb" } })).toBe(false);
  });

  it("surround a text, or leave it as it is", () => {
    const [terminal, plain] = [memoryIo({ terminal: true }), memoryIo()];
    expect(painter(terminal, terminal.stdout)("red", "error:")).toBe("\u001b[31merror:\u001b[39m");
    expect(painter(plain, plain.stdout)("red", "error:")).toBe("error:");
  });
});
