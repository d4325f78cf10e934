/** Topic files, read: YAML -> a definition, or every problem of it with its place. */
import type { FileKind } from "../model/parse.js";
import { type Field, type Fields, YamlReader } from "../model/yaml-reader.js";
import { suggestion } from "../nearest.js";
import { parseMapping } from "./parse-mapping.js";
import { inputKinds, outputKinds, recordKeys, roles, type TopicDefinition, type TopicResult } from "./types.js";

/** More are no topic but a slip; a task is one partition number, and each takes memory. */
export const PARTITIONS_MAX = 4096;
const CONFIG_VALUE_LENGTH_MAX = 1024;

const topicKeys = ["name", "description", "role", "key", "kind", "partitions", "config", "mapping"] as const;

const topicKind: FileKind = {
  plural: "topic files",
  split: "name values in `mapping` by their table, not one by one",
  start: "a topic starts with `name: <topic>` and `role: input`",
  single: "keep one topic in a file",
};

/** Settings of topics that Apache Kafka has, to tell a slip from one that a newer broker may know. */
const knownConfig = [
  "cleanup.policy",
  "compression.gzip.level",
  "compression.lz4.level",
  "compression.type",
  "compression.zstd.level",
  "delete.retention.ms",
  "file.delete.delay.ms",
  "flush.messages",
  "flush.ms",
  "follower.replication.throttled.replicas",
  "index.interval.bytes",
  "leader.replication.throttled.replicas",
  "local.retention.bytes",
  "local.retention.ms",
  "max.compaction.lag.ms",
  "max.message.bytes",
  "message.timestamp.after.max.ms",
  "message.timestamp.before.max.ms",
  "message.timestamp.type",
  "min.cleanable.dirty.ratio",
  "min.compaction.lag.ms",
  "min.insync.replicas",
  "preallocate",
  "remote.storage.enable",
  "retention.bytes",
  "retention.ms",
  "segment.bytes",
  "segment.index.bytes",
  "segment.jitter.ms",
  "segment.ms",
  "unclean.leader.election.enable",
];

/**
 * Reads the file of one topic.
 *
 * @param file names it in problems
 */
export function parseTopic(text: string, file: string): TopicResult {
  const reader = new YamlReader(text, file, topicKind);
  const { root } = reader;
  const topic = root === undefined || reader.problems.length > 0 ? undefined : topicOf(reader, root);
  const { problems } = reader;
  if (topic === undefined || problems.length > 0) return { ok: false, problems };
  return { ok: true, topic };
}

function topicOf(reader: YamlReader, root: Field): TopicDefinition | undefined {
  const fields = reader.fields(root, topicKeys);
  if (fields === undefined) return undefined;
  const role = choiceOf(reader, root, fields, "role", roles);
  const base = {
    name: nameOf(reader, root, fields) ?? "",
    description: reader.textOf(fields, "description") ?? null,
    key: keyOf(reader, fields),
    partitions: partitionsOf(reader, root, fields) ?? 1,
    config: configOf(reader, fields),
  };
  const kind = fields.get("kind");
  const mapping = fields.get("mapping");
  if (mapping !== undefined && role !== "input" && role !== undefined)
    reader.report(mapping, `only topics with the role input have a mapping, and this one is ${role}; remove it`);
  switch (role) {
    case "input": {
      const own = kind === undefined ? "interaction" : (reader.oneOf(kind, inputKinds) ?? "interaction");
      return { ...base, role, kind: own, mapping: mapping === undefined ? null : parseMapping(reader, mapping, own) };
    }
    case "output": {
      const own = kind === undefined ? undefined : reader.oneOf(kind, outputKinds);
      if (kind === undefined) reader.report(root, `"kind" is missing; expected one of ${outputKinds.join(", ")}`);
      return own && { ...base, role, kind: own };
    }
    case undefined:
      return undefined;
    default:
      return role satisfies never;
  }
}

function choiceOf<T extends string>(
  reader: YamlReader,
  owner: Field,
  fields: Fields,
  key: string,
  allowed: readonly T[],
): T | undefined {
  const field = fields.get(key);
  if (field !== undefined) return reader.oneOf(field, allowed);
  reader.report(owner, `"${key}" is missing; expected one of ${allowed.join(", ")}`);
  return undefined;
}

function nameOf(reader: YamlReader, root: Field, fields: Fields): string | undefined {
  const field = reader.required(root, fields, "name");
  const name = field && reader.string(field);
  if (field === undefined || name === undefined) return undefined;
  // What Kafka takes: its topics are directories.
  if (!/^[A-Za-z0-9._-]{1,249}$/.test(name) || name === "." || name === "..")
    reader.report(field, "a topic is named by 1 to 249 letters, digits, dots, dashes or underscores");
  return name;
}

function keyOf(reader: YamlReader, fields: Fields): TopicDefinition["key"] {
  const field = fields.get("key");
  return (field && reader.oneOf(field, recordKeys)) ?? null;
}

function partitionsOf(reader: YamlReader, root: Field, fields: Fields): number | undefined {
  const field = reader.required(root, fields, "partitions");
  const partitions = field && reader.number(field);
  if (field === undefined || partitions === undefined) return undefined;
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > PARTITIONS_MAX)
    reader.report(field, `expected a whole number from 1 to ${PARTITIONS_MAX}`);
  return partitions;
}

function configOf(reader: YamlReader, fields: Fields): ReadonlyMap<string, string> {
  const field = fields.get("config");
  const config = new Map<string, string>();
  for (const entry of field === undefined ? [] : reader.entries(field)) {
    const value = configValue(reader, entry.value);
    const hint = knownConfig.includes(entry.key) ? undefined : suggestion(entry.key, knownConfig);
    // A broker may know settings that are not in the list: only what looks like a slip is one.
    if (!/^[a-z0-9._-]{1,200}$/.test(entry.key)) reader.report(entry.at, "a setting is named as retention.ms is");
    else if (hint?.startsWith("; did you mean")) reader.report(entry.at, `Kafka has no setting ${entry.key}${hint}`);
    else if (value !== undefined) config.set(entry.key, value);
  }
  return config;
}

/** As text, the way Kafka has them. */
function configValue(reader: YamlReader, field: Field): string | undefined {
  const value = reader.scalar(field);
  // Digits as they were written: a number that a double can't hold would be another one.
  const written = typeof value === "number" && field.node.kind === "scalar" ? field.node.written : String(value);
  if (value === undefined || value === null || (typeof value === "number" && !/^-?\d+(\.\d+)?$/.test(written))) {
    reader.report(field, "expected a text, a number written in digits, or true or false");
    return undefined;
  }
  if (written.length <= CONFIG_VALUE_LENGTH_MAX && !/\p{Cc}/u.test(written)) return written;
  reader.report(field, `expected at most ${CONFIG_VALUE_LENGTH_MAX} characters, in one line`);
  return undefined;
}
