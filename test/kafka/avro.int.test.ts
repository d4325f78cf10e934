/**
 * Avro on a real broker, with a real registry: what others write is read, what is written others read. The others are
 * kafkajs's own client of registries.
 */
import { SchemaRegistry as Client, COMPATIBILITY, SchemaType } from "@kafkajs/confluent-schema-registry";
import { afterAll, describe, expect, it } from "vitest";
import { encodeDeadLetter, ORIGINAL_BYTES_MAX } from "../../src/events/dead-letter.js";
import type { Output, ScoreChanged } from "../../src/events/types.js";
import { SchemaRegistry } from "../../src/kafka/registry.js";
import { avroWriter, type ValueWriter } from "../../src/kafka/value-writer.js";
import { RegisteredValues } from "../../src/kafka/values.js";
import type { Log, LogRecord, TaskLog } from "../../src/stream/log.js";
import { addressIfThere } from "../components/component.js";
import { email, shipped } from "../events/avro-shipped.js";
import { atOnce, crossingOf, fetchAll, fromOffset, letterOf, line } from "../stream/log.contract.js";
import { drainedValues } from "./drain.js";
import { connectedKafka, KafkaApp } from "./kafka-app.js";

const url = await addressIfThere("registry");
const connected = url === null ? null : await connectedKafka();
const { kafka, admin } = connected ?? ({} as NonNullable<typeof connected>);
const registry = new SchemaRegistry({ url: url ?? "http://none" });
const client = new Client({ host: url ?? "http://none" });

afterAll(async () => {
  registry.close();
  await connected?.admin.disconnect();
});

const values = () => new RegisteredValues(registry, () => performance.now());
const writtenTo = async (app: KafkaApp): Promise<ValueWriter> => await avroWriter(registry, app.outputTopics);

/** As a task does it: where the group's offsets are, a broker that has just started does not know at first. */
async function opened(log: Log): Promise<TaskLog> {
  const task = await log.open(0);
  await task.committed();
  return task;
}

async function withApp(run: (app: KafkaApp) => Promise<void>): Promise<void> {
  const app = await KafkaApp.make(kafka, admin, ["inputs"], 1);
  try {
    await run(app);
  } finally {
    await app.close();
  }
}

const changed: ScoreChanged = {
  ...{ kind: "ScoreChanged", id: "s", tenantId: "default", contactId: "c", model: "m", version: 1 },
  ...{ previous: null, current: 5, delta: 5, previousGrade: null, grade: "a", dimensions: { d: 5 }, at: 3 },
  ...{ cause: { kind: "decay" }, lines: [{ rule: "r", dimension: "d", points: -0.5 }] },
  ...{ salesReady: true, suppressed: false, route: "\u00e9" },
};
const input = { id: "a", tenantId: "default", contactId: "c", type: "email.opened", at: 1_000_000_001_000 };

