/** A fetcher over the death of its broker, and of a connection to it. */
import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { afterAll, expect, it } from "vitest";
import { connectKafka } from "../../src/kafka/client.js";
import { clusterOf } from "../../src/kafka/cluster.js";
import { Fetcher } from "../../src/kafka/fetcher.js";
import { addressIfThere } from "../components/component.js";
import { ownBroker } from "../components/kafka/kafka.js";
import { connectedKafka, makeTopics } from "./kafka-app.js";

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

interface Connection {
  readonly socket: Socket;
  readonly requestQueue: { readonly inflight: { readonly size: number } };
}

const connected = await connectedKafka();

afterAll(async () => {
  await connected?.admin.disconnect();
});

it.skipIf(connected === null)("leaves no connection open, also where one of a broker's has broken", async () => {
  const { kafka, admin } = connected!;
  const topic = `fetched-${randomUUID()}`;
  await makeTopics(admin, [{ topic, numPartitions: 1 }]);
  const before = openSockets();
  const cluster = clusterOf(kafka);
  await cluster.connect();
  await cluster.addMultipleTargetTopics([topic]);
  const fetcher = new Fetcher(cluster, [topic], 0, () => undefined);
  const fetch = async (waitMs: number): Promise<unknown> =>
    await fetcher.fetch(new Map([[topic, 0]]), { bytesMax: 1e6, recordsMax: 10, waitMs });
  await fetch(0);
  const [partition] = cluster.findTopicPartitionMetadata(topic);
  for (let times = 0; times < 3; times++) {
    const fetching = fetch(500);
    const broker = await cluster.findBroker({ nodeId: partition!.leader });
    // The second is for fetches.
    const [, fetches] = (broker.connectionPool as unknown as { pool: Connection[] }).pool;
    await expect.poll(() => fetches!.requestQueue.inflight.size).toBe(1);
    // As if the broker had closed it.
    fetches!.socket.emit("end");
    await fetching;
    await fetch(0);
    expect((await cluster.findBroker({ nodeId: partition!.leader })) === broker).toBe(false);
  }
  const idle = fetcher.close();
  await cluster.disconnect();
  await idle;
  await cluster.disconnect();
  await expect.poll(openSockets).toBe(before);
});

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
}
