/** Topics of texts, and records for their mappings. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compileTopic } from "../../src/topics/mapping.js";
import { parseTopic } from "../../src/topics/parse.js";
import type { Mapped, SourceRecord } from "../../src/topics/record.js";
import type { InputTopic, TopicDefinition } from "../../src/topics/types.js";

export const topicsPath = fileURLToPath(new URL("../../topics/", import.meta.url));

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function textIn(file: string): string {
  return readFileSync(`${topicsPath}${file}`, "utf8");
}

export function topicOf(text: string, file = "topic.yaml"): TopicDefinition {
  const result = parseTopic(text, file);
  if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 1));
  return result.topic;
}

/** `3:5 mapping.inputs[0].fields.at: expected ...` */
export function problemsOf(text: string): string[] {
  const result = parseTopic(text, "topic.yaml");
  return result.ok ? [] : result.problems.map((one) => `${one.line}:${one.column} ${one.path}: ${one.message}`);
}

export function recordOf(bytes: string | Uint8Array, parts: Partial<SourceRecord> = {}): SourceRecord {
  return {
    key: null,
    timestamp: 1_000_000_000_000,
    bytes: typeof bytes === "string" ? Buffer.from(bytes) : bytes,
    ...parts,
  };
}

/** Maps JSON texts by the topic of a file's text. */
export function mapperOf(text: string): (json: string, parts?: Partial<SourceRecord>) => Mapped {
  const map = compileTopic(topicOf(text) as InputTopic, sha256);
  return (json, parts) => map(JSON.parse(json), recordOf(json, parts));
}

/** A topic with one input in its mapping, given as YAML in one line. */
export function mapped(input: string): string {
  return `name: t\nrole: input\npartitions: 1\nmapping: { version: 3, inputs: [${input}] }\n`;
}
