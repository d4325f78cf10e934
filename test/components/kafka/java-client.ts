/** Kafka's own client, in Java, of the jars that the local broker is of. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { addressIfThere } from "../component.js";

const SOURCE = "test/components/kafka/Produce.java";

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
      const client = spawn("java", ["-Xmx256m", "-cp", `${jars}/*`, SOURCE, broker, ...[...topics].flat()], {
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
