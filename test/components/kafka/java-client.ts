/** Kafka's own client, in Java, of the jars that the local broker is of. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { addressIfThere } from "../component.js";

const PRODUCER = "test/components/kafka/Produce.java";
const CONSUMER = "test/components/kafka/Consume.java";

export type Codec = "none" | "gzip" | "snappy" | "lz4" | "zstd";

export interface JavaClient {
  /** Sends the lines to partition 0 of each topic, with its codec. */
  send(broker: string, topics: ReadonlyMap<string, Codec>, lines: readonly string[]): Promise<void>;
}

/** @returns null where there is no Java with a compiler, or no way to the jars */
export async function javaClient(): Promise<JavaClient | null> {
  const jars = await addressIfThere("kafka-jars");
  if (jars === null) return null;
  return {
    send: async (broker, topics, lines) => {
      const client = spawn("java", ["-Xmx256m", "-cp", `${jars}/*`, PRODUCER, broker, ...[...topics].flat()], {
        stdio: ["pipe", "ignore", "pipe"],
      });
      const said: string[] = [];
      client.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text));
      client.stdin.end(lines.join("\n"));
      const [code] = (await once(client, "close")) as [number | null];
      if (code !== 0) throw new Error(`the client in Java has ended with ${code}:\n${said.join("")}`);
    },
  };
}

export interface CommittedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly value: Buffer;
}

/** All that is committed in these topics, partition by partition in order, read by Kafka's own client. */
export async function committedRecords(
  jars: string,
  broker: string,
  topics: readonly string[],
): Promise<CommittedRecord[]> {
  const client = spawn("java", ["-Xmx256m", "-cp", `${jars}/*`, CONSUMER, broker, ...topics], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(client, "close");
  const said: string[] = [];
  client.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text));
  const records: CommittedRecord[] = [];
  for await (const line of createInterface({ input: client.stdout })) {
    const [topic, partition, offset, timestamp, value] = line.split("\t") as [string, string, string, string, string];
    const place = { topic, partition: Number(partition), offset: Number(offset), timestamp: Number(timestamp) };
    records.push({ ...place, value: Buffer.from(value, "base64") });
  }
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`the client in Java has ended with ${code}:\n${said.join("")}`);
  return records;
}
