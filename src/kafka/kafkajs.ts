/** kafkajs with its corrections. The only file that loads it. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ScorefoldError } from "../errors.js";
import { coordinators } from "./patches/coordinators.js";
import { groupByPartition } from "./patches/group-by-partition.js";
import { membership } from "./patches/membership.js";
import { namedErrors } from "./patches/named-errors.js";
import { oneSocket } from "./patches/one-socket.js";
import type { Patch } from "./patches/patch.js";
import { produceRequest } from "./patches/produce-request.js";
import { removedBrokers } from "./patches/removed-brokers.js";
import { tlsErrors } from "./patches/tls-errors.js";
import { topicErrors } from "./patches/topic-errors.js";
import { wholeAnswers } from "./patches/whole-answers.js";

type Kafkajs = typeof import("kafkajs");

/** The corrections are of this version and no other. */
const VERSION = "2.2.4";

export const patches: readonly Patch[] = [
  groupByPartition,
  produceRequest,
  topicErrors,
  wholeAnswers,
  ...namedErrors,
  tlsErrors,
  oneSocket,
  removedBrokers,
  coordinators,
  membership,
];

const require = createRequire(import.meta.url);
let loaded: Loaded | undefined;

/** The client with all corrections. @throws ScorefoldError `internal` for another version than the corrected one */
export function kafkajs(): Loaded {
  loaded ??= loadKafkajs(dirname(require.resolve("kafkajs/package.json")), patches);
  return loaded;
}

export interface Loaded {
  readonly kafkajs: Kafkajs;
  /** Loads a module of the package by its path in it, as `src/protocol/encoder.js`. */
  readonly load: (file: string) => unknown;
}

/**
 * Loads the package in a directory, with some corrections.
 *
 * @param some in an order in which none loads a module that a later one replaces
 */
export function loadKafkajs(root: string, some: readonly Patch[]): Loaded {
  const load = (file: string): unknown => require(join(root, file));
  const { version } = load("package.json") as { version: string };
  if (version !== VERSION)
    throw new ScorefoldError("internal", `kafkajs is ${version}; its corrections are of ${VERSION}: install that one`);
  const replaced = new Set<string>();
  for (const { file, name, replace } of some) {
    const path = join(root, file);
    // Whoever loaded it before would go on with what it was.
    if (require.cache[path] !== undefined && !replaced.has(path))
      throw new ScorefoldError("internal", `kafkajs: ${file} was loaded before its correction "${name}"`);
    const original = load(file);
    require.cache[path]!.exports = replace(original, load);
    replaced.add(path);
  }
  return { kafkajs: load("index.js") as Kafkajs, load };
}
