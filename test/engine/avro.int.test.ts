/** An engine on a real cluster with a real registry: Avro goes in, Avro comes out. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SchemaRegistry as Client, COMPATIBILITY, SchemaType } from "@kafkajs/confluent-schema-registry";
import { expect, it } from "vitest";
import { DataDirectory } from "../../src/engine/directory.js";
import { KafkaEngine } from "../../src/engine/kafka-engine.js";
import { systemClock } from "../../src/stream/clock.js";
import { createLogger } from "../../src/telemetry.js";
import { addressIfThere } from "../components/component.js";
import { email } from "../events/avro-shipped.js";
import { connectedKafka, KafkaApp } from "../kafka/kafka-app.js";
import { compiled, Told } from "./given.js";

const url = await addressIfThere("registry");
const connected = url === null ? null : await connectedKafka();

it.skipIf(connected === null)("an engine scores Avro and publishes Avro where a registry is named", async () => {
  const { kafka, admin } = connected!;
  const app = await KafkaApp.make(kafka, admin, ["inputs"], 1);
  const client = new Client({ host: url! });
  const path = mkdtempSync(join(tmpdir(), "scorefold-avro-"));
  const told = new Told();
  const engine = await KafkaEngine.start({
    directory: await DataDirectory.open(path),
    kafka,
    app: app.id,
    inputTopics: app.inputTopics,
    outputTopics: app.outputTopics,
    mappers: new Map(),
    meanings: new Map(),
    topicOf: () => app.named("inputs"),
    registry: { url: url! },
    partitioner: "murmur2",
    isHistoryLocal: true,
    models: [compiled("model: lead\nversion: 1\nrules: [{ id: opens, when: email.opened, points: 10 }]\n")],
    clock: systemClock,
    logger: createLogger("error", told),
  });
  const consumer = kafka.consumer({ groupId: `${app.id}.reader` });
  await consumer.connect();
  await consumer.subscribe({ topic: app.named("score-changed"), fromBeginning: true });
  const first = new Promise<Buffer | null>((resolve, reject) => {
    consumer.run({ eachMessage: async ({ message }) => resolve(message.value) }).catch(reject);
  });
  const { id } = await client.register(
    { type: SchemaType.AVRO, schema: JSON.stringify(email) },
    { subject: `${app.named("inputs")}-value`, compatibility: COMPATIBILITY.BACKWARD },
  );
  const at = Date.now();
  const input = { id: "a", tenantId: "default", contactId: "ada", type: "email.opened", at };
  await app.send("inputs", 0, [await client.encode(id, { ...input, resource: null, automated: "no", attributes: {} })]);
  expect(await client.decode((await first)!)).toMatchObject({
    "scorefold.ScoreChanged": {
      contactId: "ada",
      model: "lead",
      current: 10,
      at,
      cause: { kind: "interaction", id: "a" },
    },
  });
  expect(told.text).toBe("");
  await consumer.disconnect();
  await engine.stop();
  await app.close();
  await admin.disconnect();
  rmSync(path, { recursive: true, force: true });
});