describe.skipIf(connected === null)("Avro on a broker", () => {
  it("is read beside JSON, and what can't be read is put aside with its bytes", async () => {
    await withApp(async (app) => {
      const subject = `${app.named("inputs")}-value`;
      const { id } = await client.register(
        { type: SchemaType.AVRO, schema: JSON.stringify(email) },
        { subject, compatibility: COMPATIBILITY.BACKWARD },
      );
      const good = await client.encode(id, { ...input, resource: null, automated: "no", attributes: {} });
      const cut = good.subarray(0, -1);
      const unknown = Buffer.from([0, 0x7f, 0, 0, 1, 2]);
      await app.send("inputs", 0, [good, line("b"), cut, unknown]);
      const log = app.log({ values: values(), writer: await writtenTo(app) });
      const records = await fetchAll(log, await log.open(0), atOnce);
      expect(records[0]?.decoded).toEqual({
        ok: true,
        input: { kind: "interaction", ...input, attributes: {} },
        ignored: [],
      });
      expect(records.map(({ decoded }) => (decoded.ok ? decoded.input.id : decoded.reason))).toEqual([
        ...["a", "b", "undecodable", "unknown-schema"],
      ]);
      expect(records.slice(2).map(bytesOf)).toEqual([cut, unknown]);
      await log.close();
    });
  });

  it("is not put aside because the registry is away", async () => {
    await withApp(async (app) => {
      const { id } = await client.register(
        { type: SchemaType.AVRO, schema: JSON.stringify(email) },
        { subject: `${app.named("inputs")}-value`, compatibility: COMPATIBILITY.BACKWARD },
      );
      await app.send("inputs", 0, [
        await client.encode(id, { ...input, resource: null, automated: "no", attributes: {} }),
      ]);
      let isAway = true;
      const away = new SchemaRegistry({ url: "http://127.0.0.1:1" });
      const flaky = {
        name: "the registry",
        schemaOf: async (own: number) => await (isAway ? away : registry).schemaOf(own),
      };
      const log = app.log({ values: new RegisteredValues(flaky, () => 0), writer: await writtenTo(app) });
      const task = await log.open(0);
      await expect(fetchAll(log, task, atOnce)).rejects.toMatchObject({ code: "registry-failed", retryable: true });
      isAway = false;
      expect((await fetchAll(log, task, atOnce)).map(({ decoded }) => decoded.ok)).toEqual([true]);
      await log.close();
    });
  });

  it("is written so that others read it", async () => {
    await withApp(async (app) => {
      const log = app.log({ values: values(), writer: await writtenTo(app) });
      const task = await opened(log);
      const erased: Output = { kind: "ContactErased", id: "e", tenantId: "default", contactId: "c", at: 7 };
      const lone = { ...letterOf(3), error: "half of a pair: \ud83d" };
      await task.publish({
        ...{ offsets: fromOffset(log, 0), metadata: "" },
        outputs: [changed, erased, crossingOf(2)],
        deadLetters: [letterOf(1), lone],
      });
      await log.close();
      const read = async (name: string): Promise<unknown[]> => {
        const found = await drainedValues(kafka, app.named(name));
        return await Promise.all(found.map(async (value) => plain(await client.decode(value!))));
      };
      const { kind: _, ...erasure } = erased;
      const { kind: __, ...change } = changed;
      expect(await read("score-changed")).toEqual([
        { "scorefold.ScoreChanged": { ...change, cause: { kind: "decay", id: null, type: null } } },
        { "scorefold.ContactErased": erasure },
      ]);
      expect(await read("threshold-crossed")).toMatchObject([
        { eventId: (crossingOf(2) as { eventId: string }).eventId },
      ]);
      expect(await read("dead-letters")).toMatchObject([
        { original: letterOf(1).original, offset: letterOf(1).offset, originalBase64: null },
        { error: "half of a pair: \ufffd" },
      ]);
      expect(
        await client.getRegistryIdBySchema(`${app.named("dead-letters")}-value`, {
          type: SchemaType.AVRO,
          schema: JSON.stringify(shipped("dead-letters")),
        }),
      ).toBeGreaterThan(0);
    });
  });
});

describe.skipIf(connected === null)("dead letters on a broker", () => {
  it.each(["JSON", "Avro"])("of half a megabyte of control characters fit into a record: %s", async (form) => {
    await withApp(async (app) => {
      const log = app.log(form === "JSON" ? undefined : { values: values(), writer: await writtenTo(app) });
      const task = await opened(log);
      const original = "\u0001".repeat(ORIGINAL_BYTES_MAX);
      const beyond = "\u0001".repeat(1_500_000);
      const letters = [original, beyond].map((own, i) => ({ ...letterOf(i), original: own }));
      expect(Buffer.byteLength(encodeDeadLetter(letters[0]!))).toBeGreaterThan(3_000_000);
      await task.publish({ offsets: fromOffset(log, 0), metadata: "", outputs: [], deadLetters: letters });
      await log.close();
      const found = await drainedValues(kafka, app.named("dead-letters"));
      const read = await Promise.all(
        found.map(async (value) => (form === "JSON" ? JSON.parse(String(value)) : plain(await client.decode(value!)))),
      );
      const whole = read.map(({ original: text, originalBase64, length }) => ({
        text: typeof originalBase64 === "string" ? Buffer.from(originalBase64, "base64").toString() : text,
        length,
      }));
      expect(whole[0]?.text === original).toBe(true);
      expect(whole[1]?.length).toBe(beyond.length);
      expect(whole[1]?.text === original).toBe(true);
    });
  });
});

/** What was put aside, as it was sent. */
function bytesOf({ original }: LogRecord): Buffer | null {
  if (original === null || typeof original === "string") return original === null ? null : Buffer.from(original);
  return Buffer.from(original.base64 ?? "", "base64");
}

/** Without the classes that avsc makes of records. */
function plain(
  value: unknown,
): Record<string, unknown> & { original: string; originalBase64?: string; length: number } {
  return JSON.parse(JSON.stringify(value)) as ReturnType<typeof plain>;
}
