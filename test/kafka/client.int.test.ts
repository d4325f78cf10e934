/** The client with its corrections against a real broker. */
import { randomUUID } from "node:crypto";
import { afterAll, expect, it } from "vitest";
import { connectedKafka, makeTopics } from "./kafka-app.js";

const connected = await connectedKafka();
const { kafka, admin } = connected ?? ({} as NonNullable<typeof connected>);

afterAll(async () => {
  await connected?.admin.disconnect();
});

it.skipIf(connected === null)("is given back what it has sent, keys, headers, instants and all", async () => {
  const topic = `client-${randomUUID()}`;
  await makeTopics(admin, [{ topic, numPartitions: 2 }]);
  const producer = kafka.producer({ transactionalId: topic, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const transaction = await producer.transaction();
  const messages = Array.from({ length: 3000 }, (_, i) => ({
    partition: i % 2,
    key: `k${i}`,
    value: Buffer.from(`v\u00e9${i}`),
    timestamp: String(1_700_000_000_000 + 7 * i),
    headers: i % 3 === 0 ? { reason: "r", more: ["a", "b"] } : {},
  }));
  await transaction.send({ topic, messages });
  await transaction.commit();
  await producer.disconnect();
  const consumer = kafka.consumer({ groupId: topic });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const found: unknown[] = [];
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ partition, message: { key, value, timestamp, headers } }) => {
          const text = (own: unknown): unknown => (Array.isArray(own) ? own.map(String) : String(own));
          const named = Object.fromEntries(Object.entries(headers ?? {}).map(([name, own]) => [name, text(own)]));
          found.push({ partition, key: String(key), value: value!, timestamp, headers: named });
          if (found.length === messages.length) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  for (const partition of [0, 1]) {
    const isOf = (one: unknown): boolean => (one as { partition: number }).partition === partition;
    expect(found.filter(isOf)).toEqual(messages.filter(isOf));
  }
});
