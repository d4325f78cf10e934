/** Copies of kafkajs, each loaded with corrections of its own. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { type Loaded, loadKafkajs } from "../../../src/kafka/kafkajs.js";
import type { Patch } from "../../../src/kafka/patches/patch.js";

const require = createRequire(import.meta.url);
const made: string[] = [];

export function copyOfKafkajs(patches: readonly Patch[]): Loaded {
  const root = mkdtempSync(join(tmpdir(), "scorefold-kafkajs-"));
  made.push(root);
  cpSync(dirname(require.resolve("kafkajs/package.json")), root, { recursive: true });
  return loadKafkajs(root, patches);
}

afterAll(() => {
  for (const root of made) rmSync(root, { recursive: true, force: true });
});
