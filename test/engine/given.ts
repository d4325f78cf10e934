/** Engines in this process, on directories of their own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { DataDirectory } from "../../src/engine/directory.js";
import { EmbeddedEngine, type EmbeddedEngineOptions } from "../../src/engine/embedded-engine.js";
import { encodeScoreLine } from "../../src/events/encode.js";
import { checkModel } from "../../src/model/check.js";
import { type CompiledModel, compile } from "../../src/model/compile.js";
import { systemClock } from "../../src/stream/clock.js";
import { createLogger } from "../../src/telemetry.js";
import { model as peopleModel } from "./people.js";

/** What an engine says of itself, line by line. */
export class Told extends Writable {
  readonly lines: { readonly level: number; readonly msg: string }[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    for (const line of chunk.toString().split("\n")) if (line !== "") this.lines.push(JSON.parse(line) as never);
    done();
  }

  get text(): string {
    return this.lines.map(({ msg }) => msg).join("\n");
  }
}

export function compiled(text: string): CompiledModel {
  const result = checkModel(text, "test.yaml");
  if (!result.ok) throw new Error(JSON.stringify(result));
  return compile(result.model);
}

export interface Opened {
  readonly engine: EmbeddedEngine;
  readonly told: Told;
}

/** Opens a directory, timers by hand. The engine may have failed already: `engine.task.running()` tells. */
export async function opened(path: string, over: Partial<EmbeddedEngineOptions> = {}): Promise<Opened> {
  const told = new Told();
  const engine = await EmbeddedEngine.start({
    directory: over.directory ?? (await DataDirectory.open(path)),
    models: [compiled(peopleModel)],
    clock: systemClock,
    timers: "manual",
    logger: createLogger("warn", told),
    ...over,
  });
  return { engine, told };
}

/** Takes inputs in, and waits until they are folded, published and in the store. */
export async function take(engine: EmbeddedEngine, inputs: readonly object[]): Promise<void> {
  for (let from = 0; from < inputs.length; from += 500) {
    const lines = inputs.slice(from, from + 500).map((input) => JSON.stringify(input));
    const { offset } = await engine.append(lines);
    await engine.folded(offset + lines.length - 1);
  }
  await engine.task.written();
}

export async function scoresOf(engine: EmbeddedEngine, asOf?: number): Promise<string[]> {
  const lines: string[] = [];
  const question = { tenantId: "default", ...(asOf === undefined ? {} : { asOf }) };
  for await (const some of engine.allScores(question)) lines.push(...some.map(encodeScoreLine));
  return lines;
}

/** All that a topic has now. */
export async function recordsOf(engine: EmbeddedEngine, topic: string): Promise<string[]> {
  const end = (await engine.topics()).find((one) => one.topic === topic)!.end;
  const values: string[] = [];
  if (end === 0) return values;
  for await (const some of engine.outputs(topic, 0, new AbortController().signal, end))
    values.push(...some.map(({ value }) => value));
  return values;
}

/** A directory for one test, that is not there yet. */
export class Place {
  readonly root = mkdtempSync(join(tmpdir(), "scorefold-engine-"));
  readonly data = join(this.root, "data");

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
