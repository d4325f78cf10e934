/** A fetcher over the death of its broker. */
import { afterAll, expect, it } from "vitest";
import { connectKafka } from "../../src/kafka/client.js";
import { clusterOf } from "../../src/kafka/cluster.js";
import { Fetcher } from "../../src/kafka/fetcher.js";
import { addressIfThere } from "../components/component.js";
import { ownBroker } from "../components/kafka/kafka.js";
import { makeTopics } from "./kafka-app.js";

const jars = await addressIfThere("kafka-jars");
const own = jars === null ? null : await ownBroker(jars);

afterAll(async () => {
  await own?.remove();
});

it.skipIf(own === null)("goes on where it was when its broker has been killed and started again", async () => {
  const { broker } = own!;
  await broker.start();
  const silent = { warn: () => undefined, debug: () => undefined };
  const kafka = connectKafka({ brokers: [broker.address], clientId: "test", tls: false, sasl: null }, silent);
  const send = async (value: string): Promise<void> => {
    const producer = kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    await producer.send({ topic: "inputs", messages: [{ value }] });
    await producer.disconnect();
  };
  const admin = kafka.admin();
  await admin.connect();
  await makeTopics(admin, [{ topic: "inputs", numPartitions: 1 }]);
  await admin.disconnect();
  const cluster = clusterOf(kafka);
  await cluster.connect();
  await cluster.addMultipleTargetTopics(["inputs"]);
  const fetcher = new Fetcher(cluster, ["inputs"], 0, () => undefined);
  const limits = { bytesMax: 1e6, recordsMax: 10, waitMs: 500 };
  const values: string[] = [];
  let from = 0;
  /** Also where it was told that the broker is away, as a task does in its next life. */
  const fetchTo = async (count: number): Promise<void> => {
    while (values.length < count) {
      try {
        const [taken] = await fetcher.fetch(new Map([["inputs", from]]), limits);
        values.push(...taken!.records.map(({ value }) => String(value)));
        from = taken!.next;
      } catch (error) {
        expect(error).toMatchObject({ code: "log-failed" });
      }
    }
  };
  await send("a");
  await fetchTo(1);
  const later = fetchTo(2);
  await broker.stop("SIGKILL");
  await broker.start();
  await send("b");
  await later;
  expect(values).toEqual(["a", "b"]);
  const idle = fetcher.close();
  await cluster.disconnect();
  await idle;
});
