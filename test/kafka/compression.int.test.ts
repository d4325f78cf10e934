/** Batches as Kafka's own client packs them, in every codec, from a real broker. */
import { randomUUID } from "node:crypto";
import { afterAll, expect, it } from "vitest";
import { addressIfThere } from "../components/component.js";
import { type Codec, javaClient } from "../components/kafka/java-client.js";
import { drained } from "./drain.js";
import { connectedKafka, makeTopics } from "./kafka-app.js";

const connected = await connectedKafka();
const java = await javaClient();
const { kafka, admin } = connected ?? ({} as NonNullable<typeof connected>);

afterAll(async () => {
  await connected?.admin.disconnect();
});

it.skipIf(connected === null || java === null)(
  "reads what Kafka's own client has packed, whatever the codec",
  async () => {
    const codecs: readonly Codec[] = ["none", "gzip", "snappy", "lz4", "zstd"];
    const topics = new Map(codecs.map((codec) => [`compression-${codec}-${randomUUID()}`, codec]));
    await makeTopics(
      admin,
      [...topics.keys()].map((topic) => ({ topic, numPartitions: 1 })),
    );
    // Of several blocks of each codec: what repeats itself, and what does not.
    const lines = Array.from(
      { length: 5000 },
      (_, i) => `{"id":"${i % 7 === 0 ? randomUUID() : i}","text":"\u00e9t\u00e9 ${i % 100}"}`,
    );
    await java!.send((await addressIfThere("kafka"))!, topics, lines);
    for (const [topic, codec] of topics) expect(await drained(kafka, topic), codec).toEqual(lines);
  },
);
